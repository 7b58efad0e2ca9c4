"""What can be removed from a trained network, and what noise does to it."""

from __future__ import annotations

import copy
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from search_engine.base import checkpoint
from search_engine.catalogue.config import check
from search_engine.datasets.base import Part, SearchData
from search_engine.events import decode_floats
from search_engine.redundancy import removal
from search_engine.redundancy.charts import Measured, redundancy_report
from search_engine.redundancy.study import Study
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import DataShape, Preprocessing
from tests.search_engine import toys

NAMES = ["redundancy_score", "redundancy_likelihood", "robustness_inputs", "robustness_weights"]


def two_features(examples: int = 400, noise_features: int = 6, seed: int = 0) -> SearchData:
    """The class is the sign of x0 + x1; the other features say nothing."""
    generator = np.random.default_rng(seed)
    inputs = generator.standard_normal((examples, 2 + noise_features)).astype(np.float32)
    labels = (inputs[:, 0] + inputs[:, 1] > 0).astype(np.int64)
    half = examples // 2
    parts = [Part(inputs[at], labels[at], np.arange(examples)[at]) for at in (slice(0, half), slice(half, None))]
    width = 2 + noise_features
    return SearchData("two", DataShape((width,), 2), *parts, Preprocessing(1.0, (0.0,) * width, (1.0,) * width), ("no", "yes"))


def trained(data: SearchData, steps: int = 200) -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(data.shape.input[0], 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    inputs, labels = torch.from_numpy(data.train.inputs), torch.from_numpy(data.train.labels)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), labels).backward()
        optimizer.step()
    return network.eval()


def finished(study: Study) -> Study:
    while not study.finished:
        study.advance()
    return study


def curves(chart: Any) -> dict[str, dict[float, float]]:
    return {
        item.name: dict(zip((round(float(x), 4) for x in decode_floats(item.x)), decode_floats(item.y).tolist(), strict=True))
        for item in chart.series
    }


def test_removal_takes_exactly_the_share_with_the_smallest_scores() -> None:
    weights = {"a": torch.tensor([[3.0, -0.1], [0.2, -2.0]]), "b": torch.tensor([[1.0, -5.0]])}
    left = removal.without(weights, removal.magnitude_scores(weights), 0.5)
    assert left["a"].tolist() == [[3.0, 0.0], [0.0, -2.0]] and left["b"].tolist() == [[0.0, -5.0]]
    assert removal.without(weights, removal.magnitude_scores(weights), 0.0)["a"].equal(weights["a"])
    assert all(not value.any() for value in removal.without(weights, removal.magnitude_scores(weights), 1.0).values())


def test_what_a_mask_removed_already_does_not_count() -> None:
    weights = {"a": torch.tensor([[0.0, 4.0, 0.0, 1.0], [2.0, 0.0, 0.0, 3.0]])}
    assert removal.remaining(weights) == 4
    left = removal.without(weights, removal.magnitude_scores(weights), 0.5)
    assert left["a"].tolist() == [[0.0, 4.0, 0.0, 0.0], [0.0, 0.0, 0.0, 3.0]]
    chosen = removal.without(weights, removal.random_scores(weights, 0), 0.25)
    assert removal.remaining(chosen) == 3


def test_the_fisher_diagonal_of_logistic_regression_is_the_known_one() -> None:
    """F_ij = E[p (1 - p) x_j^2] for the logit difference; with labels drawn from the prediction it is reached on average."""
    data = two_features(256)
    network = nn.Linear(8, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.linspace(-0.5, 0.5, 16).view(2, 8))
    names = ["weight"]
    found = [removal.fisher_diagonal(network, data, "classification", names, seed)["weight"] for seed in range(40)]
    inputs = torch.from_numpy(data.train.inputs[: removal.FISHER_EXAMPLES])
    share = network(inputs).softmax(1)[:, 1].detach()
    expected = ((share * (1 - share))[:, None] * inputs.square()).mean(0)
    for row in torch.stack(found).mean(0):
        assert torch.allclose(row, expected, rtol=0.15)


def test_ard_ranks_by_evidence_and_not_by_size() -> None:
    """A large weight on an input that is always zero matters nothing: its posterior is as wide as the prior."""
    data = two_features(noise_features=0)
    silent = np.concatenate([data.train.inputs, np.zeros((len(data.train), 1), np.float32)], axis=1)
    part = Part(silent, data.train.labels, data.train.indices)
    data = SearchData("silent", DataShape((3,), 2), part, part, Preprocessing(1.0, (0.0,) * 3, (1.0,) * 3), ("no", "yes"))
    network = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[-0.5, -0.5, 2.0], [0.5, 0.5, -2.0]]))
    weights = removal.removable(network)
    fisher = removal.fisher_diagonal(network, data, "classification", list(weights), 0)
    scores = removal.ard_scores(weights, fisher, len(part)).view(2, 3)
    assert scores[:, 2].max() < scores[:, :2].min()
    assert removal.magnitude_scores(weights).view(2, 3)[:, 2].min() > removal.magnitude_scores(weights).view(2, 3)[:, :2].max()


