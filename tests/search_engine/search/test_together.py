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
from search_engine.search.alike import signature
from search_engine.search.coordinator import Coordinator
from search_engine.search.group_work import GroupWork
from search_engine.search.local_run import LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.trial_work import TrialWork, genome_training
from search_engine.search.work import Work, WorkSpec, run_slice
from search_engine.spaces.genomes import Genome

GRID: dict[str, Any] = {
    "algorithm": "grid", "space": "mlp", "space_options": {"max_layers": 1, "epochs_divisor": 10}, "datasets": ["digits"],
    "training": {"train_examples": 60}, "finale": {"export": False, "redundancy": False, "training": {"epochs": 1}},
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
