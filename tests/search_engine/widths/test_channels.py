"""Groups of channels and their cost: by hand on small networks, by the FLOP counter on networks of the spaces."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.entries import builder_module, entries
from search_engine.training.footprint import forward_flops
from search_engine.widths.channels import ChannelGroups
from search_engine.widths.resizing import resize
from search_engine.widths.scaling import largest_multiplier, scaled

from .networks import IMAGE, Concatenated, Residual, three_convolutions, two_convolutions


def test_a_chain_has_a_block_for_each_layer_and_its_classes_are_fixed() -> None:
    channels = ChannelGroups.of(two_convolutions(), IMAGE)
    assert channels.widths == {"0": 4, "3": 6}
    assert [block.name for block in channels.blocks if block.fixed] == ["input", "7"]
    assert channels.layer_widths({"0": 2, "3": 1}) == {"0": 2, "3": 1, "7": 10}
    assert channels.sides({"0": 2, "3": 1}) == {"0": (1, 2), "3": (2, 1), "7": (64, 10)}
    assert channels.norm_sides({"0": 2, "3": 1}) == {"1": 2, "4": 1}


def test_the_cost_is_the_formula() -> None:
    channels = ChannelGroups.of(two_convolutions(), IMAGE)
    widths = {"0": 3, "3": 5}
    assert channels.cost(widths, "flops") == 2 * 64 * 9 * (1 * 3 + 3 * 5) + 2 * (64 * 5) * 10
    assert channels.cost(widths, "parameters") == 9 * (1 * 3 + 3 * 5) + (64 * 5) * 10


def test_twice_the_sides_cost_a_convolution_four_times_as_much() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    small, large = ChannelGroups.of(network, (1, 8, 8)), ChannelGroups.of(network, (1, 16, 16))
    assert large.cost(large.widths, "flops") == 4 * small.cost(small.widths, "flops")
    assert large.cost(large.widths, "parameters") == small.cost(small.widths, "parameters")


def test_a_residual_sum_ties_its_layers() -> None:
    channels = ChannelGroups.of(Residual(), IMAGE)
    assert channels.widths == {"stem.0": 5, "body.0": 3}
    assert channels.free[0].layers == ("stem.0", "body.3")
    assert channels.layer_widths({"stem.0": 2, "body.0": 1}) == {"stem.0": 2, "body.0": 1, "body.3": 2, "classifier": 10}


def test_a_concatenation_gives_slices_and_a_depthwise_convolution_follows_its_input() -> None:
    channels = ChannelGroups.of(Concatenated(), IMAGE)
    assert channels.widths == {"first": 2, "second": 3}
    assert channels.sides({"first": 1, "second": 3}) == {
        "first": (1, 1), "second": (1, 3), "depthwise": (4, 4), "classifier": (4 * 64, 10),
    }
    # C * alive of a depthwise one, not C * alive * alive.
    assert channels.cost({"first": 1, "second": 3}, "flops") == 2 * 64 * (1 + 3) + 2 * 64 * 9 * 4 + 2 * 256 * 10
    smaller = resize(Concatenated(), channels, {"first": 1, "second": 3})
    assert smaller(torch.zeros(2, *IMAGE)).shape == (2, 10)


def test_a_depthwise_convolution_of_one_channel_stays_one() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 3, groups=4), nn.Flatten(), nn.Linear(4 * 36, 3))
    chain = ChannelGroups.of(network, IMAGE)
    one = ChannelGroups.of(resize(network, chain, {"0": 1}), IMAGE)
    assert one.widths == {"0": 1}
    assert one.cost({"0": 4}, "flops") == chain.cost({"0": 4}, "flops")


def test_one_set_of_weights_at_two_places_is_one_layer_that_costs_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.body, self.head = nn.Linear(6, 4), nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.head(self.body(torch.tanh(self.body(self.stem(x)))))
            return result

    channels = ChannelGroups.of(Twice(), (6,))
    assert channels.widths == {"stem": 4}
    assert channels.cost({"stem": 2}, "flops") == 2 * (6 * 2 + 2 * (2 * 2) + 2 * 3)
    assert channels.cost({"stem": 2}, "parameters") == 6 * 2 + 2 * 2 + 2 * 3


FITTING = ("cell", "nb201", "macro", "mlp", "modular", "node_chain", "block_network", "plain", "autoencoder", "blueprint", "hierarchical")


@pytest.mark.parametrize("name", FITTING)
def test_networks_of_the_spaces(name: str) -> None:
    """Their cost is what the FLOP counter counts, at their own widths and at half of them, and a resized one runs."""
    entry = entries()[name]
    shape = DataShape(IMAGE, 10) if "image" in entry.inputs else DataShape((5,) if "vector" in entry.inputs else (2, 16), 3)
    options = {"network": "cnn", "batch_norm": True} if name == "plain" else {}
    space = entry.space(entry.config(**options), shape)
    for seed in range(2):
        torch.manual_seed(seed)
        genome = space.sample(random.Random(seed))
        network = builder_module(space).build(space, genome, "trial", TrainingConfig(channels=4, layers=2))
        network = network.for_export() if hasattr(network, "for_export") else network
        channels = ChannelGroups.of(network, shape.input)
        assert channels.cost(channels.widths, "flops") == forward_flops(network, shape.input)
        half = scaled(channels.widths, 0.5)
        smaller = resize(network, channels, half)
        assert channels.cost(half, "flops") == forward_flops(smaller, shape.input)
        assert ChannelGroups.of(smaller, shape.input).cost(half, "parameters") == channels.cost(half, "parameters")


def test_tracing_changes_nothing() -> None:
    network = three_convolutions()
    network[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    ChannelGroups.of(network, IMAGE)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert [module.training for module in network][:3] == [True, False, True]


class _Net(nn.Module):
    """A convolution of 4 channels, then `then`, then a classifier over the means."""

    def __init__(self, then: Callable[[Tensor], Tensor], *parts: nn.Module, out: int = 4) -> None:
        super().__init__()
        self.stem, self.parts, self.then = nn.Conv2d(1, 4, 3, padding=1), nn.ModuleList(parts), then
        self.head = nn.Linear(out, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for part in self.parts:
            x = part(x)
        x = self.then(x)
        result: Tensor = self.head(x if x.dim() == 2 else x.mean(dim=(2, 3)))
        return result


class _Own(nn.Conv2d):
    pass


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "a normalisation over channels": (lambda: _Net(lambda x: x, nn.GroupNorm(2, 4)), "'group_norm' in 'parts.0'"),
    "groups of several channels": (lambda: _Net(lambda x: x, nn.Conv2d(4, 4, 1, groups=2)), "'parts.0' has 2 groups of several channels"),
    "some of the channels": (lambda: _Net(lambda x: x[:, :3], out=3), "'getitem' in the network's own forward takes some of the channels"),
    "a sum over channels": (lambda: _Net(lambda x: x.sum(dim=1, keepdim=True), out=1), "mixes channels without weights"),
    "a number for each channel": (lambda: _Net(lambda x: x * torch.ones(4, 1, 1)), "with a number for each channel"),
    "a product of two values": (lambda: _Net(lambda x: torch.matmul(x, x)), "'matmul' in the network's own forward does something"),
    "a number in the forward pass": (lambda: _Net(lambda x: x.mean(dim=(2, 3)).view(-1, 4)), "a number in it may stand for a width"),
    "a layer of an own class": (lambda: _Net(lambda x: x, _Own(4, 4, 1)), "'parts.0' is a _Own"),
    "a layer made on the way": (lambda: _Net(lambda x: nn.Conv2d(4, 4, 1)(x)), "'conv2d' in the network's own forward does something"),
    "nothing between": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), "no layer between its inputs and its outputs"),
    "tied to itself": (lambda: _Net(lambda x: x + x.flip(1)), "'stem' has channels that are tied to each other"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_handled_is_refused_by_its_name(name: str) -> None:
    make, words = REFUSED[name]
    with pytest.raises(BadInput) as refusal:
        ChannelGroups.of(make(), IMAGE)
    assert refusal.value.field == "space" and words in refusal.value.message


@pytest.mark.parametrize(
    ("widths", "words"),
    [({"0": 1}, "one width is given for each of 0, 3; wrong or missing: 3"), ({"0": 0, "3": 1}, "'0' needs a whole number of channels")],
)
def test_wrong_widths_are_refused(widths: dict[str, int], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        ChannelGroups.of(two_convolutions(), IMAGE).cost(widths, "flops")


@pytest.mark.parametrize("resource", ["flops", "parameters"])
@pytest.mark.parametrize("widths", [{"0": 15, "4": 5, "8": 48}, {"0": 1, "4": 1, "8": 48}, {"0": 24, "4": 48, "8": 48}])
def test_the_multiplier_is_the_largest_within_the_budget(widths: dict[str, int], resource: str) -> None:
    channels = ChannelGroups.of(three_convolutions(), IMAGE)
    budget = channels.cost(channels.widths, resource)  # type: ignore[arg-type]
    multiplier = largest_multiplier(channels, widths, resource, budget)  # type: ignore[arg-type]
    found = channels.cost(scaled(widths, multiplier), resource)  # type: ignore[arg-type]
    assert 0.9 * budget < found <= budget
    assert channels.cost(scaled(widths, multiplier * 1.0001), resource) > budget  # type: ignore[arg-type]


def test_a_budget_below_one_channel_each_has_no_multiplier() -> None:
    channels = ChannelGroups.of(three_convolutions(), IMAGE)
    assert largest_multiplier(channels, channels.widths, "flops", 10) == 0.0
    assert scaled(channels.widths, 0.0) == {"0": 1, "4": 1, "8": 1}
