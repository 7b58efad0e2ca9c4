"""Trials of equal shape as one piece of work: which they are, that the search is the same, for any workers and after any kill."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.base import checkpoint
from search_engine.base.errors import BadInput
from search_engine.catalogue.config import CheckedRun, check, check_new
from search_engine.search import estimate as estimates
from search_engine.search.alike import signature
from search_engine.search.coordinator import Coordinator
from search_engine.search.group_work import GroupWork, group_outcome
from search_engine.search.local_run import LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.trial_work import TrialWork, genome_training
from search_engine.search.work import Work, WorkSpec, run_slice
from search_engine.spaces.genomes import Genome
from search_engine.training.group_trainer import GroupTrainer

GRID: dict[str, Any] = {
    "algorithm": "grid", "space": "mlp", "space_options": {"max_layers": 1, "epochs_divisor": 10}, "datasets": ["digits"],
    "training": {"train_examples": 60}, "finale": {"baselines": 0, "export": False, "redundancy": False},
}


def grid(together: int, trials: int = 24, window: int = 24, **changes: Any) -> dict[str, Any]:
    return {**GRID, "options": {"window": window}, "budget": {"trials": trials}, "together": together, **changes}


def events(folder: Path) -> dict[tuple[Any, ...], Any]:
    rows = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
    return {(row["source"], row["step"], row["kind"], row["ordinal"]): row["data"] for row in rows if row["science"]}


def close(left: Any, right: Any) -> bool:
    """Equal, numbers to the rounding of single precision over a training."""
    if isinstance(left, dict):
        return set(left) == set(right) and all(close(left[name], right[name]) for name in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(close, left, right))
    return bool(left == pytest.approx(right, rel=1e-3, abs=2e-3)) if isinstance(left, float) else bool(left == right)


class Workers:
    """Drives a run as workers do: pieces of work are finished in any order, rebuilt from their bytes between slices."""

    def __init__(self, checked: CheckedRun, folder: Path, workers: int, seed: int) -> None:
        self.checked, self.folder, self.workers, self.rng = checked, folder, workers, random.Random(seed)
        self.sizes: list[int] = []
        self.said: dict[Any, str] = {}

    def run(self) -> dict[Any, str]:
        coordinator = Coordinator(self.checked, self.folder, self.folder)
        waiting: list[WorkSpec] = []
        outcomes: dict[str, Any] = {}
        while True:
            step = coordinator.advance(outcomes, seconds=0.0)
            state = checkpoint.unpack(checkpoint.pack(coordinator.state_dict()))
            coordinator = Coordinator(self.checked, self.folder, self.folder)
            coordinator.load_state_dict(state)
            self._say(step.events)
            waiting += [spec for spec in step.opened if spec.kind == "trial"]
            if step.status != "running" or any(spec.kind == "final" for spec in step.opened):
                return self.said
            outcomes = {}
            for _ in range(min(self.workers, len(waiting)) if not step.more else 0):
                spec = waiting.pop(self.rng.randrange(len(waiting)))
                self.sizes.append(len(spec.arguments.get("members", [0])))
                outcomes[spec.source] = checkpoint.unpack(checkpoint.pack(self._work(spec)))

    def _work(self, spec: WorkSpec) -> dict[str, Any]:
        work: Work = open_work(self.checked, spec, self.folder, self.folder)
        while not work.finished:
            self._say(run_slice(work, 0.0, lambda: True))
            if self.rng.random() < 0.2:
                state = checkpoint.unpack(checkpoint.pack(work.state_dict()))
                work = open_work(self.checked, spec, self.folder, self.folder)
                work.load_state_dict(state)
        return work.outcome()

    def _say(self, events: list[Any]) -> None:
        for event in events:
            assert event.key not in self.said
            self.said[event.key] = event.payload.model_dump_json()


def test_one_and_eight_workers_with_reloads_give_equal_bits(tmp_path: Path) -> None:
    checked = check(grid(12))
    runs = [Workers(checked, tmp_path, workers, seed) for workers, seed in ((1, 0), (8, 1))]
    first, second = [workers.run() for workers in runs]
    assert first == second
    assert max(runs[0].sizes) > 1 and sorted(runs[0].sizes) == sorted(runs[1].sizes)


def test_the_search_says_what_it_would_say_one_by_one(tmp_path: Path) -> None:
    for together in (1, 24):
        LocalRun(check(grid(together)), tmp_path, tmp_path / str(together)).run()
    alone, grouped = events(tmp_path / "1"), events(tmp_path / "24")
    assert set(alone) == set(grouped)
    trials = {key: value for key, value in alone.items() if key[2] in ("metrics", "trial_told", "candidate_born")}
    assert len(trials) > 30 and all(close(value, grouped[key]) for key, value in trials.items())


def test_a_run_that_is_taken_up_again_goes_on_with_equal_bits(tmp_path: Path) -> None:
    run = LocalRun(check(grid(24)), tmp_path, tmp_path / "reloaded", slice_seconds=0.0)
    run.reloads = True
    run.run()
    LocalRun(check(grid(24)), tmp_path, tmp_path / "straight").run()
    assert events(tmp_path / "reloaded") == events(tmp_path / "straight")


def opened(values: dict[str, Any], folder: Path) -> list[list[int]]:
    """The numbers of the trials in the pieces of work that a search opens before anything is told."""
    coordinator = Coordinator(check(values), folder, folder)
    step = coordinator.advance(seconds=60)
    return [[member["index"] for member in spec.arguments.get("members", [{"index": spec.index}])] for spec in step.opened]


def test_a_block_is_opened_when_it_is_full_and_holds_back_nothing_else(tmp_path: Path) -> None:
    blocks = opened(grid(4, trials=12, window=10), tmp_path)
    assert sorted(number for block in blocks for number in block) == list(range(8))
    assert all(len({number // 4 for number in block}) == 1 for block in blocks)
    # What the budget cuts waits for nobody.
    assert sorted(number for block in opened(grid(4, trials=6, window=10), tmp_path) for number in block) == list(range(6))


def test_what_is_one_by_one_stays_as_it_was(tmp_path: Path) -> None:
    assert opened(grid(1), tmp_path) == [[number] for number in range(24)]


def signatures(values: dict[str, Any], folder: Path, genomes: list[Genome] | list[str], **fidelity: Any) -> list[str | None]:
    checked = check(values)
    space = Resources(checked, folder).space
    made = [space.from_string(genome) if isinstance(genome, str) else genome for genome in genomes]
    return [signature(checked, space, genome, genome_training(checked.config.training, space, genome, fidelity)) for genome in made]


def test_alike_are_networks_that_compute_the_same_but_for_their_weights(tmp_path: Path) -> None:
    text = "hidden={} activation={} batch_norm={} optimizer={} learning_rate={} epochs={}"
    variants = [
        ("32", "relu", "no", "sgd", "0.03", "5"),
        ("32", "relu", "no", "sgd", "0.1", "10"),
        ("64", "relu", "no", "sgd", "0.03", "5"),
        ("32", "tanh", "no", "sgd", "0.03", "5"),
        ("32", "relu", "yes", "sgd", "0.03", "5"),
        ("32", "relu", "no", "adam", "0.003", "5"),
        ("32-32", "relu", "no", "sgd", "0.03", "5"),
    ]
    values = {"algorithm": "random", "space": "mlp", "datasets": ["digits"], "budget": {"trials": 1}}
    found = signatures(values, tmp_path, [text.format(*variant) for variant in variants])
    assert found[0] == found[1] and len(set(found)) == len(variants) - 1 and None not in found


def test_equal_layers_that_are_wired_otherwise_are_not_alike(tmp_path: Path) -> None:
    values = {"algorithm": "random", "space": "macro", "space_options": {"layers": 6}, "datasets": ["digits"], "budget": {"trials": 1}}
    # The same operations in the same order: only what the last sum adds differs.
    chain = " | ".join(["nor_conv_3x3"] * 6) + " {}"
    found = signatures(values, tmp_path, [chain.format(4), chain.format(5), chain.format(4)])
    assert found[0] == found[2] is not None and found[0] != found[1]


def test_dropout_is_trained_alone(tmp_path: Path) -> None:
    values = {"algorithm": "random", "space": "node_chain", "datasets": ["digits"], "budget": {"trials": 1}}
    nodes: list[Any] = [["conv", 8, 3], ["flatten"], ["dense", 32, "relu"]]
    made = [Genome("node_chain", {"nodes": nodes}), Genome("node_chain", {"nodes": [*nodes, ["dropout_flat", 0.1]]})]
    space = Resources(check(values), tmp_path).space
    for genome in made:
        space.validate(genome)
    found = signatures(values, tmp_path, made)
    assert found[0] is not None and found[1] is None


@pytest.mark.parametrize("space", ["cell", "nb201", "macro", "node_chain", "mlp"])
def test_a_group_in_every_space_is_its_members(space: str, tmp_path: Path) -> None:
    values = {
        "algorithm": "random", "space": space, "datasets": ["digits"], "budget": {"trials": 1},
        "training": {"train_examples": 64, "epochs": 1, "channels": 4 if space in ("cell", "nb201", "macro") else 0},
    }
    checked = check(values)
    resources = Resources(checked, tmp_path)
    rng = random.Random(2)
    genomes = [genome for genome in (resources.space.sample(rng) for _ in range(6)) if signatures(values, tmp_path, [genome])[0]]
    for genome in genomes[:2]:
        # The hash decides the seed: members differ in nothing else.
        specs = [
            WorkSpec(kind="trial", index=index, arguments={"genome": genome.to_json(), "hash": f"h{index}", "fidelity": {"epochs": 1}})
            for index in range(3)
        ]
        members = [spec.model_dump(mode="json") for spec in specs]
        group = GroupWork(specs[0].model_copy(update={"arguments": {"members": members}}), checked, tmp_path, tmp_path)
        run_slice(group, 1000)
        for spec in specs:
            alone = TrialWork(spec, checked, tmp_path, tmp_path)
            run_slice(alone, 1000)
            mine, own = (dict(outcome, seconds=0.0) for outcome in (group.outcome()["members"][spec.source], alone.outcome()))
            assert mine.pop("said") == own["metrics"]["epoch"] == 1
            assert own["status"] == "completed" and close(mine, own), spec.source


def test_a_network_that_cannot_be_made_fails_its_own_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = check(grid(24))
    step = Coordinator(checked, tmp_path, tmp_path).advance(seconds=60)
    spec = next(spec for spec in step.opened if "members" in spec.arguments)
    build = GroupWork._build

    def broken(self: GroupWork, trial: TrialWork) -> torch.nn.Module:
        if trial is self.trials[1]:
            raise ValueError("no such layer")
        return build(self, trial)

    monkeypatch.setattr(GroupWork, "_build", broken)
    work = GroupWork(spec, checked, tmp_path, tmp_path)
    run_slice(work, 0.0)
    run_slice(work, 0.0)
    again = GroupWork(spec, checked, tmp_path, tmp_path)
    again.load_state_dict(checkpoint.unpack(checkpoint.pack(work.state_dict())))
    run_slice(again, 1000)
    outcomes = list(again.outcome()["members"].values())
    assert [outcome["status"] for outcome in outcomes].count("failed") == 1
    assert outcomes[1]["reason"] == "ValueError: no such layer" and outcomes[1]["metrics"] == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "darts", "space": "cell", "options": {}, "space_options": {}, "budget": None}, "several together"),
        ({"space": "nb201", "space_options": {}, "datasets": ["nb201_cifar10"]}, "several together"),
        ({"amp": True}, "full precision"),
        ({"together": 25}, "at most as many trials as may be open at once"),
    ],
)
def test_it_is_refused_where_it_means_nothing(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        check({**grid(24), **change})
    assert refused.value.field == "together"


def test_a_window_that_is_left_open_counts_as_what_it_becomes() -> None:
    assert check_new({**grid(8), "options": {}}).config.options == {"window": 8}


def test_a_generation_is_looked_through_as_a_whole_for_equal_shapes(tmp_path: Path) -> None:
    """Trials of equal shape need not be asked one after the other; at most `together` of them are one piece of work."""
    values = {**GRID, "algorithm": "nas_rl", "options": {"batch": 150}, "budget": {"trials": 150}, "seed": 1}
    shapes = [len(block) for block in opened({**values, "together": 64}, tmp_path)]
    assert max(shapes) > 2
    fewer = opened({**values, "together": 2}, tmp_path)
    assert sorted(len(block) for block in fewer) == sorted([2] * sum(size // 2 for size in shapes) + [1] * sum(size % 2 for size in shapes))
    assert any(block[1] - block[0] > 2 for block in fewer if len(block) == 2)
    assert [block[0] for block in fewer] == sorted(block[0] for block in fewer), "what is told first is begun first"


@pytest.mark.parametrize("epochs", [0, 1], ids=["before the first epoch", "after the first epoch"])
def test_what_the_machine_fails_of_a_group_is_tried_for_itself(epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so are all later trials; nothing is said twice, and what it costs is what one by one costs."""
    values = grid(8, trials=12, window=8, options={"window": 8, "order": "lexicographic"}, training={"train_examples": 128})
    values["space_options"] = {"max_layers": 1, "epochs_divisor": 5}
    advance = GroupTrainer.advance
    sizes: list[int] = []

    def full(self: GroupTrainer) -> None:
        if self.steps_done == 2 * epochs:
            sizes.append(len(self.members))
            raise MemoryError
        advance(self)

    monkeypatch.setattr(GroupTrainer, "advance", full)
    result = LocalRun(check(values), tmp_path, tmp_path / "fell").run()
    assert (result["status"], result["reproducible"]) == ("completed", False) and sizes == [8]
    monkeypatch.undo()
    alone = LocalRun(check({**values, "together": 1}), tmp_path, tmp_path / "alone").run()
    lines = [json.loads(line) for line in (tmp_path / "fell" / "events.jsonl").read_text().splitlines()]
    keys = [(row["source"], row["step"], row["kind"], row["ordinal"]) for row in lines if row["science"]]
    assert len(keys) == len(set(keys)) and set(keys) == set(events(tmp_path / "alone"))
    told = {key: value for key, value in events(tmp_path / "alone").items() if key[2] == "trial_told"}
    assert all(close(value, events(tmp_path / "fell")[key]) for key, value in told.items())
    assert result["budget"]["samples"] == alone["budget"]["samples"]


