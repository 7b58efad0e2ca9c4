"""Work: what a worker does in slices. A trial, a step phase and a finale are the same thing seen from here.

A piece of work advances by indivisible units (an optimiser step, a generation), says its science events, and can be packed into a
checkpoint between any two units. Whoever drives it (the command line in process, the web's workers through leased jobs) decides how
many units a slice has; that decision never reaches science.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ..events import Cost, Event, EventLog
from ..generators import GlobalGenerators, derive_seed


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
        return f"{self.kind}:{self.index}"


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is, for people."""

    done: float
    total: float | None
    text: str


class Work(ABC):
    """One job in slices. Subclasses build themselves deterministically in `__init__` and put everything mutable in `_state`."""

    def __init__(self, spec: WorkSpec, seed: int) -> None:
        self.spec = spec
        self.log = EventLog(spec.source)
        self.generators = GlobalGenerators(derive_seed(seed, spec.source, "global"))
        self.seconds = 0.0

    @abstractmethod
    def advance(self) -> None:
        """Do one indivisible unit. Raises TrialFailure where the work itself fails."""

    @property
    @abstractmethod
    def finished(self) -> bool: ...

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """What was used so far (without seconds)."""

    @abstractmethod
    def outcome(self) -> dict[str, Any]:
        """What the coordinator receives when finished: a checkpoint tree with `status` (`completed` or `failed`) and `reason`."""

    @abstractmethod
    def progress(self) -> Progress: ...

    @abstractmethod
    def _state(self) -> dict[str, Any]: ...

    @abstractmethod
    def _load(self, state: dict[str, Any]) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        """A checkpoint tree from which an equal piece of work goes on with equal bits."""
        return {
            "source": self.spec.source,
            "seconds": self.seconds,
            "log": self.log.state_dict(),
            "generators": self.generators.state_dict(),
            "state": self._state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seconds = state["seconds"]
        self.log.load_state_dict(state["log"])
        self.generators.load_state_dict(state["generators"])
        self._load(state["state"])


def run_slice(work: Work, seconds: float, stop: Callable[[], bool] = lambda: False) -> list[Event]:
    """Advance `work` for about `seconds` (at least one unit), or until it is finished or `stop()` says so between units.

    Returns the science events of the slice, in order. The global random generators are the work's own inside.
    """
    started = time.perf_counter()
    with work.generators.active():
        while not work.finished:
            before = time.perf_counter()
            work.advance()
            now = time.perf_counter()
            work.seconds += now - before
            if now - started >= seconds or stop():
                break
    return work.log.drain()
