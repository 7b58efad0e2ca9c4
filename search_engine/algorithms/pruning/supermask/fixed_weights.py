"""Weights that are drawn once and never move, and a plain network seen through masks over them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from search_engine.base.checkpoint import copied
from search_engine.base.errors import TrialFailure
from search_engine.base.generators import derive_seed
from search_engine.datasets.base import SearchData
from search_engine.events import Cost
from search_engine.spaces.plain_network import Layer, PlainNetworkSpace
from search_engine.spaces.tasks import SCORES
from search_engine.supernets.plain_network import PlainNetwork, open_dense
from search_engine.training.batches import BatchOrder, DevicePart
from search_engine.training.criterion import Tally, class_weights, mean_loss
from search_engine.training.evaluation import evaluate_on
from search_engine.training.footprint import step_flops
from search_engine.training.precision import Precision
from search_engine.training.schedule import cosine
from search_engine.training.small_batches import enough_for_batch_norm

from ..restarts import glorot_deviation
from .score_rules import BernoulliRule, ScoreRule, Tensors, TopRule, drawn_masks, scaling_of, seen_through

Draw = Literal["signed_constant", "normal"]


def kaiming(layer: Layer, share: float) -> float:
    """Standard deviation sqrt(2 / (share fan_in)): what edge-popup draws from; `share` < 1 makes up for the inputs that are masked."""
    return math.sqrt(2 / (share * layer.columns))


def drawn_weights(layers: tuple[Layer, ...], deviations: Mapping[str, float], draw: Draw) -> Tensors:
    """Normal weights of these standard deviations by layer, or those of a random sign and exactly that magnitude. From torch's global
    generator."""
    found = {}
    for layer in layers:
        normal = torch.randn(layer.shape)
        # copysign rather than sign: a weight of exactly 0 has a sign, too.
        found[layer.name] = deviations[layer.name] * (torch.ones(layer.shape).copysign(normal) if draw == "signed_constant" else normal)
    return found


class _Seen(nn.Module):
    """The network with other weights in the place of its own."""

    def __init__(self, network: PlainNetwork, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.network = network
        self._given = {f"{prefix}.weight": weights[name] for name, prefix in network.prefixes.items()}

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = functional_call(self.network, self._given, (x,))
        return outputs


class FixedWeights:
    """The weights, the scores over them, and the scores' training. `options`: those of the algorithm `supermask`."""

    def __init__(self, space: PlainNetworkSpace, data: SearchData, options: Any, seed: int, device: str, amp: bool) -> None:
        self.space = space
        self.options = options
        self.seed = seed
        popup = options.method == "edge_popup"
        self.dynamic_scaling = options.dynamic_scaling and not popup
        share = options.share if options.scaled else 1.0
        deviations = {layer.name: kaiming(layer, share) if popup else glorot_deviation(layer.shape) for layer in space.layers}
        self.weights = {name: value.to(device) for name, value in drawn_weights(space.layers, deviations, options.weights).items()}
        self.rule: ScoreRule = (
            TopRule(space.layers, options.share, device) if popup else BernoulliRule(space.layers, options.initial_probability, device)
        )
        network = open_dense(space)
        self.flops = step_flops(network, data.shape.input)
        # Nothing but scores moves: biases stay 0, a batch normalisation has no scale and shift of its own.
        self.network = network.requires_grad_(False).to(device).train()
        self.train_part = DevicePart(data.train, data.preprocessing, device)
        self.class_weights = class_weights(data, data.class_weights, device)
        self.validation_part = DevicePart(data.validation, data.preprocessing, device, options.validation_examples)
        self.order = BatchOrder(len(self.train_part), options.batch_size, "supermask", seed)
        self.rate = options.learning_rate or (0.1 if popup else 20.0)
        self.falling = popup
        self.optimizer = torch.optim.SGD(
            self.rule.leaves, lr=self.rate, momentum=options.momentum, weight_decay=options.weight_decay if popup else 0.0
        )
        self.precision = Precision(device, amp)
        self.tally = Tally(space.task)

    # ---- training

    def step(self, number: int) -> Cost:
        """One optimiser step of the scores on batch `number`. Raises TrialFailure where the loss is not finite."""
        options = self.options
        self.optimizer.param_groups[0]["lr"] = cosine(number, options.steps, self.rate, 0.0) if self.falling else self.rate
        inputs, targets = self.train_part.take(self.order.indices(number))
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision.autocast(), enough_for_batch_norm(len(inputs)):
            outputs = self.through(self.rule.training_masks())(inputs)
        loss = mean_loss(self.space.task, outputs, targets, weights=self.class_weights)
        if not math.isfinite(float(loss.detach())):
            raise TrialFailure(f"training loss is not a number at step {number + 1} of {options.steps}; try a smaller learning rate")
        self.tally.add(outputs, targets)
        self.precision.step(loss, self.optimizer, self.rule.leaves, 0.0)  # type: ignore[arg-type]
        return Cost(forward_backward=len(targets), flops=self.flops[1] * len(targets))

    def through(self, masks: Mapping[str, Tensor]) -> nn.Module:
        """The network seen through these masks."""
        return _Seen(self.network, seen_through(self.weights, masks, self.dynamic_scaling))

    def taken_figures(self) -> dict[str, float]:
        """`train_loss` and the train score over the batches since the last call; empty where there were none."""
        if not self.tally.examples:
            return {}
        found, self.tally = self.tally.figures(), Tally(self.space.task)
        return {f"train_{name}": value for name, value in found.items()}

    # ---- scoring

    def score(self, masks: Mapping[str, Tensor]) -> tuple[float, float]:
        """(score, loss) of these masks on the validation part. Raises TrialFailure where the loss is not finite."""
        with torch.no_grad():
            found = evaluate_on(self.through(masks), self.validation_part, task=self.space.task)
        if not math.isfinite(found["loss"]):
            raise TrialFailure("the validation loss of a mask is not a number; try a smaller learning rate")
        return found[SCORES[self.space.task]], found["loss"]

    def scoring_cost(self, masks: int) -> Cost:
        count = masks * len(self.validation_part)
        return Cost(forward=count, flops=self.flops[0] * count)

    def sampled(self, number: int) -> Tensors:
        """Mask `number` of those drawn to score the probabilities: always from the same uniform numbers, so that from one scoring to the
        next only the probabilities differ."""
        return drawn_masks(self.rule.probabilities(), derive_seed("sampled mask", self.seed, number))

    # ---- finishing

    def finished_state(self, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The state of the space's network that computes the same: masks in place, a layer's scaling multiplied into its weights."""
        state: dict[str, Tensor] = copied(self.network.state_dict())
        weights = {name: value.cpu() for name, value in self.weights.items()}
        own_masks = {name: mask.cpu() for name, mask in masks.items()}
        return state | folded_weights(self.network.prefixes, weights, own_masks, self.dynamic_scaling)

    def state_dict(self) -> dict[str, Any]:
        return {
            "weights": copied(self.weights),
            "scores": self.rule.state_dict(),
            "network": copied(self.network.state_dict()),
            "optimizer": copied(self.optimizer.state_dict()),
            "precision": self.precision.state_dict(),
            "tally": copied(self.tally.state_dict()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in self.weights.items():
            value.copy_(state["weights"][name])
        self.rule.load_state_dict(state["scores"])
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.precision.load_state_dict(state["precision"])
        self.tally = Tally.from_state(self.space.task, state["tally"])


def folded_weights(
    prefixes: Mapping[str, str], weights: Mapping[str, Tensor], masks: Mapping[str, Tensor], dynamic_scaling: bool
) -> dict[str, Tensor]:
    """The entries `prefix.weight` and `prefix.mask` of a plain network's state, a layer's dynamic scaling multiplied into its weights."""
    state = {}
    for name, prefix in prefixes.items():
        mask = masks[name]
        state[f"{prefix}.weight"] = weights[name] * (scaling_of(mask) if dynamic_scaling else 1.0)
        state[f"{prefix}.mask"] = mask.bool()
    return state
