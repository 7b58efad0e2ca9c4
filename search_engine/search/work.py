"""Work: what a worker does in slices. A trial, a step phase and a finale are the same thing seen from here.

A piece of work advances by indivisible units (an optimiser step, a generation), says its science events, and can be packed into a
checkpoint between any two units. Whoever drives it (the command line in process, the web's workers through leased jobs) decides how
many units a slice has; that decision never reaches science.
"""

from __future__ import annotations

import importlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ..base.errors import TrialFailure
from ..base.generators import GlobalGenerators, derive_seed
from ..base.memory import in_words as in_words_of
from ..base.migrations import Steps, expecting, migrated
from ..events import Cost, Event, EventLog
from ..events.sources import in_words

OUT_OF_SECONDS = "the budget in seconds was used up before it was finished"


class WorkSpec(BaseModel):
    """A job's description: small, JSON, enough (with the run's config) to open the work anywhere.

    `arguments` is JSON; arrays (a handover, a finalist's weights) lie in the file named by `artefact`, a checkpoint tree under the
    run's folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["trial", "phase", "final"]
    index: int
    arguments: dict[str, Any] = {}
    artefact: str | None = None

    @property
    def source(self) -> str:
        """Its name within the run; of a group of trials one of its own, since its first trial may be opened again for itself."""
        return f"{'group' if 'members' in self.arguments else self.kind}:{self.index}"


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is, for people."""

    done: float
    total: float | None
    text: str


