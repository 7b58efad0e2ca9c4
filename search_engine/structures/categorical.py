"""The categorical law of one operation per edge: what the softmax structure and the hard Gumbel structure have in common.

Functions of logits (..., edges, operations), in nats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.lazy import lazy_module
from .constraints import constraint

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

INITIAL_SCALE = 1e-3
"""Standard deviation of initial logits: nearly uniform weights with ties broken, as in the DARTS authors' code."""


def entropy(logits: torch.Tensor) -> torch.Tensor:
    """(..., edges)."""
    logs = logits.log_softmax(dim=-1)
    return -(logs.exp() * logs).sum(dim=-1)


def entropy_of(probabilities: torch.Tensor) -> torch.Tensor:
    """(..., edges), from probabilities that may be zero."""
    terms: torch.Tensor = torch.special.xlogy(probabilities, probabilities)
    return -terms.sum(dim=-1)


def log_prob(logits: torch.Tensor, choice: torch.Tensor, group: str) -> torch.Tensor:
    """(..., edges) of one-hot rows (..., edges, operations). Raises ValueError for rows that are not one-hot, naming the group."""
    if not constraint("simplex_vertices").contains(choice.detach().cpu().numpy()):
        raise ValueError(f"the weights of '{group}' are not one operation per edge")
    return (logits.log_softmax(dim=-1) * choice).sum(dim=-1)


def kl(logits: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
    """KL(p || prior), (..., edges)."""
    logs = logits.log_softmax(dim=-1)
    return (logs.exp() * (logs - prior.log_softmax(dim=-1))).sum(dim=-1)


def total_kl(logits: dict[str, torch.Tensor], prior: dict[str, torch.Tensor]) -> torch.Tensor:
    """Summed over the edges of all groups: a scalar."""
    return torch.stack([kl(value, prior[group]).sum() for group, value in logits.items()]).sum()


def initial_logits(shape: tuple[int, int], generator: torch.Generator | None, dtype: torch.dtype) -> torch.Tensor:
    """Starting values (edges, operations) on the CPU."""
    return INITIAL_SCALE * torch.randn(shape, generator=generator, dtype=dtype)
