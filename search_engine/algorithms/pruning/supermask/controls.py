"""What a supermask is compared with: masks of the same shares that were never trained, over the same weights."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from search_engine.algorithms.base import Context, Finalist
from search_engine.algorithms.step_search import StepSearch
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.events import ControlScored, Cost
from search_engine.spaces.tasks import SCORES

from .search import SupermaskConfig

if TYPE_CHECKING:
    import torch

    from search_engine.spaces.plain_network import PlainNetworkSpace

    from . import fixed_weights
else:
    fixed_weights = lazy_module("search_engine.algorithms.pruning.supermask.fixed_weights")
    torch = lazy_module("torch")


class UntrainedMasks(StepSearch[SupermaskConfig]):
    """The network without a mask first, then random masks; one `step` scores one of them on the validation part."""

    name = "untrained masks"
    title = "Control: untrained masks"
    control = True
    paired_with = 0
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """The search's weights, and what it kept of them. Raises TypeError without samples, ValueError without what the search found."""
        super().begin(context, handover)
        if handover is None:
            raise ValueError("this control compares what the search hands over")
        self.space: PlainNetworkSpace = context.space  # type: ignore[assignment]
        self.search = handover
        self.fixed = fixed_weights.FixedWeights(self.space, self.samples, self.options, context.seed, context.device, context.amp)
        self.fixed.load_state_dict(handover["fixed"])
        self.scores: list[float] = []

    @property
    def horizon(self) -> int:
        """0 where the search was cut before its first scoring: there is nothing to compare with."""
        return 0 if self.search["score"] is None else 1 + self.options.sampled_masks

    def step(self) -> Cost:
        """Score the next mask. Raises TrialFailure where its loss is not finite."""
        score, _ = self.fixed.score(self._masks(self.done))
        self.scores.append(score)
        self.done += 1
        if self.finished:
            self._say()
        return self.spend(self.fixed.scoring_cost(1))

    def _masks(self, number: int) -> dict[str, torch.Tensor]:
        counts = self.search["kept"] if number else {layer.name: layer.total for layer in self.space.layers}
        drawn = self.space.drawn(counts, derive_seed("untrained mask", self.context.seed, number) % 2**31)
        return {name: torch.from_numpy(mask).to(self.context.device) for name, mask in self.space.masks(drawn).items() if mask is not None}

    def _say(self) -> None:
        dense, random = self.scores[0], self.scores[1:]
        score, trained, mean = SCORES[self.space.task], self.search["score"], statistics.fmean(random)
        gain = trained > max(dense, *random)
        remark = "It was above all of them, over the same weights." if gain else "It was not above all of them."
        message = (
            f"Without a mask the untrained network has the validation {score} {dense:.3f}; under {len(random)} random masks that keep as "
            f"many weights of each layer, {mean:.3f} in the mean. The trained mask: {trained:.3f}. {remark}"
        )
        values = {
            "trained": trained, "dense": dense, "random_mean": mean, "random_best": max(random),
            "share_kept": sum(self.search["kept"].values()) / self.space.weights,
        }  # fmt: skip
        self.context.emit(ControlScored(name="untrained_masks", title=self.title, message=observed(message), values=values), self.done)

    def best(self) -> list[Finalist]:
        return []

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "scores": list(self.scores)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.scores = list(state["scores"])
