"""What a network costs: parameters, FLOPs, measured latency.

FLOPs are those of `FlopCounter`: two per multiply-accumulate (2 x MACs), matrix products and convolutions only. Latency is a
measurement on this machine, never part of a run's science.
"""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import dataclass

import torch
from torch import nn

from .flops import FlopCounter


@dataclass(frozen=True)
class Footprint:
    parameters: int
    flops: float
    """Per example, forward: 2 x MACs."""

    @property
    def macs(self) -> float:
        return self.flops / 2


def parameters(network: nn.Module) -> int:
    """Trainable numbers."""
    return sum(item.numel() for item in network.parameters() if item.requires_grad)


def forward_flops(network: nn.Module, shape: tuple[int, ...]) -> float:
    """2 x MACs of one forward pass of one example of that shape. The network is not changed."""
    twin = copy.deepcopy(network).eval()
    with torch.no_grad(), FlopCounter() as counter:
        twin(torch.zeros(1, *shape, device=_device_of(network)))
    return float(counter.total)


def step_flops(network: nn.Module, shape: tuple[int, ...]) -> tuple[float, float]:
    """2 x MACs per example: of a forward pass, and of a forward and backward pass together.

    The network is not changed, no random number is used up.
    """
    twin = copy.deepcopy(network).train()
    device = _device_of(network)
    devices = [device] if device.type == "cuda" else []
    # Two examples: batch normalisation needs more than one value per channel.
    with torch.random.fork_rng(devices=devices), FlopCounter() as counter:
        output = twin(torch.zeros(2, *shape, device=device))
        forward = counter.total
        if output.requires_grad:
            output.sum().backward()
    return forward / 2, counter.total / 2


def footprint(network: nn.Module, shape: tuple[int, ...]) -> Footprint:
    return Footprint(parameters=parameters(network), flops=forward_flops(network, shape))


def latency(network: nn.Module, shape: tuple[int, ...], batch: int = 1, repeats: int = 20) -> float:
    """Median seconds of one forward pass of `batch` examples on the network's device, after three passes to warm up."""
    device = _device_of(network)
    inputs = torch.zeros(batch, *shape, device=device)
    was_training = network.training
    network.eval()
    times = []
    with torch.no_grad():
        for turn in range(repeats + 3):
            _wait(device)
            started = time.perf_counter()
            network(inputs)
            _wait(device)
            if turn >= 3:
                times.append(time.perf_counter() - started)
    network.train(was_training)
    return statistics.median(times)


def _device_of(network: nn.Module) -> torch.device:
    return next((item.device for item in network.parameters()), torch.device("cpu"))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
