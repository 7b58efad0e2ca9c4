"""Joint training on several data sets: one optimiser step on the weighted sum, epochs of the largest, equal bits after every reload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from search_engine.base import checkpoint
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.base.generators import GlobalGenerators
from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Part, SearchData
from search_engine.training.evaluation import evaluate
from search_engine.training.footprint import step_flops
from search_engine.training.joint import JointTrainer
from tests.search_engine.training.samples import TRAIN, VALIDATION, small_data
from tests.search_engine.training.test_trainer import finish, same_bits

BATCH = 10


class TwoHeads(nn.Module):
    """A common layer with dropout between two data sets' own ends."""

    def __init__(self, shapes: tuple[tuple[int, ...], ...] = ((1, 6, 6), (1, 6, 6))) -> None:
        super().__init__()
        sizes = [torch.Size(shape).numel() for shape in shapes]
        self.stems = nn.ModuleList(nn.Sequential(nn.Flatten(), nn.Linear(size, 8), nn.BatchNorm1d(8)) for size in sizes)
        self.common = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.1))
        self.heads = nn.ModuleList(nn.Linear(8, 2) for _ in shapes)

    def for_domain(self, domain: int) -> nn.Module:
        return nn.Sequential(self.stems[domain], self.common, self.heads[domain])


def first_of(part: Part, count: int) -> Part:
    return Part(part.inputs[:count], part.labels[:count], part.indices[:count])


def two_datas(second: int = 20) -> list[SearchData]:
    """The small data set and a smaller one with other images."""
    other = small_data(seed=1)
    return [small_data(), replace(other, train=first_of(other.train, second), validation=first_of(other.validation, 11))]


def joint(config: TrainingConfig, network: nn.Module | None = None, datas: list[SearchData] | None = None, **more: Any) -> Any:
    torch.manual_seed(3)
    return JointTrainer(network or TwoHeads(), datas or two_datas(), config, seed=5, **more)


def with_reloads(config: TrainingConfig, reload_at: set[int]) -> tuple[Any, list[dict[str, float]]]:
    generators = GlobalGenerators(11)
    trainer, reports = joint(config), []
    while not trainer.finished:
        with generators.active():
            trainer.advance()
        if trainer.steps_done in reload_at:
            tree = checkpoint.unpack(checkpoint.pack({"trainer": trainer.state_dict(), "generators": generators.state_dict()}))
            generators = GlobalGenerators(99)
            trainer = joint(config)
            trainer.load_state_dict(tree["trainer"])
            generators.load_state_dict(tree["generators"])
        reports += trainer.epoch_reports()
    return trainer, reports


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_reload_after_every_step_changes_no_bit(optimizer: str) -> None:
    config = TrainingConfig(epochs=2, batch_size=BATCH, optimizer=optimizer, augment="cutout", early_stop=3)  # type: ignore[arg-type]
    undisturbed, reports = with_reloads(config, set())
    trainer, other = with_reloads(config, set(range(1, 11)))
    assert undisturbed.steps_total == 10 and other == reports
    assert same_bits(trainer.state_dict(), undisturbed.state_dict())
    assert trainer.cost == undisturbed.cost


def test_an_epoch_is_one_pass_over_the_largest_and_smaller_ones_come_round_again() -> None:
    trainer = joint(TrainingConfig(epochs=2, batch_size=BATCH))
    finish(trainer)
    assert trainer.steps_done == trainer.steps_total == 2 * 5
    # Ten examples of each in every step, both validation parts after every epoch.
    assert trainer.cost.forward_backward == 10 * (10 + 10)
    assert trainer.cost.forward == 2 * (VALIDATION + 11)
    flops = [step_flops(trainer.network.for_domain(domain), (1, 6, 6)) for domain in (0, 1)]
    scored = (2 * VALIDATION, 2 * 11)
    assert trainer.cost.flops == sum(100 * both + count * forward for (forward, both), count in zip(flops, scored, strict=True))


