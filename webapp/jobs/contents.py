"""What lies in a model's download, and what was measured beside it: read for its page, run never."""

from __future__ import annotations

import io
import json
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from django.conf import settings

from search_engine.search.finale import latency_file

from ..core.models import ModelArtefact
from . import files
from .downloads import opened

PartName = Literal["onnx", "program", "card"]
PARTS: dict[PartName, str] = {"onnx": "model.onnx", "program": "model.pt2", "card": "MODEL_CARD.md"}
"""What is offered alone, by the name of the file in the download."""
ROOT = "model/"
"""The folder in the zip. A network of several data sets has several, and no parts of its own."""
MANIFEST = f"{ROOT}manifest.json"
MOST_TEXT = 20_000_000


def sizes(model: ModelArtefact) -> dict[PartName, int]:
    """Bytes of each part that the download has; none where there is no download that can be read."""
    return dict(_read(str(_zip(model)), model.bundle_sha256)[0]) if model.bundle_sha256 else {}


def calibration(model: ModelArtefact) -> dict[str, Any] | None:
    """What its probabilities are worth on the test part, as its manifest has it."""
    found: dict[str, Any] | None = _read(str(_zip(model)), model.bundle_sha256)[1] if model.bundle_sha256 else None
    return found


def latency(model: ModelArtefact) -> dict[str, Any] | None:
    """How fast it answered where it was made."""
    path = Path(settings.NASCOPE_HOME) / latency_file(model.bundle_path)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


class Member:
    """One file of a download on its way out; it closes the zip with itself."""

    def __init__(self, file: io.BufferedReader, name: str) -> None:
        self._file = file
        self._member = zipfile.ZipFile(file).open(name)  # noqa: SIM115 # closed with this

    def read(self, most: int) -> bytes:
        return self._member.read(most)

    def close(self) -> None:
        self._member.close()
        self._file.close()


def opened_part(model: ModelArtefact, part: PartName) -> Member:
    """One file of the download, whose bytes are first found as recorded. Raises Damaged, and KeyError where the download has none."""
    file = opened(model)
    try:
        return Member(file, ROOT + PARTS[part])
    except BaseException:
        file.close()
        raise


def _zip(model: ModelArtefact) -> Path:
    return files.bundle_file(model.run_id, model.bundle_sha256)


@lru_cache(maxsize=256)
def _read(path: str, sha256: str) -> tuple[tuple[tuple[PartName, int], ...], dict[str, Any] | None]:
    """What lies under a digest never changes; a file that is not there, or is none, has nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            there = {info.filename: info.file_size for info in archive.infolist()}
            found = tuple((part, there[ROOT + name]) for part, name in PARTS.items() if ROOT + name in there)
            readable = there.get(MANIFEST, MOST_TEXT + 1) <= MOST_TEXT
            manifest = json.loads(archive.read(MANIFEST)) if readable else {}
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return (), None
    return found, manifest.get("calibration")
