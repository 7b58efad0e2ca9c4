"""Latency of each block, measured once on this machine.

A measurement is never the same twice, so it is no part of what a seed decides: a search measures at its first step, records the table in
an event and in its state, and from then on the table alone is used.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from search_engine.spaces.block_costs.costs import BlockCosts
from search_engine.spaces.entries import builder_module

REPEATS = 20


def latencies(space: Any, network: nn.Module, device: str) -> BlockCosts:
    """Seconds of each block of `network`, and of its stem and classifier, for one example. No random number is used up."""
    each, fixed = builder_module(space).block_latencies(space, network, torch.device(device), REPEATS)
    return BlockCosts(tuple(each), fixed)
