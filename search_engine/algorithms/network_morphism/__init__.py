"""Network morphism: the entry.

- `hill_climbing`, `bayesian_choice`: the two rules.
- `search`: what they share; `lineage`: the tree of networks.
- `edit_distance`, `gaussian_process`: what the Bayesian choice rests on.

The operators are `search_engine.spaces.growing_convnet.morphs` (on graphs) and `search_engine.supernets.morphing` (on weights).
"""

from __future__ import annotations

from typing import Any

from search_engine.base.errors import BadInput
from search_engine.spaces.base import SpaceEntry
from search_engine.spaces.growing_convnet.adoption import adopted
from search_engine.spaces.growing_convnet.space import GrowingConvnetSpace

from ..base import ONE_FINALIST, AlgorithmEntry, Idle, Phase
from ..given import GivenModel
from .bayesian_choice import BayesianChoice
from .hill_climbing import HillClimb
from .options import NetworkMorphismConfig


def _phases(options: NetworkMorphismConfig) -> list[Phase]:
    return [HillClimb() if options.choice == "hill_climbing" else BayesianChoice()]


FINAL = 6
"""The last network is trained on so many times as long as a child (paper: 100 epochs and 17)."""


def recipe(options: NetworkMorphismConfig, space: SpaceEntry) -> dict[str, Any]:
    """`AlgorithmEntry.recipe`."""
    return {"epochs": FINAL * options.epochs}


def can_grow(options: NetworkMorphismConfig, space: GrowingConvnetSpace, given: GivenModel) -> None:
    """Raises BadInput(field "model") for a finished network that cannot be morphed, naming layer and reason, and for one that is beyond the
    space's bounds before it grows (`AlgorithmEntry.begins_with`)."""
    network = adopted(given.space, given.genome).network
    problem = space.too_large(space.genome(network))
    if problem:
        raise BadInput("model", f"it is too large to grow: {problem}")


ENTRY = AlgorithmEntry(
    id="network_morphism",
    title="Network morphism",
    family="evolution",
    summary="Grows a trained network by operators that leave its function as it is (deeper, wider, skip connections), trains what has "
    "grown for a few epochs, and goes on from the best.",
    source="Elsken, Metzen, Hutter: Simple and efficient architecture search for convolutional neural networks, 2017, arXiv:1711.04528; "
    "Bayesian choice: Jin, Song, Hu: Auto-Keras, KDD 2019, arXiv:1806.10282; described in Nikulenkov, master's thesis, Moscow State "
    "University 2022, section 2.2.1",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"morphs"}),
    config=NetworkMorphismConfig,
    phases=_phases,
    spaces=("growing_convnet",),
    no_space_for=dict.fromkeys(("vector", "series"), "Its morphisms grow convolutional networks over images."),
    lives="growing graphs",
    structure=("morphisms", "growth", "surrogate", "population"),
    recipe="search_engine.algorithms.network_morphism:recipe",
    begins_with="search_engine.algorithms.network_morphism:can_grow",
    begins_with_label="Grow",
    finale="The network from which the search would go on keeps its weights and is trained on, six times as long as a child "
    "(paper: 100 epochs after children of 17). Beside it the same architecture is trained "
    "from fresh weights and the seed network is trained on, both in the same way: what the grown network has beyond the first it owes to "
    "its history (it has been trained longer), beyond the second to growing and to the epochs of the search.",
    idle=(
        ONE_FINALIST,
        Idle(("training.epochs", "training.steps"), "its options say for how many epochs networks are trained"),
    ),
    quick={
        "options": {"steps": 1, "children": 2, "morphs": 2, "seed_epochs": 1, "epochs": 1},
        "space_options": {"channels": [4, 4]},
        "training": {"train_examples": 128},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128}},
    },
)
