"""A trial that trains: one genome's network from scratch at a fidelity, scored on the validation part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.compression import Compression
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
    from torch import nn

    from ..datasets.base import SearchData
    from ..training.trainer import Trainer


def genome_training(base: TrainingConfig, space: SearchSpace[Any], genome: Genome, fidelity: dict[str, Any]) -> TrainingConfig:
    """The run's training config with what the genome itself decides and a proposal's fidelity on top. Raises BadInput for an unknown
    option."""
    from ..catalogue.config import parse

    changes = {**space.training_of(genome), **fidelity}
    return parse("fidelity", TrainingConfig, base.changed(changes)) if changes else base  # type: ignore[no-any-return]


def declared_cost(
    training: TrainingConfig, train_examples: int, validation_examples: int, compress: Compression | None = None
) -> Cost:
    """What a trial will use if it is not stopped early: every epoch trains on the training part and scores the validation part. A
    compression before it trains on the training part, too."""
    used = min(train_examples, training.train_examples) if training.train_examples else train_examples
    batches = -(-used // training.batch_size)
    whole, rest = divmod(training.steps, batches) if training.steps else (training.epochs, 0)
    # Of an epoch that is cut short the first batches, which differ in size by one at most.
    cost = Cost(forward_backward=whole * used + rest * used // batches, forward=(whole + (rest > 0)) * validation_examples)
    if compress is None:
        return cost
    whole, rest = divmod(compress.length(batches), batches)
    return cost.plus(Cost(forward_backward=whole * used + rest * used // batches))


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
    """Arguments: `genome`, `hash`, `fidelity`; `inherit` ({trial, parts}) where it starts from an earlier trial's weights, `keep` where
    later ones may start from its own; `said` where it was begun in a group that the machine failed: of so many epochs the figures are said.
    The seed depends on the genome and the fidelity, not on the trial's number, so that an equal trial has an equal result and may be
    reused.

    What is done otherwise has a class of its own: `compressed_work`, `grown_work`, `fold_work`."""

    def __init__(self, spec: WorkSpec, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        fidelity = spec.arguments.get("fidelity", {})
        seed = derive_seed(checked.config.seed, "trial", spec.arguments["hash"], canonical_json(fidelity), *self._beginning(spec))
        super().__init__(spec, seed)
        self.seed = seed
        self.resources = Resources(checked, data_dir, run_dir)
        self.genome = Genome.from_json(spec.arguments["genome"])
        self.training = genome_training(checked.config.training, self.resources.space, self.genome, fidelity)
        self.run_dir = run_dir
        self.initialised = not checked.space.initialiser
        self._initial_cost = Cost()
        self.trainer: Trainer

    @staticmethod
    def _beginning(spec: WorkSpec) -> tuple[str, ...]:
        """What beside genome and fidelity the draws of the trial hang on."""
        return ()

    @property
    def data(self) -> SearchData:
        """What the network is trained and scored on."""
        return self.resources.search_data

    @property
    def network_seed(self) -> int:
        """Of what the training draws."""
        return self.seed

    def _begin(self) -> None:
        from ..training import device

        self.device = device.resolve(self.resources.checked.config.device)
        self.trainer = self._trainer_of(self.genome)

    def _trainer_of(self, genome: Genome) -> Trainer:
        from ..training.trainer import Trainer

        build = load_object(self.resources.checked.space.builder)
        network = build(self.resources.space, genome, "trial", self.training)
        if not self.restored:
            self._start(network)
        checked = self.resources.checked
        return Trainer(
            network, self.data, self.training, seed=self.network_seed, device=self.device, amp=checked.config.amp,
            objective=checked.objective,
        )

    def _start(self, network: nn.Module) -> None:
        """Give a new network the weights that it starts from, where it does not start from its own."""
        given = self.spec.arguments.get("inherit")
        if given is not None:
            starting_weights.inherit(network, self.run_dir, given["trial"], given["parts"])

    def _advance(self) -> None:
        if not self.initialised:
            self._initialise()
            return
        self.trainer.advance()
        for report in self.trainer.epoch_reports():
            epoch = self._epoch(int(report["epoch"]))
            if epoch > self.spec.arguments.get("said", 0):
                values = {name: float(value) for name, value in report.items() if name != "epoch" and value is not None}
                self.log.add(Metrics(step=epoch, samples=self.cost.samples, values=values), epoch)

    def _epoch(self, epoch: int) -> int:
        """The number under which the figures of the training's epoch are said."""
        return epoch

    def _initialise(self) -> None:
        """The space's own initialisation, for example unsupervised pretraining: one unit, paid by the trial."""
        checked = self.resources.checked
        start = load_object(checked.space.initialiser)
        cost = start(self.trainer.network, self.genome, self.resources.space, self.data, self.training, self.network_seed, self.device)
        self._initial_cost = cost or Cost()
        self.initialised = True

    def _done(self) -> bool:
        return self.initialised and self.trainer.finished

    def place(self) -> None:
        if self.spec.arguments.get("keep") and self.failure is None and not self.cut:
            genome = self.genome if self.resources.checked.space.morpher else None
            starting_weights.keep(self.trainer.network, self.run_dir, self.spec.index, genome)

    @property
    def cost(self) -> Cost:
        return self.trainer.cost.plus(self._initial_cost) if self._begun and hasattr(self, "trainer") else Cost()

    def metrics(self) -> dict[str, float]:
        """What the finished trial measured."""
        return self.trainer.metrics()

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
            "metrics": self.metrics(),
            "cost": self.cost.model_dump(),
            "seconds": self.seconds,
        }

    def progress(self) -> Progress:
        if not self._begun or self.failure is not None:
            return Progress(0, None, "starting")
        return Progress(self.trainer.steps_done, self.trainer.steps_total, f"step {self.trainer.steps_done} of {self.trainer.steps_total}")

    def _state(self) -> dict[str, Any]:
        return {"trainer": self.trainer.state_dict(), "initialised": self.initialised, "initial_cost": self._initial_cost.model_dump()}

    def _load(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state["trainer"])
        self.initialised = state["initialised"]
        self._initial_cost = Cost.model_validate(state["initial_cost"])