def test_a_step_is_one_optimiser_step_on_the_weighted_sum() -> None:
    """Against the formula: plain SGD on w1 loss1 + w2 loss2 of the very batches that the trainer takes."""
    config = TrainingConfig(
        epochs=1, batch_size=BATCH, momentum=0.0, weight_decay=0.0, gradient_clip=0, augment="none", learning_rate=0.1, optimizer="sgd"
    )
    network = TwoHeads()
    for item in network.modules():
        if isinstance(item, nn.Dropout):
            item.p = 0.0
    trainer = joint(config, network=network, weights=(0.5, 2.0))
    steps: list[int] = []
    step = trainer._optimizer.step
    trainer._optimizer.step = lambda *args, **kwargs: (steps.append(1), step(*args, **kwargs))[1]
    twin = TwoHeads()
    twin.load_state_dict(network.state_dict())
    next(item for item in twin.modules() if isinstance(item, nn.Dropout)).p = 0.0
    twin.train()
    total = torch.zeros(())
    for domain, (factor, side) in enumerate(zip((0.5, 2.0), trainer._domains, strict=True)):
        inputs, labels = side._train.take(side._order.indices(0))
        total = total + factor * functional.cross_entropy(twin.for_domain(domain)(inputs), labels)
    total.backward()  # type: ignore[no-untyped-call]
    trainer.advance()
    assert len(steps) == 1
    for (name, item), other in zip(network.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(item, other - 0.1 * other.grad, rtol=1e-5, atol=1e-6, msg=name)


def test_every_data_set_is_scored_and_the_bare_name_is_the_mean() -> None:
    trainer = joint(TrainingConfig(epochs=1, batch_size=BATCH))
    (report,) = finish(trainer)
    metrics = trainer.metrics()
    assert "learning_rate" in report and "learning_rate" not in metrics
    for name in ("val_accuracy", "val_loss", "train_accuracy", "train_loss"):
        assert metrics[name] == pytest.approx((metrics[f"{name}_1"] + metrics[f"{name}_2"]) / 2)
    for domain, data in enumerate(two_datas()):
        score = evaluate(trainer.network.for_domain(domain), data.validation, data.preprocessing)
        assert (score["accuracy"], score["loss"]) == (metrics[f"val_accuracy_{domain + 1}"], metrics[f"val_loss_{domain + 1}"])
    assert metrics["val_loss_1"] != metrics["val_loss_2"]


def test_data_sets_may_differ_in_shape() -> None:
    datas = [small_data(), small_data(shape=(5,))]
    config = TrainingConfig(epochs=8, batch_size=BATCH, learning_rate=0.05, augment="none")
    trainer = joint(config, network=TwoHeads(((1, 6, 6), (5,))), datas=datas)
    finish(trainer)
    assert min(trainer.metrics()["val_accuracy_1"], trainer.metrics()["val_accuracy_2"]) > 0.8


def test_early_stopping_goes_by_the_mean() -> None:
    trainer = joint(TrainingConfig(epochs=30, batch_size=BATCH, early_stop=2, learning_rate=0.05))
    reports = finish(trainer)
    means = [report["val_accuracy"] for report in reports]
    assert trainer.metrics()["val_accuracy"] == max(means) and len(reports) == means.index(max(means)) + 3 < 30


def test_a_broken_loss_names_the_data_set() -> None:
    trainer = joint(TrainingConfig(epochs=1, batch_size=BATCH))
    with torch.no_grad():
        trainer.network.heads[1].weight.fill_(float("nan"))
    with pytest.raises(TrialFailure, match=r"loss on data set 2 is not a number at step 1 of 5"):
        finish(trainer)


def test_only_the_first_examples_of_each_are_used() -> None:
    trainer = joint(TrainingConfig(epochs=1, batch_size=BATCH, train_examples=15))
    assert trainer.steps_total == 2 < TRAIN // BATCH


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="2 data sets need as many weights, not 1"):
        joint(TrainingConfig(), weights=[1.0])
    with pytest.raises(BadInput, match="works on images"):
        joint(TrainingConfig(augment="shift"), network=TwoHeads(((1, 6, 6), (5,))), datas=[small_data(), small_data(shape=(5,))])
