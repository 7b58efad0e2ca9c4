"""Both levels of inference for one model, one step at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from search_engine.events import Cost

from . import estimates, level_one, level_two
from .likelihoods import GaussianLikelihood, Likelihood
from .models import Model
from .problem import Examples


@dataclass(frozen=True)
class InferenceOptions:
    """How hyper-parameters start and move; see `algorithms.evidence` for what each means."""

    alpha: float = 1.0
    beta: float = 1.0
    rule: level_two.LevelTwo = "evidence"
    hessian: str = "gauss_newton"
    tolerance: float = 1e-6
    updates: int = 100
    level_one_steps: int = 100


class Inference:
    """Alternates steps towards w* at fixed hyper-parameters with one update of the hyper-parameters at w*.

    It ends where an update changes neither log alpha nor log beta by more than the tolerance, or after so many updates; w* then belongs
    to the last hyper-parameters.
    """

    def __init__(self, model: Model, train: Examples, options: InferenceOptions, generator: torch.Generator) -> None:
        self.model, self.options = model, options
        self.likelihood: Likelihood = train.likelihood
        self.seen = model.see(train.inputs)
        self.examples = len(train.inputs)
        self.alpha, self.beta = options.alpha, options.beta
        self.weights = model.initial(generator)
        self.start_damping = 0.0 if model.linear else 1e-3
        self.damping = self.start_damping
        self.level_one_steps = 0
        self.updates = 0
        self.settled = False
        """Whether the hyper-parameters no longer change: what is left is w* for the last of them."""
        self.finished = False
        self.trace: list[tuple[float, float, float]] = []
        """alpha, beta and Laplace's log evidence before each update."""

    def step(self) -> Cost:
        """One step of level one; at its end one update of level two in the same unit."""
        progress = level_one.step(self.model, self.likelihood, self.seen, self.weights, self.alpha, self.beta, self.damping)
        self.weights, self.damping = progress.weights, progress.damping
        self.level_one_steps += 1
        solved = self.model.linear and isinstance(self.likelihood, GaussianLikelihood)
        if progress.converged or solved or self.level_one_steps >= self.options.level_one_steps:
            self._at_mode()
        passes = 1 if self.model.linear else self.model.outputs
        return Cost(forward_backward=self.examples * passes, forward=self.examples * progress.tries)

    def _at_mode(self) -> None:
        self.level_one_steps, self.damping = 0, self.start_damping
        posterior = self.posterior()
        self.trace.append((self.alpha, self.beta, estimates.laplace(posterior)))
        if self.settled or self.updates >= self.options.updates:
            self.finished = True
            return
        before = (self.alpha, self.beta)
        after = level_two.update(
            self.options.rule, self.model, self.likelihood, self.seen, self.weights, posterior.matrix, self.alpha, self.beta
        )
        self.alpha, self.beta = after
        self.updates += 1
        self.settled = level_two.change(before, after) < self.options.tolerance

    def posterior(self, hessian: str = "") -> estimates.Posterior:
        """The Gaussian around the weights of now."""
        arguments = (self.model, self.likelihood, self.seen, self.weights, self.alpha, self.beta)
        return estimates.posterior_at(*arguments, hessian or self.options.hessian)

    @property
    def log_likelihood(self) -> float:
        """log p(D | w) at the weights of now, in nats."""
        return float(self.likelihood.log(self.model.compute(self.weights, self.seen), self.beta))

    @property
    def finite(self) -> bool:
        return bool(self.weights.isfinite().all()) and math.isfinite(self.alpha) and math.isfinite(self.beta)

    def state_dict(self) -> dict[str, Any]:
        return {
            "weights": self.weights, "alpha": self.alpha, "beta": self.beta, "damping": self.damping, "settled": self.settled,
            "level_one_steps": self.level_one_steps, "updates": self.updates, "finished": self.finished,
            "trace": [list(item) for item in self.trace],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self.trace = [(alpha, beta, value) for alpha, beta, value in state["trace"]]


def largest_log_likelihood(inference: Inference) -> float:
    """max over w and beta of log p(D | w, beta) for a linear model with Gaussian noise: no prior, no price for weights. For others, whose
    largest likelihood may lie at infinite weights, the likelihood at w*."""
    if not isinstance(inference.likelihood, GaussianLikelihood) or not inference.model.linear:
        return inference.log_likelihood
    targets = inference.likelihood.targets
    solution = torch.linalg.lstsq(inference.seen, targets, driver="gelsd").solution
    error = float((inference.seen @ solution - targets).square().sum())
    count = targets.numel()
    return 0.5 * count * (math.log(count / (2 * math.pi * max(error, 1e-300))) - 1)
