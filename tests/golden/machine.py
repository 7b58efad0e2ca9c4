"""What decides the bits of a search besides its code: under this the digests are stored."""

from __future__ import annotations

import hashlib
import math
import platform
from functools import lru_cache
from importlib.metadata import version

import numpy as np
import torch
from torch import nn

from search_engine.algorithms.bayesian.threads import one_thread
from search_engine.training.device import describe, resolve

PACKAGES = ("numpy", "scipy", "scikit-learn", "networkx", "optuna")
"""Beside torch: arithmetic, the bundled data and its splits, the order of nodes, samplers."""


@lru_cache(maxsize=1)
def machine() -> dict[str, str]:
    """Versions of what computes, the device that a run takes by itself, torch's CPU capability, and `arithmetic`.

    Of Python only the minor version: 3.12 sums floats in another way. Processors are not named: two models of one capability may well
    compute equal bits, and one that does not (kernels are chosen by vendor and cache, too) shows in `arithmetic`.
    """
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": torch.__version__,
        **{name: version(name) for name in PACKAGES},
        "device": describe(resolve("auto")),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "arithmetic": arithmetic(),
    }


def difference(one: dict[str, str], other: dict[str, str]) -> str:
    """`torch 2.13.0 instead of 2.12.0, ...`; empty if they are equal."""
    names = [*one, *(name for name in other if name not in one)]
    return ", ".join(f"{name} {one.get(name)} instead of {other.get(name)}" for name in names if one.get(name) != other.get(name))


def arithmetic() -> str:
    """A digest of results in which kernels differ by the order of their sums: convolutions, products, norms, functions; both directions."""
    with one_thread():
        results = [*_convolutions(), *_products(), *_functions()]
    return hashlib.sha256(b"".join(results)).hexdigest()[:16]


def _values(*shape: int) -> torch.Tensor:
    """Numbers in [-1, 1) without a pattern, by integers alone: the same on every machine."""
    count = math.prod(shape)
    return (((torch.arange(count, dtype=torch.int64) * 7919 + 104729) ** 2 % 65521).to(torch.float32) / 32768 - 1).reshape(shape)


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().numpy().tobytes()


def _convolutions() -> list[bytes]:
    """Kernels, groups, dilations, channels and batches as the small searches have them."""
    results = []
    for batch, channels, size, kernel, groups, dilation in (
        (16, 4, 8, 3, 1, 1), (64, 16, 8, 3, 1, 1), (128, 4, 8, 1, 1, 1), (32, 8, 8, 5, 8, 1), (16, 4, 8, 3, 4, 2), (256, 32, 4, 3, 1, 1),
    ):
        inputs = _values(batch, channels, size, size).requires_grad_()
        weight = _values(channels, channels // groups, kernel, kernel).requires_grad_()
        convolved = nn.functional.conv2d(inputs, weight, padding=dilation * (kernel - 1) // 2, groups=groups, dilation=dilation)
        normed = nn.functional.batch_norm(convolved, None, None, training=True)
        pooled = nn.functional.avg_pool2d(nn.functional.max_pool2d(normed, 3, 1, 1), 2)
        pooled.square().sum().backward()
        results += [_bytes(tensor) for tensor in (pooled, inputs.grad, weight.grad) if tensor is not None]
    return results


def _products() -> list[bytes]:
    """Linear layers, a recurrent cell, a factorisation; NumPy's own product and sums."""
    results = []
    for rows, inner, columns in ((16, 64, 10), (64, 65, 16), (128, 130, 33), (7, 300, 5), (1, 100, 100)):
        for kind in (torch.float32, torch.float64):
            left, right = _values(rows, inner).to(kind), _values(inner, columns).to(kind)
            results += [_bytes(left @ right), (left.numpy() @ right.numpy()).tobytes(), _bytes((left @ right).softmax(1).sum())]
    cell = nn.LSTMCell(32, 32)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(_values(*parameter.shape))
    results += [_bytes(tensor) for tensor in cell(_values(1, 32), (_values(1, 32), _values(1, 32)))]
    base = _values(24, 24).double()
    results.append(_bytes(torch.linalg.cholesky(base @ base.T + 24 * torch.eye(24, dtype=torch.float64))))
    long = _values(10_001)
    results += [_bytes(long.sum()), _bytes(long.var()), long.numpy().mean().tobytes(), long.double().numpy().std().tobytes()]
    return results


def _functions() -> list[bytes]:
    """Elementary functions of torch, of NumPy and of the C library, whose last bits differ between libraries."""
    values = _values(1003)
    positive = values.abs() + 0.01
    results = [_bytes(function(values)) for function in (torch.exp, torch.tanh, torch.sigmoid, torch.erf, torch.sin)]
    results += [_bytes(function(positive)) for function in (torch.log, torch.lgamma, torch.digamma, torch.rsqrt)]
    numbers = positive.double().numpy()
    results += [function(numbers).tobytes() for function in (np.exp, np.log, np.tanh, np.cos)]
    scalars = [function(float(number)) for number in numbers[:200] for function in (math.exp, math.log, math.cos, math.lgamma, math.tanh)]
    return [*results, np.array(scalars).tobytes()]
