"""The largest uniform multiplier of widths within a budget (Gordon et al. 2018, MorphNet, section 3.1: the expansion)."""

from __future__ import annotations

from collections.abc import Mapping

from .channels import ChannelGroups, Resource

HALVINGS = 60
"""Of the interval in which the multiplier lies: more digits than a double has."""
LARGEST = 1e6


def scaled(widths: Mapping[str, int], multiplier: float) -> dict[str, int]:
    """Every width times `multiplier`, rounded, at least 1."""
    return {name: max(1, round(multiplier * width)) for name, width in widths.items()}


def largest_multiplier(channels: ChannelGroups, widths: Mapping[str, int], resource: Resource, budget: float) -> float:
    """The largest ω with F(ω * widths) <= budget, by binary search: F rises with ω. It is below 1 where the widths themselves
    are beyond the budget, and 0 where even one channel in every block is."""

    def within(multiplier: float) -> bool:
        return channels.cost(scaled(widths, multiplier), resource) <= budget

    if not within(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while within(high) and high < LARGEST:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if within(middle):
            low = middle
        else:
            high = middle
    return low


def uniform(channels: ChannelGroups, widths: Mapping[str, int], resource: Resource, budget: float) -> dict[str, int]:
    """All widths times one multiplier, within the budget and as near to it as whole channels allow: where rounding leaves room, layers get
    one channel more, those first that rounding took most from."""
    multiplier = largest_multiplier(channels, widths, resource, budget)
    found = scaled(widths, multiplier)
    for name in sorted(widths, key=lambda name: found[name] - multiplier * widths[name]):
        more = {**found, name: found[name] + 1}
        if channels.cost(more, resource) <= budget:
            found = more
    return found
