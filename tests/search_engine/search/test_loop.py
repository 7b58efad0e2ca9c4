"""The search loop: windows, reuse, budgets, failures, resume; all on toys that answer at once or train for real elsewhere."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search_engine.base import checkpoint
from search_engine.base.errors import BadInput
from search_engine.base.row_log import RowLog
from search_engine.catalogue.config import check
from search_engine.search.coordinator import Coordinator
from search_engine.search.local_run import Interrupted, LocalRun
from search_engine.search.work import WorkSpec
from tests.search_engine import toys


@pytest.fixture(autouse=True)
def _toys() -> Iterator[None]:
    with toys.registered(algorithms=(toys.GENERATIONAL,)):
        yield


def config(algorithm: str = "regularized_evolution", budget: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return {"algorithm": algorithm, "space": "bits", "datasets": ["ones"], "budget": budget or {"trials": 60}, **values}


def rows(path: Path, kind: str) -> list[dict[str, Any]]:
    return [row["data"] for row in map(json.loads, (path / "events.jsonl").read_text().splitlines()) if row["kind"] == kind]


def run(out: Path, values: dict[str, Any], **options: Any) -> dict[str, Any]:
    return LocalRun(check(values), out, out, **options).run()


class Remote:
    """Drives a coordinator as workers do: trials are jobs, finished in any order, told in ask order; state reloaded at every step."""

    def __init__(self, values: dict[str, Any], folder: Path, workers: int, seed: int) -> None:
        self.checked = check(values)
        self.folder = folder
        self.workers = workers
        self.rng = random.Random(seed)
        self.events: list[Any] = []
        self.most_open = 0

    def run(self) -> list[Any]:
        waiting: list[WorkSpec] = []
        path = self.folder / f"workers-{self.workers}" / "state.safetensors"
        log: RowLog | None = RowLog(path.parent, "state.0.rows")
        outcomes: dict[str, Any] = {}
        dataset = self.checked.dataset.open(self.checked.dataset_options[0], self.folder)
        while True:
            coordinator = Coordinator(self.checked, self.folder, self.folder)
            coordinator.instant = lambda trial: None  # type: ignore[method-assign]
            if path.exists():
                # A worker that was the last to write goes on from what it has, another one reads all.
                state, log = checkpoint.read_with_log(path, None, log if self.rng.random() < 0.5 else None)
                coordinator.load_state_dict(state)
            step = coordinator.advance(outcomes)
            checkpoint.write(path, coordinator.state_dict(), log)
            self.events += step.events
            waiting += step.opened
            self.most_open = max(self.most_open, len(waiting))
            if step.status != "running":
                return sorted((event.key, event.payload.model_dump_json()) for event in self.events)
            outcomes = {}
            for _ in range(min(self.workers, len(waiting))):
                spec = waiting.pop(self.rng.randrange(len(waiting)))
                outcomes[spec.source] = self.outcome(dataset, spec)

    def outcome(self, dataset: Any, spec: WorkSpec) -> dict[str, Any]:
        from search_engine.spaces.genomes import Genome

        cost = {"forward_backward": 10, "forward": 0, "flops": 0.0, "seconds": 0.0}
        if spec.index % 5 == 4 and self.checked.config.max_failures > 1:
            return {"status": "failed", "reason": "loss is not a number", "machine": False, "metrics": {}, "cost": cost, "seconds": 0.1}
        reward = dataset.reward(Genome.from_json(spec.arguments["genome"]))
        return {"status": "completed", "reason": "", "machine": False, "metrics": {"reward": reward}, "cost": cost, "seconds": 0.1}


@pytest.mark.parametrize("algorithm", ["random", "regularized_evolution"])
@pytest.mark.parametrize("window", [1, 4])
def test_the_same_search_whatever_the_workers_and_the_order_in_which_trials_finish(tmp_path: Path, algorithm: str, window: int) -> None:
    values = config(algorithm, options={"window": window})
    runs = [Remote(values, tmp_path, workers, seed) for workers, seed in ((1, 0), (3, 1), (8, 2))]
    first, *others = [remote.run() for remote in runs]
    assert all(other == first for other in others)
    assert max(remote.most_open for remote in runs) == window


def test_ask_k_comes_after_exactly_the_tells_before_k_minus_window(tmp_path: Path) -> None:
    run(tmp_path, config("random", {"trials": 12}, options={"window": 3}))
    order = []
    for row in map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines()):
        if row["kind"] in ("candidate_born", "trial_told"):
            order.append(("ask" if row["kind"] == "candidate_born" else "tell", row["data"]["number"]))
    asks = [item for item in order if item[0] == "ask"]
    assert len(asks) == 12
    for _, number in asks:
        before = order[: order.index(("ask", number))]
        assert [item[1] for item in before if item[0] == "tell"] == list(range(max(0, number - 3 + 1)))


def test_trials_budget_is_exact_and_samples_budget_reports_its_overshoot(tmp_path: Path) -> None:
    result = run(tmp_path / "a", config("random", {"trials": 17}))
    assert result["budget"]["trials"] == 17 and result["stop_reason"] == "budget"
    result = run(tmp_path / "b", config("random", {"samples": 95}))
    assert result["budget"]["samples"] == 100
    [stopped] = rows(tmp_path / "b", "search_stopped")
    assert stopped["overshoot"] == 5


def test_a_full_space_ends_random_search_as_exhausted(tmp_path: Path) -> None:
    result = run(tmp_path, config("random", {"trials": 500}, space_options={"bits": 4}))
    assert result["stop_reason"] == "exhausted"
    assert result["budget"]["trials"] == 16
    assert len({row["genome_hash"] for row in rows(tmp_path, "candidate_born")}) == 16


def test_equal_genomes_are_reused_for_free_and_counted(tmp_path: Path) -> None:
    result = run(
        tmp_path, config("regularized_evolution", {"trials": 200}, space_options={"bits": 5}, options={"population": 10, "sample": 3})
    )
    told = rows(tmp_path, "trial_told")
    reused = [row for row in told if row["reused_from"] is not None]
    assert len(told) == 200 and len(reused) >= 200 - 32
    assert result["budget"]["samples"] == 10 * (200 - len(reused))
    by_number = {row["number"]: row for row in told}
    assert all(row["metrics"] == by_number[row["reused_from"]]["metrics"] for row in reused)


def test_a_thousand_reused_trials_in_a_row_stop_the_run(tmp_path: Path) -> None:
    result = run(
        tmp_path, config("regularized_evolution", {"trials": 5000}, space_options={"bits": 2}, options={"population": 4, "sample": 2})
    )
    assert result["stop_reason"] == "exhausted" and result["budget"]["trials"] < 1100


def test_failures_in_a_row_fail_the_run_with_the_reason(tmp_path: Path) -> None:
    checked = check(config("random", {"trials": 50}, max_failures=3))
    coordinator = Coordinator(checked, tmp_path, tmp_path)
    failed = {"status": "failed", "reason": "loss is not a number", "machine": False, "metrics": {}, "cost": {}, "seconds": 0.0}
    coordinator.instant = lambda trial: failed  # type: ignore[method-assign]
    step = coordinator.advance()
    assert step.status == "failed"
    assert step.reason == "3 trials failed in a row; the last one: loss is not a number"


def test_best_so_far_follows_tell_order(tmp_path: Path) -> None:
    run(tmp_path, config("random", {"trials": 80}))
    best = -1.0
    expected = []
    for row in rows(tmp_path, "trial_told"):
        if row["metrics"]["reward"] > best:
            best = row["metrics"]["reward"]
            expected.append((row["number"], best))
    assert [(row["candidate"], row["value"]) for row in rows(tmp_path, "incumbent")] == expected


def test_resume_after_a_stop_gives_the_science_of_an_undisturbed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = config(budget={"trials": 100}, options={"population": 20, "sample": 5})
    run(tmp_path / "whole", values)
    # Zero seconds per call: one tell or ask, then a commit, so that every place between two commits is tried.
    original = Coordinator.advance
    monkeypatch.setattr(Coordinator, "advance", lambda self, outcomes=None, seconds=0.0: original(self, outcomes, 0.0))
    checked, out, countdown = check(values), tmp_path / "cut", 13
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls % countdown == 0

    resume = False
    for _ in range(100):
        try:
            LocalRun(checked, out, out, resume=resume).run(stop=stop)
            break
        except Interrupted:
            resume = True
            # What a kill leaves behind: lines after the last commit.
            with (out / "events.jsonl").open("a") as file:
                file.write('{"seq": 99999, "lost": true}\n')
    assert calls > 100
    assert toys.science(out / "events.jsonl") == toys.science(tmp_path / "whole" / "events.jsonl")


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path) -> None:
    run(tmp_path, config("random", {"trials": 3}))
    before = (tmp_path / "events.jsonl").read_bytes()
    with pytest.raises(BadInput, match="--resume"):
        LocalRun(check(config("random", {"trials": 3})), tmp_path, tmp_path)
    with pytest.raises(BadInput, match="budget"):
        LocalRun(check(config("random", {"trials": 4})), tmp_path, tmp_path, resume=True)
    assert (tmp_path / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"algorithm": "no_such"}, "algorithm"),
        ({"space": "no_such"}, "space"),
        ({"space": "neuron_graph"}, "space"),
        ({"datasets": ["no_such"]}, "dataset"),
        ({"datasets": ["digits"]}, "datasets.0"),
        ({"datasets": ["ones", "ones"]}, "datasets"),
        ({"budget": None}, "budget"),
        ({"budget": {"trials": 1, "samples": 2}}, "budget"),
        ({"budget": {"seconds": 5}}, "budget"),
        ({"budget": {"trials": 0}}, "budget.trials"),
        ({"options": {"population": 1}}, "options.population"),
        ({"options": {"no_such": 1}}, "options.no_such"),
        ({"seed": -1}, "seed"),
        ({"training": {"epochs": 0}}, "training.epochs"),
    ],
)
def test_bad_input_names_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        check({**config(), **change})
    assert caught.value.field == field


def test_a_generation_that_the_budget_cuts_is_never_told_but_counts_for_the_best(tmp_path: Path) -> None:
    checked = check(config("generational", {"trials": 10}))
    coordinator = Coordinator(checked, tmp_path, tmp_path)
    step = coordinator.advance(seconds=60)
    assert step.status == "completed" and step.charged["trials"] == 10
    told = {event.payload.number: event.payload.metrics["reward"] for event in step.events if event.kind == "trial_told"}
    best = max(told, key=lambda number: told[number])
    assert coordinator.finale.entrants[0]["candidate"] == best
    # Only whole generations of four were told to the algorithm; two candidates were not.
    assert coordinator.finale.entrants[0]["value"] == max(told.values())


def test_a_budget_smaller_than_a_generation_still_has_a_best(tmp_path: Path) -> None:
    assert run(tmp_path, config("generational", {"trials": 3}))["status"] == "completed"


@pytest.mark.parametrize("algorithm", ["generational", "random", "regularized_evolution"])
def test_reloads_change_nothing_even_where_a_phase_speaks_when_it_is_built(tmp_path: Path, algorithm: str) -> None:
    runs = [Remote(config(algorithm, {"trials": 30}), tmp_path, workers, seed) for workers, seed in ((1, 0), (5, 1))]
    first, second = [remote.run() for remote in runs]
    assert first == second
    assert len({key for key, _ in first}) == len(first)


def test_a_fitness_that_is_not_a_number_is_a_failed_trial(tmp_path: Path) -> None:
    coordinator = Coordinator(check(config("random", {"trials": 4}, max_failures=100)), tmp_path, tmp_path)
    values = iter([float("nan"), 0.5, float("inf"), 0.25])
    cost = {"forward_backward": 10, "forward": 0, "flops": 0.0, "seconds": 0.0}
    coordinator.instant = lambda trial: {  # type: ignore[method-assign]
        "status": "completed", "reason": "", "machine": False, "metrics": {"reward": next(values)}, "cost": cost, "seconds": 0.0,
    }
    step = coordinator.advance(seconds=60)
    told = [event.payload for event in step.events if event.kind == "trial_told"]
    assert [payload.status for payload in told] == ["failed", "completed", "failed", "completed"]
    assert told[0].reason == "reward is not a number in the evaluation's result" and told[0].metrics == {}
    assert coordinator.finale.entrants[0]["value"] == 0.5


def test_after_a_machine_failure_an_equal_genome_is_tried_once_and_reused_from_then_on(tmp_path: Path) -> None:
    values = config("regularized_evolution", {"trials": 6}, space_options={"bits": 1}, options={"population": 6, "sample": 2}, seed=2)
    coordinator = Coordinator(check(values), tmp_path, tmp_path)
    coordinator.instant = lambda trial: None  # type: ignore[method-assign]
    cost = {"forward_backward": 10, "forward": 0, "flops": 0.0, "seconds": 0.0}
    outcomes: dict[str, Any] = {}
    jobs: dict[str, list[int]] = {}
    for _ in range(40):
        step = coordinator.advance(outcomes)
        if step.status != "running":
            break
        outcomes = {}
        for spec in step.opened:
            jobs.setdefault(spec.arguments["hash"], []).append(spec.index)
            broken = len(jobs[spec.arguments["hash"]]) == 1
            outcomes[spec.source] = {
                "status": "failed" if broken else "completed", "reason": "no memory" if broken else "", "machine": broken,
                "metrics": {} if broken else {"reward": 0.5}, "cost": cost, "seconds": 0.0,
            }
    assert coordinator.status == "completed"
    assert all(len(numbers) == 2 for numbers in jobs.values() if len(numbers) > 1) and any(len(numbers) == 2 for numbers in jobs.values())
    assert coordinator.machine_failures == len(jobs)
