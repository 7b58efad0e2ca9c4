"""A trial whose network is compressed before the network that it leads to is trained and scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..base.compression import Compression
from ..base.generators import derive_seed
from ..base.lazy import load_object
from ..events import Cost
from ..spaces.genomes import Genome
from .speed_up import Stretches
from .trial_work import TrialWork
from .work import Progress

if TYPE_CHECKING:
    from ..training.trainer import Trainer
    from .compressing import Compressing


class CompressedWork(TrialWork):
    """Arguments as of `TrialWork`, and `compress` (`Compression.to_json`). First the shrinking, then the training of what is left, from
    fresh weights; where `beside` is wanted the network as it is after it, at its own expense. Both trainings draw what the network alone
    would."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.compression = Compression.from_json(self.spec.arguments["compress"])
        self.compressing: Compressing | None = None
        """The compression, while it is under way."""
        self.compressed: dict[str, Any] | None = None
        """What it gave: `genome`, `flops` (before, after), `widths`, `narrowed`, `steps`, `cost`."""
        self.stretches = Stretches()
        self.plain: Trainer | None = None
        """The training of the network as it is, beside the compressed one."""

    def _begin(self) -> None:
        from ..training import device

        self.device = device.resolve(self.resources.checked.config.device)
        if not self.restored:
            self._open_compressing()

    def _open_compressing(self) -> None:
        """The shrinking of the network, with generators of its own: the training after it is the one that the network would have had."""
        from .compressing import Compressing, Resizable

        seed = derive_seed(self.seed, "compress")
        self.generators.restart(seed)
        space = self.resources.space
        network = load_object(self.resources.checked.space.builder)(space, self.genome, "trial", self.training)
        self.compressing = Compressing(
            network, cast(Resizable, space), self.genome, self.data, self.training, self.compression, seed, self.device
        )

    def _close_compressing(self) -> None:
        assert self.compressing is not None
        self.compressed = self.compressing.result()
        self.compressing.say(self.log, self.cost.samples)
        self.compressing = None
        self.trainer = self._fresh(Genome.from_json(self.compressed["genome"]))

    def _fresh(self, genome: Genome) -> Trainer:
        self.generators.restart(derive_seed(self.seed, "global"))
        return self._trainer_of(genome)

    def _advance(self) -> None:
        if self.compressing is not None:
            with self.stretches.part("compress"):
                self.compressing.advance()
            if self.compressing.finished:
                self._close_compressing()
        elif self.trainer.finished:
            with self.stretches.part("plain"):
                self.plain = self.plain or self._fresh(self.genome)
                self.plain.advance()
        else:
            with self.stretches.part("score" if self.trainer.scores_next else "train"):
                super()._advance()

    def _done(self) -> bool:
        if self.compressing is not None or not super()._done():
            return False
        return not self.compression.beside or (self.plain is not None and self.plain.finished)

    @property
    def cost(self) -> Cost:
        if self.compressing is not None:
            return self.compressing.cost
        return super().cost if self.compressed is None else super().cost.plus(Cost.model_validate(self.compressed["cost"]))

    def outcome(self) -> dict[str, Any]:
        found = super().outcome()
        if found["status"] != "completed":
            return found
        assert self.compressed is not None
        steps, per_epoch, plain = self.trainer.steps_done, self.trainer.steps_per_epoch, self.plain
        return {
            **found,
            "seconds": self.seconds - self.stretches.plain,
            "compressed": {
                **{name: self.compressed[name] for name in ("genome", "flops", "widths", "narrowed") if name in self.compressed},
                "plain": None if plain is None else plain.metrics(),
            },
            "timing": {
                "seconds": self.stretches.seconds(steps), "epochs": steps / per_epoch,
                "phase_epochs": self.compressed["steps"] / per_epoch, "plain": None if plain is None else self.stretches.plain,
            },
            **({} if plain is None else {"apart": plain.cost.model_dump()}),
        }

    def progress(self) -> Progress:
        if not self._begun or self.failure is not None:
            return super().progress()
        if self.compressing is not None:
            done, first, own = self.compressing.steps_done, self.compressing.steps_total, self.compressing.training_steps
            return Progress(done, first + own, f"compressing, step {done} of {first}")
        done, total = self.trainer.steps_done, self.trainer.steps_total
        first = 0 if self.compressed is None else self.compressed["steps"]
        if self.compression.beside:
            beside = 0 if self.plain is None else self.plain.steps_done
            text = f"step {done} of {total}" if self.plain is None else f"for comparison as it is, step {beside} of {total}"
            return Progress(first + done + beside, first + 2 * total, text)
        return Progress(first + done, first + total, f"step {done} of {total}")

    def _state(self) -> dict[str, Any]:
        compressing = self.compressing
        return {
            **(super()._state() if compressing is None else {"trainer": None}),
            "compressing": None if compressing is None else compressing.state_dict(),
            "compressed": self.compressed,
            "stretches": self.stretches.state_dict(),
            "plain": None if self.plain is None else self.plain.state_dict(),
        }

    def _load(self, state: dict[str, Any]) -> None:
        self.stretches.load_state_dict(state["stretches"])
        self.compressed = state["compressed"]
        # What building draws comes from generators that are put back; those of the state follow.
        with self.generators.active():
            if state["compressing"] is not None:
                self._open_compressing()
                assert self.compressing is not None
                self.compressing.load_state_dict(state["compressing"])
                return
            assert self.compressed is not None
            self.trainer = self._trainer_of(Genome.from_json(self.compressed["genome"]))
            if state["plain"] is not None:
                self.plain = self._trainer_of(self.genome)
                self.plain.load_state_dict(state["plain"])
        super()._load(state)
