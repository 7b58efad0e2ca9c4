"""The compiled depthwise kernel against torch's convolution in float64: every geometry, all gradients, any number of threads."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from search_engine.primitives.native import build
from search_engine.primitives.native import kernel as module
from search_engine.primitives.native.kernel import Kernel, Shape, sound

from .compiler import compiled_kernel

KERNELS = ((3, 1), (5, 1), (3, 2), (5, 2))
MAPS = [(8, 8), (5, 7), (16, 3), (1, 1), (2, 9)]


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return compiled_kernel()


def example(shape: Shape, shared: bool, groups: int = 2) -> tuple[Tensor, list[Tensor], Tensor]:
    """Rows, weights (one more group of every further kernel), a gradient of the result."""
    generator = torch.Generator().manual_seed(0)
    counts = [groups + place for place in range(len(shape.kernels))]
    rows = shape.channels * (1 if shared else sum(counts))
    inputs = torch.randn(rows, shape.height * shape.width * shape.batch, generator=generator)
    sides = [side for side, _ in shape.kernels]
    weights = [
        torch.randn(count * shape.channels, 1, side, side, generator=generator) for count, side in zip(counts, sides, strict=True)
    ]
    return inputs, weights, torch.randn(sum(counts), shape.channels, shape.pixels, generator=generator)


def expected(shape: Shape, rows: Tensor, weights: list[Tensor]) -> Tensor:
    images = rows.view(-1, shape.height, shape.width, shape.batch).permute(3, 0, 1, 2)
    results, begin = [], 0
    for weight, (side, dilation) in zip(weights, shape.kernels, strict=True):
        count = len(weight)
        own = images.repeat(1, count // shape.channels, 1, 1) if len(rows) == shape.channels else images[:, begin : begin + count]
        begin += count
        found = functional.conv2d(own, weight, stride=shape.stride, padding=dilation * (side // 2), dilation=dilation, groups=count)
        results.append(found.permute(1, 2, 3, 0).reshape(-1, shape.channels, shape.pixels))
    return torch.cat(results)


def close(found: Tensor | None, reference: Tensor) -> bool:
    assert found is not None and found.dtype == torch.float32 and found.shape == reference.shape
    return float((found - reference).abs().max()) <= 3e-6 * float(reference.abs().max()) + 1e-6


@pytest.mark.parametrize("batch", [1, 15, 16, 17, 64, 83], ids=lambda batch: f"batch {batch}")
@pytest.mark.parametrize("shared", [True, False], ids=["one input", "own inputs"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", MAPS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_values_and_gradients_are_those_of_torch(kernel: Kernel, size: tuple[int, int], stride: int, shared: bool, batch: int) -> None:
    shape = Shape(*size, batch, 3, stride, KERNELS)
    rows, weights, gradient = example(shape, shared)
    exact = [tensor.double().requires_grad_(True) for tensor in (rows, *weights)]
    reference = expected(shape, exact[0], exact[1:])
    d_rows, *d_weights = torch.autograd.grad(reference, exact, gradient.double())
    assert close(kernel.forward(rows, weights, shape), reference.detach())
    found_rows, found_weights = kernel.backward(rows, weights, shape, gradient, True, [True] * len(weights))
    assert close(found_rows, d_rows)
    assert all(close(own, other) for own, other in zip(found_weights, d_weights, strict=True))


@pytest.mark.parametrize("shared", [True, False], ids=["one input", "own inputs"])
def test_threads_do_not_change_a_bit(kernel: Kernel, shared: bool) -> None:
    shape = Shape(9, 8, 37, 7, 2, KERNELS)
    rows, weights, gradient = example(shape, shared)
    results = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 3, 16):
            torch.set_num_threads(threads)
            d_rows, d_weights = kernel.backward(rows, weights, shape, gradient, True, [True] * len(weights))
            results.append([kernel.forward(rows, weights, shape), d_rows, *d_weights])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(one, two) for one, two in zip(results[0], other, strict=True))  # type: ignore[arg-type]


def test_only_the_gradients_asked_for_are_computed(kernel: Kernel) -> None:
    shape = Shape(4, 4, 16, 2, 1, KERNELS)
    rows, weights, gradient = example(shape, True)
    d_rows, d_weights = kernel.backward(rows, weights, shape, gradient, False, [False, True, False, False])
    assert d_rows is None and [own is not None for own in d_weights] == [False, True, False, False]
    d_rows, d_weights = kernel.backward(rows, weights, shape, gradient, True, [False] * 4)
    assert d_rows is not None and d_weights == [None] * 4


def test_a_tensor_may_lie_in_another_order(kernel: Kernel) -> None:
    shape = Shape(4, 5, 20, 2, 1, ((3, 1),))
    rows, weights, gradient = example(shape, True)
    turned = gradient.transpose(0, 1).contiguous().transpose(0, 1)
    one = kernel.backward(rows, weights, shape, gradient, True, [True])
    other = kernel.backward(rows.t().contiguous().t(), weights, shape, turned, True, [True])
    assert torch.equal(one[0], other[0]) and torch.equal(one[1][0], other[1][0])  # type: ignore[arg-type]


def test_a_kernel_that_computes_something_else_is_not_used(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A compiler that miscompiles: here the source itself has a sign wrong."""
    wrong = tmp_path / "depthwise.c"
    wrong.write_text(build.SOURCE.read_text().replace("sum[j] += weight", "sum[j] -= weight").replace("sum += weight", "sum -= weight"))
    monkeypatch.setattr(build, "SOURCE", wrong)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    library = build._library()
    assert library.identity != kernel.identity
    assert sound(kernel) and not sound(Kernel(ctypes.CDLL(str(library.path)), library.identity))
    monkeypatch.setattr(module, "library", lambda: library)
    assert module.kernel.__wrapped__() is None and "wrong results" in caplog.text
