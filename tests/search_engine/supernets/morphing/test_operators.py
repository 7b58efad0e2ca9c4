"""Every operator preserves the function, in evaluation and in training; those that do not are told from them."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from search_engine.base.errors import BadInput, TrialFailure
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.growing_convnet.morphs import Morph, apply, candidates, completed, describe, random_morph
from search_engine.spaces.growing_convnet.network import Network, Node
from search_engine.spaces.growing_convnet.options import GrowingConvnetConfig
from search_engine.spaces.growing_convnet.space import GrowingConvnetSpace
from search_engine.supernets.growing_network import GrowingNetwork
from search_engine.supernets.morphing import operators
from search_engine.supernets.morphing.growing import grow
from search_engine.supernets.morphing.operators import morph

SHAPE = DataShape((1, 8, 8), 10)
EVALUATED, TRAINED = 1e-8, 1e-6
"""What a preserved function may differ by, float64: the acceptance of the specification."""
WRONG = 0.1
"""What a wrong operator differs by, at least."""


def space(**options: Any) -> GrowingConvnetSpace:
    return GrowingConvnetSpace(GrowingConvnetConfig(**{"channels": (4, 4, 6), "dense": (8, 8), **options}), SHAPE)


def trained(one: GrowingConvnetSpace, seed: int = 0, steps: int = 15) -> tuple[GrowingNetwork, Tensor]:
    """The seed network after a few steps, so that no statistic and no scale is as it was made; float64. And the batch."""
    torch.manual_seed(seed)
    network = GrowingNetwork(one.network(one.seed())).double()
    inputs = torch.rand(32, *SHAPE.input, dtype=torch.float64)
    step(network, inputs, steps)
    return network, inputs


def step(network: GrowingNetwork, inputs: Tensor, steps: int) -> None:
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    targets = torch.arange(len(inputs)) % SHAPE.classes
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), targets).backward()
        optimizer.step()


def differences(old: GrowingNetwork, new: GrowingNetwork, inputs: Tensor) -> tuple[float, float]:
    """The largest difference of the outputs: in evaluation on other examples, and in training on those of the calibration."""
    others = torch.rand(16, *SHAPE.input, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        evaluated = (old.eval()(others) - new.eval()(others)).abs().max()
        in_training = (copy.deepcopy(old).train()(inputs) - copy.deepcopy(new).train()(inputs)).abs().max()
    return float(evaluated), float(in_training)


def of_kind(one: GrowingConvnetSpace, network: Network, op: str) -> list[Morph]:
    """Every morph of that operator that fits, its drawn parts drawn."""
    kind = op if op in ("deeper", "wider") else "skip"
    rng = random.Random(0)
    return [completed(network, found, one.config, rng) for found in candidates(network, kind, one.config) if found["op"] == op]


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("op", ["deeper", "wider", "concat", "add"])
def test_an_operator_preserves_the_function_wherever_it_fits(op: str, norm: bool) -> None:
    one = space(norm=norm)
    network, inputs = trained(one)
    # So that there is something to skip.
    network = morph(network, {"op": "deeper", "after": 1, "kernel": 3, "new": 20}, inputs)
    step(network, inputs, 2)
    found = of_kind(one, network.graph, op)
    # Dense layers alike, and every kind of reader.
    assert {network.graph.by_id[item["after" if op == "deeper" else "node"]].op for item in found} >= {"conv", "dense"}, op
    for change in found:
        grown = morph(network, change, inputs)
        assert grown.graph.nodes == apply(network.graph, change).nodes and grown.graph.nodes != network.graph.nodes
        evaluated, in_training = differences(network, grown, inputs)
        assert evaluated < EVALUATED and in_training < TRAINED, (describe(change), evaluated, in_training)


@pytest.mark.parametrize("seed", range(6))
def test_long_lists_of_operators_with_training_between_them_preserve_it(seed: int) -> None:
    """Widened skips, layers behind concatenations, sums of what has grown: what one operator makes, the next ones read."""
    one = space(norm=seed % 2 == 0, dense=(8, 8) if seed % 3 else ())
    network, inputs = trained(one, seed)
    rng, seen = random.Random(seed), set()
    for _ in range(10):
        found = random_morph(network.graph, one.config, rng, one.fits)
        assert found is not None
        grown = morph(network, found[0], inputs)
        evaluated, in_training = differences(network, grown, inputs)
        assert evaluated < EVALUATED and in_training < TRAINED, (describe(found[0]), evaluated, in_training)
        assert sum(item.numel() for item in grown.parameters()) == grown.graph.size.parameters
        seen.add(found[0]["op"])
        step(grown, inputs, 2)
        network = grown
    assert len(seen) >= 2


def skipped() -> tuple[GrowingConvnetSpace, GrowingNetwork, Tensor]:
    """A network whose first layer is read by a convolution, a sum and a concatenation."""
    one = space(channels=(4, 4))
    network, inputs = trained(one)
    for change in (
        {"op": "add", "node": 3, "from": 2, "new": 20}, {"op": "deeper", "after": 1, "kernel": 3, "new": 22},
        {"op": "concat", "node": 22, "from": 0, "new": 23},
    ):
        network = morph(network, change, inputs)
    step(network, inputs, 5)
    return one, network, inputs


def test_who_reads_a_widened_layer_is_changed_everywhere() -> None:
    """A sum that reads it needs the other side widened alike."""
    _, network, inputs = skipped()
    change = {"op": "wider", "node": 3, "to": 9, "seed": 5}
    grown = morph(network, change, inputs)
    evaluated, in_training = differences(network, grown, inputs)
    assert evaluated < EVALUATED and in_training < TRAINED
    widths = {node.id: node.width for node in grown.graph.nodes if node.op == "conv"}
    assert widths[3] == 9 and widths[22] == 9, "node 22 feeds the sum with node 3 through the pooling"


def test_what_cannot_be_widened_alike_is_refused() -> None:
    nodes = [
        Node(1, "conv", (0,), 2, 3), Node(2, "conv", (1,), 4, 3), Node(3, "conv", (1,), 2, 3), Node(4, "concat", (1, 3)),
        Node(5, "add", (2, 4)), Node(6, "flatten", (5,)), Node(7, "output", (6,)),
    ]
    network = Network(nodes, (1, 4, 4), 2)
    with pytest.raises(BadInput, match="cannot copy channels of its own"):
        apply(network, {"op": "wider", "node": 2, "to": 8, "seed": 0})


def test_a_layer_is_not_put_behind_what_may_be_negative() -> None:
    one, network, _ = skipped()
    assert not network.graph.never_negative(20)
    with pytest.raises(BadInput, match="may be negative"):
        apply(network.graph, {"op": "deeper", "after": 20, "kernel": 3, "new": 40})
    assert all(item["after"] != 20 for item in of_kind(one, network.graph, "deeper"))


def test_noise_makes_copies_different_and_hardly_changes_the_function() -> None:
    one = space()
    network, inputs = trained(one)
    change = {"op": "wider", "node": 1, "to": 12, "seed": 3}
    exact, noisy = morph(network, change, inputs), morph(network, change, inputs, noise=1e-4)
    first, second = weights(exact).clone(), weights(noisy).clone()
    assert torch.equal(first[:4], second[:4]), "the old channels stay"
    spread = float(first.max() - first.min())
    assert 0 < float((first - second)[4:].abs().max()) <= 0.5e-4 * spread
    evaluated, _ = differences(network, noisy, inputs)
    assert 0 < evaluated < 1e-3
    # Copies learn the same; disturbed ones do not.
    step(exact, inputs, 3)
    step(noisy, inputs, 3)
    different = [len({tuple(row.flatten().tolist()) for row in weights(network)}) for network in (exact, noisy)]
    assert different == [4, 12]


def weights(network: GrowingNetwork) -> Tensor:
    return network.nodes["1"].get_parameter("weights.weight").detach()


# ---- wrong variants


def test_an_uncalibrated_normalisation_is_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    one = space()
    network, inputs = trained(one, steps=60)
    change = {"op": "deeper", "after": 1, "kernel": 3, "new": 30}
    right = operators._pass_on

    def uncalibrated(new: Any, *rest: Any) -> None:
        right(new, *rest)
        new.norm.reset_running_stats()
        nn.init.ones_(new.norm.weight)
        nn.init.zeros_(new.norm.bias)

    monkeypatch.setattr(operators, "_pass_on", uncalibrated)
    _, in_training = differences(network, morph(network, change, inputs), inputs)
    assert in_training > WRONG


def test_copies_that_are_read_undivided_are_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    one = space()
    network, inputs = trained(one)
    change = {"op": "wider", "node": 5, "to": 24, "seed": 1}
    monkeypatch.setattr(operators.torch, "bincount", lambda places: torch.ones(int(places.max()) + 1, dtype=torch.int64))
    evaluated, _ = differences(network, morph(network, change, inputs), inputs)
    assert evaluated > WRONG


def test_morphs_that_lead_elsewhere_fail() -> None:
    one = space()
    network, inputs = trained(one)
    change = {"op": "wider", "node": 1, "to": 12, "seed": 3}
    grown = one.genome(apply(network.graph, change))
    state = grow(one, grown, one.seed(), network.state_dict(), [change], inputs)
    assert state["nodes.1.weights.weight"].shape[0] == 12
    with pytest.raises(TrialFailure, match="does not become this one"):
        grow(one, grown, one.seed(), network.state_dict(), [], inputs)
    with pytest.raises(BadInput, match="there is no morph"):
        apply(network.graph, {"op": "thinner", "node": 1})
    with pytest.raises(BadInput, match="does not fit"):
        apply(network.graph, {"op": "wider", "node": 77, "to": 8, "seed": 1})
