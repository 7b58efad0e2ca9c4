"""Networks trained together: each as alone, whatever becomes of the others."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from search_engine.base import checkpoint
from search_engine.base.training_config import TrainingConfig
from search_engine.training import batches, domain, group_trainer
from search_engine.training.footprint import step_flops
from search_engine.training.group_trainer import GroupTrainer
from search_engine.training.stacked_layers import stack, stackable
from search_engine.training.trainer import Trainer
from tests.search_engine.training.samples import small_data

EXACT = 1e-10
"""In float64."""


class Branches(nn.Module):
    """Every stacked layer, with and without a bias, strides and groups, a concatenation, a pooling and a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.depthwise = nn.Sequential(nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4), nn.BatchNorm2d(4, affine=False))
        self.strided = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.flat = nn.Sequential(nn.Linear(10, 8, bias=False), nn.BatchNorm1d(8, track_running_stats=False), nn.Tanh())
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = torch.cat([self.strided(x), self.pool(self.depthwise(x))], dim=1)
        result: torch.Tensor = self.head(self.flat(x.mean(dim=(2, 3))))
        return result


def networks(count: int = 4, kind: Callable[[], nn.Module] = Branches) -> list[nn.Module]:
    result = []
    for seed in range(count):
        torch.manual_seed(seed)
        result.append(kind())
    return result


def alone(config: TrainingConfig, place: int, network: nn.Module) -> Trainer:
    trainer = Trainer(network, small_data(), config, seed=place)
    while not trainer.finished:
        trainer.advance()
    return trainer


def together(configs: list[TrainingConfig], made: list[nn.Module] | None = None, reload_at: set[int] = frozenset()) -> GroupTrainer:  # type: ignore[assignment]
    def fresh() -> GroupTrainer:
        return GroupTrainer(networks(len(configs)) if made is None else made, small_data(), configs, list(range(len(configs))))

    group = fresh()
    while not group.finished:
        group.advance()
        if group.steps_done in reload_at:
            state = checkpoint.unpack(checkpoint.pack(group.state_dict()))
            group = fresh()
            group.load_state_dict(state)
    return group


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in double precision, so that a difference is a mistake and not rounding."""
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    single = batches.Normaliser.__call__
    monkeypatch.setattr(batches.Normaliser, "__call__", lambda self, raw: single(self, raw).double())
    for module in (domain, group_trainer):
        monkeypatch.setattr(module, "step_flops", lambda network, shape: step_flops(copy.deepcopy(network).to(torch.float32), shape))


def equal(group: GroupTrainer, place: int, trainer: Trainer, tolerance: float) -> None:
    report = trainer.epoch_reports()
    mine = group.epoch_reports(place)
    assert len(mine) == len(report)
    for left, right in zip(mine, report, strict=True):
        assert left == pytest.approx(right, abs=tolerance)
    assert group.metrics(place) == pytest.approx(trainer.metrics(), abs=tolerance)
    assert group.cost(place) == trainer.cost
    state, weights = trainer.network.state_dict(), group.members[place].weights
    assert set(state) == set(weights)
    for name, value in state.items():
        torch.testing.assert_close(weights[name], value, atol=tolerance, rtol=tolerance, msg=name)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adam", "learning_rate": 0.003},
        {"optimizer": "adagrad", "learning_rate": 0.02},
        {"momentum": 0, "weight_decay": 0, "label_smoothing": 0.1, "augment": "none", "gradient_clip": 0},
        {"gradient_clip": 0.3, "early_stop": 1},
    ],
)
def test_each_network_is_trained_as_it_would_be_alone(double: None, options: dict[str, Any]) -> None:
    rates = [1.0, 0.5, 0.1, 2.0]
    base = TrainingConfig(batch_size=16, epochs=5, augment="cutout").model_copy(update=options)
    configs = [
        base.model_copy(update={"learning_rate": base.learning_rate * rate, "epochs": 5 - place}) for place, rate in enumerate(rates)
    ]
    group = together(configs, [network.double() for network in networks()])
    for place, network in enumerate(networks()):
        equal(group, place, alone(configs[place], place, network.double()), EXACT)
    if options.get("early_stop"):
        assert len({group.cost(place).forward for place in range(4)}) > 1


def test_in_single_precision_they_are_equal_to_rounding() -> None:
    config = TrainingConfig(batch_size=16, epochs=2)
    group = together([config] * 4)
    for place, network in enumerate(networks()):
        equal(group, place, alone(config, place, network), 1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_reload_after_any_step_changes_no_bit(optimizer: str) -> None:
    configs = [TrainingConfig(batch_size=16, epochs=epochs, optimizer=optimizer, early_stop=2, learning_rate=0.02) for epochs in (2, 3, 1)]
    straight, broken = together(configs), together(configs, reload_at=set(range(1, 13)))
    for place in range(3):
        assert straight.epoch_reports(place) == broken.epoch_reports(place) and straight.metrics(place) == broken.metrics(place)
        assert straight.cost(place) == broken.cost(place)
        kept = broken.members[place].weights
        assert all(torch.equal(value, kept[name]) for name, value in straight.members[place].weights.items())


@pytest.mark.parametrize("reload_at", [set(), set(range(1, 13))], ids=["in one go", "a reload after every unit"])
def test_validation_that_stops_between_its_examples_gives_what_it_gives_in_one_go(
    reload_at: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The places at which it stops follow from the number of members alone."""
    configs = [TrainingConfig(batch_size=16, epochs=epochs, early_stop=2, learning_rate=0.02) for epochs in (2, 3, 1)]
    scored: list[tuple[int, int]] = []
    real = GroupTrainer._score

    def counted(self: GroupTrainer, scores: Any) -> None:
        scored.append((self.steps_done, scores.first))
        real(self, scores)

    monkeypatch.setattr(group_trainer, "SCORED_ROWS", 30)
    monkeypatch.setattr(GroupTrainer, "_score", counted)
    straight, broken = together(configs), together(configs, reload_at=reload_at)
    assert len({step for step, _ in scored}) < len(set(scored)), "an epoch's validation has several units"
    for place in range(3):
        assert straight.epoch_reports(place) == broken.epoch_reports(place) and straight.metrics(place) == broken.metrics(place)


