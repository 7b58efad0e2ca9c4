"""Grid search: every genome of a finite space once, in a random or in the lexicographic order.

Source: the exhaustive baseline of Elsken, Metzen and Hutter, "Neural Architecture Search: A Survey", JMLR 2019; the order matters once a
budget cuts the grid (Bergstra and Bengio, JMLR 2012): in lexicographic order only the last decisions have varied by then, so the default
is a seeded random permutation of the grid.

The grid is never materialised. Its position is one number: the mixed-radix index of the next genome over the *active* decisions, which
the permutation maps to another index. Genomes that are one architecture are all visited; the loop evaluates such an architecture once.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field

from search_engine.base.generators import derive_seed
from search_engine.events import Notice
from search_engine.spaces.base import SearchSpace

from ..base import QUICK_TRIALS, AlgorithmEntry, Context, Phase, Proposal, Result, SteadyConfig
from .index_permutation import IndexPermutation
from .search import TrialSearch


class GridConfig(SteadyConfig):
    """Hyper-parameters of grid search."""

    order: Literal["shuffled", "lexicographic"] = Field(
        default="shuffled",
        title="Order",
        description="shuffled: a seeded random permutation of the grid, so that a budget which cuts it leaves a fair sample; "
        "lexicographic: the last decision varies fastest, so a cut grid has tried few values of the first ones.",
    )


class GridSearch(TrialSearch[GridConfig]):
    """Walk the grid; say how far the walk came, and call it complete only when the last genome was told."""

    title = "Grid search"
    finite = True
    keeps = ("position",)
    shows_marginals = True

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.size = grid_size(context.space)
        self.order = IndexPermutation(self.size, derive_seed(context.seed, "grid")) if self.options.order == "shuffled" else None
        self.position = 0
        context.emit(Notice(name="grid_size", message=f"the grid has {_count(self.size)} genomes", values=_number("genomes", self.size)), 0)

    @property
    def planned(self) -> int:
        return self.size

    def ask(self) -> list[Proposal]:
        if self.position >= self.size:
            return []
        index = self.position if self.order is None else self.order[self.position]
        self.position += 1
        space = self.context.space
        return [Proposal(space.genome_of(space.decisions.unrank(index)), operator="grid")]

    def tell(self, results: list[Result]) -> None:
        super().tell(results)
        if self.tally.told == self.size:
            message = f"the grid is complete: all {_count(self.size)} genomes were visited"
            self.context.emit(
                Notice(name="grid_complete", message=message, step=self.size, values=_number("genomes", self.size)), self.size
            )

    def frame_due(self, before: int) -> bool:
        return super().frame_due(before) or self.tally.told == self.size

    def figures(self, latest: Result) -> dict[str, float]:
        return {"coverage": self.tally.told / self.size}


def grid_size(space: SearchSpace[Any]) -> int:
    """How many genomes the grid of `space` has, counted without walking it."""
    return space.decisions.size


def advise(options: GridConfig, space: SearchSpace[Any], trials: int | None) -> list[str]:
    """What to know before the start (`AlgorithmEntry.advice`): whether the budget reaches the whole grid."""
    size = grid_size(space)
    if trials is None or trials >= size:
        return [f"The grid has {_count(size)} genomes." + ("" if trials is None else " The budget allows all of them.")]
    # Rounded down and never to 100: what is cut must not look complete.
    share = min(99.9, int(1000 * trials / size) / 10)
    shown = f"{share:g} %" if share else "less than 0.1 %"
    return [
        f"The grid has {_count(size)} genomes, the budget allows at most {_count(trials)}: {shown} of it. The search will not be complete."
    ]


def _count(number: int) -> str:
    """A number for people: digits in groups, or a power of ten where nobody would read them all."""
    return f"{number:,}" if number < 10**15 else f"about 10^{math.floor(math.log10(number))}"


def _number(name: str, count: int) -> dict[str, float]:
    """`count` as an event's value, where a float can hold it."""
    return {name: float(count)} if count < 10**300 else {}


def phases(config: GridConfig) -> list[Phase]:
    return [GridSearch()]


ENTRY = AlgorithmEntry(
    id="grid",
    title="Grid search",
    family="sampling",
    summary="Tries every architecture of the space once. Complete and slow; in its default order, a shuffled one, what a budget leaves of "
    "it is a random sample of the grid.",
    source="Elsken, Metzen and Hutter, JMLR 2019 (survey); order: Bergstra and Bengio, JMLR 2012",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"decisions"}),
    config=GridConfig,
    phases=phases,
    window=8,
    structure=("plane", "marginals"),
    advice="search_engine.algorithms.trials.grid:advise",
    quick=QUICK_TRIALS,
)
