"""Which weights of a layer are removed first (Zhou et al. 2019, section 3 and figure 3).

Each criterion maps a weight's value w_i at the start of a round and w_f at its end to a score; the weights with the lowest scores go. Two
of them compare both magnitudes; there `alpha` scales |w_f| so that the two have equal values at the share that is removed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

CriterionName = Literal[
    "large_final", "small_final", "large_init", "small_init", "large_init_large_final", "small_init_small_final", "magnitude_increase",
    "movement", "random",
]  # fmt: skip

CRITERIA: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "large_final": lambda first, last, alpha: last.abs(),
    "small_final": lambda first, last, alpha: -last.abs(),
    "large_init": lambda first, last, alpha: first.abs(),
    "small_init": lambda first, last, alpha: -first.abs(),
    "large_init_large_final": lambda first, last, alpha: torch.minimum(alpha * last.abs(), first.abs()),
    "small_init_small_final": lambda first, last, alpha: -torch.maximum(alpha * last.abs(), first.abs()),
    "magnitude_increase": lambda first, last, alpha: last.abs() - first.abs(),
    "movement": lambda first, last, alpha: (last - first).abs(),
}
assert {*CRITERIA, "random"} == set(get_args(CriterionName))


def scores(name: CriterionName, first: Tensor, last: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """(n,) scores of the n survivors of a layer, given their values (n,) at the start and at the end of the round.

    `rate` is the share that will be removed; `generator` is used by the criterion `random` alone.
    """
    if name == "random":
        return torch.rand(len(first), generator=generator)
    return CRITERIA[name](first, last, _alignment(first, last, rate))


def _alignment(first: Tensor, last: Tensor, rate: float) -> float:
    """alpha: the share `rate` of the survivors has |w_i| < c and the same share has alpha |w_f| < c."""
    if not len(first):
        return 1.0
    place = min(int(rate * len(first)), len(first) - 1)
    start, end = (values.abs().sort().values[place] for values in (first, last))
    return float(start / end) if end > 0 else 1.0


def lowest(values: Tensor, count: int) -> Tensor:
    """Places of the `count` lowest of `values` (n,); of equal ones those that stand first."""
    return torch.sort(values, stable=True).indices[:count]
