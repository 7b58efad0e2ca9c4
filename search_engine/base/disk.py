"""A full disk, told apart from other failures: it is nobody's mistake, and what was committed goes on once there is space."""

from __future__ import annotations

import errno
import shutil

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No space, no quota, or past the size that the process may write (`ulimit -f`)."""


def is_full(error: BaseException | None) -> bool:
    """Whether `error`, or what it came from, says that nothing more can be written.

    >>> is_full(OSError(errno.ENOSPC, "No space left on device")), is_full(OSError(errno.EACCES, "Permission denied"))
    (True, False)
    >>> is_full(shutil.Error([("from", "to", "[Errno 28] No space left on device")]))
    True
    """
    if error is None:
        return False
    if isinstance(error, shutil.Error):
        # A copied tree tells what went wrong of each file, as text.
        return any(f"[Errno {number}]" in str(error) for number in FULL)
    return (isinstance(error, OSError) and error.errno in FULL) or is_full(error.__cause__) or is_full(error.__context__)