@pytest.mark.parametrize("reload_at", [set(), {3}])
def test_a_loss_that_is_not_a_number_fails_its_own_trial_alone(double: None, reload_at: set[int]) -> None:
    config = TrainingConfig(batch_size=16, epochs=2)

    def with_broken() -> list[nn.Module]:
        made = [network.double() for network in networks()]
        with torch.no_grad():
            made[1].head.weight[0, 0] = float("nan")  # type: ignore[union-attr, operator, index]
        return made

    group = together([config] * 4, with_broken(), reload_at)
    trainer = Trainer(with_broken()[1], small_data(), config, seed=1)
    with pytest.raises(Exception, match="loss is not a number at step 1 of 8") as failure:
        while True:
            trainer.advance()
    assert str(group.failure(1)) == str(failure.value) and group.cost(1) == trainer.cost
    assert [group.failure(place) for place in (0, 2, 3)] == [None] * 3
    for place in (0, 2, 3):
        equal(group, place, alone(config, place, with_broken()[place]), EXACT)


def test_a_validation_loss_that_is_not_a_number_fails_its_own_trial_alone() -> None:
    made = networks()
    for index, network in enumerate(made):
        network.stem[1].running_var[0] = 1.0 if index != 2 else float("nan")  # type: ignore[index, union-attr]
    group = together([TrainingConfig(batch_size=16, epochs=1)] * 4, made)
    assert [bool(group.failure(place)) for place in range(4)] == [False, False, True, False]
    assert str(group.failure(2)) == "validation loss is not a number after step 4 of 4" and group.cost(2).forward == 0


def test_members_that_are_done_are_not_computed_any_more() -> None:
    configs = [TrainingConfig(batch_size=16, epochs=epochs) for epochs in (1, 2, 1)]
    group = GroupTrainer(networks(3), small_data(), configs, [0, 1, 2])
    rows: list[int] = []
    group._network.register_forward_pre_hook(lambda module, inputs: rows.append(len(inputs[0])) if module.training else None)
    while not group.finished:
        group.advance()
    assert sum(rows[:4]) == 3 * 50 and sum(rows[4:]) == 50


def test_a_stack_takes_the_calls_of_one_network() -> None:
    calls = {}
    for count in (1, 8):
        both = stack(networks(count)).eval()
        with torch.no_grad(), torch.profiler.profile() as profile:
            both(torch.zeros(3 * count, 1, 6, 6))
        calls[count] = sum(event.count for event in profile.key_averages() if event.key.startswith("aten::convolution"))
    assert calls[1] == calls[8]


def test_what_is_no_layer_of_known_kind_is_not_stacked() -> None:
    class Scaled(nn.Linear):
        pass

    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    unknown = [Scaled(3, 2), nn.PReLU(), tied, nn.Conv2d(1, 2, 3, padding="same"), nn.BatchNorm1d(3, momentum=None)]
    assert not any(stackable(nn.Sequential(item)) for item in unknown)
    assert stackable(Branches())


def test_a_network_that_mixes_examples_is_refused() -> None:
    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(36, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x.flatten(1)
            result: torch.Tensor = self.head(x - x.mean(0))
            return result

    with pytest.raises(ValueError, match="mixes the examples of a batch"):
        GroupTrainer(networks(3, Mixing), small_data(), [TrainingConfig()] * 3, [0, 1, 2])
