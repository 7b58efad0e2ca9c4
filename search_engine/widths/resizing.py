"""A network with other widths."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from .channels import ChannelGroups
from .rebuilding import rebuilt


def resize(network: nn.Module, channels: ChannelGroups, widths: Mapping[str, int]) -> nn.Module:
    """The network with `widths` channels in its blocks (`ChannelGroups.widths` has the names), in training mode on the CPU.

    `network` is not changed. All layers with weights and all batch normalisations are new, their parameters from torch's global generator:
    those of survivors are discarded, as MorphNet does. Raises BadInput(field "widths") where widths are missing or wrong.
    """
    return rebuilt(network, channels.sides(widths), channels.norm_sides(widths))
