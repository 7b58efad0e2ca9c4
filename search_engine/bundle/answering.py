"""What a download says of an input that somebody gives: its own `predict.py` is asked, in a process with bounds (`answering_process`).

The process loads torch once and forks for each question, so that one that was asked a moment ago is answered in the time that the model
takes. Only downloads that this program wrote are asked: their code is run.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import select
import shutil
import signal
import subprocess  # nosec B404
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..base.children import ends_with_parent
from ..base.errors import BadInput
from .answering_process import ANSWERS, FORMATS
from .answers import (
    MOST_EXAMPLES,
    ROOT,
    Answered,
    AnsweredExample,
    AnsweredPicture,
    ClassProbability,
    InputForm,
    TargetValue,
    form_of,
)

QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""One thread: it forks, and a fork has none of the others."""
LEFT_OUT = ("model.onnx", "model.pt2", "test.npz")
"""What answers need nothing of."""
LOOK_SECONDS = 0.05
MOST_SAID = 10
PICTURES, ARRAYS, TABLES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"), (".npy", ".npz"), (".csv", ".tsv", ".txt")
ENDINGS = {"picture": PICTURES + ARRAYS, "row": TABLES, "series": TABLES + ARRAYS, "array": ARRAYS}
"""Of files, by what a model takes. What is no array is taken for a picture by a model of pictures."""


@dataclass(frozen=True)
class Limits:
    """What one answer may take."""

    memory: int = 2_000_000_000
    """Bytes beyond what the process with torch has."""
    seconds: float = 30.0
    points: int = 50_000_000
    """Of a picture."""


@dataclass(frozen=True)
class Asked:
    """An input. `file` None: the download's own sample."""

    file: Path | None
    invert: bool = False
    """Of a picture: it is dark on light."""


def ending(form: InputForm, name: str) -> str:
    """Under which ending a file of that name is read. Raises BadInput (field "file") where the model takes no such file."""
    own = Path(name.replace("\\", "/")).suffix.lower()
    if own in ENDINGS[form.kind]:
        return own
    if form.kind == "picture" and own not in TABLES:
        # Its first bytes say what it is.
        return PICTURES[0]
    if not own and form.kind in ("row", "series"):
        return TABLES[0]
    what = {"picture": "a picture", "row": "a row of a table", "series": "a series", "array": "an array of numbers"}[form.kind]
    raise BadInput("file", f"this model takes {what}: give a file that ends in {', '.join(ENDINGS[form.kind])}")


class Answering:
    """The process, once it was needed. One question at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._warm = False
        """Whether it has loaded torch."""

    def ask(self, archive: BinaryIO, asked: Asked, place: Path, limits: Limits, wanted: Callable[[], None]) -> Answered:
        """What the download in the zip `archive`, whose bytes are known to be its own, says of an input.

        `place` is a folder in which to work; what is written there is removed. `wanted` is called all the time, and raises to give up.
        Raises BadInput (field "file") saying what is wrong with the input, NotAskable, zipfile.BadZipFile.
        """
        started = time.perf_counter()
        form = form_of(archive)
        with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as temporary:
            folder = Path(temporary)
            sample = _unpack(archive, folder)
            file = sample
            if asked.file is not None:
                file = f"input{asked.file.suffix}"
                shutil.copyfile(asked.file, folder / file)
            picture = form.kind == "picture" and not file.endswith(ARRAYS)
            question = {
                "folder": str(folder), "file": file, "picture": picture, "arguments": ["--invert"] if picture and asked.invert else [],
                "memory": limits.memory, "seconds": limits.seconds, "points": limits.points,
            }
            said = self._answer(question, limits.seconds, wanted)
            if said["stopped"]:
                raise BadInput("file", _without(file, said["stopped"]))
            examples = _examples(folder / ANSWERS, form)
        return Answered(
            examples=examples, notes=[line for line in said["said"].splitlines() if line][:MOST_SAID],
            picture=None if said["picture"] is None else AnsweredPicture(taken=form.shape, **said["picture"]),
            seconds=time.perf_counter() - started, model_seconds=said["seconds"],
        )

    def end(self) -> None:
        """The process ends, with whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _answer(self, question: dict[str, Any], seconds: float, wanted: Callable[[], None]) -> dict[str, Any]:
        """The process's answer. Whoever gives up ends the process: nothing else ends what a question does there."""
        try:
            process = self._there()
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            # Where torch is still to be loaded, that is not the question's time.
            until = time.monotonic() + seconds + (0 if self._warm else 60)
            line = _line(process, until, wanted)
            self._warm = True
        except (BrokenPipeError, EOFError):
            self.end()
            raise BadInput("file", "the process that answers ended: give a smaller input, or try again", code="too_large") from None
        except BaseException as error:
            self.end()
            if isinstance(error, TimeoutError):
                raise BadInput("file", f"answering it took longer than {seconds:g} seconds", code="too_large") from None
            raise
        answer: dict[str, Any] = json.loads(line)
        if "died" in answer:
            words = f"the process that answered ended ({answer['died']}): the input needs more time or memory than an answer may take"
            raise BadInput("file", words, code="too_large")
        return answer

    def _there(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._warm = False
            environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
            command = ends_with_parent([sys.executable, "-I", "-B", str(Path(__file__).with_name("answering_process.py"))])
            self._process = subprocess.Popen(  # nosec B603 # our own words, no shell
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**environment, **QUIET}, start_new_session=True,
            )
        return self._process


