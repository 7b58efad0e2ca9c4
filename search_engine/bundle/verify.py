"""The check before a bundle is offered: its own `evaluate.py`, in a fresh process, elsewhere, without NAScope, gives the recorded score."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..base import unreadable
from ..base.children import ends_with_parent
from ..base.home import data_folder
from .errors import BundleError

TIMEOUT = 480
"""Seconds; a test split of 10,000 images on one slow core needs minutes. Less than a worker may be silent (NASCOPE_PROGRESS_DEADLINE):
otherwise it would be killed, three times, for a bundle that merely cannot be checked."""


def verify(folder: Path, data_dir: Path | None = None) -> float:
    """The score (accuracy or r2) that the bundle in `folder` gives: `verify_all` of one."""
    return verify_all([folder], data_dir)[0]


def verify_all(folders: Sequence[Path], data_dir: Path | None = None) -> list[float]:
    """The scores (accuracy or r2) that the bundles in `folders` (at least one) give, equal to the recorded ones in every bit. One fresh
    process evaluates all of them: most of what it costs is loading torch.

    Bundles whose test split is given by indices read the data set's files under `data_dir` (default:
    `base.home.data_folder()`). Raises BundleError where a file differs from the manifest, the evaluation fails, or a score is another one.
    """
    base = data_dir or data_folder()
    records = [_checked_evaluation(folder) for folder in folders]
    # Beside the first folder: what a kill leaves here goes with the run's files. Absolute, since the process has a folder of its own.
    with tempfile.TemporaryDirectory(prefix=".verify-", dir=folders[0].parent.absolute()) as temporary:
        asked = []
        for number, (folder, record) in enumerate(zip(folders, records, strict=True)):
            place = Path(temporary) / str(number) / "model"
            shutil.copytree(folder, place)
            data = ["--data", str((base / record["data_folder"]).resolve())] if record["data_folder"] else []
            asked.append([str(place), data])
        answers = _ask(asked, temporary)
    return [_compared(record, answer) for record, answer in zip(records, answers, strict=True)]


def _checked_evaluation(folder: Path) -> dict[str, Any]:
    """What the manifest says of the evaluation, once every file is found as listed."""
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    evaluation: dict[str, Any] = manifest["evaluation"]
    return evaluation


def _ask(asked: list[list[Any]], place: str) -> list[dict[str, str]]:
    """Answers of `fresh_process.py`, one for each folder."""
    # Isolated: it sees neither this repository nor the worker's settings of Python. A worker that is killed must not leave it running.
    command = ends_with_parent([sys.executable, "-I", "-B", str(Path(__file__).with_name("fresh_process.py"))])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(  # nosec B603 # our own words, no shell
            command, cwd=place, env=environment, input=json.dumps(asked), capture_output=True, text=True, timeout=TIMEOUT, check=False,
            # Ctrl-C asks the run to stop at a checkpoint; it must not look as if the model could not be evaluated.
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise BundleError(f"the evaluation did not end within {TIMEOUT} seconds") from None
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise BundleError(f"the evaluation failed in a fresh process: {said[-1]}")
    answers: list[dict[str, str]] = json.loads(lines[-1])
    return answers


def _compared(record: dict[str, Any], answer: dict[str, str]) -> float:
    """The score of an answer. Raises BundleError where it is not the recorded one."""
    if answer["stopped"]:
        raise BundleError(f"the evaluation failed in a fresh process: {answer['stopped']}")
    name = record["score"]
    score = _score(answer["printed"], name)
    if score != record[name]:
        raise BundleError(f"a fresh process gives the {name} {score}, recorded is {record[name]}")
    return score


def read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"the manifest cannot be read: {unreadable.in_words(error)}") from error
    except ValueError as error:
        raise BundleError(f"the manifest cannot be read: {error}") from None
    return manifest


def check_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Raise BundleError unless the folder holds exactly the manifest's files, with their digests."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"manifest.json"}
    listed = set(manifest["files"])
    if found != listed:
        raise BundleError(f"the folder does not hold what the manifest lists: {', '.join(sorted(found ^ listed))}")
    for name, about in manifest["files"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != about["sha256"]:
            raise BundleError(f"{name} does not have the digest in the manifest")


def _score(output: str, name: str) -> float:
    for line in output.splitlines():
        if line.startswith(f"{name}: "):
            return float(line.removeprefix(f"{name}: "))
    raise BundleError(f"the evaluation printed no {name}")


__all__ = ["BundleError", "check_files", "read_manifest", "verify", "verify_all"]
