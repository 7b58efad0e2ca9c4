"""Supermasks: a network of random weights that is never trained, and yet classifies: only which of its weights are kept is learned.

zhou (H. Zhou, J. Lan, R. Liu, J. Yosinski, "Deconstructing Lottery Tickets: Zeros, Signs, and the Supermask", NeurIPS 2019,
arXiv 1905.01067, section 5.1). Every weight w_i has a score v_i and is kept with probability p_i = sigmoid(v_i):

    m_i ~ Bernoulli(p_i) at every forward pass,   network(x; w * m * n / sum(m)),   v := SGD(v, dL/dm dp/dv)

the draw counting as p itself in the gradient (straight through). The factor n / sum(m) of each layer is dynamic scaling. What the
paper reports is the mean accuracy of ten drawn masks.

edge_popup (V. Ramanujan et al., "What's Hidden in a Randomly Weighted Neural Network?", CVPR 2020, arXiv 1911.13299). The mask keeps the
k n weights of each layer with the largest |s|; in the gradient the choice counts as |s| itself. k is the share that REMAINS.

Weights are drawn once, either normal or of one magnitude with random signs; biases are 0. The finished network is one mask, multiplied
into the weights: nothing is trained at the end. One step is one optimiser step of the scores.

Where it departs from the papers: learning rate and number of steps suit a data set of a thousand images (the papers' are named in the
descriptions), and of Zhou's ten drawn masks the finished one is the best by validation, or where p > 1/2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from search_engine.algorithms.base import AlgorithmConfig, Context, Finalist
from search_engine.algorithms.derived_genomes import derived_genome
from search_engine.algorithms.step_search import StepSearch
from search_engine.base.errors import BadInput
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, each, one_of
from search_engine.events import ChartsFrame, Cost, Metrics
from search_engine.spaces.genomes import Genome
from search_engine.spaces.plain_network import PlainNetworkSpace
from search_engine.spaces.tasks import SCORES

if TYPE_CHECKING:
    import torch

    from .. import mask_bits, mask_frames
    from . import charts as supermask_charts
    from . import fixed_weights
else:
    fixed_weights = lazy_module("search_engine.algorithms.pruning.supermask.fixed_weights")
    mask_bits = lazy_module("search_engine.algorithms.pruning.mask_bits")
    mask_frames = lazy_module("search_engine.algorithms.pruning.mask_frames")
    supermask_charts = lazy_module("search_engine.algorithms.pruning.supermask.charts")
    torch = lazy_module("torch")

MOST_FRAMES = 200
"""Pictures of a whole run; of more scorings some are not drawn."""


class SupermaskConfig(AlgorithmConfig):
    """Hyper-parameters of supermasks."""

    works_with: ClassVar[WorksWith] = {
        **each(
            ("dynamic_scaling", "initial_probability", "sampled_masks", "finished"), {"method": one_of("zhou")}
        ),
        **each(("share", "scaled", "weight_decay"), {"method": one_of("edge_popup")}),
    }

    method: Literal["zhou", "edge_popup"] = Field(
        default="zhou", title="Method",
        description="zhou: each weight has a probability to be kept. edge_popup: the weights with the highest scores are kept, a fixed "
        "share of every layer.",
    )
    weights: Literal["signed_constant", "normal"] = Field(
        default="signed_constant", title="Fixed weights",
        description="signed_constant: one magnitude for a layer, random signs. normal: normally distributed. The magnitude is Glorot's "
        "(zhou) or Kaiming's (edge_popup) standard deviation.",
    )

    # ---- zhou
    dynamic_scaling: bool = Field(
        default=True, title="Dynamic scaling",
        description="zhou: a layer's weights are multiplied by (number of weights) / (number kept), so that sums keep their size.",
    )
    initial_probability: float = Field(
        default=0.5, gt=0, lt=1, title="First probability", description="zhou: of every weight to be kept, at the start. Paper: 0.5."
    )
    sampled_masks: int = Field(
        default=10, ge=1, le=100, title="Drawn masks", description="zhou: masks that are drawn to score the probabilities. Paper: 10."
    )
    finished: Literal["sampled", "threshold"] = Field(
        default="sampled", title="Finished mask",
        description="zhou: sampled: the best of the drawn masks by validation (the paper scores drawn masks). threshold: keep where the "
        "probability is above one half; many weights may stay undecided.",
    )

    # ---- edge-popup
    share: float = Field(
        default=0.5, gt=0, le=1, title="Share kept k",
        description="edge_popup: share of every layer's weights that REMAINS. Best between 0.3 and 0.7 in the paper.",
    )
    scaled: bool = Field(
        default=True, title="Scaled weights", description="edge_popup: the fixed weights are larger by the square root of 1 / k."
    )
    weight_decay: float = Field(
        default=5e-4, ge=0, le=1, title="Weight decay of the scores", description="edge_popup: L2 penalty on the scores. Paper: 0.0005."
    )

    # ---- training of the scores
    steps: int = Field(
        default=800, ge=1, le=10_000_000, title="Steps",
        description="Optimiser steps. Papers: 2,000 epochs (zhou, MNIST), 100 (edge_popup).",
    )
    batch_size: int = Field(default=60, ge=2, le=65_536, title="Batch size", description="Examples of a step. Paper (zhou): 250.")
    learning_rate: float = Field(
        default=0.0, ge=0, le=10_000, title="Learning rate",
        description="SGD's for the scores; 0 = the method's own: 20, constant (zhou; paper: 100), or 0.1 along a cosine (edge_popup).",
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, title="Momentum", description="SGD's. Papers: 0.9.")

    # ---- what is measured
    score_every: int = Field(
        default=25, ge=1, le=1_000_000, title="Score every", description="Steps between two scorings on the validation part."
    )
    validation_examples: int = Field(
        default=2000, ge=0, le=1_000_000, title="Validation examples", description="At most so many score a mask; 0 = all."
    )


class SupermaskSearch(StepSearch[SupermaskConfig]):
    """The scores move, the weights do not."""

    title = "Supermask"
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Draw weights and scores. Raises TypeError without samples."""
        super().begin(context, handover)
        self.space: PlainNetworkSpace = context.space  # type: ignore[assignment]
        self.fixed = fixed_weights.FixedWeights(self.space, self.samples, self.options, context.seed, context.device, context.amp)
        self.standings: list[supermask_charts.Standing] = []
        self.chosen = 0
        """Number of the drawn mask that scored best."""
        self.before: dict[str, torch.Tensor] = self._finished_masks()
        self.drawn: dict[str, torch.Tensor] = {}
        """The masks of the last frame; empty before the first."""
        self.dense = 0.0

    @property
    def draws(self) -> bool:
        """Whether masks are drawn rather than chosen."""
        return self.options.method == "zhou"

    @property
    def horizon(self) -> int:
        return self.options.steps

    # ---- one step

    def step(self) -> Cost:
        """One optimiser step of the scores. Raises TrialFailure for a loss that is not finite."""
        # Scoring counts itself.
        cost = Cost() if self.done else self._score_start()
        cost = cost.plus(self.spend(self.fixed.step(self.done)))
        self.done += 1
        if self.done % self.options.score_every == 0 or self.finished:
            cost = cost.plus(self._score())
        return cost

    def _score_start(self) -> Cost:
        """Before the first step: the network without a mask, and the first masks."""
        everything = {layer.name: torch.ones(layer.shape, device=self.context.device) for layer in self.space.layers}
        self.dense, _ = self.fixed.score(everything)
        cost = self.spend(self.fixed.scoring_cost(1))
        return cost.plus(self._score())

    def _score(self) -> Cost:
        """Score the masks that the scores mean now, and say it."""
        rule, options = self.fixed.rule, self.options
        masks = [self.fixed.sampled(number) for number in range(options.sampled_masks)] if self.draws else [rule.finished_masks()]
        found = [self.fixed.score(mask) for mask in masks]
        scores = [score for score, _ in found]
        self.chosen = scores.index(max(scores))
        cost = self.fixed.scoring_cost(len(masks))
        finished = self._finished_masks()
        value = max(scores)
        if self.draws and options.finished == "threshold":
            value, cost = self.fixed.score(finished)[0], cost.plus(self.fixed.scoring_cost(1))
        differing = sum(int((finished[name] != self.before[name]).sum()) for name in finished)
        self.before = finished
        standing = supermask_charts.Standing(
            step=self.done, scores=scores, loss=sum(loss for _, loss in found) / len(found), finished=value,
            probabilities={name: float(values.mean()) for name, values in rule.probabilities().items()},
            changed=differing / self.space.weights,
        )  # fmt: skip
        self.standings.append(standing)
        self.spend(cost)
        self._say(standing)
        return cost

    def _finished_masks(self) -> dict[str, torch.Tensor]:
        """The bool masks that would be finished now."""
        if self.draws and self.options.finished == "sampled":
            return self.fixed.sampled(self.chosen)
        return self.fixed.rule.finished_masks()

    # ---- what is said

    def _say(self, standing: supermask_charts.Standing) -> None:
        score = SCORES[self.space.task]
        mean = sum(standing.probabilities[layer.name] * layer.total for layer in self.space.layers) / self.space.weights
        values = {
            f"val_{score}": standing.mean, "val_loss": standing.loss, f"finished_{score}": standing.finished, "mean_probability": mean,
            **self.fixed.taken_figures(),
        }  # fmt: skip
        self.context.emit(Metrics(step=self.done, samples=self.cost.samples, values=values), self.done)
        every = math.ceil((self.options.steps / self.options.score_every + 2) / MOST_FRAMES)
        if (len(self.standings) - 1) % every and not self.finished:
            return
        masks, last = ({name: mask.cpu().numpy() for name, mask in item.items()} for item in (self.before, self.drawn))
        self.context.emit(mask_frames.mask_frame(self.space, masks, self.done, last or None, mean_probability=mean), self.done)
        probabilities = {name: value.cpu().numpy() for name, value in self.fixed.rule.probabilities().items()}
        found = supermask_charts.charts(self.standings, self.space.layers, probabilities, score, self.dense, self.draws)
        self.context.emit(ChartsFrame(step=self.done, charts=found), self.done)
        changed = sum(int((masks[name] != last[name]).sum()) for name in last)
        self.drawn = self.before
        self.context.emit(derived_genome(self.space, self._genome(self.before), self.done, changed, "weight"), self.done)

    # ---- results

    def _genome(self, masks: dict[str, torch.Tensor]) -> Genome:
        return self.space.genome({name: mask.cpu().numpy() for name, mask in masks.items()})

    def best(self) -> list[Finalist]:
        """The network under its mask, as it is; with drawn masks also what is needed to draw them once more for the test."""
        masks = self._finished_masks()
        init: dict[str, Any] = {"network": self.fixed.finished_state(masks)}
        if self.draws:
            drawn = [self.fixed.sampled(number) for number in range(self.options.sampled_masks)]
            init["drawn"] = [mask_bits.packed(item) for item in drawn]
            init["weights"] = {name: value.cpu().clone() for name, value in self.fixed.weights.items()}
            init["dynamic_scaling"] = self.options.dynamic_scaling
        value = self.standings[-1].finished if self.standings else None
        return [Finalist(self._genome(masks), finish="as_is", value=value, init=init, title="supermask over untrained weights",
                         fidelity="untrained weights under the mask")]

    def baselines(self) -> list[Finalist]:
        """The same weights without a mask, and under random masks of the same shares."""
        masks = self._finished_masks()
        everything = {name: torch.ones_like(mask) for name, mask in masks.items()}
        drawn = self.space.drawn({name: int(mask.sum()) for name, mask in masks.items()}, self.context.seed % 2**31)
        random = {name: torch.from_numpy(mask) for name, mask in self.space.masks(drawn).items() if mask is not None}
        return [
            self._untrained(self.space.dense(), everything, "the same untrained weights, no mask"),
            self._untrained(drawn, random, "a random mask of the same shares over the same weights"),
        ]

    def _untrained(self, genome: Genome, masks: dict[str, torch.Tensor], title: str) -> Finalist:
        return Finalist(genome, finish="as_is", init={"network": self.fixed.finished_state(masks)}, title=title)

    def handover(self) -> dict[str, Any]:
        """For the control: the fixed weights, and how many of each layer are kept."""
        kept = {name: int(mask.sum()) for name, mask in self._finished_masks().items()}
        standing = self.standings[-1] if self.standings else None
        return {"fixed": self.fixed.state_dict(), "kept": kept, "score": None if standing is None else standing.mean}

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "fixed": self.fixed.state_dict(),
            "standings": [vars(item) for item in self.standings],
            "chosen": self.chosen,
            "before": {name: mask.cpu() for name, mask in self.before.items()},
            "drawn": {name: mask.cpu() for name, mask in self.drawn.items()},
            "dense": self.dense,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.fixed.load_state_dict(state["fixed"])
        self.standings = [supermask_charts.Standing(**item) for item in state["standings"]]
        self.chosen = state["chosen"]
        self.before, self.drawn = (
            {name: mask.to(self.context.device) for name, mask in state[item].items()} for item in ("before", "drawn")
        )
        self.dense = state["dense"]


def check(options: SupermaskConfig, space: PlainNetworkSpace) -> None:
    """Raise BadInput(field "options.share") where edge-popup would leave a layer without a weight."""
    if options.method != "edge_popup":
        return
    for layer in space.layers:
        if round(options.share * layer.total) < 1:
            raise BadInput("options.share", f"with this share none of the {layer.total} weights of {layer.name} remains; keep more of them")
