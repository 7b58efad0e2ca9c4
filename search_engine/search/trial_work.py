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
from .speed_up import Stretches
from .work import Progress, Work, WorkSpec

if TYPE_CHECKING:
    from ..datasets.base import SearchData
    from ..training.trainer import Trainer
    from .compressing import Compressing


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
    later ones may start from its own; `compress` where its network is compressed first; `said` where it was begun in a group that the machine failed: of so many epochs the figures are said.
    The seed depends on the genome and the fidelity, not on the trial's number, so that an equal trial
    has an equal result and may be reused."""

    def __init__(self, spec: WorkSpec, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        fidelity = spec.arguments.get("fidelity", {})
        seed = derive_seed(checked.config.seed, "trial", spec.arguments["hash"], canonical_json(fidelity))
        super().__init__(spec, seed)
        self.seed = seed
        self.resources = Resources(checked, data_dir, run_dir)
        self.genome = Genome.from_json(spec.arguments["genome"])
        self.training = genome_training(checked.config.training, self.resources.space, self.genome, fidelity)
        self.run_dir = run_dir
        self.initialised = not checked.space.initialiser
        self._initial_cost = Cost()
        given = spec.arguments.get("compress")
        self.compression = None if given is None else Compression.from_json(given)
        self.compressing: Compressing | None = None
        """The compression, while it is under way."""
        self.compressed: dict[str, Any] | None = None
        """What it gave: `genome`, `flops` (before, after), `widths`, `steps`, `cost`."""
        self.stretches = Stretches()
        self.plain: Trainer | None = None
        """The training of the network as it is, beside the compressed one."""
        self.trainer: Trainer

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
        if self.compression is None:
            self.trainer = self._trainer_of(self.genome)
        elif not self.restored:
            self._open_compressing()

    def _open_compressing(self) -> None:
        """The shrinking of the network, with generators of its own: the training after it is the one that the network would have had."""
        from .compressing import Compressing

        assert self.compression is not None
        self.generators.restart(derive_seed(self.seed, "compress"))
        space = self.resources.space
        build = load_object(self.resources.checked.space.builder)
        network = build(space, self.genome, "trial", self.training)
        self.compressing = Compressing(
            network, space, self.genome, self.resources.checked.space.layer_paths, self.data, self.training, self.compression,
            derive_seed(self.seed, "compress"), self.device,
        )

    def _close_compressing(self) -> None:
        assert self.compressing is not None
        self.compressed = self.compressing.result()
        self.compressing.say(self.log, self.cost.samples)
        self.compressing = None
        self.generators.restart(derive_seed(self.seed, "global"))
        self.trainer = self._trainer_of(Genome.from_json(self.compressed["genome"]))

    def _trainer_of(self, genome: Genome) -> Trainer:
        from ..training.trainer import Trainer

        build = load_object(self.resources.checked.space.builder)
        network = build(self.resources.space, genome, "trial", self.training)
        given = self.spec.arguments.get("inherit")
        if given is not None and not self.restored:
            starting_weights.inherit(network, self.run_dir, given["trial"], given["parts"])
        amp = self.resources.checked.config.amp
        return Trainer(network, self.data, self.training, seed=self.network_seed, device=self.device, amp=amp)

    def _advance(self) -> None:
        if not self.initialised:
            self._initialise()
            return
        if self.compressing is not None:
            with self.stretches.part("compress"):
                self.compressing.advance()
            if self.compressing.finished:
                self._close_compressing()
            return
        if self.trainer.finished:
            with self.stretches.part("plain"):
                if self.plain is None:
                    self.generators.restart(derive_seed(self.seed, "global"))
                    self.plain = self._trainer_of(self.genome)
                self.plain.advance()
            return
        with self.stretches.part("score" if self.trainer.scores_next else "train"):
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
        if not self.initialised or self.compressing is not None or not self.trainer.finished:
            return False
        return self.compression is None or not self.compression.beside or (self.plain is not None and self.plain.finished)

    def place(self) -> None:
        if self.spec.arguments.get("keep") and self.failure is None and not self.cut:
            starting_weights.keep(self.trainer.network, self.run_dir, self.spec.index)

    @property
    def cost(self) -> Cost:
        if self.compressing is not None:
            return self._initial_cost.plus(self.compressing.cost)
        before = self._initial_cost if self.compressed is None else self._initial_cost.plus(Cost.model_validate(self.compressed["cost"]))
        return self.trainer.cost.plus(before) if self._begun and hasattr(self, "trainer") else before

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
            "seconds": self.seconds - self.stretches.plain,
            **self._of_compression(),
        }

    def _of_compression(self) -> dict[str, Any]:
        """What an outcome says of it, where there was one."""
        if self.compressed is None:
            return {}
        steps, per_epoch = self.trainer.steps_done, self.trainer.steps_per_epoch
        return {
            "compressed": {
                **{name: self.compressed[name] for name in ("genome", "flops", "widths")},
                "plain": None if self.plain is None else self.plain.metrics(),
            },
            "timing": {
                "seconds": self.stretches.seconds(steps), "epochs": steps / per_epoch,
                "phase_epochs": self.compressed["steps"] / per_epoch, "plain": None if self.plain is None else self.stretches.plain,
            },
            **({} if self.plain is None else {"apart": self.plain.cost.model_dump()}),
        }

    def progress(self) -> Progress:
        if not self._begun or self.failure is not None:
            return Progress(0, None, "starting")
        if self.compressing is not None:
            done, first, own = self.compressing.steps_done, self.compressing.steps_total, self.compressing.training_steps
            return Progress(done, first + own, f"compressing, step {done} of {first}")
        done, total = self.trainer.steps_done, self.trainer.steps_total
        first = 0 if self.compressed is None else self.compressed["steps"]
        if self.compression is not None and self.compression.beside:
            beside = 0 if self.plain is None else self.plain.steps_done
            text = f"step {done} of {total}" if self.plain is None else f"for comparison as it is, step {beside} of {total}"
            return Progress(first + done + beside, first + 2 * total, text)
        return Progress(first + done, first + total, f"step {done} of {total}")

    def _state(self) -> dict[str, Any]:
        common = {"initialised": self.initialised, "initial_cost": self._initial_cost.model_dump()}
        if self.compression is None:
            return {"trainer": self.trainer.state_dict(), **common}
        compressing = self.compressing
        return {
            "trainer": self.trainer.state_dict() if compressing is None else None,
            **common,
            "compressing": None if compressing is None else compressing.state_dict(),
            "compressed": self.compressed,
            "stretches": self.stretches.state_dict(),
            "plain": None if self.plain is None else self.plain.state_dict(),
        }

    def _load(self, state: dict[str, Any]) -> None:
        if self.compression is not None:
            self.stretches.load_state_dict(state["stretches"])
            self.compressed = state["compressed"]
            # What building draws comes from generators that are put back; those of the state follow.
            with self.generators.active():
                if state["compressing"] is not None:
                    self._open_compressing()
                    assert self.compressing is not None
                    self.compressing.load_state_dict(state["compressing"])
                else:
                    assert self.compressed is not None
                    self.trainer = self._trainer_of(Genome.from_json(self.compressed["genome"]))
                if state["plain"] is not None:
                    self.plain = self._trainer_of(self.genome)
                    self.plain.load_state_dict(state["plain"])
        if state["trainer"] is not None:
            self.trainer.load_state_dict(state["trainer"])
        self.initialised = state["initialised"]
        self._initial_cost = Cost.model_validate(state["initial_cost"])
