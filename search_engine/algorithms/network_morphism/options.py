"""Hyper-parameters of network morphism, of both ways to choose the next network."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from search_engine.base.works_with import WorksWith, each, one_of

from ..base import AlgorithmConfig


class NetworkMorphismConfig(AlgorithmConfig):
    """Defaults are sized for 8 x 8 digits: 41 networks of five epochs. The paper's are for CIFAR-10 on a GPU."""

    works_with: ClassVar[WorksWith] = {
        **each(("steps", "children", "morphs"), {"choice": one_of("hill_climbing")}),
        **each(
            ("networks", "open_trials", "acquisition", "beta", "parents", "neighbours", "candidates", "cooling"),
            {"choice": one_of("bayesian")},
        ),
        "beta": {"choice": one_of("bayesian"), "acquisition": one_of("ucb")},
    }

    choice: Literal["hill_climbing", "bayesian"] = Field(
        default="hill_climbing", title="Choice of the next networks",
        description="hill_climbing: several random children of the best network are trained, the best of them is the next parent (Elsken "
        "et al. 2017). bayesian: a Gaussian process over the edit distance of networks says which one to grow next (Jin et al. 2019).",
    )
    steps: int = Field(
        default=5, ge=1, le=1000, title="Steps", description="So often the best child becomes the parent. Paper: 5 and 8."
    )
    children: int = Field(
        default=8, ge=1, le=100, title="Children per step",
        description="The first is the unchanged parent, trained on; 1 is nothing but training on. Paper: 8.",
    )
    morphs: int = Field(
        default=5, ge=1, le=50, title="Morphisms per child",
        description="So many random operators, one after the other, make a child. Paper: 5.",
    )
    seed_epochs: int = Field(
        default=20, ge=1, le=10_000, title="Epochs of the seed",
        description="Passes over the training part for the network that growth starts from. Paper: 20.",
    )
    epochs: int = Field(
        default=5, ge=1, le=10_000, title="Epochs per network",
        description="Passes over the training part for every grown network, with the learning rate of the training from its start to its "
        "end each time (cosine with warm restarts, SGDR). Paper: 17.",
    )
    noise: float = Field(
        default=1e-4, ge=0, le=0.1, title="Noise on copies",
        description="Added to copied channels, as a share of the range of their layer's weights, so that copies learn different things. 0: "
        "the function is preserved to the last bits, and copies stay copies.",
    )
    networks: int = Field(
        default=40, ge=1, le=100_000, title="Networks", description="So many are trained in all, the seed counted."
    )
    open_trials: int = Field(
        default=1, ge=1, le=64, title="Open trials",
        description="How many networks may be open at once, by the config and not by the number of workers. One that is open counts as a "
        "bad one until its score is known (constant liar), so that nothing close to it is asked.",
    )
    acquisition: Literal["ei", "ucb"] = Field(
        default="ucb", title="Acquisition",
        description="What is sought: the largest expected improvement (ei), or the largest mean plus beta deviations (ucb).",
    )
    beta: float = Field(
        default=2.576, ge=0, le=100, title="Deviations β", description="Deviations that are added to the mean. Auto-Keras: 2.576."
    )
    parents: int = Field(
        default=10, ge=1, le=1000, title="Networks kept",
        description="Of so many networks, those with the highest scores, the weights are kept, and one of them is grown next.",
    )
    neighbours: int = Field(
        default=8, ge=1, le=100, title="Neighbours", description="Random morphisms that are looked at of a network, at once. Auto-Keras: 8."
    )
    candidates: int = Field(
        default=100, ge=1, le=10_000, title="Candidates", description="Networks that the Gaussian process judges for one choice, at most."
    )
    cooling: float = Field(
        default=0.9, gt=0, lt=1, title="Cooling",
        description="Factor on the temperature of the simulated annealing that looks through candidates, after each network. Auto-Keras: "
        "0.9.",
    )

    @property
    def trial_fidelity(self) -> dict[str, Any]:
        """Of all but the seed."""
        return {"epochs": self.epochs}
