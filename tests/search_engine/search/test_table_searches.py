"""Random search and aging evolution on the NAS-Bench-201 table: figures of the specs at their stated seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean

import pytest

from search_engine.catalogue.config import check
from search_engine.search.coordinator import Coordinator


def incumbent(algorithm: str, seed: int, data_dir: Path, **options: object) -> float:
    """Validation accuracy after 12 epochs, in percent, of the best of 100 trials."""
    asked = {"algorithm": algorithm, "options": options, "space": "nb201", "datasets": ["nb201_cifar10"], "budget": {"trials": 100}}
    checked = check({**asked, "seed": seed}, data_dir)
    with tempfile.TemporaryDirectory() as folder:
        coordinator = Coordinator(checked, data_dir, Path(folder))
        step = coordinator.advance(seconds=600)
    assert step.status == "completed", step.reason
    assert step.charged["trials"] == 100
    return 100 * coordinator.finale.entrants[0]["value"]


@pytest.mark.parametrize(("algorithm", "expected"), [("random", 83.7), ("regularized_evolution", 84.4), ("local_search", 84.69)])
def test_incumbent_after_100_trials_fast_gate(algorithm: str, expected: float, tables: Path) -> None:
    """Twelve seeds: the spread of one seed is about .4, so .45 is four standard errors."""
    assert mean(incumbent(algorithm, seed, tables) for seed in range(12)) == pytest.approx(expected, abs=0.45)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "expected"), [("random", 83.7), ("regularized_evolution", 84.4), ("nas_rl", 84.25), ("evo_nas", 84.44)]
)
def test_incumbent_after_100_trials_50_seeds(algorithm: str, expected: float, tables: Path) -> None:
    assert mean(incumbent(algorithm, seed, tables) for seed in range(50)) == pytest.approx(expected, abs=0.3)


@pytest.mark.slow
def test_local_search_moves_to_the_first_better_neighbour_for_a_reason(tables: Path) -> None:
    """A whole neighbourhood costs 24 trials: who waits for it moves a few times only (84.69 against 84.47 in 50 seeds, standard errors .05
    and .06; White, Nolen and Savani 2020 compare the same two)."""
    first = mean(incumbent("local_search", seed, tables) for seed in range(50))
    best = mean(incumbent("local_search", seed, tables, rule="best") for seed in range(50))
    assert first == pytest.approx(84.69, abs=0.2) and best == pytest.approx(84.47, abs=0.2)
    assert first > best


def test_a_table_run_from_the_command_line_imports_nothing_heavy(tables: Path, tmp_path: Path) -> None:
    """The whole promise of the table: a real search in well under a second of work, without torch."""
    arguments = ["run", "--algorithm", "random", "--space", "nb201", "--dataset", "nb201_cifar10", "--budget", "trials=100", "--json"]
    code = (
        "import sys; from search_engine.commands import main; "
        f"status = main({[*arguments, '--out', str(tmp_path / 'run')]!r}); "
        "heavy = [name for name in ('torch', 'sklearn', 'onnx', 'onnxruntime', 'optuna', 'scipy') if name in sys.modules]; "
        "assert not heavy, heavy; sys.exit(status)"
    )
    environment = {**os.environ, "NASCOPE_DATA": str(tables)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["model"] is None and "table" in result["model_reason"]
    [best] = result["best"]
    assert set(best["metrics"]) >= {"val_accuracy", "test_accuracy"}
    born = [
        json.loads(line)["data"]["string"]
        for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()
        if '"candidate_born"' in line
    ]
    assert best["string"] in born


def test_a_missing_table_says_what_to_put_where(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "search_engine",
            "run",
            "--algorithm",
            "random",
            "--space",
            "nb201",
            "--dataset",
            "nb201_cifar10",
            "--budget",
            "trials=10",
            "--out",
            str(tmp_path / "run"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"NASCOPE_DATA": str(tmp_path), "PATH": ""},
    )
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "nb201/nb201.npz" in line and str(tmp_path) in line
    assert not (tmp_path / "run").exists()
