"""Ensembles as a space: genomes, hashes, parameters, and the network with and without connections."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.bundle.source import write_model
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.ensemble import EnsembleConfig, EnsembleSpace, Subnet
from search_engine.spaces.genomes import Genome
from search_engine.spaces.graphs import validate
from search_engine.supernets.ensemble_network import EnsembleNetwork, build

DIGITS = EnsembleSpace(EnsembleConfig(), DataShape((1, 8, 8), 10))
BINARY = EnsembleSpace(EnsembleConfig(), DataShape((5,), 2))
CONNECTED = [Subnet(1, 4), Subnet(2, 3, (0,)), Subnet(0, 7, (0, 1)), Subnet(2, 3, (0, 1))]
WEIGHTS = [0.5, -1.0, 0.25, 2.0]


def network_of(space: EnsembleSpace, genome: Genome) -> EnsembleNetwork:
    return build(space, genome, "final", TrainingConfig())


@pytest.mark.parametrize("space", [DIGITS, BINARY])
def test_parameters_are_those_of_the_network(space: EnsembleSpace) -> None:
    rng = random.Random(0)
    for genome in [space.genome(CONNECTED, WEIGHTS), *(space.sample(rng) for _ in range(5))]:
        network = network_of(space, genome)
        assert sum(item.numel() for item in network.parameters()) == space.parameters_of(space.subnetworks_of(genome))
        validate(space.to_graph(genome))


def test_the_network_is_the_weighted_sum_written_out() -> None:
    """Two subnetworks by hand; the second reads the first's hidden layer beside its own first layer."""
    torch.manual_seed(0)
    genome = DIGITS.genome([Subnet(1, 4), Subnet(2, 3, (0,))], [0.5, -1.0])
    network = network_of(DIGITS, genome)
    x = torch.randn(6, 1, 8, 8)
    first, second = network.subnetworks
    hidden = torch.tanh(first.hidden[0](x.flatten(1)))
    one = torch.tanh(first.readout(hidden))
    lower = torch.tanh(second.hidden[0](x.flatten(1)))
    upper = torch.tanh(second.hidden[1](torch.cat([lower, hidden], dim=1)))
    two = torch.tanh(second.readout(upper))
    assert torch.allclose(network(x), 0.5 * one - two, atol=1e-6)
    assert float(one.detach().abs().max()) <= 1


def test_two_classes_have_one_output_whose_sign_decides() -> None:
    torch.manual_seed(1)
    network = network_of(BINARY, BINARY.genome([Subnet(1, 4)], [1.5]))
    x = torch.randn(20, 5)
    logits, f = network(x), 1.5 * network.subnetworks[0](x)[-1][:, 0]
    assert torch.equal(logits[:, 0], torch.zeros(20)) and torch.allclose(logits[:, 1], f)
    assert torch.equal(logits.argmax(1) == 1, f > 0)


@pytest.mark.parametrize("members", [CONNECTED[:1], CONNECTED, [Subnet(0, 3), Subnet(0, 3)]])
def test_it_is_written_as_readable_code(members: list[Subnet]) -> None:
    network = network_of(BINARY, BINARY.genome(members, WEIGHTS[: len(members)])).eval()
    code: dict[str, Any] = {"__file__": "model.py", "__name__": "model"}
    exec(compile(write_model(network, (5,), "ensemble"), "model.py", "exec"), code)
    again = code["build_model"]()
    again.load_state_dict(network.state_dict())
    x = torch.randn(4, 5)
    assert torch.equal(again.eval()(x), network(x))


def test_hashes_are_equal_exactly_for_equal_networks() -> None:
    """The order of what is not connected, widths without hidden layers, and connections that read nothing mean nothing."""
    base = BINARY.genome([Subnet(0, 4), Subnet(1, 4), Subnet(2, 4, (1,))], [0.1, 0.2, 0.3])
    same = [
        BINARY.genome([Subnet(1, 4), Subnet(0, 9), Subnet(2, 4, (0,))], [0.2, 0.1, 0.3]),
        BINARY.genome([Subnet(1, 4), Subnet(2, 4, (0,)), Subnet(0, 4, (0, 1))], [0.2, 0.3, 0.1]),
        BINARY.genome([Subnet(0, 4), Subnet(1, 4, (0,)), Subnet(2, 4, (0, 1))], [0.1, 0.2, 0.3]),
    ]
    other = [
        BINARY.genome([Subnet(0, 4), Subnet(1, 4), Subnet(2, 4)], [0.1, 0.2, 0.3]),
        BINARY.genome([Subnet(0, 4), Subnet(1, 5), Subnet(2, 4, (1,))], [0.1, 0.2, 0.3]),
        BINARY.genome([Subnet(0, 4), Subnet(1, 4), Subnet(2, 4, (1,))], [0.1, 0.3, 0.2]),
        BINARY.genome([Subnet(0, 4), Subnet(1, 4)], [0.1, 0.2]),
    ]
    assert {BINARY.hash(genome) for genome in same} == {BINARY.hash(base)}
    assert len({BINARY.hash(genome) for genome in [base, *other]}) == len(other) + 1


def test_what_nobody_needs_is_left_out() -> None:
    members = [Subnet(1, 4), Subnet(1, 4), Subnet(2, 4, (0,)), Subnet(0, 4)]
    assert BINARY.compact(members, [0.0, 0.0, 1.0, 0.5]) == [0, 2, 3]
    assert BINARY.compact(members, [0.0, 0.0, 0.0, 0.0]) == [0]


@pytest.mark.parametrize(
    ("members", "weights", "words"),
    [
        ([], [], "at least one"),
        ([{"depth": 1, "width": 4, "connections": []}], [1.0, 2.0], "as many weights"),
        ([{"depth": 1, "width": 4, "connections": []}], [float("inf")], "finite"),
        ([{"depth": -1, "width": 4, "connections": []}], [1.0], "depth of subnetwork 0"),
        ([{"depth": 1, "width": 0, "connections": []}], [1.0], "width of subnetwork 0"),
        ([{"depth": 1, "width": 4, "connections": [0]}], [1.0], "earlier ones only"),
        ([{"depth": 1, "width": 4}], [1.0], "depth, width and connections"),
    ],
)
def test_what_is_no_ensemble_is_refused(members: Any, weights: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        BINARY.validate(Genome("ensemble", {"subnetworks": members, "weights": weights}))
    assert caught.value.field == "genome"


def test_the_graph_has_a_branch_per_subnetwork_with_its_weight() -> None:
    graph = BINARY.to_graph(BINARY.genome(CONNECTED, WEIGHTS))
    weights = {source: data["weight"] for source, _, data in graph.in_edges("output", data=True)}
    assert weights == {f"h{place}": weight for place, weight in enumerate(WEIGHTS)}
    # The second subnetwork's upper layer, and its own lower one, read; the linear one reads the input alone.
    assert set(graph.predecessors("h1.2")) == {"h1.1", "h0.1"} and set(graph.predecessors("h2")) == {"input"}
    assert set(graph.predecessors("h3")) == {"h3.2", "h1.2"}
    assert BINARY.to_string(BINARY.genome(CONNECTED[:2], WEIGHTS[:2])) == "0.5*depth1x4 + -1*depth2x3[0]"
