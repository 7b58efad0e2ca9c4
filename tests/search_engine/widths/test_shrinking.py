"""Shrinking on digits: the promises of MorphNet that hold there, at stated seeds, and equal bits after every reload."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from search_engine.base.checkpoint import pack, unpack
from search_engine.base.training_config import TrainingConfig
from search_engine.training.trainer import Trainer
from search_engine.widths.channels import ChannelGroups
from search_engine.widths.regularisers import Regulariser, RegulariserConfig
from search_engine.widths.resizing import resize
from search_engine.widths.scaling import largest_multiplier, scaled
from search_engine.widths.shrinking import POINTS, ShrinkTraining, Shrunk, shrink_phase

from .networks import IMAGE, digits, three_convolutions

GAMMA = TrainingConfig(epochs=8, learning_rate=0.1, weight_decay=0.0, augment="none")


def shrunk(**config: object) -> Shrunk:
    return shrink_phase(three_convolutions(), IMAGE, digits(), GAMMA, RegulariserConfig(**config), seed=0)  # type: ignore[arg-type]


def accuracy(network: nn.Module, epochs: int = 8) -> float:
    trainer = Trainer(network, digits(), TrainingConfig(epochs=epochs, augment="none"), seed=0)
    while not trainer.finished:
        trainer.advance()
    return trainer.metrics()["val_accuracy"]


def test_gammas_by_sgd_shrink_and_the_rest_still_learns() -> None:
    found = shrunk()
    assert 0.05 <= found.ratio <= 0.6
    torch.manual_seed(1)
    assert accuracy(resize(three_convolutions(), found.channels, found.widths)) >= 0.95
    # The early layer at a high resolution loses channels, the deep cheap one keeps all: its channels cost less.
    assert found.widths["0"] <= 0.75 * 24 and found.widths["8"] == 48
    multiplier = largest_multiplier(found.channels, found.widths, "flops", found.initial_cost)
    assert 0.9 < found.channels.cost(scaled(found.widths, multiplier), "flops") / found.initial_cost <= 1
    assert len(found.trace) <= POINTS + 1 and found.trace[0].step == 0 and found.trace[0].cost == 1.0


def test_without_a_factor_nothing_goes() -> None:
    found = shrink_phase(
        three_convolutions(), IMAGE, digits(), TrainingConfig(steps=12, learning_rate=0.1), RegulariserConfig(factor=0.0), seed=0
    )
    assert found.ratio == 1.0 and {point.penalty for point in found.trace} == {0.0}


def test_a_penalty_that_is_blind_to_costs_prunes_the_deep_cheap_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why there is a C in the cost: an equal L1 on every gamma, as strong at the beginning, spares no layer."""
    network = three_convolutions()
    first = float(Regulariser(network, ChannelGroups.of(network, IMAGE), RegulariserConfig()).sum().detach())
    monkeypatch.setattr(Regulariser, "sum", lambda self: first * self.importance().sum() / 120)
    found = shrunk()
    assert found.widths["8"] < 0.9 * 48


def test_equal_bits_after_every_reload() -> None:
    def make() -> ShrinkTraining:
        network = three_convolutions()
        channels = ChannelGroups.of(network, IMAGE)
        config = RegulariserConfig(kind="morphnet_group_lasso_flops", factor=30.0, latched=True)
        return ShrinkTraining(network, channels, digits(), TrainingConfig(steps=9, learning_rate=0.1), config, seed=3)

    straight, reloaded = make(), make()
    while not straight.finished:
        straight.advance()
        reloaded.advance()
        state = unpack(pack(reloaded.state_dict()))
        reloaded = make()
        reloaded.load_state_dict(state)
    assert pack(straight.state_dict()) == pack(reloaded.state_dict())
    assert straight.shrunk().widths == reloaded.shrunk().widths
