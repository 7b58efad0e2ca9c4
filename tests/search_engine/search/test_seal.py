"""The test split is out of reach by mistake: nothing that an algorithm, a space or a finisher is given leads to a test row, and nobody but
the finale can open the split. (Code that means to can: it runs in the same process.)"""

from __future__ import annotations

import random
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms import base
from search_engine.algorithms.base import Context, Finalist, Finished, Phase
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.base import FinalePass, Samples, SearchData
from search_engine.datasets.digits import ENTRY as DIGITS
from search_engine.search import final_work
from search_engine.search.final_work import FinalWork
from search_engine.search.local_run import LocalRun
from search_engine.search.resources import Resources
from search_engine.search.sealed import open_test
from search_engine.spaces.genomes import Genome
from tests.search_engine.reachable import reachable

ROOT = Path(__file__).parents[3]


# ---- test rows


class Rows:
    """The test rows of a run's data sets, raw and as networks see them; those that the search may see as well are left out."""

    def __init__(self, resources: Resources) -> None:
        self.keys: set[bytes] = set()
        self.widths: set[int] = set()
        for domain in range(len(resources.checked.datasets)):
            dataset, data = resources.dataset_of(domain), resources.data_of(domain)
            assert isinstance(dataset, Samples)
            known = self._forms(data.train.inputs, data) | self._forms(data.validation.inputs, data)
            self.keys |= self._forms(open_test(dataset).inputs, data) - known
            self.widths.add(int(np.prod(data.shape.input)))
        assert self.keys

    @staticmethod
    def _forms(inputs: Any, data: SearchData) -> set[bytes]:
        from search_engine.training.batches import Normaliser

        seen = Normaliser(data.preprocessing, inputs.ndim, "cpu")(torch.from_numpy(np.ascontiguousarray(inputs))).numpy()
        forms = [array.reshape(len(inputs), -1) for array in (inputs, inputs.astype(np.float32), seen, seen.astype(np.float64))]
        return {row.tobytes() for form in forms for row in form}

    def found_in(self, *roots: Any) -> list[str]:
        """Which arrays hold a test row."""
        found = []
        for item in reachable(*roots):
            if isinstance(item, np.ndarray) and item.dtype != object:
                for width in self.widths:
                    if item.size and item.size % width == 0:
                        rows = np.ascontiguousarray(item).reshape(-1, width)
                        if any(row.tobytes() in self.keys for row in rows):
                            found.append(f"{item.dtype} {item.shape}")
        return found


def rows_of_digits() -> tuple[Rows, SearchData]:
    resources = Resources(check({"algorithm": "darts", "datasets": ["digits"]}), Path("unused"))
    return Rows(resources), resources.search_data


def test_the_walk_finds_a_row_wherever_it_is_hidden() -> None:
    """A guard that cannot fail guards nothing."""
    rows, data = rows_of_digits()
    test = open_test(DIGITS.open(DIGITS.config(), Path("unused")))  # type: ignore[arg-type]
    assert rows.found_in(test) and not rows.found_in(data)

    class Slotted:
        __slots__ = ("inside",)

    slotted = Slotted()
    slotted.inside = test.inputs[3:4]
    array = test.inputs
    hidden: list[Any] = [
        {"a": [(array,)]}, lambda: array, partial(print, array), slotted, array[:0], torch.from_numpy(array)[2:3], iter,
        (lambda x=array: x),
        DIGITS.open(DIGITS.config(), Path("unused")),
    ]
    found = [bool(rows.found_in(item)) for item in hidden]
    assert found == [item is not iter for item in hidden]


AS_IS = [entry.id for entry in registry.algorithms().values() if entry.finisher]


