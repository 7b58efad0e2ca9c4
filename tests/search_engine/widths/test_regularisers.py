"""The penalties: by hand, by their gradients, and what they must find."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from search_engine.base.errors import BadInput
from search_engine.widths.channels import ChannelGroups
from search_engine.widths.regularisers import Regulariser, RegulariserConfig

from .networks import IMAGE, Residual, three_convolutions, two_convolutions


def regulariser(network: nn.Module, shape: tuple[int, ...] = IMAGE, **config: object) -> Regulariser:
    return Regulariser(network, ChannelGroups.of(network, shape), RegulariserConfig(**config))  # type: ignore[arg-type]


def test_gamma_at_its_first_value_is_the_hand_formula() -> None:
    """C * (alive_in * sum r_out + alive_out * sum r_in) of each layer; the image and the classes have no r."""
    found = regulariser(two_convolutions(), factor=3.0)
    conv1, conv2, head = 2 * 64 * 9 * (1 * 4), 2 * 64 * 9 * (4 * 6 + 6 * 4), 2 * 10 * (6 * 64)
    cost = 2 * 64 * 9 * (1 * 4 + 4 * 6) + 2 * 384 * 10
    assert found.initial_cost == cost
    assert float(found.sum().detach()) == pytest.approx((conv1 + conv2 + head) / cost, rel=1e-6)
    assert float(found.penalty().detach()) == pytest.approx(3 * (conv1 + conv2 + head) / cost, rel=1e-6)


def test_the_penalty_at_gamma_one_is_about_twice_the_cost() -> None:
    """Of the three convolutions: inner layers count from both sides, the first and the last from one."""
    assert 1.8 < float(regulariser(three_convolutions()).sum().detach()) < 2.0


def test_counts_of_what_is_alive_are_constants_in_the_gradient() -> None:
    network = two_convolutions()
    with torch.no_grad():
        network[1].weight[0] = 0.05  # dead: 3 of 4 alive
        network[4].weight[:2] = -0.5
    found = regulariser(network, floor=0.0)
    found.sum().backward()
    first, second = network[1].weight.grad, network[4].weight.grad
    assert first is not None and second is not None
    # dR / d|gamma| of a channel: C * (alive inputs of its own layer) + C * (alive outputs of the reader), the dead one's too.
    assert torch.allclose(first * found.initial_cost, torch.full((4,), 2 * 64 * 9 * (1.0 + 6)), rtol=1e-5)
    expected = (2 * 64 * 9 * 3 + 2 * 64 * 10) * torch.tensor([-1.0, -1, 1, 1, 1, 1])
    assert torch.allclose(second * found.initial_cost, expected, rtol=1e-5)


def test_a_depthwise_convolution_adds_both_sides_once() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 4, 1, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3),
    )
    found = regulariser(network)
    terms = 2 * 64 * 1 * 4 + 2 * 64 * 9 * (4 + 4) + 2 * 3 * 4
    assert float(found.sum().detach()) * found.initial_cost == pytest.approx(terms, rel=1e-6)


@pytest.mark.parametrize("shared", ["max", "l2"])
def test_a_tied_channel_dies_only_where_all_are_below(shared: str) -> None:
    """The stem and the body's end meet in a sum: neither alone can lose a channel."""
    network = Residual()
    found = regulariser(network, shared=shared, floor=0.0)
    stem, body = network.stem[1].weight, network.body[4].weight
    assert isinstance(stem, torch.Tensor) and isinstance(body, torch.Tensor)
    with torch.no_grad():
        stem[:3] = 0.01
        body[2:] = 0.01
    assert found.widths() == {"stem.0": 4, "body.0": 3}
    with torch.no_grad():
        body[0] = -0.01
    assert found.widths() == {"stem.0": 3, "body.0": 3}
    expected = max(0.01, 0.01) if shared == "max" else float(np.hypot(0.01, 0.01))
    assert float(found.importance()[found.channels.free[0].channels[2]].detach()) == pytest.approx(expected, rel=1e-4)


def test_the_floor_keeps_the_most_important_channels_and_says_so() -> None:
    network = three_convolutions()
    found = regulariser(network, floor=0.25)
    with torch.no_grad():
        network[5].weight.copy_(torch.linspace(0.0, 0.09, 48))
    assert found.floors_held() == ["4"]
    assert found.widths() == {"0": 24, "4": 12, "8": 48}
    alive = found.alive()[list(found.channels.free[1].channels)]
    assert alive.tolist() == [False] * 36 + [True] * 12


