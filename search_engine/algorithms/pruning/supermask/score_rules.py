"""From trained scores to masks over weights that never move: the two rules, and their straight-through gradients.

Zhou et al. 2019, section 5.1: a weight is kept with probability p = sigmoid(v), drawn anew at every forward pass; the gradient passes
through the draw as if it were p itself. Ramanujan et al. 2020 ("edge-popup", arXiv 1911.13299): the k n weights of a layer with the
largest |s| are kept; the gradient passes through the choice as if it were |s| itself.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from search_engine.spaces.plain_network import Layer

Tensors = dict[str, Tensor]
"""Of the weights' shapes, by layer."""


class _StraightThrough(torch.autograd.Function):
    """Gives `mask`, exactly; its gradient goes to `relaxed` unchanged."""

    @staticmethod
    def forward(ctx: Any, relaxed: Tensor, mask: Tensor) -> Tensor:
        return mask

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        return gradients[0], None


def straight_through(relaxed: Tensor, mask: Tensor) -> Tensor:
    """`mask` (float) with the gradient of `relaxed`."""
    found: Tensor = _StraightThrough.apply(relaxed, mask)
    return found


class ScoreRule(ABC):
    """The scores of all layers, leaves that an optimiser moves, and what masks they mean."""

    scores: Tensors

    @property
    def leaves(self) -> list[Tensor]:
        return list(self.scores.values())

    @abstractmethod
    def training_masks(self) -> Tensors:
        """Float masks of 0 and 1 for one forward pass, with gradients to the scores."""

    @abstractmethod
    def finished_masks(self) -> Tensors:
        """The bool masks that stand for the scores."""

    @abstractmethod
    def probabilities(self) -> Tensors:
        """How probably each weight is kept (0 or 1 where nothing is random)."""

    def state_dict(self) -> Tensors:
        return {name: value.detach().cpu().clone() for name, value in self.scores.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in self.scores.items():
                value.copy_(state[name])


class BernoulliRule(ScoreRule):
    """Zhou et al.: keep with probability sigmoid(v). Masks are drawn from torch's global generator."""

    def __init__(self, layers: tuple[Layer, ...], probability: float, device: str) -> None:
        """All weights start with the same `probability`."""
        value = math.log(probability / (1 - probability))
        self.scores = {layer.name: torch.full(layer.shape, value, device=device, requires_grad=True) for layer in layers}

    def training_masks(self) -> Tensors:
        found = {}
        for name, value in self.scores.items():
            probability = value.sigmoid()
            found[name] = straight_through(probability, (torch.rand_like(probability) < probability).float())
        return found

    def finished_masks(self) -> Tensors:
        """Where p > 1/2."""
        return {name: value.detach() > 0 for name, value in self.scores.items()}

    def probabilities(self) -> Tensors:
        return {name: value.detach().sigmoid() for name, value in self.scores.items()}


class TopRule(ScoreRule):
    """Edge-popup: the `share` of each layer's weights with the largest |s| is kept."""

    def __init__(self, layers: tuple[Layer, ...], share: float, device: str) -> None:
        """Scores start as torch draws weights: uniform within 1 / sqrt(fan_in) (He's uniform law with a = sqrt(5))."""
        self.counts = {layer.name: kept_count(layer.total, share) for layer in layers}
        self.scores = {}
        for layer in layers:
            bound = 1 / math.sqrt(layer.columns)
            self.scores[layer.name] = torch.empty(layer.shape).uniform_(-bound, bound).to(device).requires_grad_()

    def training_masks(self) -> Tensors:
        masks = self.finished_masks()
        return {name: straight_through(value.abs(), masks[name].float()) for name, value in self.scores.items()}

    def finished_masks(self) -> Tensors:
        found = {}
        for name, value in self.scores.items():
            mask = torch.zeros(value.numel(), dtype=torch.bool, device=value.device)
            mask[value.detach().abs().flatten().topk(self.counts[name]).indices] = True
            found[name] = mask.view(value.shape)
        return found

    def probabilities(self) -> Tensors:
        return {name: mask.float() for name, mask in self.finished_masks().items()}


def kept_count(total: int, share: float) -> int:
    """How many weights of a layer remain: round(share total)."""
    return round(share * total)


def drawn_masks(probabilities: Mapping[str, Tensor], seed: int) -> Tensors:
    """Bool masks drawn independently with these probabilities, on their device: a function of `seed`, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: (torch.rand(probability.shape, generator=generator) < probability.cpu()).to(probability.device)
        for name, probability in probabilities.items()
    }


def seen_through(weights: Mapping[str, Tensor], masks: Mapping[str, Tensor], dynamic_scaling: bool) -> Tensors:
    """What the network computes with: weight * mask, and with dynamic scaling times n / (number of ones) of the layer (Zhou et al. 2019,
    section 5.1), so that the sums that a neuron sees keep their size. Gradients reach the masks through both factors."""
    found = {}
    for name, weight in weights.items():
        mask = masks[name]
        found[name] = weight * mask
        if dynamic_scaling:
            found[name] = found[name] * scaling_of(mask)
    return found


def scaling_of(mask: Tensor) -> Tensor:
    """n / (number of ones), a scalar; n of an empty mask."""
    return mask.numel() / mask.sum().clamp(min=1)
