"""Models as functions of a flat weight vector, with the derivatives that second-order inference needs; all in float64."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch

Features = Callable[[torch.Tensor], torch.Tensor]


class Model(ABC):
    """f(x, w): `outputs` numbers per example from `parameters` weights."""

    parameters: int
    outputs: int
    linear: bool = False
    """Whether f is linear in w."""
    log_modes: float = 0.0
    """Log of the number of weight vectors that are the same function by a symmetry of the model."""

    @abstractmethod
    def see(self, x: torch.Tensor) -> torch.Tensor:
        """What does not depend on w: inputs (N, d) -> (N, M), computed once per part."""

    @abstractmethod
    def compute(self, w: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """(..., P) weights and (N, M) -> (..., N, K)."""

    @abstractmethod
    def jacobian(self, w: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """(N, K, P): df/dw at weights (P,)."""

    @abstractmethod
    def initial(self, generator: torch.Generator) -> torch.Tensor:
        """(P,) where the search for the most probable weights starts."""


class LinearModel(Model):
    """f = phi(x) W: M fixed functions of x, weights W (M, K) flattened row by row."""

    linear = True

    def __init__(self, functions: int, outputs: int, features: Features) -> None:
        self.functions, self.outputs, self.features = functions, outputs, features
        self.parameters = functions * outputs

    def see(self, x: torch.Tensor) -> torch.Tensor:
        return self.features(x)

    def compute(self, w: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = seen @ w.unflatten(-1, (self.functions, self.outputs))
        return result

    def jacobian(self, w: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        result = seen.new_zeros(len(seen), self.outputs, self.parameters)
        for output in range(self.outputs):
            result[:, output, output :: self.outputs] = seen
        return result

    def initial(self, generator: torch.Generator) -> torch.Tensor:
        return torch.zeros(self.parameters, dtype=torch.float64)


class TanhModel(Model):
    """f = tanh(x V + b) U + c: one hidden layer. The weight vector is V (d, H), b (H), U (H, K), c (K) one behind the other.

    Exchanging hidden neurons, or turning the signs of one's weights, gives the same function: 2^H H! times the same mode (Bishop 2006,
    section 5.1.1).
    """

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        self.inputs, self.hidden, self.outputs = inputs, hidden, outputs
        self.sizes = (inputs * hidden, hidden, hidden * outputs, outputs)
        self.parameters = sum(self.sizes)
        self.log_modes = hidden * math.log(2.0) + math.lgamma(hidden + 1)

    def parts(self, w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """V (..., d, H), b (..., 1, H), U (..., H, K), c (..., 1, K)."""
        v, b, u, c = w.split(self.sizes, dim=-1)
        return (
            v.unflatten(-1, (self.inputs, self.hidden)), b.unsqueeze(-2), u.unflatten(-1, (self.hidden, self.outputs)), c.unsqueeze(-2),
        )

    def see(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def compute(self, w: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        v, b, u, c = self.parts(w)
        return torch.tanh(seen @ v + b) @ u + c

    def jacobian(self, w: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        v, b, u, _ = self.parts(w)
        hidden = torch.tanh(seen @ v + b)
        count = len(seen)
        # d f_k / d (pre-activation of h) = U_hk (1 - tanh^2): (N, K, H)
        slope = u.T.unsqueeze(0) * (1 - hidden.square()).unsqueeze(1)
        by_v = seen[:, None, :, None] * slope[:, :, None, :]
        one = torch.eye(self.outputs, dtype=w.dtype)
        by_u = hidden[:, None, :, None] * one[None, :, None, :]
        by_c = one.expand(count, self.outputs, self.outputs)
        return torch.cat([by_v.flatten(2), slope, by_u.flatten(2), by_c], dim=2)

    def initial(self, generator: torch.Generator) -> torch.Tensor:
        """Incoming weights of deviation 1 / sqrt(d), outgoing 1 / sqrt(H), biases of deviation 1 and 0."""
        first, bias, second = (torch.randn(size, generator=generator, dtype=torch.float64) for size in self.sizes[:3])
        zero = torch.zeros(self.outputs, dtype=torch.float64)
        return torch.cat([first / math.sqrt(self.inputs), bias, second / math.sqrt(max(self.hidden, 1)), zero])


class Restricted(Model):
    """A model of which only some weights may differ from zero: `active` (A,) are their places."""

    def __init__(self, model: Model, active: torch.Tensor) -> None:
        self.model, self.active = model, active
        self.parameters, self.outputs, self.linear = len(active), model.outputs, model.linear

    def whole(self, w: torch.Tensor) -> torch.Tensor:
        """(..., A) -> (..., P) with zeros elsewhere."""
        full = w.new_zeros(*w.shape[:-1], self.model.parameters)
        full[..., self.active] = w
        return full

    def see(self, x: torch.Tensor) -> torch.Tensor:
        return self.model.see(x)

    def compute(self, w: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        return self.model.compute(self.whole(w), seen)

    def jacobian(self, w: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        return self.model.jacobian(self.whole(w), seen)[:, :, self.active]

    def initial(self, generator: torch.Generator) -> torch.Tensor:
        return self.model.initial(generator)[self.active]
