"""Primitives: shapes at both strides, also on odd sizes; zeros; parameter counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from search_engine.primitives.modules import SEARCH, TRAINED, FactorizedReduce, Style, build_primitive
from search_engine.primitives.names import DARTS, DARTS_1D, MACRO, MACRO_1D, MOTIFS, NB201, PRIMITIVES, TABULAR

OF_IMAGES = sorted({*DARTS, *NB201, *MACRO, *MOTIFS})
OF_SERIES = sorted({*DARTS_1D, *MACRO_1D})
ALONG_TIME = Style(dims=1)


def parameters(module: nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


def test_every_primitive_belongs_to_a_space_and_the_order_is_its_own() -> None:
    assert (len(OF_IMAGES), len(OF_SERIES), len(TABULAR)) == (13, 10, 6)
    assert {*OF_IMAGES, *OF_SERIES, *TABULAR} == set(PRIMITIVES)
    assert DARTS_1D[0] == TABULAR[0] == "none"
    assert all(PRIMITIVES[name].dims == 1 for name in {*OF_SERIES, *TABULAR} - {"none", "skip_connect"})
    assert MACRO == ("nor_conv_3x3", "sep_conv_3x3", "nor_conv_5x5", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3")
    assert DARTS[0] == NB201[0] == "none" and DARTS[3] == "skip_connect" and NB201[4] == "avg_pool_3x3"


@pytest.mark.parametrize("style", [SEARCH, TRAINED])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(8, 8), (7, 7), (9, 6), (2, 2), (5, 3)])
@pytest.mark.parametrize("name", OF_IMAGES)
def test_all_operations_of_an_edge_agree_in_shape(name: str, size: tuple[int, int], stride: int, style: Style) -> None:
    result = build_primitive(name, 4, stride, style)(torch.randn(3, 4, *size))
    assert result.shape == (3, 4, -(-size[0] // stride), -(-size[1] // stride))
    assert torch.isfinite(result).all()


@pytest.mark.parametrize("style", [SEARCH, TRAINED])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("length", [8, 7, 2])
@pytest.mark.parametrize("name", OF_SERIES)
def test_all_operations_of_an_edge_along_time_agree_in_shape(name: str, length: int, stride: int, style: Style) -> None:
    result = build_primitive(name, 4, stride, replace(style, dims=1))(torch.randn(3, 4, length))
    assert result.shape == (3, 4, -(-length // stride)) and torch.isfinite(result).all()


@pytest.mark.parametrize("name", TABULAR)
def test_all_operations_of_a_table_keep_its_shape(name: str) -> None:
    for channels in (4, 16):
        result = build_primitive(name, channels, 1, replace(TRAINED, dims=1, places=5))(torch.randn(3, channels, 5))
        assert result.shape == (3, channels, 5) and torch.isfinite(result).all()


def test_zero_is_zero_even_where_the_input_is_not_finite() -> None:
    x = torch.full((2, 4, 5, 5), float("inf"))
    for stride in (1, 2):
        assert (build_primitive("none", 4, stride, TRAINED)(x) == 0).all()


def test_a_skip_connection_is_the_input_itself() -> None:
    x = torch.randn(2, 4, 5, 5)
    assert build_primitive("skip_connect", 4, 1, TRAINED)(x) is x


def test_factorised_reduction_is_upstreams_on_even_sizes_and_completes_odd_ones_with_zeros() -> None:
    module = FactorizedReduce(3, 4, TRAINED).eval()
    x = torch.randn(2, 3, 6, 8)
    positive = x.relu()
    expected = module.norm(torch.cat([module.straight(positive), module.shifted(positive[:, :, 1:, 1:])], dim=1))
    assert torch.equal(module(x), expected)
    odd = x[:, :, :5, :7]
    completed = torch.zeros(2, 3, 6, 8)
    completed[:, :, :5, :7] = odd
    assert torch.equal(module(odd)[:, 2:], module(completed)[:, 2:])
    with pytest.raises(ValueError, match="even number of channels"):
        FactorizedReduce(3, 5, TRAINED)


def test_average_pooling_does_not_count_the_padding() -> None:
    pooled = build_primitive("avg_pool_3x3", 1, 1, Style(pool_norm=False))(torch.ones(1, 1, 4, 4))
    assert torch.equal(pooled, torch.ones(1, 1, 4, 4))


def test_a_reduction_along_time_completes_an_odd_length_with_a_zero() -> None:
    module = FactorizedReduce(3, 4, ALONG_TIME).eval()
    x = torch.randn(2, 3, 7)
    completed = torch.cat([x, torch.zeros(2, 3, 1)], dim=2)
    assert torch.equal(module(x)[:, 2:], module(completed)[:, 2:])
    positive = completed.relu()
    expected = module.norm(torch.cat([module.straight(positive), module.shifted(positive[:, :, 1:])], dim=1))
    assert torch.equal(module(completed), expected)


@pytest.mark.parametrize("name", [*OF_IMAGES, *(name for name in OF_SERIES if name not in OF_IMAGES)])
def test_parameter_counts_in_closed_form(name: str) -> None:
    dims = PRIMITIVES[name].dims
    for channels in (4, 10):
        for affine, style in ((True, TRAINED), (False, SEARCH)):
            module = build_primitive(name, channels, 1, replace(style, dims=dims))
            assert PRIMITIVES[name].parameters(channels, affine=affine) == parameters(module)


def test_the_receptive_field_is_as_described() -> None:
    """A change of one pixel reaches exactly `kernel` pixels in each direction (weights all one, so that nothing cancels)."""
    for name in OF_IMAGES:
        primitive = PRIMITIVES[name]
        module = build_primitive(name, 2, 1, Style(running=True, pool_norm=False)).eval()
        for value in module.parameters():
            nn.init.ones_(value)
        x = torch.ones(1, 2, 21, 21)
        changed = x.clone()
        changed[:, :, 10, 10] = 2.0
        touched = (module(changed) != module(x))[0, 0].any(dim=0).nonzero().flatten()
        assert (0 if len(touched) == 0 else int(touched.max() - touched.min()) + 1) == primitive.kernel, name


def test_the_receptive_field_along_time_is_as_described() -> None:
    for name in OF_SERIES:
        module = build_primitive(name, 2, 1, Style(pool_norm=False, dims=1)).eval()
        for value in module.parameters():
            nn.init.ones_(value)
        x = torch.ones(1, 2, 41)
        changed = x.clone()
        changed[:, :, 20] = 2.0
        touched = (module(changed) != module(x))[0, 0].nonzero().flatten()
        assert (0 if len(touched) == 0 else int(touched.max() - touched.min()) + 1) == PRIMITIVES[name].kernel, name


def test_search_keeps_no_statistics_and_no_normalisation_weights() -> None:
    for name in OF_IMAGES:
        module = build_primitive(name, 4, 2, SEARCH)
        assert not list(module.buffers())
        assert all(value.dim() == 4 for value in module.parameters())