def test_a_group_s_failure_that_is_delivered_twice_changes_nothing(tmp_path: Path) -> None:
    coordinator = Coordinator(check(grid(24, options={"window": 24, "order": "lexicographic"})), tmp_path, tmp_path)
    spec = next(spec for spec in coordinator.advance(seconds=60).opened if "members" in spec.arguments)
    numbers = [member["index"] for member in spec.arguments["members"]]
    own = {"status": "failed", "reason": "no memory", "machine": True, "metrics": {}, "cost": {}, "seconds": 0.0, "said": 3}
    outcome = group_outcome({f"trial:{number}": own for number in numbers})
    assert (outcome["machine"], outcome["reason"]) == (True, own["reason"])
    again = coordinator.advance({spec.source: outcome}, seconds=60).opened
    assert [(item.source, item.arguments["said"]) for item in again] == [(f"trial:{number}", 3) for number in numbers]
    for reloaded in (False, True):
        if reloaded:
            state = checkpoint.unpack(checkpoint.pack(coordinator.state_dict()))
            coordinator = Coordinator(coordinator.checked, tmp_path, tmp_path)
            coordinator.load_state_dict(state)
        assert coordinator.advance({spec.source: outcome}, seconds=60).opened == []
        assert coordinator.rounds is not None and coordinator.rounds.together == 1


