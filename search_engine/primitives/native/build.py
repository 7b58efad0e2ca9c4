"""Builds `depthwise.c` into a shared library, once per source, compiler and processor.

The library lies in the user's cache under a name that is a digest of all that decides its bits, and beside it the digest of its own: one
that is damaged is built anew. Processes that build it at the same time each compile a file of their own and put it into its place at once;
they are equal. Whatever goes wrong (no compiler, a broken or a hanging one, nowhere to write), the answer is that there is no library, and
the log says why once.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...base.children import ends_with_parent

log = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("depthwise.c")
FLAGS = ("-O3", "-march=native", "-ffp-contract=fast", "-fPIC", "-shared", "-w")
"""Contraction lets multiply and add be one instruction; nothing here may reorder a sum."""
DIGEST = ".sha256"
COMPILERS = ("gcc", "cc", "clang")
TIMEOUT = 60.0
"""Seconds that a compiler may take; it takes about one."""


@dataclass(frozen=True)
class Library:
    """A built library, and the digest of everything that decides its bits."""

    path: Path
    identity: str


class NotBuilt(Exception):
    """There is no library; the text says why."""


@lru_cache(maxsize=1)
def library() -> Library | None:
    """The library of this machine, built if need be; None where that cannot be. Says why once, in the log."""
    try:
        return _library()
    except (NotBuilt, OSError) as error:
        log.info("depthwise convolutions are computed by torch alone: %s", error)
        return None


def _library() -> Library:
    """Raises NotBuilt or OSError."""
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        raise NotBuilt("there is no C compiler (gcc, cc, clang)")
    identity = _identity(_run([compiler, "--version"]))
    folder = _folder()
    path = folder / f"depthwise-{identity}.so"
    hung = path.with_suffix(".hung")
    if hung.exists():
        raise NotBuilt(f"the compiler did not end the last time; remove {hung} to try again")
    if not _whole(path):
        try:
            _compile(compiler, path)
        except TimeoutError as error:
            # Every process would wait for it again.
            hung.touch()
            raise NotBuilt(str(error)) from None
    return Library(path, identity)


def _compile(compiler: str, path: Path) -> None:
    handle, temporary = tempfile.mkstemp(suffix=".so", dir=path.parent)
    os.close(handle)
    written = Path(temporary).with_suffix(DIGEST)
    try:
        _run([compiler, *FLAGS, "-o", temporary, str(SOURCE)])
        written.write_text(_digest(Path(temporary)))
        os.replace(temporary, path)
        os.replace(written, path.with_suffix(DIGEST))
    finally:
        Path(temporary).unlink(missing_ok=True)
        written.unlink(missing_ok=True)


def _whole(path: Path) -> bool:
    """Whether the library is there, as it was built."""
    try:
        return path.with_suffix(DIGEST).read_text() == _digest(path)
    except (OSError, UnicodeDecodeError):
        return False


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _identity(version: str) -> str:
    parts = (SOURCE.read_text(), version, " ".join(FLAGS), platform.system(), platform.machine(), _processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _processor() -> str:
    """What `-march=native` reads: the processor's model and its instruction sets."""
    wanted = ("model name", "cpu family", "model", "flags", "Features", "CPU part")
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
        return "\n".join(line for line in lines if line.partition(":")[0].strip() in wanted)
    return platform.processor()


def _folder() -> Path:
    """The folder of built libraries, writable and nobody else's: in the user's cache or, for a user without one, in NASCOPE_HOME."""
    cache, home = os.environ.get("XDG_CACHE_HOME"), os.environ.get("NASCOPE_HOME")
    candidates = [Path(cache) if cache else Path("~/.cache").expanduser()]
    candidates += [Path(home) / "cache"] if home else []
    for candidate in candidates:
        folder = candidate / "nascope" / "native"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = folder.stat()
        except (OSError, RuntimeError):
            continue
        # A library of somebody else would be run here.
        if os.access(folder, os.W_OK) and status.st_uid == os.getuid() and not status.st_mode & 0o022:
            return folder
    raise NotBuilt("no folder for it: " + ", ".join(str(candidate) for candidate in candidates) + " cannot be written")


def _run(command: Sequence[str]) -> str:
    """Its output. Raises NotBuilt where it fails, TimeoutError where it does not end; nothing of it is left then."""
    program = ends_with_parent(command)
    with subprocess.Popen(  # nosec B603 # our own words, no shell
        program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=TIMEOUT)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise TimeoutError(f"{command[0]} did not end within {TIMEOUT:.0f} s") from None
            raise
    if process.returncode != 0:
        raise NotBuilt(f"{' '.join(command)} failed: {' '.join(output.split())[:300]}")
    return output