def test_a_redundant_network_loses_little_by_order_and_much_by_chance() -> None:
    data = two_features()
    network = trained(data)
    before = copy.deepcopy(network.state_dict())
    report = finished(Study(network, data, "classification", 3)).report()
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items()), "the network stays as it is"
    assert [chart.name for chart in report.charts] == NAMES
    score = curves(report.charts[0])
    assert set(score) == {"by magnitude", "by ARD ratio", "at random"}
    assert score["by magnitude"][0.0] == pytest.approx(report.values["intact"])
    # Six of eight inputs say nothing, so most weights can go in the right order.
    for name in ("by magnitude", "by ARD ratio"):
        assert score[name][0.6] > report.values["intact"] - 0.03
        assert score[name][0.6] > score["at random"][0.6] + 0.02
    lost = curves(report.charts[2])["lost log-likelihood"]
    assert lost[0.0] == 0 and lost[1.6] > lost[0.1] > -0.01
    assert "weights 0 % can go" not in report.message and f"{8 * 16 + 16 * 2:,} weights" in report.message


def test_a_study_goes_on_after_a_reload_with_equal_figures(tmp_path: Any) -> None:
    data = two_features(120)
    network = trained(data, 20)
    whole = finished(Study(network, data, "classification", 1))
    for stop in (1, 4, 20):
        study = Study(network, data, "classification", 1)
        for _ in range(stop):
            study.advance()
        checkpoint.write(tmp_path / "state", study.state_dict())
        study = Study(network, data, "classification", 1)
        study.load_state_dict(checkpoint.read(tmp_path / "state"))
        assert finished(study).report() == whole.report()
        assert study.cost == whole.cost


@pytest.mark.parametrize("task", ["regression", "reconstruction"])
def test_real_values_have_a_gaussian_likelihood(task: Any) -> None:
    generator = np.random.default_rng(1)
    inputs = generator.standard_normal((90, 3)).astype(np.float32)
    targets = (inputs @ np.array([[1.0], [2.0], [0.0]])).astype(np.float32)
    shape = DataShape((3,), 1 if task == "regression" else 3, "regression")
    part = Part(inputs, targets, np.arange(90))
    data = SearchData("line", shape, part, part, Preprocessing(1.0, (0.0,) * 3, (1.0,) * 3), ("y",))
    torch.manual_seed(0)
    network = nn.Linear(3, 1 if task == "regression" else 3)
    report = finished(Study(network, data, task, 0)).report()
    with torch.no_grad():
        outputs = network(torch.from_numpy(inputs)).flatten(1)
    wanted = torch.from_numpy(targets if task == "regression" else inputs)
    error = float((outputs - wanted).square().mean())
    intact = curves(report.charts[1])["by magnitude"][0.0]
    assert intact == pytest.approx(-0.5 * math.log(2 * math.pi * error) - 0.5, abs=1e-5)
    spread = float((wanted - wanted.mean(0)).square().mean())
    assert report.values["intact"] == pytest.approx(1 - error / spread, abs=1e-5)


def test_free_is_the_share_before_the_first_loss() -> None:
    rows = [Measured("intact", 0, 0.9, 0.1)]
    for kind, scores in {"magnitude": [0.9, 0.895, 0.8, 0.9], "ard": [0.9, 0.9, 0.9, 0.9], "random": [0.5, 0.9, 0.9, 0.9]}.items():
        rows += [Measured(kind, amount, score, 0.1) for amount, score in zip((0.2, 0.4, 0.6, 0.8), scores, strict=True)]
    rows += [Measured(kind, 0.1, 0.9, 0.2) for kind in ("inputs", "weights")]
    values = redundancy_report("classification", rows, 10).values
    assert [values[f"removable_{kind}"] for kind in ("magnitude", "ard", "random")] == [0.4, 0.8, 0.0]


def test_random_orders_differ_by_draw_and_repeat_by_seed() -> None:
    weights = {"a": torch.ones(4, 5)}
    orders = [removal.random_scores(weights, seed, draw) for seed, draw in itertools.product((0, 1), (0, 1))]
    assert all(not a.equal(b) for a, b in itertools.combinations(orders, 2))
    assert orders[0].equal(removal.random_scores(weights, 0, 0))


def run(out: Path, *, reloads: bool, **finale: Any) -> list[dict[str, Any]]:
    training = {"epochs": 2, "train_examples": 200}
    values = {
        "algorithm": "random", "space": "mlp", "space_options": {"epochs_divisor": 10}, "budget": {"trials": 1}, "training": training,
        "finale": {"baselines": 0, "export": False, "training": training, **finale},
    }
    local = LocalRun(check(values), out, out, slice_seconds=0 if reloads else 1e9)
    local.reloads = reloads
    assert local.run()["status"] == "completed"
    records = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    return [record["data"] for record in records if record["kind"] == "report"]


def test_a_run_reports_on_its_model_once_and_the_same_after_reloads(tmp_path: Path) -> None:
    (whole,) = run(tmp_path / "whole", reloads=False)
    assert [chart["name"] for chart in whole["charts"]] == NAMES
    assert run(tmp_path / "reloaded", reloads=True) == [whole]
    assert toys.science(tmp_path / "whole" / "events.jsonl") == toys.science(tmp_path / "reloaded" / "events.jsonl")
    assert run(tmp_path / "without", reloads=False, redundancy=False) == []
