"""Answers with the `predict.py` of downloads, one question after another: a process of its own, which loads torch once.

    python -I -B answering_process.py

reads a line of JSON for each question and writes one for each answer. Every question is answered by a fork that ends with it, so that
nothing of one is there for the next, and that holds itself to its bounds before it looks at what was given. Run as a file and never
imported: like the downloads, it imports nothing of this package.

    question: {"folder": "...", "file": "input.png", "picture": true, "arguments": ["--invert"], "memory": 2000000000, "seconds": 30,
               "points": 50000000}
    answer: {"stopped": "", "said": "", "picture": {"width": 640, "height": 480, "format": "PNG"}, "seconds": 0.03}, or {"died": "..."}

`stopped` is why there is no answer ("" = it lies in ANSWERS in the folder), `said` what predict.py told beside it.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import runpy
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

SCRIPT = "predict.py"
ANSWERS = "answers.csv"
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""What is read as a picture. Pillow knows more, some of which start other programs."""
MOST_ANSWER = 50_000_000
"""Bytes of the answers' file."""
PR_SET_PDEATHSIG = 1


def hold_to(memory: int, seconds: float) -> None:
    """Limits of this process that nothing in it can lift. `memory`: bytes more than it has now."""
    try:
        import resource
    except ImportError:  # no Unix
        return
    limits = ((resource.RLIMIT_FSIZE, MOST_ANSWER), (resource.RLIMIT_CPU, int(seconds) + 1), (resource.RLIMIT_CORE, 0))
    # Data, not address space: torch maps much that it never touches, and mapped files are no memory of ours.
    for kind, most in (*limits, (resource.RLIMIT_DATA, _data() + memory)):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def _data() -> int:
    """Bytes of private memory that this process has."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 2**30
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 2**30)


def looked_at(file: str, points: int) -> dict[str, Any]:
    """Size and format of a picture, by its head. Raises ValueError where it is none, or claims too many points."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(file, formats=FORMATS) as picture:
                width, height, kind = picture.width, picture.height, str(picture.format)
        except Image.DecompressionBombError:
            raise ValueError(f"it claims more points than the {points:,} that are taken here: make it smaller") from None
        except (OSError, SyntaxError, EOFError, ValueError):
            raise ValueError(f"it cannot be read as a picture: give a whole file in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}") from None
    if width * height > points:
        raise ValueError(f"it claims {width:,} x {height:,} points; at most {points:,} are taken here: make it smaller")
    return {"width": width, "height": height, "format": kind}


def answered(asked: dict[str, Any]) -> dict[str, Any]:
    """The answer of the script in the question's folder, by this process, which is held to its bounds from now on."""
    hold_to(asked["memory"], asked["seconds"])
    os.chdir(asked["folder"])
    found: dict[str, Any] = {"stopped": "", "said": "", "picture": None, "seconds": 0.0}
    said = io.StringIO()
    try:
        if asked["picture"]:
            found["picture"] = looked_at(asked["file"], asked["points"])
        sys.argv = [SCRIPT, asked["file"], "--out", ANSWERS, *asked["arguments"]]
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            runpy.run_path(SCRIPT, run_name="__main__")
        found["seconds"] = time.perf_counter() - started
    except SystemExit as end:
        found["stopped"] = "" if end.code in (None, 0) else str(end.code)
    except MemoryError:
        found["stopped"] = f"answering it needs more than the {asked['memory']:,} bytes of memory that an answer may take"
    except ValueError as error:
        found["stopped"] = str(error)
    except BaseException as error:
        out_of_memory = "allocate memory" in str(error)
        found["stopped"] = (
            f"answering it needs more than the {asked['memory']:,} bytes of memory that an answer may take" if out_of_memory
            else f"{type(error).__name__}: {error}".strip().splitlines()[-1]
        )
    found["said"] = said.getvalue()[:10_000]
    return found


def forked(asked: dict[str, Any]) -> bytes:
    """What a fork of this process says of the question, as a line of JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.close(reading)
            with os.fdopen(writing, "wb") as file:
                file.write(json.dumps(answered(asked)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        line = file.read()
    _, status = os.waitpid(child, 0)
    return line or json.dumps({"died": signal.strsignal(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else "without a word"}).encode()


def main() -> None:
    # Before the first question, so that nobody waits for it twice; and before any thread, so that forks are safe.
    import numpy  # noqa: F401
    import PIL.Image  # noqa: F401
    import safetensors.torch  # noqa: F401
    import torch

    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # Whatever a library prints must not look like an answer.
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(forked(json.loads(line)) + b"\n")


if __name__ == "__main__":
    main()
