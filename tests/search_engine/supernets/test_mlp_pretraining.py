"""Greedy layer-wise pretraining: what it changes, what it must not see, what it costs."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from search_engine.base.errors import TrialFailure
from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import SearchData
from search_engine.events import Cost
from search_engine.spaces.genomes import Genome
from search_engine.spaces.mlp import MLPConfig, MLPSpace
from search_engine.supernets.mlp_network import MLPNetwork, build
from search_engine.supernets.mlp_pretraining import pretrain
from search_engine.training.batches import DevicePart
from tests.search_engine.training.samples import TRAIN, small_data

DATA = small_data()
EPOCHS = 20


def space(**options: Any) -> MLPSpace:
    return MLPSpace(MLPConfig(**{"pretraining": True, "pretraining_epochs": EPOCHS, **options}), DATA.shape)


def genome(widths: tuple[int, ...] = (32, 16), *, batch_norm: str = "no", activation: str = "tanh", pretrained: str = "yes") -> Genome:
    content = {f"width{place}": str(width) for place, width in enumerate(widths, start=1)}
    return Genome("mlp", {
        "layers": str(len(widths)), **content, "activation": activation, "batch_norm": batch_norm, "optimizer": "adam",
        "learning_rate_adam": "0.001", "pretrained": pretrained, "epochs": "5",
    })


def fresh(one: Genome) -> MLPNetwork:
    torch.manual_seed(0)
    return build(space(), one, "trial", TrainingConfig())


def pretrained(
    one: Genome, *, seed: int = 1, data: SearchData = DATA, training: TrainingConfig | None = None, **options: Any
) -> tuple[MLPNetwork, Cost]:
    network = fresh(one)
    cost = pretrain(network, one, space(**options), data, training or TrainingConfig(batch_size=16), seed, "cpu")
    assert cost is not None
    return network, cost


def equal(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, two) for one, two in pairs)


def linear_reconstruction_error(network: MLPNetwork, layers: int) -> float:
    """What the best linear decoder of the `layers`-th hidden layer's output leaves of its input, as a share of the variance."""
    part = DevicePart(DATA.train, DATA.preprocessing, "cpu")
    network.eval()
    with torch.no_grad():
        given = nn.Sequential(network.flatten, *list(network.hidden)[: layers - 1])(part.normalise(part.raw))
        codes = network.hidden[layers - 1](given)
    codes = torch.cat([codes, torch.ones(len(codes), 1)], dim=1).double()
    given = given.double()
    fitted = codes @ torch.linalg.lstsq(codes, given, driver="gelsd").solution
    return float(F.mse_loss(fitted, given) / given.var(dim=0, unbiased=False).mean())


def test_a_genome_that_does_not_ask_keeps_its_weights() -> None:
    one = genome(pretrained="no")
    network = fresh(one)
    assert pretrain(network, one, space(), DATA, TrainingConfig(), 1, "cpu") is None
    assert equal(network, fresh(one))


def test_layers_learn_to_keep_their_input() -> None:
    """16 tanh units for 36 pixels of 50 images: the auto-encoder keeps more of the input than the random layer does."""
    one = genome((16, 16))
    network, _ = pretrained(one, pretraining_epochs=300)
    for layers in (1, 2):
        random_layer = copy.deepcopy(network)
        random_layer.hidden[layers - 1].load_state_dict(fresh(one).hidden[layers - 1].state_dict())
        assert linear_reconstruction_error(network, layers) < 0.8 * linear_reconstruction_error(random_layer, layers)


def test_the_classifier_and_the_mode_are_left_alone() -> None:
    network, _ = pretrained(genome())
    untouched = fresh(genome())
    assert network.training and all(module.training for module in network.modules())
    assert equal(network.classifier, untouched.classifier)
    assert not any(equal(layer, before) for layer, before in zip(network.hidden, untouched.hidden, strict=True))
    assert all(parameter.grad is None for parameter in network.parameters())


def test_labels_and_validation_images_are_never_used() -> None:
    blind = replace(
        DATA, train=replace(DATA.train, labels=np.zeros_like(DATA.train.labels)),
        validation=replace(DATA.validation, inputs=np.zeros_like(DATA.validation.inputs)),
    )
    assert equal(pretrained(genome())[0], pretrained(genome(), data=blind)[0])


def test_it_follows_from_its_seed_and_shifts_no_other_random_number() -> None:
    network = fresh(genome())
    state = torch.get_rng_state()
    pretrain(network, genome(), space(), DATA, TrainingConfig(batch_size=16), 1, "cpu")
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    again, _ = pretrained(genome())
    assert equal(network, again)
    assert not equal(again, pretrained(genome(), seed=2)[0])


@pytest.mark.parametrize("batch_norm", ["no", "yes"])
def test_it_is_greedy(batch_norm: str) -> None:
    """The first layer does not know what comes above it."""
    shallow, _ = pretrained(genome((32,), batch_norm=batch_norm))
    deep, _ = pretrained(genome((32, 16), batch_norm=batch_norm))
    # The upper layer's pretraining does not even move the statistics of the norm below.
    assert equal(shallow.hidden[0], deep.hidden[0])


def test_batch_statistics_are_those_of_the_data() -> None:
    network, _ = pretrained(genome((32,), batch_norm="yes"))
    norm = network.hidden[0][1]
    assert isinstance(norm, nn.BatchNorm1d) and int(norm.num_batches_tracked) == EPOCHS * 4
    part = DevicePart(DATA.train, DATA.preprocessing, "cpu")
    with torch.no_grad():
        before = network.hidden[0][0](network.flatten(part.normalise(part.raw)))
    torch.testing.assert_close(norm.running_mean, before.mean(dim=0), atol=0.2, rtol=0.2)


def test_the_cost_counts_every_pass() -> None:
    """Layer 1: forward and backward of 36 -> 32 -> 36; layer 2: that of 32 -> 16 -> 32, and forward through the layer below."""
    _, cost = pretrained(genome((32, 16)), pretraining_epochs=3)
    passes = 3 * TRAIN
    assert (cost.forward_backward, cost.forward) == (2 * passes, passes)
    # 2 x MACs; backward costs a product for the weights, and one for the input except at the very first layer.
    first = 2 * (36 * 32) * 2 + 2 * (36 * 32) * 3
    second = 2 * (32 * 16) * 2 + 2 * (32 * 16) * 3 + 2 * 36 * 32
    assert cost.flops == passes * (first + second)
    _, fewer = pretrained(genome((32,)), pretraining_epochs=3, training=TrainingConfig(batch_size=16, train_examples=20))
    assert (fewer.forward_backward, fewer.forward) == (60, 0)


def test_what_cannot_be_trained_is_a_failed_trial() -> None:
    with pytest.raises(TrialFailure, match="too small for batch normalisation"):
        pretrained(genome(batch_norm="yes"), training=TrainingConfig(batch_size=1))
    endless = replace(DATA, preprocessing=replace(DATA.preprocessing, mean=(float("nan"),)))
    with pytest.raises(TrialFailure, match="not a number at step 1"):
        pretrained(genome(), data=endless)
