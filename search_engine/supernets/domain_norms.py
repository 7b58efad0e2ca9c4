"""Batch normalisation per data set inside modules that several data sets share.

A primitive built in `DomainStyle` has a `DomainNorms` wherever it would have a batch normalisation. `of_domain` gives the module as one
data set uses it: the same weights, that data set's normalisations, nothing else. So a network of several data sets computes by such
views, and a download of one of them is an ordinary network.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from torch import nn

from ..primitives.modules import Style


class DomainNorms(nn.ModuleDict):
    """One normalisation per data set, by its number from 0 as text. It computes nothing itself: `of_domain` chooses."""


@dataclass(frozen=True)
class DomainStyle(Style):
    """Primitives whose normalisations exist once for each of `domains`."""

    domains: tuple[int, ...] = (0,)

    def norm(self, channels: int, *, affine: bool | None = None) -> nn.Module:
        plain = super().norm
        return DomainNorms({str(domain): plain(channels, affine=affine) for domain in self.domains})


def of_domain(module: nn.Module, domain: int) -> nn.Module:
    """`module` as data set `domain` uses it, sharing every parameter and buffer with it. Raises KeyError where it has no
    normalisation for that data set."""
    if isinstance(module, DomainNorms):
        return module[str(domain)]
    if not any(isinstance(item, DomainNorms) for item in module.modules()):
        return module
    view = copy.copy(module)
    # Parameters and buffers stay the original's own dictionaries; only the children are looked up anew.
    view._modules = {name: None if child is None else of_domain(child, domain) for name, child in module._modules.items()}
    return view
