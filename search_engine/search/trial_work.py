"""A trial that trains: one genome's network from scratch at a fidelity, scored on the validation part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..algorithms.base import GIVEN, GROWN
from ..base.errors import BadInput, TrialFailure
from ..base.generators import derive_seed
from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from ..catalogue.config import CheckedRun
from ..events import Cost, Metrics
from ..spaces.base import SearchSpace
from ..spaces.genomes import Genome, canonical_json
from . import starting_weights
from .resources import Resources
from .work import Progress, Work, WorkSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..training.trainer import Trainer

CALIBRATED_ON = 256
"""Training examples on which new layers of a grown network are calibrated, at most."""


def genome_training(base: TrainingConfig, space: SearchSpace[Any], genome: Genome, fidelity: dict[str, Any]) -> TrainingConfig:
    """The run's training config with what the genome itself decides and a proposal's fidelity on top. Raises BadInput for an unknown
    option."""
    from ..catalogue.config import parse

    changes = {**space.training_of(genome), **fidelity}
    return parse("fidelity", TrainingConfig, base.changed(changes)) if changes else base  # type: ignore[no-any-return]


def declared_cost(training: TrainingConfig, train_examples: int, validation_examples: int) -> Cost:
    """What a trial will use if it is not stopped early: every epoch trains on the training part and scores the validation part."""
    used = min(train_examples, training.train_examples) if training.train_examples else train_examples
    batches = -(-used // training.batch_size)
    whole, rest = divmod(training.steps, batches) if training.steps else (training.epochs, 0)
    # Of an epoch that is cut short the first batches, which differ in size by one at most.
    return Cost(forward_backward=whole * used + rest * used // batches, forward=(whole + (rest > 0)) * validation_examples)


def cut_outcome(reason: str, cost: Cost, seconds: float) -> dict[str, Any]:
    """Of a trial that was ended before its end: no result, but it is charged what it used."""
    return {"status": "cancelled", "reason": reason, "machine": False, "metrics": {}, "cost": cost.model_dump(), "seconds": seconds}


class GenomeWork(Work):
    """Work on what a genome describes."""

    def _guarded(self, action: Callable[[], None]) -> None:
        """A network that cannot be built or run is a result of its genome; only a broken device is not."""
        try:
            super()._guarded(action)
        except RuntimeError as error:
            if "CUDA error" in str(error):
                raise
            self.failure = TrialFailure(f"{type(error).__name__}: {error}")
        except BadInput:
            raise
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            self.failure = TrialFailure(f"{type(error).__name__}: {error}")


class TrialWork(GenomeWork):
    """Arguments: `genome`, `hash`, `fidelity`; `inherit` ({trial, parts}, with `morphs` where they are morphed) where it starts from an
    earlier trial's weights, `keep` where later ones may start from its own; `said` where it was begun in a group that the machine failed:
    of so many epochs the figures are said.
    The seed depends on the genome and the fidelity, not on the trial's number, so that an equal trial
    has an equal result and may be reused."""

    def __init__(self, spec: WorkSpec, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        fidelity = spec.arguments.get("fidelity", {})
        given = spec.arguments.get("inherit")
        self.grown = given is not None and "morphs" in given
        # A network that is trained on and on sees its examples in another order each time.
        start = [canonical_json(given)] if self.grown else []
        seed = derive_seed(checked.config.seed, "trial", spec.arguments["hash"], canonical_json(fidelity), *start)
        super().__init__(spec, seed)
        self.seed = seed
        self.resources = Resources(checked, data_dir, run_dir)
        self.genome = Genome.from_json(spec.arguments["genome"])
        self.training = genome_training(checked.config.training, self.resources.space, self.genome, fidelity)
        self.run_dir = run_dir
        self.initialised = not checked.space.initialiser
        self._initial_cost = Cost()
        self._score_grown: float | None = None
        """Of a grown network: its validation accuracy before its training, once it is measured."""
        self.trainer: Trainer

    def _begin(self) -> None:
        from ..training import device
        from ..training.trainer import Trainer

        config = self.resources.checked.config
        build = load_object(self.resources.checked.space.builder)
        network = build(self.resources.space, self.genome, "trial", self.training)
        given = self.spec.arguments.get("inherit")
        if given is not None and not self.restored:
            if self.grown:
                self._grow(network, given)
            else:
                starting_weights.inherit(network, self.run_dir, given["trial"], given["parts"])
        self.device = device.resolve(config.device)
        self.trainer = Trainer(
            network, self.resources.search_data, self.training, seed=self.seed, device=self.device, amp=config.amp
        )

    def _grow(self, network: nn.Module, given: dict[str, Any]) -> None:
        from ..training.batches import DevicePart

        data = self.resources.search_data
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
        if not self.initialised:
            self._initialise()
            return
        if self.grown and self._score_grown is None:
            self._measure_grown()
            return
        self.trainer.advance()
        for report in self.trainer.epoch_reports():
            epoch = int(report["epoch"])
            if epoch > self.spec.arguments.get("said", 0):
                values = {name: float(value) for name, value in report.items() if name != "epoch" and value is not None}
                self.log.add(Metrics(step=epoch, samples=self.cost.samples, values=values), epoch)

    def _initialise(self) -> None:
        """The space's own initialisation, for example unsupervised pretraining: one unit, paid by the trial."""
        checked = self.resources.checked
        start = load_object(checked.space.initialiser)
        data = self.resources.search_data
        cost = start(self.trainer.network, self.genome, self.resources.space, data, self.training, self.seed, self.device)
        self._initial_cost = cost or Cost()
        self.initialised = True

    def _measure_grown(self) -> None:
        """One unit, paid by the trial."""
        from ..training.evaluation import evaluate
        from ..training.footprint import step_flops

        data, network = self.resources.search_data, self.trainer.network
        self._score_grown = evaluate(network, data.validation, data.preprocessing, self.device)["accuracy"]
        flops, _ = step_flops(network, data.shape.input)
        self._initial_cost = self._initial_cost.plus(Cost(forward=len(data.validation), flops=flops * len(data.validation)))

    def _done(self) -> bool:
        return self.initialised and self.trainer.finished

    def place(self) -> None:
        if self.spec.arguments.get("keep") and self.failure is None and not self.cut:
            genome = self.genome if self.resources.checked.space.morpher else None
            starting_weights.keep(self.trainer.network, self.run_dir, self.spec.index, genome)

    @property
    def cost(self) -> Cost:
        return self.trainer.cost.plus(self._initial_cost) if self._begun and hasattr(self, "trainer") else Cost()

    def outcome(self) -> dict[str, Any]:
        if self.cut:
            return cut_outcome(self.cut, self.cost, self.seconds)
        if self.failure is not None:
            return {
                "status": "failed",
                "reason": self.failure.reason,
                "machine": self.failure.machine,
                "metrics": {},
                "cost": self.cost.model_dump(),
                "seconds": self.seconds,
            }
        return {
            "status": "completed",
            "reason": "",
            "machine": False,
            "metrics": self._metrics(),
            "cost": self.cost.model_dump(),
            "seconds": self.seconds,
        }

    def _metrics(self) -> dict[str, float]:
        grown = {} if self._score_grown is None else {GROWN: self._score_grown}
        return {**self.trainer.metrics(), **grown}

    def progress(self) -> Progress:
        if not self._begun or self.failure is not None:
            return Progress(0, None, "starting")
        return Progress(self.trainer.steps_done, self.trainer.steps_total, f"step {self.trainer.steps_done} of {self.trainer.steps_total}")

    def _state(self) -> dict[str, Any]:
        grown = {} if self._score_grown is None else {"score_grown": self._score_grown}
        initial_cost = self._initial_cost.model_dump()
        return {"trainer": self.trainer.state_dict(), "initialised": self.initialised, "initial_cost": initial_cost, **grown}

    def _load(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state["trainer"])
        self.initialised = state["initialised"]
        self._initial_cost = Cost.model_validate(state["initial_cost"])
        self._score_grown = state.get("score_grown")
