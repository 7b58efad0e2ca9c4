"""What a slice failed of: whether trying again can mend it, and whose fault it is.

Only what the machine did is blamed on the machine, and only what another try may mend is tried again.
"""

from __future__ import annotations

import enum

from django.db import Error

from search_engine.base import unreadable
from search_engine.base.errors import BadInput, CheckpointMismatch, TrialFailure

OF_THE_WORK = ("genome", "fidelity")
"""Fields of bad input that belong to one piece of work; every other one is the run's."""
FAULTS = (TypeError, AttributeError, NameError, LookupError, ArithmeticError, AssertionError, NotImplementedError, ValueError)
"""Errors of a program, which the same work meets again. They are what a genome's own failure is, too (`search.trial_work`)."""


class Cause(enum.Enum):
    """Each with what follows of it."""

    MACHINE = "a lost worker, no memory, a disk, a device, the database: tried again, and no other run would repeat it"
    UNKNOWN = "anything else: tried again, and whether another run would repeat it is not known"
    CEILING = "more memory than a worker may take: another try would take as much, another machine may have it"
    FILE = "a file that may not be read or written, or lies on a broken disk: another try meets the same, another machine may not"
    STATE = "a checkpoint that is damaged or another version's: a second look finds the same, but no other run would repeat it"
    WORK = "the work itself, its genome or the program: a second try gives the same, and so does another run"
    RUN = "its config, its data or what is installed: no work of the run can be done"

    @property
    def permanent(self) -> bool:
        """Whether another try gives the same."""
        return self in (Cause.CEILING, Cause.FILE, Cause.STATE, Cause.WORK, Cause.RUN)

    @property
    def repeatable(self) -> bool:
        """Whether an equal run would go the same way."""
        return self in (Cause.WORK, Cause.RUN)


def cause_of(error: BaseException) -> Cause:
    """What `error`, which ended a slice, says of its cause."""
    if isinstance(error, CheckpointMismatch):
        return Cause.STATE
    if isinstance(error, BadInput):
        # Another worker may have the device.
        if error.code == "no_cuda":
            return Cause.MACHINE
        return Cause.WORK if error.field.partition(".")[0] in OF_THE_WORK else Cause.RUN
    if isinstance(error, TrialFailure):
        return Cause.MACHINE if error.machine else Cause.WORK
    if isinstance(error, OSError) and error.filename and unreadable.is_lasting(error):
        return Cause.FILE
    if isinstance(error, OSError | MemoryError | Error) or _of_the_device(error):
        return Cause.MACHINE
    return Cause.WORK if isinstance(error, FAULTS) else Cause.UNKNOWN


def breaks_the_device(error: BaseException) -> bool:
    """Whether the process cannot use its device any more: a CUDA context that met an error is broken for good."""
    return "CUDA error" in str(error) or "cuDNN error" in str(error)


def _of_the_device(error: BaseException) -> bool:
    return breaks_the_device(error) or "out of memory" in str(error).lower()


def sentence(error: BaseException) -> str:
    """What people are told of `error`: its own sentence where it was written for them, else with its kind. Of a file only the name is told;
    the log has where it lies."""
    if isinstance(error, OSError) and error.filename:
        return f"{type(error).__name__}: {unreadable.in_words(error)}"[:2000]
    written = isinstance(error, BadInput | CheckpointMismatch | TrialFailure)
    return (str(error) if written else f"{type(error).__name__}: {error}")[:2000]
