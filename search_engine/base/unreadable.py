"""Files that cannot be read, told apart from a machine that is short of something for a moment: who reads the same file again meets the
same, so trying again only loses time."""

from __future__ import annotations

import errno
from pathlib import Path

_NAMES = ("EACCES", "EPERM", "EIO", "EBADMSG", "EUCLEAN", "ELOOP", "EISDIR", "ENOTDIR", "ENAMETOOLONG", "EROFS")
LASTING = frozenset(getattr(errno, name) for name in _NAMES if hasattr(errno, name))
"""No right to it, a broken disk or file system, or no file under that name. That there is none at all is not among them: what is missing
this moment may be what another process is about to put in place, and who misses a file for good says so itself."""


def is_lasting(error: BaseException) -> bool:
    """Whether the same file would give the same error again.

    >>> is_lasting(PermissionError(errno.EACCES, "Permission denied")), is_lasting(OSError(errno.EMFILE, "Too many open files"))
    (True, False)
    """
    return isinstance(error, OSError) and error.errno in LASTING


def in_words(error: OSError) -> str:
    """What the system says, without the place: folders of a server are nobody's business who looks at a page.

    >>> in_words(PermissionError(errno.EACCES, "Permission denied", "/srv/files/runs/7/checkpoints/trial-0.3.safetensors"))
    'Permission denied (trial-0.3.safetensors)'
    >>> in_words(OSError(errno.EIO, "Input/output error"))
    'Input/output error'
    """
    said = error.strerror or type(error).__name__
    name = Path(str(error.filename)).name if error.filename else ""
    return f"{said} ({name})" if name else said