def test_the_penalty_does_not_vanish_when_all_are_dead() -> None:
    """Both sides at 0 alive would let all channels grow again."""
    network = three_convolutions()
    found = regulariser(network, floor=0.0)
    with torch.no_grad():
        for at in (1, 5, 9):
            network[at].weight.fill_(0.05)
    assert found.widths() == {"0": 1, "4": 1, "8": 1}
    found.sum().backward()
    assert all((network[at].weight.grad > 0).all() for at in (1, 5, 9))


def test_latched_deaths_stay() -> None:
    network = three_convolutions()
    for latched, left in ((False, 24), (True, 23)):
        found = regulariser(network, latched=latched)
        with torch.no_grad():
            network[1].weight[0] = 0.0
        assert found.widths()["0"] == 23
        with torch.no_grad():
            network[1].weight[0] = 1.0
        assert found.widths()["0"] == left
        again = regulariser(network, latched=latched)
        again.load_state_dict(found.state_dict())
        assert again.widths()["0"] == left


def test_group_lasso_is_the_root_mean_square_of_what_produces_an_output() -> None:
    network = two_convolutions()
    found = regulariser(network, kind="morphnet_group_lasso_flops")
    weight = network[3].weight
    r = found.importance()[list(found.channels.free[1].channels)]
    assert torch.allclose(r, weight.square().mean(dim=(1, 2, 3)).sqrt())
    mixed = regulariser(network, kind="morphnet_group_lasso_flops", l1=0.25).importance()[list(found.channels.free[1].channels)]
    assert torch.allclose(mixed, 0.75 * weight.square().mean(dim=(1, 2, 3)).sqrt() + 0.25 * weight.abs().mean(dim=(1, 2, 3)))


def test_group_lasso_begins_with_all_alive() -> None:
    """A fixed threshold of .1 would call whole layers dead at once: torch's initial weights of a wide layer are all smaller."""
    network = three_convolutions()
    found = regulariser(network, kind="morphnet_group_lasso_flops")
    assert float(network[8].weight.detach().abs().max()) < 0.1
    assert found.widths() == {"0": 24, "4": 48, "8": 48}


def test_scardapanes_sum_is_over_outgoing_groups_inputs_and_biases() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    found = regulariser(network, (3,), kind="group_lasso_scardapane")
    first, second = network[0], network[2]
    weights = 2 * first.weight.norm(dim=0).sum() + np.sqrt(2) * second.weight.norm(dim=0).sum()
    by_hand = weights + first.bias.abs().sum() + second.bias.abs().sum()
    assert float(found._scardapane().detach()) == pytest.approx(float(by_hand.detach()), rel=1e-5)
    assert float(found.penalty().detach()) == pytest.approx(1.0)


def test_scardapane_after_a_flatten_groups_the_whole_map() -> None:
    network = two_convolutions()
    found = regulariser(network, kind="group_lasso_scardapane")
    norms, sizes = found._outgoing(found.channels.operations[2], torch.tensor(found.channels.free[1].channels))
    by_hand = network[7].weight.reshape(10, 6, 64).transpose(0, 1).flatten(1)
    assert torch.allclose(norms, by_hand.norm(dim=1)) and sizes.tolist() == [640.0] * 6


def test_scardapane_removes_an_unused_input() -> None:
    """Planted: of three inputs one says nothing. Its outgoing weights, and no other input's, go below the threshold."""
    torch.manual_seed(0)
    inputs = torch.randn(256, 3)
    targets = torch.tanh(2 * inputs[:, :1]) - torch.tanh(inputs[:, 2:])
    network = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    found = regulariser(network, (3,), kind="group_lasso_scardapane", factor=0.05)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for _ in range(600):
        optimizer.zero_grad()
        (nn.functional.mse_loss(network(inputs), targets) + found.penalty()).backward()
        optimizer.step()
    assert found.inputs_alive() == [True, False, True]
    assert found.widths()["0"] < 8


@pytest.mark.parametrize("kind", ["morphnet_group_lasso_flops", "group_lasso_scardapane"])
def test_groups_at_zero_have_a_gradient(kind: str) -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    found = regulariser(network, (3,), kind=kind)
    with torch.no_grad():
        for item in network.parameters():
            item.zero_()
    found.penalty().backward()
    assert all(bool(torch.isfinite(item.grad).all()) for item in network.parameters() if item.grad is not None)


def test_gamma_without_normalisations_is_refused() -> None:
    with pytest.raises(BadInput, match="'gamma' needs batch normalisations with scales"):
        regulariser(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (3,))
