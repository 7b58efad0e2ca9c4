"""The door for own data: `examine` says what is in a file, `keep` stores it.

Both read the file in a process of its own (`child`), which is held to its memory by the kernel and to its time from here, and is killed
when the caller gives up. What it had written by then is removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess  # nosec B404
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...base.children import ends_with_parent
from ...base.errors import BadInput
from ...base.memory import in_words
from .bounds import Bounds
from .choices import Choices
from .draft import Tell, silent
from .findings import Findings, Manifest
from .stored import manifest, own_folder, sweep

__all__ = ["Bounds", "Choices", "Findings", "SUFFIXES", "Manifest", "Tell", "examine", "keep"]

SUFFIXES = (
    ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".tab", ".txt", ".txt.gz", ".parquet", ".pq", ".zip", ".npz", ".npy", ".ts", ".ts.gz",
)
"""Endings of files that are read; the first bytes count more than the name."""
QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system", "PYTHONHASHSEED": "0"}
"""One thread: each would claim memory for itself."""
MOST_ANSWER = 2**27


def examine(
    path: Path, choices: Choices | None = None, bounds: Bounds | None = None, tell: Tell = silent, *, name: str | None = None
) -> Findings:
    """What is in the file, what would become of it, and what to know. Writes nothing.

    `name`: what its owner calls the file, where `path` is a temporary one. `tell` may raise to give up. Raises BadInput whose field is
    "file" or that of `Choices` which cannot be.
    """
    return Findings.model_validate(_asked(path, choices or Choices(), bounds or Bounds(), tell, name, None))


def keep(
    path: Path, choices: Choices | None = None, folder: Path | None = None, bounds: Bounds | None = None, tell: Tell = silent, *,
    name: str | None = None,
) -> Manifest:
    """Store the file as a data set in `folder` (default: `stored.own_folder()`). The same file with the same choices is the same set."""
    folder = (folder or own_folder()).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    # What the process writes lies here, so that whatever ends it leaves nothing behind.
    work = Path(tempfile.mkdtemp(prefix=".import-", dir=folder))
    try:
        made = Manifest.model_validate(_asked(path, choices or Choices(), bounds or Bounds(), tell, name, work))
        target = folder / made.digest
        if manifest(made.id, folder) is None:
            # What lies there, if anything does, has a list that nobody can read.
            shutil.rmtree(target, ignore_errors=True)
            # Another import of the same may have been first.
            with contextlib.suppress(OSError):
                (work / made.digest).rename(target)
        return manifest(made.id, folder) or made
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _asked(path: Path, choices: Choices, bounds: Bounds, tell: Tell, name: str | None, folder: Path | None) -> Any:
    asked = {
        "path": str(path.absolute()), "name": (name or path.name)[:200], "choices": choices.model_dump(mode="json"),
        "bounds": bounds.model_dump(mode="json"), "folder": None if folder is None else str(folder),
    }
    command = ends_with_parent([sys.executable, "-m", "search_engine.datasets.own.child"])
    root = str(Path(__file__).parents[3])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(  # nosec B603 - our own module, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, **QUIET, "PYTHONPATH": paths},
    )
    try:
        with _killed_after(process, bounds.seconds) as late:
            with contextlib.suppress(BrokenPipeError):
                assert process.stdin is not None
                process.stdin.write(json.dumps(asked) + "\n")
                process.stdin.close()
            answer = _listened(process, tell)
            process.wait()
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if answer is not None and "result" in answer:
        return answer["result"]
    if answer is not None:
        field, message, code = answer["error"]
        raise BadInput(field, message, code)
    if late.is_set():
        raise BadInput("file", f"reading it took longer than {bounds.seconds:g} seconds", code="too_large")
    raise BadInput(
        "file", f"the process that read it ended (status {process.returncode}): the file is damaged, or needs more than the "
        f"{in_words(bounds.memory)} of memory that an import may have", code="too_large",
    )


def _listened(process: subprocess.Popen[str], tell: Tell) -> dict[str, Any] | None:
    """The last word of the process; what it says on the way goes to `tell`."""
    assert process.stdout is not None and process.stderr is not None
    # Nobody may wait because a pipe is full.
    drain = threading.Thread(target=_swallow, args=(process.stderr,), daemon=True)
    drain.start()
    while line := process.stdout.readline(MOST_ANSWER):
        value = json.loads(line)
        if "done" not in value:
            return dict(value)
        tell(float(value["done"]), str(value["words"]))
    return None


def _swallow(stream: Any) -> None:
    with contextlib.suppress(ValueError, OSError):
        while stream.read(2**16):
            pass


@contextlib.contextmanager
def _killed_after(process: subprocess.Popen[str], seconds: float) -> Iterator[threading.Event]:
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
