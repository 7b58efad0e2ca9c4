"""An ensemble of small MLPs that predicts the score of an architecture, and what it proposes by independent Thompson sampling.

Source: White, Neiswanger and Savani, "BANANAS: Bayesian Optimization with Neural Architectures for Neural Architecture Search", AAAI 2021
(arXiv:1910.11858): an ensemble of five feed-forward networks trained on the absolute error, candidates by mutating the best
architectures, one sample from each candidate's predictive distribution, the k largest are evaluated. The paper encodes architectures by
their paths; with the few observations of a small budget one-hot decisions did better here and are what is used.

The members are trained together: one tensor per layer holds the weights of all of them, so a step costs about one network's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

from search_engine.base.generators import derive_seed
from search_engine.spaces.decisions import Choices, DecisionList

from .observations import Observed
from .proposal import SHOWN, Candidates, Suggestion
from .threads import one_thread

BATCH = 32
BETAS = (0.9, 0.99)
"""Adam's, as in the paper's code."""


@dataclass(frozen=True)
class EnsembleOptions:
    """How the networks look and learn."""

    members: int = 5
    layers: int = 3
    """Hidden layers."""
    width: int = 64
    epochs: int = 150
    learning_rate: float = 0.01


class Ensemble:
    """Equal MLPs from different initial weights and in different orders of the data.

    `inputs` features; targets are standardised inside. Deterministic given the seed: it draws from a generator of its own.
    """

    def __init__(self, inputs: int, options: EnsembleOptions, seed: int) -> None:
        self.options = options
        self.generator = torch.Generator().manual_seed(seed)
        sizes = [inputs, *[options.width] * options.layers, 1]
        self.weights: list[torch.Tensor] = []
        """Per layer (members, from, to)."""
        self.biases: list[torch.Tensor] = []
        for source, target in pairwise(sizes):
            bound = math.sqrt(6 / (source + target))  # Glorot and Bengio 2010, as in the paper's code
            uniform = torch.rand(options.members, source, target, generator=self.generator)
            self.weights.append((bound * (2 * uniform - 1)).requires_grad_())
            self.biases.append(torch.zeros(options.members, 1, target, requires_grad=True))
        self.centre, self.scale = 0.0, 1.0

    def _forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (members, B, inputs) -> standardised predictions (members, B)."""
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if index + 1 < len(self.weights):
                x = x.relu()
        return x.squeeze(2)

    def fit(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """x (N, inputs), y (N,)."""
        count, members = len(x), self.options.members
        self.centre, self.scale = float(y.mean()), float(y.std(correction=0)) or 1.0
        target = (y - self.centre) / self.scale
        optimizer = torch.optim.Adam([*self.weights, *self.biases], lr=self.options.learning_rate, betas=BETAS)
        for _ in range(self.options.epochs):
            order = torch.rand(members, count, generator=self.generator).argsort(dim=1)
            for start in range(0, count, BATCH):
                batch = order[:, start : start + BATCH]
                # The sum over members keeps their gradients apart; Adam works element by element, so none learns from another.
                loss = (self._forward(x[batch]) - target[batch]).abs().mean(dim=1).sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    @torch.no_grad()
    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """x (n, inputs) -> each member's score (members, n)."""
        return self.centre + self.scale * self._forward(x.expand(self.options.members, *x.shape))


def suggest(
    decisions: DecisionList,
    observed: Sequence[Observed],
    candidates: Sequence[Choices],
    count: int,
    seed: int,
    options: EnsembleOptions,
) -> Suggestion:
    """The `count` candidates with the largest samples of their predicted scores, best sample first.

    Independent Thompson sampling: one draw from N(mean, deviation) of the members' predictions per candidate. The answer follows from
    the arguments alone.
    """
    with one_thread():
        model = Ensemble(sum(len(decision.choices) for decision in decisions), options, derive_seed(seed, "ensemble"))
        x = torch.tensor([decisions.one_hot(item.choices) for item in observed])
        model.fit(x, torch.tensor([item.value for item in observed]))
        predictions = model.predict(torch.tensor([decisions.one_hot(choices) for choices in candidates]))
    means, deviations = predictions.mean(dim=0).tolist(), predictions.std(dim=0, correction=1).tolist()
    draw = random.Random(derive_seed(seed, "thompson"))
    samples = [draw.gauss(mean, deviation) for mean, deviation in zip(means, deviations, strict=True)]
    order = sorted(range(len(candidates)), key=lambda place: (-samples[place], place))
    chosen = order[:count]
    shown = order[:SHOWN]
    return Suggestion(
        choices=[candidates[place] for place in chosen],
        predicted=[means[place] for place in chosen],
        candidates=Candidates(
            [means[place] for place in shown], [deviations[place] for place in shown],
            chosen=list(range(min(len(chosen), len(shown)))),
        ),
    )


def mutants(
    decisions: DecisionList, best: Sequence[Choices], count: int, rng: random.Random, steps: Sequence[float] = (0.5, 0.25, 0.25)
) -> list[Choices]:
    """`count` mutations of the `best` in turn: each takes one, two or three changes with probabilities `steps`.

    Every candidate starts from one of the best, never from the candidate before it, so that they do not drift away.
    """
    made = []
    for number in range(count):
        choices = best[number % len(best)]
        for _ in range(rng.choices(range(1, len(steps) + 1), weights=steps)[0]):
            if places := decisions.changeable(choices):
                choices = decisions.change(choices, rng.choice(places), rng)
        made.append(choices)
    return made
