"""Partial channels and edge normalisation: the arithmetic of an edge, the weights of edges, and both in a search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms.simplex.edge_weights import EdgeNormalisedStructure
from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue.config import check
from search_engine.events import FamilyGroup
from search_engine.primitives.modules import SEARCH
from search_engine.structures import SoftmaxStructure
from search_engine.supernets import cell_network, partial_channels
from search_engine.supernets.mixing import CellPlan, EdgePlan, PerEdge
from search_engine.supernets.partial_channels import PartialChannels, channel_shuffle
from tests.search_engine.algorithms.simplex.simplex_searches import METHODS, of_kind, run, simplex_search

OPERATIONS = ("none", "skip_connect", "max_pool_3x3", "sep_conv_3x3")
SHARE, CHANNELS = 4, 8


def plan(stride: int) -> CellPlan:
    """Two inputs, one node, both edges with all operations."""
    edges = tuple(EdgePlan(source, 2, OPERATIONS, stride) for source in (0, 1))
    return CellPlan(2, 1, edges, OPERATIONS, CHANNELS, SEARCH)


def by_hand(mixing: PartialChannels, states: list[torch.Tensor], gamma: torch.Tensor, stride: int) -> torch.Tensor:
    """The formula of the paper, channel by channel."""
    total = torch.zeros(())
    for source, x in enumerate(states):
        operations: Any = mixing.operations[f"{source}-2"]
        taken, rest = x[:, : CHANNELS // SHARE], x[:, CHANNELS // SHARE :]
        mixed = sum(gamma[source, OPERATIONS.index(name)] * operations[name](taken) for name in OPERATIONS if name != "none")
        if stride == 2:
            rest = torch.nn.functional.max_pool2d(rest, 2, 2)
        joined = torch.cat([mixed, gamma[source].sum() * rest], dim=1)
        order = [group * (CHANNELS // SHARE) + place for place in range(CHANNELS // SHARE) for group in range(SHARE)]
        total = total + joined[:, order]
    return total


@pytest.fixture
def states() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(3, CHANNELS, 6, 6, generator=generator) for _ in range(2)]


GAMMA = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.05, 0.1, 0.1, 0.25]])
"""The first edge has weight 1, the second 0.5."""


@pytest.mark.parametrize("stride", [1, 2])
def test_an_edge_mixes_a_part_of_its_channels_and_lets_the_others_pass(stride: int, states: list[torch.Tensor]) -> None:
    torch.manual_seed(1)
    mixing = PartialChannels(plan(stride), SHARE)
    (found,) = mixing(states, GAMMA)
    assert found.shape == (3, CHANNELS, 6 // stride, 6 // stride)
    assert torch.allclose(found, by_hand(mixing, states, GAMMA, stride), atol=1e-6)


@pytest.mark.parametrize("mutant", ["no_shuffle", "bypass_without_edge_weight", "average_pool"])
def test_the_arithmetic_tells_wrong_variants_apart(mutant: str, states: list[torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    mixing = PartialChannels(plan(2), SHARE)
    expected = by_hand(mixing, states, GAMMA, 2)
    if mutant == "no_shuffle":
        monkeypatch.setattr(partial_channels, "channel_shuffle", lambda x, groups: x)
    elif mutant == "average_pool":
        mixing.shrink = torch.nn.AvgPool2d(2)  # type: ignore[assignment]
    else:
        joined = mixing._joined
        monkeypatch.setattr(mixing, "_joined", lambda mixed, bypass: joined(mixed, 2 * bypass))
    assert not torch.allclose(mixing(states, GAMMA)[0], expected, atol=1e-3)


def test_only_the_mixed_channels_have_operations(states: list[torch.Tensor]) -> None:
    mixing, whole = PartialChannels(plan(1), SHARE), PerEdge(plan(1))
    assert sum(p.numel() for p in mixing.parameters()) < sum(p.numel() for p in whole.parameters()) / SHARE
    assert list(dict(mixing.named_parameters())) == list(dict(whole.named_parameters()))


def test_operations_of_weight_zero_need_not_be_computed(states: list[torch.Tensor]) -> None:
    torch.manual_seed(1)
    mixing = PartialChannels(plan(2), SHARE)
    gamma = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    dense = mixing(states, gamma)[0]
    mixing.evaluate = "chosen"
    called = []
    for key in ("0-2", "1-2"):
        for name, operation in mixing.operations[key].items():  # type: ignore[operator, union-attr]
            operation.register_forward_hook(lambda *_, name=name, key=key: called.append((key, name)))
    assert torch.equal(mixing(states, gamma)[0], dense)
    assert called == [("0-2", "skip_connect")]


def test_a_shuffle_spreads_every_group() -> None:
    x = torch.arange(6.0).view(1, 6, 1, 1)
    assert channel_shuffle(x, 3).flatten().tolist() == [0, 2, 4, 1, 3, 5]


def test_a_share_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="1/3 of 8 channels"):
        PartialChannels(plan(1), 3)
    run_config = {"algorithm": "darts", "datasets": ["digits"], "space": "cell"}
    for options, space_options, field, text in (
        ({"partial_channels": 3}, {}, "partial_channels", "3 does not divide the super-network's widths 4, 8, 16"),
        ({"partial_channels": 4}, {"search_channels": 6}, "partial_channels", "does not divide"),
        ({"partial_channels": 4}, {"search_channels": 2, "search_cells": 2}, "partial_channels", "odd"),
        ({"shrink_stages": 2, "shrink_partial_channels": [2, 3]}, {}, "shrink_partial_channels", "does not divide"),
        ({"shrink_stages": 3, "shrink_cells": [2, 3]}, {}, "shrink_cells", "one number per stage"),
        ({"shrink_stages": 3, "shrink_cells": [2, 3, 3], "shrink_restart": False}, {}, "shrink_cells", "afresh"),
        (
            {"shrink_stages": 2, "shrink_partial_channels": [2, 4], "shrink_restart": False}, {}, "shrink_partial_channels",
            "let K fall, not 2, 4",
        ),
        ({"skip_dropout": [0.1, 0.2]}, {}, "skip_dropout", "one number per stage"),
        ({"partial_channels": 0}, {}, "partial_channels", "greater than or equal to 1"),
        ({"skip_dropout": [1.0]}, {}, "skip_dropout.0", "less than 1"),
    ):
        with pytest.raises(BadInput, match=text) as caught:
            check({**run_config, "options": options, "space_options": space_options})
        assert caught.value.field == f"options.{field}"
    check({**run_config, "options": {"partial_channels": 4, "edge_normalisation": True}})
    check({**run_config, "space": "nb201", "options": {"partial_channels": 4}})


# ---- edge normalisation

FAMILY = [
    FamilyGroup(
        name="g", title="G", nodes=[], edges=[("a", "x"), ("b", "x"), ("a", "y"), ("b", "y"), ("x", "y")], operations=["one", "two"],
    )
]


def edge_structure() -> EdgeNormalisedStructure:
    generator = torch.Generator().manual_seed(0)
    structure = EdgeNormalisedStructure(SoftmaxStructure({"g": (5, 2)}, generator), FAMILY, generator)
    with torch.no_grad():
        for parameter in structure.parameters:
            parameter.normal_(generator=generator)
    return structure


def test_an_edge_scores_its_share_of_the_node_times_its_operation() -> None:
    structure = edge_structure()
    alpha, beta = (parameter.detach().numpy() for parameter in structure.parameters)
    softmax = lambda values: np.exp(values) / np.exp(values).sum(-1, keepdims=True)  # noqa: E731
    expected = softmax(alpha) * np.concatenate([softmax(beta[:2]), softmax(beta[2:])])[:, None]
    for found in (structure.numpy()["g"], structure.sample()["g"].detach().numpy()):
        assert np.allclose(found, expected, atol=1e-6)
    assert np.allclose([expected[:2].sum(), expected[2:].sum()], 1)
    # A softmax over all edges together would not sum to one per node.
    assert not np.allclose(structure.numpy()["g"], softmax(alpha) * softmax(beta)[:, None], atol=1e-2)


def test_the_edges_weights_have_a_gradient_of_their_own() -> None:
    structure = edge_structure()
    weights = structure.sample()["g"]
    gradients = torch.autograd.grad((weights * torch.arange(10.0).view(5, 2)).sum(), structure.parameters)
    assert all(float(gradient.abs().min()) > 0 for gradient in gradients)


def test_edges_in_any_order_keep_their_own_share() -> None:
    """A family whose edges are not sorted by target."""
    edges = [("a", "y"), ("a", "x"), ("x", "y"), ("b", "x")]
    family = [FamilyGroup(name="g", title="G", nodes=[], edges=edges, operations=["one"])]
    structure = EdgeNormalisedStructure(SoftmaxStructure({"g": (4, 1)}), family, torch.Generator().manual_seed(0))
    with torch.no_grad():
        structure.parameters[-1].copy_(torch.tensor([0.0, 1.0, 2.0, 3.0]))
    shares = structure.numpy()["g"][:, 0]
    assert shares[0] + shares[2] == pytest.approx(1) and shares[1] + shares[3] == pytest.approx(1)
    assert shares[0] == pytest.approx(1 / (1 + np.exp(2)), abs=1e-6) and shares[1] == pytest.approx(1 / (1 + np.exp(2)), abs=1e-6)


def test_entropy_and_probabilities_are_those_of_the_operations() -> None:
    structure = edge_structure()
    assert torch.equal(structure.entropy()["g"], structure.choice.entropy()["g"])
    one_hot = torch.eye(2)[[0, 1, 0, 1, 0]]
    vertex = {"g": one_hot * structure.edge_weights()["g"].detach()[:, None]}
    assert torch.allclose(structure.log_prob(vertex), structure.choice.log_prob({"g": one_hot}), atol=1e-5)


def test_a_strong_edge_beats_a_strong_operation() -> None:
    """The genome follows the products: beta decides which edges a node keeps."""
    search = simplex_search("first", "cell", steps=1, edge_normalisation=True)
    assert isinstance(search.alpha, EdgeNormalisedStructure)
    names = search.report.family[0].operations
    with torch.no_grad():
        for parameter in search.alpha.parameters:
            parameter.zero_()
        alpha, beta = search.alpha.parameters[0], search.alpha.parameters[2]
        # Node 1 has the edges 2, 3, 4; edge 2 has the clearest operation, 3 and 4 the larger shares.
        alpha[2:5, names.index("sep_conv_3x3")] = torch.tensor([2.0, 1.0, 1.0])
        beta[2:5] = torch.tensor([-3.0, 0.0, 0.0])
    sources = {source for source, target, _ in search.best()[0].genome.content["normal"]["edges"] if target == "1"}
    assert sources == {"c_{k-1}", "0"}


# ---- in a search


@pytest.mark.parametrize(
    ("method", "space"), [*((method, "nb201") for method in METHODS), pytest.param("first", "cell", marks=pytest.mark.slow)]
)
def test_any_method_searches_with_partial_channels_and_edge_weights(method: str, space: str) -> None:
    search = simplex_search(method, space, steps=4, partial_channels=2, edge_normalisation=True)
    mixings = [module for module in search.network.modules() if isinstance(module, PerEdge)]
    assert mixings and all(isinstance(module, PartialChannels) and module.share == 2 for module in mixings)
    own = len(search.choice.parameters)
    before = [beta.detach().clone() for beta in search.alpha.parameters[own:]]
    events = run(search)
    assert len(before) == len(search.report.family)
    assert not any(torch.equal(old, new) for old, new in zip(before, search.alpha.parameters[own:], strict=True))
    assert [notice.name for notice in of_kind(events, "notice")][:2] == ["partial_channels", "edge_normalisation"]
    assert of_kind(events, "family")[0].groups[0].constraint == "cube"
    for group in search.report.family:
        for node in {target for _, target in group.edges}:
            rows = [row for row, (_, target) in enumerate(group.edges) if target == node]
            assert search.structure()[group.name][rows].sum() == pytest.approx(1, abs=1e-5)
    # Saved and restored with the rest of the structure.
    twin = simplex_search(method, space, seed=1, steps=4, partial_channels=2, edge_normalisation=True)
    twin.load_state_dict(unpack(pack(search.state_dict())))
    assert all(torch.equal(a, b) for a, b in zip(twin.alpha.parameters, search.alpha.parameters, strict=True))


def test_the_final_network_has_all_channels() -> None:
    search = simplex_search("first", "cell", steps=1, partial_channels=2)
    run(search)
    space: Any = search.context.space
    network = cell_network.build(space, search.best()[0].genome, "final", TrainingConfig(channels=4, layers=3))
    assert not any(isinstance(module, PartialChannels) for module in network.modules())


def test_the_command_line_refuses_before_anything_starts(tmp_path: Path) -> None:
    """The check needs no torch: it is what the form calls."""
    import subprocess
    import sys

    code = (
        "import sys; from search_engine.catalogue.config import check; from search_engine.base.errors import BadInput\n"
        "try: check({'algorithm': 'darts', 'datasets': ['digits'], 'space': 'cell', 'options': {'partial_channels': 3}})\n"
        "except BadInput as error: print(error.field, 'torch' in sys.modules)"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["options.partial_channels", "False"]
