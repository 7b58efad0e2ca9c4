"""A trial whose network begins with the weights of a smaller one, morphed so that it computes the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..algorithms.base import GIVEN, GROWN
from ..base.lazy import load_object
from ..events import Cost
from ..spaces.genomes import Genome, canonical_json
from . import starting_weights
from .trial_work import TrialWork
from .work import WorkSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

CALIBRATED_ON = 256
"""Training examples on which new layers of a grown network are calibrated, at most."""


class GrownWork(TrialWork):
    """Arguments as of `TrialWork`, its `inherit` with `morphs`. It is scored once before it is trained: the parent's score, if the morphs
    keep what the network computes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._score_grown: float | None = None
        """Its validation accuracy before its training, once it is measured."""

    @staticmethod
    def _beginning(spec: WorkSpec) -> tuple[str, ...]:
        # A network that is trained on and on sees its examples in another order each time.
        return (canonical_json(spec.arguments["inherit"]),)

    def _start(self, network: nn.Module) -> None:
        from ..training.batches import DevicePart

        data, given = self.data, self.spec.arguments["inherit"]
        examples = min(self.training.train_examples or CALIBRATED_ON, CALIBRATED_ON)
        part = DevicePart(data.train, data.preprocessing, "cpu", examples)
        before, weights = self._smaller(given["trial"])
        morpher = load_object(self.resources.checked.space.morpher)
        inputs = part.normalise(part.raw)
        starting_weights.grow(network, morpher, self.resources.space, self.genome, before, weights, given["morphs"], inputs)

    def _smaller(self, trial: int) -> tuple[Genome, dict[str, Tensor]]:
        """What it grows from: its genome and its state."""
        if trial != GIVEN:
            kept = starting_weights.read(self.run_dir, trial)
            return Genome.from_json(kept["genome"]), kept["weights"]
        model = self.resources.given
        assert model is not None
        adopt = load_object(self.resources.checked.space.adopter)
        found: tuple[Genome, dict[str, Tensor]] = adopt(self.resources.space, model.space, model.genome, model.network())
        return found

    def _advance(self) -> None:
        if self.initialised and self._score_grown is None:
            self._measure()
        else:
            super()._advance()

    def _measure(self) -> None:
        """One unit, paid by the trial."""
        from ..training.evaluation import evaluate
        from ..training.footprint import step_flops

        data, network = self.data, self.trainer.network
        self._score_grown = evaluate(network, data.validation, data.preprocessing, self.device)["accuracy"]
        flops, _ = step_flops(network, data.shape.input)
        self._initial_cost = self._initial_cost.plus(Cost(forward=len(data.validation), flops=flops * len(data.validation)))

    def metrics(self) -> dict[str, float]:
        grown = {} if self._score_grown is None else {GROWN: self._score_grown}
        return {**super().metrics(), **grown}

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "score_grown": self._score_grown}

    def _load(self, state: dict[str, Any]) -> None:
        super()._load(state)
        self._score_grown = state["score_grown"]
