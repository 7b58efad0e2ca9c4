"""What can go wrong, said in the user's words.

`BadInput` names the field and says what would be right; the command line turns it into exit status 2, the API into problem+json.
`TrialFailure` is not an error of the program: a trial that fails is a result with a reason.
"""

from __future__ import annotations

from .quoting import shortened

LONGEST_MESSAGE = 1500
"""Characters. What a message quotes is shortened where it is quoted (`base.quoting`); this stops what slipped through."""


class BadInput(ValueError):
    """A value that the user gave cannot be used.

    `field` is the dotted name of the field (for example `options.population` or `budget`), `message` says what is wrong and
    what would be right, `code` is stable and machine readable.

    >>> print(BadInput("options.population", "0 is too small: at least 2 individuals must live"))
    options.population: 0 is too small: at least 2 individuals must live
    """

    def __init__(self, field: str, message: str, code: str = "invalid") -> None:
        field, message = shortened(field), shortened(message, LONGEST_MESSAGE)
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message
        self.code = code


class MissingData(BadInput):
    """A data file is absent; the message says what to put where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message, code="missing_data")


class TrialFailure(Exception):
    """A trial cannot give a score (NaN loss, out of memory, ...). Becomes a result in state `failed` with this reason.

    `machine` marks failures of the machine rather than of the genome: they are never reused for an equal genome.

    >>> TrialFailure("the loss is not a number").machine
    False
    """

    def __init__(self, reason: str, *, machine: bool = False) -> None:
        reason = shortened(reason, LONGEST_MESSAGE)
        super().__init__(reason)
        self.reason = reason
        self.machine = machine


class CheckpointMismatch(RuntimeError):
    """A checkpoint cannot be gone on with, however often it is read. Its two kinds say why."""


class CheckpointDamaged(CheckpointMismatch):
    """The file is not the one that was written: it is absent, cut, or holds other bytes."""


class CheckpointOutdated(CheckpointMismatch):
    """Another version of the program wrote it, and no migration leads from its form to the present one."""
