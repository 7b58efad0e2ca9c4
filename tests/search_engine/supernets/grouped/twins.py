"""A super-network twice, with the same weights: computed edge by edge, and grouped by source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from search_engine.spaces.cell import CellConfig, CellSpace
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.nb201 import NB201Config, NB201Space
from search_engine.supernets import cell_network, nb201_network
from search_engine.supernets.grouped.by_source import BySource
from search_engine.supernets.grouped.partial_channels import partial_channels as partial_by_source
from search_engine.supernets.mixing import Evaluate, PerEdge, evaluate_in
from search_engine.supernets.partial_channels import partial_channels as partial_per_edge
from search_engine.supernets.skip_dropout import install_skip_dropout

Gamma = dict[str, Tensor]


def cell(*shape: int, **options: Any) -> tuple[Any, Any]:
    return cell_network, CellSpace(CellConfig(**options), DataShape(shape, 4))


def nb201(*shape: int, **options: Any) -> tuple[Any, Any]:
    return nb201_network, NB201Space(NB201Config(**options), DataShape(shape, 4))


def twins(
    module: Any, space: Any, *, share: int = 1, evaluate: Evaluate = "all", dropout: float = 0.0, dtype: torch.dtype = torch.float64
) -> tuple[nn.Module, nn.Module]:
    """(per edge, grouped), of equal initial values."""
    mixings = (PerEdge, BySource) if share == 1 else (partial_per_edge(share), partial_by_source(share))
    networks = []
    for mixing in mixings:
        torch.manual_seed(0)
        network = module.build_supernet(space, mixing=mixing).to(dtype)
        evaluate_in(network, evaluate)
        generator = torch.Generator().manual_seed(7)
        for item in install_skip_dropout(network) if dropout else []:
            item.rate, item.generator = dropout, generator
        networks.append(network)
    return networks[0], networks[1]


def gamma_of(space: Any, dtype: torch.dtype = torch.float64, *, some: bool = False) -> Gamma:
    """Random weights; with `some`, six in ten of them are 0."""
    generator = torch.Generator().manual_seed(3)
    values = {}
    for group in space.family():
        value = torch.rand(len(group.edges), len(group.operations), generator=generator, dtype=torch.float64)
        if some:
            value = value * (torch.rand(value.shape, generator=generator) < 0.4)
        values[group.name] = value.to(dtype)
    return values


def inputs_of(space: Any, dtype: torch.dtype = torch.float64, examples: int = 3) -> Tensor:
    return torch.randn(examples, *space.shape.input, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def loss_of(network: nn.Module, gamma: Gamma, inputs: Tensor) -> Callable[..., Tensor]:
    """A loss on these inputs as a function of (weights, alphas), as the estimators want it; `gamma` names the alphas."""
    names = [name for name, _ in network.named_parameters()]

    def call(weights: Any, alphas: Any) -> Tensor:
        structure = {name: alpha.softmax(-1) for name, alpha in zip(gamma, alphas, strict=True)}
        logits = torch.func.functional_call(network, dict(zip(names, weights, strict=True)), (inputs, structure))
        return nn.functional.cross_entropy(logits, torch.arange(len(inputs)) % 4)

    return call


def derivatives(run: Callable[[], Tensor], of: list[Tensor], *, twice: bool = False) -> list[Tensor | None]:
    """The value and its gradients; with `twice` also the gradients of a function of those gradients."""
    value = run()
    first = torch.autograd.grad(value.sin().sum(), of, create_graph=twice, allow_unused=True)
    if not twice:
        return [value, *first]
    length = sum((gradient.sin().sum() for gradient in first if gradient is not None), torch.zeros((), dtype=value.dtype))
    return [value, *first, *torch.autograd.grad(length, of, allow_unused=True)]


def assert_equal(found: Sequence[Tensor | None], expected: Sequence[Tensor | None], tolerance: float = 1e-10) -> None:
    """Absent where the other is absent, else equal to `tolerance`, relative to the largest entry where that is above 1."""
    assert [value is None for value in found] == [value is None for value in expected]
    for one, other in zip(found, expected, strict=True):
        if one is not None and other is not None:
            assert one.shape == other.shape
            assert (one - other).abs().max() <= tolerance * max(1.0, float(other.detach().abs().max()))
