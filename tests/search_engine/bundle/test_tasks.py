"""Downloads of networks that do not classify: a regression's score is r2, an auto-encoder encodes and decodes. Each in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.search.local_run import LocalRun


def download(out: Path, values: dict[str, Any]) -> Path:
    finale = {**values.get("finale", {}), "onnx": False, "redundancy": False}
    result = LocalRun(check({**values, "finale": finale}), out, out, slice_seconds=1e9).run()
    assert result["status"] == "completed" and result["model"] == "model/", result["reason"]
    return out / "model"


def fresh(model: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-I", "-B", *arguments], cwd=model, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def printed(text: str) -> dict[str, float]:
    return {name: float(value) for name, _, value in (line.partition(": ") for line in text.splitlines())}


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = {
        "algorithm": "random", "space": "mlp", "datasets": ["sincos"], "budget": {"trials": 1}, "seed": 1,
        "finale": {"baselines": 0, "training": {"epochs": 3}},
    }
    return download(tmp_path_factory.mktemp("regression"), values)


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    entry = registry.algorithm("vae_ard")
    return download(tmp_path_factory.mktemp("autoencoder"), {"algorithm": entry.id, "seed": 1, **entry.quick})


def test_a_regression_repeats_its_r2_and_predicts_numbers(regression: Path) -> None:
    manifest = json.loads((regression / "manifest.json").read_text())
    scores = printed(fresh(regression, "evaluate.py"))
    assert scores["r2"] == manifest["evaluation"]["r2"] == manifest["metrics"]["test_r2"]
    assert scores["loss"] == manifest["metrics"]["test_loss"]
    (regression / "examples.csv").write_text("0.1\n0.5\n")
    values = [float(line) for line in fresh(regression, "predict.py", "examples.csv").split()]
    assert len(values) == 2 and values[0] != values[1] and np.isfinite(values).all()
    card = (regression / "MODEL_CARD.md").read_text()
    assert "pipeline_tag: tabular-regression" in card and "- r_squared" in card and "classes" not in card


def test_an_autoencoder_encodes_and_decodes(autoencoder: Path) -> None:
    manifest = json.loads((autoencoder / "manifest.json").read_text())
    assert printed(fresh(autoencoder, "evaluate.py"))["r2"] == manifest["metrics"]["test_r2"]
    examples = np.load(autoencoder / "test.npz")["inputs"][:4]
    np.savez(autoencoder / "examples.npz", inputs=examples)
    fresh(autoencoder, "predict.py", "examples.npz", "--encode", "--out", "codes.csv")
    codes = np.loadtxt(autoencoder / "codes.csv", delimiter=",", ndmin=2)
    assert codes.shape == (4, manifest["metrics"]["latents_kept"])
    fresh(autoencoder, "predict.py", "codes.csv", "--decode", "--out", "decoded.csv")
    fresh(autoencoder, "predict.py", "examples.npz", "--out", "rebuilt.csv")
    decoded, rebuilt = (np.loadtxt(autoencoder / name, delimiter=",") for name in ("decoded.csv", "rebuilt.csv"))
    assert rebuilt.shape == (4, examples[0].size)
    # The codes went through text with seven digits.
    assert np.allclose(decoded, rebuilt, atol=1e-3)
    assert "--encode" in (autoencoder / "MODEL_CARD.md").read_text()


def test_only_an_autoencoder_encodes(regression: Path) -> None:
    (regression / "one.csv").write_text("0.1\n")
    done = subprocess.run(
        [sys.executable, "-I", "-B", "predict.py", "one.csv", "--encode"], cwd=regression, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "no auto-encoder" in done.stderr
