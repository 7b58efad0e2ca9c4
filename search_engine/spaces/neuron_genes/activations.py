"""The activation functions of neuron graphs, numbered as in Gaier & Ha (2019) and its published code (1 to 10).

Sine and cosine have period 2: sin(pi x), cos(pi x). The step function is not differentiable, so it is left out of the defaults
(as the paper's MNIST experiment does).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from search_engine.base.lazy import lazy_module

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

Array = np.ndarray[Any, Any]

ActivationName = Literal["linear", "step", "sin", "gauss", "tanh", "sigmoid", "inverse", "abs", "relu", "cos"]

NAMES: dict[int, ActivationName] = {
    1: "linear",
    2: "step",
    3: "sin",
    4: "gauss",
    5: "tanh",
    6: "sigmoid",
    7: "inverse",
    8: "abs",
    9: "relu",
    10: "cos",
}
NUMBERS: dict[str, int] = {name: number for number, name in NAMES.items()}
LINEAR = NUMBERS["linear"]
DIFFERENTIABLE: tuple[ActivationName, ...] = tuple(name for name in NAMES.values() if name != "step")
"""All but the step function (which has no gradient to train with)."""

FORMULAS: dict[str, str] = {
    "linear": "x",
    "step": "1 if x > 0 else 0",
    "sin": "sin(pi x)",
    "gauss": "exp(-x^2 / 2)",
    "tanh": "tanh(x)",
    "sigmoid": "1 / (1 + exp(-x))",
    "inverse": "-x",
    "abs": "|x|",
    "relu": "max(x, 0)",
    "cos": "cos(pi x)",
}


def apply_numpy(number: int, x: Array) -> Array:
    """Activation `number` of an array, in its own precision: the reference that the fast forms are compared with."""
    name = NAMES[number]
    if name == "linear":
        return x
    if name == "step":
        return (x > 0).astype(x.dtype)
    if name == "sin":
        return np.sin(np.pi * x)
    if name == "gauss":
        return np.exp(-(x * x) / 2)
    if name == "tanh":
        return np.tanh(x)
    if name == "sigmoid":
        # Written with tanh so that large negative inputs do not overflow.
        return (np.tanh(x / 2) + 1) / 2
    if name == "inverse":
        return -x
    if name == "abs":
        return np.abs(x)
    if name == "relu":
        return np.maximum(x, 0)
    return np.cos(np.pi * x)


def apply_in_place(number: int, x: torch.Tensor) -> None:
    """Activation `number` of a tensor, overwriting it (no gradient): used where a population is only evaluated."""
    name = NAMES[number]
    if name == "step":
        x.copy_(x > 0)
    elif name == "sin":
        x.mul_(np.pi).sin_()
    elif name == "gauss":
        x.square_().mul_(-0.5).exp_()
    elif name == "tanh":
        x.tanh_()
    elif name == "sigmoid":
        x.sigmoid_()
    elif name == "inverse":
        x.neg_()
    elif name == "abs":
        x.abs_()
    elif name == "relu":
        x.relu_()
    elif name == "cos":
        x.mul_(np.pi).cos_()


def apply(number: int, x: torch.Tensor) -> torch.Tensor:
    """Activation `number` of a tensor as a new tensor, differentiable (the step function's gradient is zero)."""
    name = NAMES[number]
    if name == "linear":
        return x
    if name == "step":
        return (x > 0).to(x.dtype)
    if name == "sin":
        return torch.sin(np.pi * x)
    if name == "gauss":
        return torch.exp(-0.5 * x * x)
    if name == "tanh":
        return torch.tanh(x)
    if name == "sigmoid":
        return torch.sigmoid(x)
    if name == "inverse":
        return -x
    if name == "abs":
        return torch.abs(x)
    if name == "relu":
        return torch.relu(x)
    return torch.cos(np.pi * x)
