"""Budgets in FLOPs, and budgets in trials that do not count repeats: what is declared is what is charged, and where each is offered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import BUDGET_KINDS, check
from search_engine.search.coordinator import Coordinator
from search_engine.search.local_run import LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.work import run_slice
from tests.search_engine import toys

QUICK = {"training": {"epochs": 1, "train_examples": 64}, "finale": {"baselines": 0, "export": False, "redundancy": False}}
PAIRS = {(row["space"], row["dataset"]) for row in registry.compatibility() if row["algorithm"] == "random"}
TRAINED = sorted({space for space, dataset in PAIRS if registry.dataset(dataset).provides == "samples"})


def first_dataset(algorithm: str, space: str) -> str:
    return next(row["dataset"] for row in registry.compatibility() if (row["algorithm"], row["space"]) == (algorithm, space))


@pytest.mark.parametrize("space", TRAINED)
def test_a_trial_is_charged_the_flops_that_it_declared(space: str, tmp_path: Path) -> None:
    """In every space whose networks are trained: counted on a device without memory before, on the network itself after."""
    values = {"algorithm": "random", "space": space, "datasets": [first_dataset("random", space)], "budget": {"flops": 1.0}, **QUICK}
    checked = check(values, tmp_path)
    coordinator = Coordinator(checked, tmp_path, tmp_path)
    [spec] = coordinator.advance().opened
    assert coordinator.rounds is not None
    declared = coordinator.rounds.open[0].declared
    work = open_work(checked, spec, tmp_path, tmp_path)
    run_slice(work, 1e9)
    assert work.failure is None
    initial = work._initial_cost.flops  # type: ignore[attr-defined]
    assert declared.flops > 0 and declared.flops == pytest.approx(work.cost.flops - initial, rel=1e-12)


def test_an_architecture_s_network_is_built_once_for_its_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = check({"algorithm": "random", "space": "nb201", "datasets": ["digits"], "budget": {"flops": 1.0}, **QUICK}, tmp_path)
    coordinator = Coordinator(checked, tmp_path, tmp_path)
    counted = []
    monkeypatch.setattr(coordinator.declared_flops, "_count", lambda genome, training: counted.append(genome) or (1.0, 3.0))
    space = coordinator.resources.space
    genome = space.from_string("|none~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|")
    first = coordinator.declared_cost(genome, {})
    longer = coordinator.declared_cost(genome, {"epochs": 2})
    assert longer.flops == 2 * first.flops > 0 and len(counted) == 1
    coordinator.declared_cost(genome, {"channels": 16})
    assert len(counted) == 2


@pytest.fixture
def _toys() -> Iterator[None]:
    with toys.registered():
        yield


def test_a_search_by_gradients_and_one_by_trials_stop_at_the_same_flops(tmp_path: Path) -> None:
    """Neither goes over by more than its last unit."""
    limit = 4e8
    for algorithm in ("random", "darts"):
        quick = registry.algorithm(algorithm).quick
        where = {"space": "nb201", "space_options": {}, "datasets": ["digits"]}
        values = {"algorithm": algorithm, **quick, **where, "budget": {"flops": limit}}
        out = tmp_path / algorithm
        options = {**quick.get("options", {}), **({"steps": 50} if algorithm == "darts" else {"window": 1})}
        finale = {"export": False, "redundancy": False, "baselines": 0, "training": {"epochs": 1}}
        result = LocalRun(check({**values, "options": options, "finale": finale}), out, out).run()
        assert (result["status"], result["stop_reason"]) == ("completed", "budget"), result["reason"]
        spent = [json.loads(line)["data"] for line in (out / "events.jsonl").read_text().splitlines()]
        trials = [row["cost"]["flops"] for row in spent if row.get("kind") == "trial_told"]
        unit = max(trials) if trials else limit / 2
        assert limit <= result["budget"]["flops"] < limit + unit


@pytest.mark.usefixtures("_toys")
@pytest.mark.parametrize("generational", [False, True])
def test_repeats_that_do_not_count_leave_the_trials_to_new_ones(tmp_path: Path, generational: bool) -> None:
    """32 architectures of which evolution repeats most: with repeats 30 trials pay for fewer, without for exactly 30."""
    algorithm = "nas_rl" if generational else "regularized_evolution"
    options = {"batch": 7} if generational else {"population": 10, "sample": 3, "window": 4}
    where = {"space": "sequence", "space_options": {"n": 3}} if generational else {"space": "bits", "space_options": {"bits": 5}}
    values = {"algorithm": algorithm, "options": options, **where, "budget": {"trials": 20}}
    if not generational:
        values["datasets"] = ["ones"]
    counted = LocalRun(check(values), tmp_path / "a", tmp_path / "a").run()
    paid = LocalRun(check({**values, "count_repeats": False}), tmp_path / "b", tmp_path / "b").run()
    assert counted["budget"]["trials"] == counted["tried"]["trials"] == 20 > counted["tried"]["architectures"]
    assert paid["budget"]["trials"] == paid["tried"]["architectures"] == 20
    assert paid["tried"]["trials"] == 20 + paid["tried"]["repeated"] > 20


@pytest.mark.parametrize("budget", [{"samples": 1000}, {"seconds": 10}, {"flops": 1e9}])
def test_repeats_are_counted_by_budgets_in_trials_only(budget: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="only a budget in trials counts repeats") as error:
        check({"algorithm": "random", "space": "nb201", "datasets": ["digits"], "budget": budget, "count_repeats": False})
    assert error.value.field == "count_repeats"


def test_flops_are_offered_where_they_are_known_and_nowhere_else() -> None:
    for row in registry.compatibility():
        algorithm, dataset = registry.algorithm(row["algorithm"]), registry.dataset(row["dataset"])
        assert set(row["budgets"]) <= set(BUDGET_KINDS)
        assert ("flops" in row["budgets"]) == ("flops" in algorithm.budgets and "flops" in dataset.budgets)
    assert "flops" not in registry.dataset("learn_to_count").budgets and "flops" in registry.dataset("nb201_cifar10").budgets
    with pytest.raises(BadInput, match="cannot spend a budget in flops"):
        check({"algorithm": "random", "space": "sequence", "budget": {"flops": 10}})


def test_a_table_s_flops_are_those_of_the_built_network(tables: Path) -> None:
    """The benchmark's column is the forward pass of one image; a trial takes three of them (minus the gradient in the images)."""
    import torch

    from search_engine.base.lazy import load_object
    from search_engine.base.training_config import TrainingConfig
    from search_engine.training.footprint import step_flops

    for name, examples in (("nb201_cifar10", 25_000), ("nb201_cifar100", 50_000)):
        entry = registry.dataset(name)
        assert entry.shape is not None
        space_entry = registry.space("nb201")
        space = space_entry.space(space_entry.config(), entry.shape)
        table: Any = entry.open(entry.config(), tables)
        genome = space.from_string("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
        with torch.device("meta"):
            forward, both = step_flops(load_object(space_entry.builder)(space, genome, "final", TrainingConfig()), entry.shape.input)
        answer = table.lookup(genome, space.to_string(genome), {})
        assert answer.metrics["flops"] == pytest.approx(forward, rel=5e-4)
        assert answer.flops == pytest.approx(12 * examples * both, rel=5e-3)
        assert table.flops(genome, space.to_string(genome), {"epochs": 200}) == pytest.approx(answer.flops * 200 / 12)
        checked = check({"algorithm": "random", "space": "nb201", "datasets": [name], "budget": {"flops": 30 * answer.flops}}, tables)
        coordinator = Coordinator(checked, tables, tables)
        while coordinator.advance().more:
            pass
        assert coordinator.stop_reason == "budget" and coordinator.meter.trials > 10
