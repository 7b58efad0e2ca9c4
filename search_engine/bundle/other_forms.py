"""`model.pt2` and `model.onnx` in a bundle: written by a child process, accepted where a fresh process gets the model's score from them.

Without them a bundle is still one: what failed, or took too long, is said in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..base.children import ends_with_parent
from ..datasets.base import Part

FORMS = {"onnx": "model.onnx", "program": "model.pt2"}
"""By the name under which the manifest tells of them."""
CHECKS = {"model.onnx": ["evaluate_onnx.py"], "model.pt2": ["evaluate.py", "--program"]}
MOST_WEIGHTS = 1_000_000_000
"""Bytes of the weights of a network that is written in other forms: an ONNX file holds less than two gigabytes."""
SECONDS = 400
"""For writing both and checking each, all together; less than a worker may be silent."""
TOLERANCE = 0.002
"""How much the score may differ, relative to itself or to 1: another runtime moves last digits, and by them close decisions."""


def write_other_forms(folder: Path, test: Part, about: dict[str, Any], wanted: bool = True) -> dict[str, dict[str, Any]]:
    """What the manifest says of each of FORMS: `included`, with the `score` and `loss` that a fresh process got from it, or the `reason`.

    The folder holds the model's code, weights, settings, scripts and a manifest with the score. `about` is the ONNX file's metadata.
    """
    if not wanted:
        return _none("it was not asked for")
    size = (folder / "model.safetensors").stat().st_size
    if size > MOST_WEIGHTS:
        return _none(f"its weights have {size:,} bytes, and other forms are written of at most {MOST_WEIGHTS:,}")
    until = time.monotonic() + SECONDS
    with TemporaryDirectory(prefix=".forms-", dir=folder.parent) as temporary:
        place = Path(temporary)
        probes = test.inputs[:2] if len(test) > 1 else np.repeat(test.inputs[:1], 2, axis=0)
        np.save(place / "probes.npy", probes)
        reasons = _written(folder, place, about, until)
        examples = place / "examples.npz"
        np.savez(examples, inputs=test.inputs, labels=test.labels)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        recorded = manifest["evaluation"]
        # The scripts look there whether a file is the recorded one.
        manifest["files"] |= {file: _digest(folder / file) for file, reason in reasons.items() if not reason}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        found = {name: {"included": False, "reason": reasons[file]} for name, file in FORMS.items()}
        for name, file in FORMS.items():
            if not reasons[file]:
                found[name] = _checked(folder, file, examples, recorded, until)
            if not found[name]["included"]:
                (folder / file).unlink(missing_ok=True)
    return found


def _none(reason: str) -> dict[str, dict[str, Any]]:
    return {name: {"included": False, "reason": reason} for name in FORMS}


def _written(folder: Path, place: Path, about: dict[str, Any], until: float) -> dict[str, str]:
    """Why each file could not be written, "" = it is there. `place` holds the probes."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH", "")])])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    words = ["-m", "search_engine.bundle.write_forms", str(folder.resolve()), "probes.npy"]
    # Not in the folder: its modules have names that others may have too.
    done, reason = _child(words, place, environment, json.dumps(about), until)
    if reason or not done:
        return dict.fromkeys(FORMS.values(), reason or "nothing was written")
    reasons: dict[str, str] = json.loads(done[-1])
    return reasons


def _checked(folder: Path, file: str, examples: Path, recorded: dict[str, Any], until: float) -> dict[str, Any]:
    """What a fresh process, without this program, gets from the file."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    words = ["-I", "-B", *CHECKS[file], "--examples", str(examples.resolve())]
    lines, reason = _child(words, folder, environment, "", until)
    if reason:
        return {"included": False, "reason": f"it cannot be used in a fresh process: {reason}"}
    figures = {name: float(value) for name, _, value in (line.partition(": ") for line in lines) if value}
    name = recorded["score"]
    if not abs(figures[name] - recorded[name]) <= TOLERANCE * max(1.0, abs(recorded[name])):
        return {"included": False, "reason": f"it gives the {name} {figures[name]}, recorded is {recorded[name]}"}
    return {"included": True, name: figures[name], "loss": figures["loss"]}


def _digest(path: Path) -> dict[str, str]:
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _child(words: list[str], folder: Path, environment: dict[str, str], said: str, until: float) -> tuple[list[str], str]:
    """The lines that a Python process printed, and why it failed ("" = it did not)."""
    command = ends_with_parent([sys.executable, *words])
    try:
        done = subprocess.run(  # nosec B603 # our own words, no shell
            command, cwd=folder, env=environment, input=said, capture_output=True, text=True, check=False, start_new_session=True,
            timeout=max(1.0, until - time.monotonic()),
        )
    except subprocess.TimeoutExpired:
        return [], f"writing and checking took more than {SECONDS} seconds"
    if done.returncode != 0:
        return [], (done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"])[-1]
    return done.stdout.splitlines(), ""