def _line(process: subprocess.Popen[bytes], until: float, wanted: Callable[[], None]) -> bytes:
    """The next line of what it says. Raises EOFError, TimeoutError, and what `wanted` raises."""
    assert process.stdout is not None
    descriptor, found = process.stdout.fileno(), b""
    while not found.endswith(b"\n"):
        wanted()
        if time.monotonic() > until:
            raise TimeoutError
        if select.select([descriptor], [], [], LOOK_SECONDS)[0]:
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                raise EOFError
            found += piece
    return found


def _unpack(archive: BinaryIO, folder: Path) -> str:
    """Write what answers need to the folder; returns the name of the sample. Names are those of the zip's one folder, and no paths."""
    archive.seek(0)
    with zipfile.ZipFile(archive) as files:
        for info in files.infolist():
            name = info.filename.removeprefix(ROOT)
            if info.filename.startswith(ROOT) and name and "/" not in name and name not in LEFT_OUT:
                with files.open(info) as source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    return str(Path(manifest["sample"]["file"]).name)


def _without(file: str, text: str) -> str:
    """What predict.py says of a file, without the name that it has here."""
    for beginning in (f"{file} cannot be read: ", f"{file}: "):
        text = text.removeprefix(beginning)
    return text.replace(f"{file} holds", "it holds")


def _examples(path: Path, form: InputForm) -> list[AnsweredExample]:
    """The answers in the table that `predict.py --out` writes. Raises BadInput where they are many, or no numbers."""
    csv.field_size_limit(10_000_000)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    if len(rows) > MOST_EXAMPLES:
        words = f"it holds {len(rows):,} examples; at most {MOST_EXAMPLES} are answered here: use predict.py of the download for more"
        raise BadInput("file", words, code="too_large")
    of_classes = form.task == "classification"
    found = []
    for row in rows:
        figures = [float(cell) for cell in row[3 if of_classes else 1 :]]
        if not all(map(math.isfinite, figures)):
            raise BadInput("file", "the model's answer is no number: the input lies far beyond what it was trained on")
        if of_classes:
            # A network may have more outputs than there are classes; they are none.
            shares = [ClassProbability(name=name, probability=figure) for name, figure in zip(form.targets, figures, strict=False)]
            found.append(AnsweredExample(classes=sorted(shares, key=lambda share: -share.probability)))
        else:
            values = [TargetValue(name=name, value=figure) for name, figure in zip(form.targets, figures, strict=True)]
            found.append(AnsweredExample(values=values))
    return found


__all__ = ["FORMATS", "Answering", "Asked", "Limits", "ending"]
