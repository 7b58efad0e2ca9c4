"""The check before a bundle is offered: its own `evaluate.py`, in a fresh process, elsewhere, without NAScope, gives the recorded score."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..base.children import ends_with_parent
from .errors import BundleError

TIMEOUT = 480
"""Seconds; a test split of 10,000 images on one slow core needs minutes. Less than a worker may be silent (NASCOPE_PROGRESS_DEADLINE):
otherwise it would be killed, three times, for a bundle that merely cannot be checked."""


def verify(folder: Path, data_dir: Path | None = None) -> float:
    """The score (accuracy or r2) that the bundle in `folder` gives, equal to the recorded one in every bit.

    Bundles whose test split is given by indices read the data set's files under `data_dir` (default: NASCOPE_DATA). Raises BundleError
    where a file differs from the manifest, the evaluation fails, or the score is another one.
    """
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    evaluation = manifest["evaluation"]
    # A worker that is killed must not leave it running.
    command = ends_with_parent([sys.executable, "-I", "-B", "evaluate.py"])
    if evaluation["data_folder"]:
        base = data_dir or Path(os.environ.get("NASCOPE_DATA", "var/data"))
        command += ["--data", str((base / evaluation["data_folder"]).resolve())]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # Beside the folder: what a kill leaves here goes with the run's files.
    with tempfile.TemporaryDirectory(prefix=".verify-", dir=folder.parent) as temporary:
        place = Path(temporary) / "model"
        shutil.copytree(folder, place)
        try:
            done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            raise BundleError(f"the evaluation did not end within {TIMEOUT} seconds") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise BundleError(f"the evaluation failed in a fresh process: {lines[-1]}")
    name = evaluation["score"]
    score = _score(done.stdout, name)
    if score != evaluation[name]:
        raise BundleError(f"a fresh process gives the {name} {score}, recorded is {evaluation[name]}")
    return score


def read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
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


__all__ = ["BundleError", "check_files", "read_manifest", "verify"]