def test_the_estimate_times_the_search_s_own_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"group": 60.0, "trial": 7.0, "final": 1.0}
    monkeypatch.setattr(estimates, "_work_seconds", lambda work: seconds[work.spec.source.partition(":")[0]])
    lexicographic = {"options": {"window": 12, "order": "lexicographic"}, "budget": {"trials": 24}}
    found = estimates.estimate(check(grid(12, **lexicographic)), tmp_path)
    # Twelve trials, in a group of nine and one of three.
    assert found["note"] == "24 trials of about 10.0 s, judged by the first 12, of which 12 share their shape with others"
    assert found["seconds"] - found["finale_seconds"] == pytest.approx(24 * 10.0) and not any("shape" in said for said in found["advice"])
    unequal = estimates.estimate(check(grid(2, options={"window": 2}, budget={"trials": 24})), tmp_path)
    assert unequal["seconds"] - unequal["finale_seconds"] == pytest.approx(24 * 7.0)
    assert "No two of the first 2 architectures have the same shape, so none would be trained together." in unequal["advice"]


def test_the_estimate_of_a_group_counts_each_member_as_long_as_it_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Coordinator(check(grid(12, options={"window": 12, "order": "lexicographic"})), tmp_path, tmp_path).advance(seconds=60)
    work = open_work(check(grid(12)), step.opened[0], tmp_path, tmp_path)
    monkeypatch.setattr(estimates, "_seconds_per_unit", lambda work: 10_000.0)
    steps = [trial.training.epochs for trial in work.trials]  # type: ignore[attr-defined]
    assert len(set(steps)) > 1
    assert estimates._work_seconds(work) == pytest.approx(10_000.0 * sum(steps) / len(steps), rel=1e-2)
