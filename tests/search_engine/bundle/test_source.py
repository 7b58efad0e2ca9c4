"""Writing code from a forward pass: any module tree comes out as the same function, or is refused with the reason."""

from __future__ import annotations

import random
import types

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from search_engine.base.lazy import load_object
from search_engine.base.training_config import TrainingConfig
from search_engine.bundle.errors import BundleError
from search_engine.bundle.source import as_network, model_state, write_model
from search_engine.catalogue.config import check
from search_engine.spaces.data_shape import DataShape


def rebuilt(network: nn.Module, shape: tuple[int, ...]) -> tuple[nn.Module, str]:
    text = write_model(network, shape, "A network.")
    module = types.ModuleType("exported")
    module.__file__ = "model.py"
    exec(compile(text, "model.py", "exec"), module.__dict__)
    copy: nn.Module = module.build_model()
    copy.load_state_dict(model_state(network))
    return copy, text


def assert_same(network: nn.Module, shape: tuple[int, ...], training: bool = False) -> str:
    copy, text = rebuilt(network, shape)
    assert {name for name, _ in copy.named_parameters()} == {name for name, _ in network.named_parameters()}
    for count in (2, 5):
        inputs = torch.randn(count, *shape)
        with torch.no_grad():
            assert torch.equal(network.train(training)(inputs), copy.train(training)(inputs))
    return text


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", [8, 13])
@pytest.mark.parametrize("space", ["cell", "nb201"])
def test_networks_of_the_convolutional_spaces(space: str, side: int, seed: int) -> None:
    checked = check({"algorithm": "random", "space": space, "datasets": ["digits"], "budget": {"trials": 1}})
    family = checked.space.space(checked.space_options, DataShape((3, side, side), 7))
    torch.manual_seed(seed)
    network = load_object(checked.space.builder)(family, family.sample(random.Random(seed)), "final", TrainingConfig(channels=4))
    with torch.no_grad():
        network.train()(torch.randn(8, 3, side, side))
    assert_same(network, (3, side, side))
    assert_same(network, (3, side, side), training=True)


def test_a_cell_of_one_node() -> None:
    """Its list of nodes has one element, and what joins the nodes still needs a list."""
    config = {"algorithm": "random", "space": "cell", "space_options": {"nodes": 1}, "datasets": ["digits"], "budget": {"trials": 1}}
    checked = check(config)
    family = checked.space.space(checked.space_options, DataShape((1, 8, 8), 10))
    torch.manual_seed(0)
    network = load_object(checked.space.builder)(family, family.sample(random.Random(0)), "final", TrainingConfig(channels=4))
    with torch.no_grad():
        network.train()(torch.randn(8, 1, 8, 8))
    assert_same(network, (1, 8, 8))


class Arithmetic(nn.Module):
    """Much that people write in a forward."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(12, 4))
        self.register_buffer("scale", torch.rand(4))
        self.register_buffer("places", torch.tensor([2, 0]), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x.reshape(x.shape[0], -1) @ self.weight
        h = h - (h - (h + 1)) - 2 * h / (1 + h**2)
        h += torch.sin(3.14 * h) + torch.exp(-(h * h) / 2)
        first, second = h.split([1, 3], dim=1)
        zeros = torch.zeros(x.size(0), 2)
        picked = h[:, self.places]
        joined = torch.cat([first, second, zeros[:, :1], picked, h.T.mean(dim=0, keepdim=True).T], dim=1)
        return F.pad(joined, (1, 0)) * 0.5 + F.softmax(h, dim=1).max(dim=1, keepdim=True).values


class Twice(nn.Module):
    """One input used twice, a list in and out, an identity whose input is used again."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()
        self.identity = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = self.identity(x)
        left, right = self.pair([x, x], None)
        x = x + kept
        return left * x - right * kept


class Pair(nn.Module):
    def forward(self, states: list[torch.Tensor], gamma: torch.Tensor | None) -> list[torch.Tensor]:
        assert gamma is None
        return [states[0] * 2, states[1] + 3]


class Shared(nn.Module):
    """Children that differ in numbers only share a class."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(3, 4), Block(4, 6), Block(6, 2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return x.flatten(1)


class Block(nn.Module):
    """A convolution."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        convolution = nn.Conv2d(channels_in, channels_out, 3, padding="same")
        self.layers = nn.Sequential(convolution, nn.GroupNorm(2, channels_out), nn.LeakyReLU(0.2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.layers(x)
        return y


def test_arithmetic() -> None:
    assert_same(Arithmetic(), (3, 4))


def test_values_are_not_confused() -> None:
    text = assert_same(Twice(), (4,))
    assert "self.pair([x, x])" in text and "gamma" not in text


def test_modules_that_differ_in_numbers_share_a_class() -> None:
    text = assert_same(Shared(), (3, 5, 5))
    assert text.count("class Block") == 1 and "Block(4, 6)" in text


def test_a_bare_sequential_is_a_network_too() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(6, 3), nn.Hardtanh(-0.5, 0.5))
    text = assert_same(as_network(network), (2, 3))
    assert "nn.Hardtanh(min_val=-0.5, max_val=0.5)" in text


class Foreign(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.secret = [torch.ones(2)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.secret[0]


class DoubleBatch(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(2 * x.shape[0], -1).reshape(x.shape)


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.spare = Block(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 1


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Foreign(), "neither its input nor its parameter nor its buffer"),
        (DoubleBatch(), "cannot be written for any batch size"),
        (Unused(), "takes no part in its computation"),
    ],
)
def test_what_cannot_be_written_is_refused(network: nn.Module, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        write_model(network, (2,), "A network.")