class Work(ABC):
    """One job in slices.

    `_begin` builds what the work needs, deterministically and under the work's own global generators; everything that changes
    afterwards is in `_state`. A failure of the work itself (NaN loss, out of memory) is kept as its outcome, not raised.
    """

    state_version: ClassVar[int] = 1
    """Rises when the form of the state changes, except a phase's own, which has a version of its own."""
    state_steps: ClassVar[Steps] = {}
    """How a state of an earlier version becomes one of the next (`base.migrations`)."""

    def __init__(self, spec: WorkSpec, seed: int) -> None:
        # torch has a generator to seed only once it is loaded: work that loaded it later would draw from an unseeded one.
        importlib.import_module("torch")
        self.spec = spec
        self.log = EventLog(spec.source)
        self.generators = GlobalGenerators(derive_seed(seed, "global"))
        self.seconds = 0.0
        self.failure: TrialFailure | None = None
        self.cut = ""
        """Why it was ended before its end; empty otherwise."""
        self.allowance: float | None = None
        """Device seconds that it may use in all its slices, as far as whoever drives it knows now; None = any number."""
        self._begun = False
        self.restored = False
        """Whether `_begin` only rebuilds what a checkpoint then fills."""

    @abstractmethod
    def _begin(self) -> None:
        """Build networks and data. Called once, before the first unit or before a state is loaded."""

    @abstractmethod
    def _advance(self) -> None:
        """Do one indivisible unit. Raises TrialFailure where the work itself fails."""

    @abstractmethod
    def _done(self) -> bool:
        """Whether nothing is left to do (asked only after `_begin`)."""

    def begin(self) -> None:
        """Build if that has not happened. Called under the work's generators."""
        if not self._begun:
            self._guarded(self._begin)
            self._begun = True

    def advance(self) -> None:
        """One unit; a failure ends the work."""
        self._guarded(self._advance)

    @property
    def finished(self) -> bool:
        return bool(self.cut) or self.failure is not None or (self._begun and self._done())

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except TrialFailure as failure:
            self.failure = failure
        except MemoryError:
            self.failure = TrialFailure("the machine ran out of memory", machine=True)
        except RuntimeError as error:
            # torch raises OutOfMemoryError (a RuntimeError) for both CPU and CUDA allocations.
            if "out of memory" not in str(error).lower() and "can't allocate memory" not in str(error).lower():
                raise
            self.failure = TrialFailure(f"the device ran out of memory{_of_what_it_may_take()}", machine=True)

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """What was used so far (without seconds)."""

    @abstractmethod
    def outcome(self) -> dict[str, Any]:
        """What the coordinator receives when finished: a checkpoint tree with `status` (`completed` or `failed`) and `reason`."""

    @property
    def to_place(self) -> bool:
        """Whether something lies ready that people wait for, though the work goes on: the slice ends here, and its commit places it."""
        return False

    def place(self) -> None:  # noqa: B027  (most work places nothing)
        """Put what the work made into its final place. Only who still holds the work may call this, at the commit of its outcome or where
        `to_place` says so; until then it lies under names of its own, so that a process that lost the work cannot spoil its successor's.
        """

    def take_up(self) -> None:  # noqa: B027  (most work begins with nothing)
        """Go on where another run left it, if its description says so and it has no checkpoint of its own. Called once it is opened."""

    @property
    def machine_failed(self) -> bool:
        """Whether something of it failed because of the machine (memory), not because of what it does."""
        return self.failure is not None and self.failure.machine

    def standing(self) -> dict[str, Any] | None:
        """The outcome that stands already, whatever becomes of the rest; None while everything is open."""
        return None

    @abstractmethod
    def progress(self) -> Progress: ...

    @abstractmethod
    def _state(self) -> dict[str, Any]: ...

    @abstractmethod
    def _load(self, state: dict[str, Any]) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        """A checkpoint tree from which an equal piece of work goes on with equal bits."""
        return {
            "version": self.state_version,
            "source": self.spec.source,
            "seconds": self.seconds,
            "log": self.log.state_dict(),
            "generators": self.generators.state_dict(),
            "cut": self.cut,
            "failure": None if self.failure is None else [self.failure.reason, self.failure.machine],
            "state": self._state() if self._begun and self.failure is None else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises CheckpointOutdated where another version wrote it from which no migration leads here."""
        state = migrated(in_words(self.spec.source), state, state.get("version"), self.state_version, self.state_steps)
        if state["state"] is not None:
            self.restored = True
            with self.generators.active():
                self.begin()
            with expecting(in_words(self.spec.source)):
                self._load(state["state"])
        self.seconds = state["seconds"]
        self.log.load_state_dict(state["log"])
        self.generators.load_state_dict(state["generators"])
        self.cut = state["cut"]
        if state["failure"] is not None:
            self.failure = TrialFailure(state["failure"][0], machine=state["failure"][1])


def _of_what_it_may_take() -> str:
    """Where a GPU's memory is limited for this process: how much that is."""
    from ..training.device import memory_limit

    limit = memory_limit("cuda")
    return "" if limit is None else f": a worker may take {in_words_of(limit)} of the GPU's (NASCOPE_GPU_MEMORY_CEILING)"


def run_slice(
    work: Work, seconds: float, stop: Callable[[], bool] = lambda: False, say: Callable[[list[Event]], None] | None = None
) -> list[Event]:
    """Advance `work` for about `seconds` (at least one unit), or until it is finished, has something to place, or `stop()` says so between
    units. It is cut at the first unit that uses up its `allowance`.

    Returns the science events of the slice that were not yet handed to `say`, in order. `say` receives the events of every unit as
    they come, so that a live view need not wait for the end of the slice; a unit repeated after a crash says equal events under equal
    keys. The global random generators are the work's own inside.
    """
    started = time.perf_counter()
    if work.allowance is not None and work.seconds >= work.allowance:
        work.cut = OUT_OF_SECONDS
        return []
    with work.generators.active():
        work.begin()
        work.seconds += time.perf_counter() - started
        if say is not None and (events := work.log.drain()):
            say(events)
        while not work.finished:
            before = time.perf_counter()
            work.advance()
            now = time.perf_counter()
            work.seconds += now - before
            if say is not None and (events := work.log.drain()):
                say(events)
            if work.allowance is not None and work.seconds >= work.allowance and not work.finished:
                work.cut = OUT_OF_SECONDS
            if now - started >= seconds or work.to_place or stop():
                break
    return work.log.drain()