@pytest.mark.parametrize("algorithm", [*AS_IS, "darts", "random", "lottery_ticket"])
def test_no_test_row_is_in_reach_of_a_search_or_a_finisher(algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, during and after a whole run: the phases with their contexts and spaces, and the finisher's arguments."""
    quick = {**registry.algorithm(algorithm).quick}
    finale = {**quick.get("finale", {}), "export": False, "redundancy": False}
    checked = check({"algorithm": algorithm, "seed": 3, **quick, "finale": finale})
    rows, watched = Rows(Resources(checked, tmp_path)), []
    begin = Phase.begin

    def watch(phase: Any, context: Context, handover: Any) -> None:
        begin(phase, context, handover)
        watched.append(phase)
        assert not rows.found_in(phase, context, handover)

    monkeypatch.setattr(Phase, "begin", watch)
    load, given = final_work.load_object, []

    def loaded(name: str) -> Any:
        finish = load(name)
        if name != checked.algorithm.finisher:
            return finish

        def spied(*arguments: Any) -> Finished:
            assert not rows.found_in(*arguments), "before"
            finished: Finished = finish(*arguments)
            given.append(arguments)
            assert not rows.found_in(*arguments, finished), "after"
            return finished

        return spied

    monkeypatch.setattr(final_work, "load_object", loaded)
    result = LocalRun(checked, tmp_path, tmp_path / "run").run()
    assert result["status"] == "completed" and all(item["scores"]["test"] for item in result["best"])
    assert watched and bool(given) == (algorithm in AS_IS)
    assert not rows.found_in(*watched, *given)


# ---- the door


def test_nobody_makes_a_pass() -> None:
    with pytest.raises(TypeError, match="made by the finale alone"):
        FinalePass()

    with pytest.raises(TypeError, match="made by the finale alone"):
        type("Own", (FinalePass,), {})()


def test_the_finale_alone_imports_the_door() -> None:
    """The import contract of `make lint`, for who runs the tests only."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache", "--contract", "test-split"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    assert "The finale alone opens a test split KEPT" in done.stdout, done.stdout + done.stderr
    makers = [str(path.relative_to(ROOT)) for path in (ROOT / "search_engine").rglob("*.py") if "__new__(FinalePass" in path.read_text()]
    assert makers == ["search_engine/search/sealed.py"]


# ---- what the loop asks of a scorer


def finisher(monkeypatch: pytest.MonkeyPatch, score: Any) -> None:
    """Random search on a perceptron, whose finalists are finished by a scorer of ours."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 5))
    monkeypatch.setattr(final_work, "load_object", lambda name: lambda *arguments: Finished(network, partial(score, network)))


def finish_as_is(tmp_path: Path) -> dict[str, Any]:
    from search_engine.search.work import WorkSpec, run_slice

    checked = check({"algorithm": "pathnet", **registry.algorithm("pathnet").quick, "finale": {"export": False, "redundancy": False}})
    space = Resources(checked, tmp_path).space
    arguments = {
        "genome": space.sample(random.Random(0)).to_json(), "finish": "as_is", "role": "finalist", "value": None, "domains": [0],
        "search": [],
    }
    work = FinalWork(WorkSpec(kind="final", index=0, arguments=arguments), checked, tmp_path, tmp_path)
    while not work.finished:
        run_slice(work, 1e9)
    return work.outcome()


def test_a_scorer_that_changes_its_network_fails_the_finalist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def score(network: Any, split: base.Split, part: Any) -> dict[str, float]:
        network[1].bias.add_(1.0)
        return {"accuracy": 1.0}

    finisher(monkeypatch, score)
    outcome = finish_as_is(tmp_path)
    assert outcome["status"] == "failed" and "scoring changed the network" in outcome["reason"]


def test_a_scorer_cannot_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def score(network: Any, split: base.Split, part: Any) -> dict[str, float]:
        network(torch.from_numpy(part.inputs).float()).sum().backward()
        return {"accuracy": 1.0}

    finisher(monkeypatch, score)
    with pytest.raises(RuntimeError, match="does not require grad"):
        finish_as_is(tmp_path)


def test_a_scorer_is_asked_once_for_each_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def score(network: Any, split: base.Split, part: Any) -> dict[str, float]:
        asked.append((split, len(part)))
        return {"accuracy": 0.5}

    finisher(monkeypatch, score)
    outcome = finish_as_is(tmp_path)
    assert [split for split, _ in asked] == ["val", "test"] and outcome["visits"] == 1
    assert outcome["metrics"]["test_accuracy"] == 0.5 and outcome["cost"]["forward"] == sum(count for _, count in asked)


def test_a_finalist_needs_no_test_row(tmp_path: Path) -> None:
    rows, _ = rows_of_digits()
    assert not rows.found_in(Finalist(Genome("cell", {})))
