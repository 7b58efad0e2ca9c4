"""Local search: from a random architecture to a better neighbour, and on until none is better; then from another one.

Source: White, Nolen and Savani, "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021 (arXiv:2005.02960; its first
version, 2020, was called "Local Search is State of the Art for Neural Architecture Search Benchmarks"), algorithm 1 and its variants.

    repeat:  v <- a random architecture that was not tried yet; evaluate it
             repeat:  N <- the neighbours of v, those that differ from it in one decision, in random order
                      first:  v <- the first of N that is better than v, evaluated one after the other
                      best:   v <- the best of N if it is better than v, when all are evaluated
             until none is better: v is a local optimum

`best` is the paper's algorithm 1; moving to the first better neighbour, and going on elsewhere at an optimum, are its variants of it.

Where a changed decision makes others active, those are drawn. Neighbours that are one architecture are one neighbour, and nothing is
evaluated twice: where a neighbour was tried before, the value of that trial is compared, which costs none. Failed trials are tried too,
and never better; a climb does not begin from one.

With more than one open trial the rule is the same: neighbours are compared in their order, as their results are told. Trials that
are open when the search moves away are remembered as tried, and count where they are neighbours again. While the last neighbours are
open, the free places in the window take the next random architectures in advance, in the order in which the climbs will begin.
"""

from __future__ import annotations

import random
from itertools import islice
from typing import Any, Literal

from pydantic import Field

from search_engine.base.growing import GrowingDict
from search_engine.events import Notice
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome

from ..base import NEVER_TWICE, QUICK_TRIALS, AlgorithmEntry, Context, Phase, Proposal, Result, SteadyConfig
from .search import TrialSearch
from .unseen import Unseen


class LocalSearchConfig(SteadyConfig):
    """Hyper-parameters of local search."""

    rule: Literal["first", "best"] = Field(
        default="first",
        title="Move to",
        description="first: the first neighbour that is better, so that a move costs few trials; best: the best of all neighbours, "
        "which are evaluated before each move.",
    )


def neighbours(space: SearchSpace[Any], genome: Genome, rng: random.Random) -> dict[str, Genome]:
    """The architectures that differ from `genome` in one decision, by canonical hash, in random order; `genome` itself is not among
    them. `space` offers decisions; those that a change makes active are drawn.

    >>> from search_engine.spaces.data_shape import DataShape
    >>> from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
    >>> space = SequenceSpace(SequenceConfig(n=3), DataShape((1,), 2))
    >>> found = neighbours(space, space.from_string("1 2 3"), random.Random(0))
    >>> sorted(space.to_string(neighbour) for neighbour in found.values())
    ['1 1 3', '1 2 1', '1 2 2', '1 3 3', '2 2 3', '3 2 3']
    """
    decisions, choices = space.decisions, space.choices_of(genome)
    changes = [
        (place, choice)
        for place in decisions.changeable(choices)
        for choice in range(len(decisions[place].choices))
        if choice != choices[place]
    ]
    rng.shuffle(changes)
    found: dict[str, Genome] = {}
    for place, choice in changes:
        neighbour = space.genome_of(decisions.sample(rng, keep=(*choices[:place], choice, *choices[place + 1 :])))
        found.setdefault(space.hash(neighbour), neighbour)
    found.pop(space.hash(genome), None)
    return found


class LocalSearch(TrialSearch[LocalSearchConfig]):
    """Climb to a local optimum, start again elsewhere."""

    title = "Local search"
    state_version = 3
    keeps = ("unseen", "tried", "open", "starts", "current", "neighbours", "compared", "better", "moves", "optima")
    shows_marginals = True

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        space = context.space
        self.unseen = Unseen(space, lambda rng: space.genome_of(space.decisions.sample(rng)), context.seed)
        self.tried: GrowingDict[str, tuple[int, float | None]] = GrowingDict(list, tuple)
        """Canonical hash of every told trial -> its number and value, None for a failed one."""
        self.open: list[str] = []
        """Hashes of the trials that are asked and not told, in ask order."""
        self.starts: dict[str, Genome] = {}
        """Random architectures that were asked and from which no climb began yet, by hash, in ask order."""
        self.current = ""
        """The hash of the present architecture; empty where a climb has not begun."""
        self.neighbours: dict[str, Genome] = {}
        """Those of the present one, by hash, in the order in which they are compared with it."""
        self.compared = 0
        """How many of them were."""
        self.better = ""
        """The hash of the best of those that is better than the present one; empty where none is."""
        self.moves = 0
        self.optima = 0

    # ---- ask

    def ask(self) -> list[Proposal]:
        for hash_, genome in islice(self.neighbours.items(), self.compared, None):
            if not self._known(hash_):
                self.open.append(hash_)
                return [Proposal(genome, parents=(self.tried[self.current][0],), operator="neighbour")]
        return self._start()

    def _start(self) -> list[Proposal]:
        """A random architecture that was never asked for, or nothing if none is found."""
        found = self.unseen.next(self.context.rng, self._known)
        if found is None:
            self.stop_reason = self.unseen.stop_reason
            return []
        genome, hash_ = found
        self.open.append(hash_)
        self.starts[hash_] = genome
        return [Proposal(genome, operator="random")]

    def _known(self, hash_: str) -> bool:
        return hash_ in self.tried or hash_ in self.open

    # ---- tell

    def tell(self, results: list[Result]) -> None:
        for result in results:
            self.tried[self.open.pop(0)] = (result.number, result.metrics[self.context.metric] if result.ok else None)
            # As far as the known values allow.
            while self._compare() if self.current else self._begin_climb():
                pass
        super().tell(results)

    def _begin_climb(self) -> bool:
        """Stand on the next start that has a value. False where it is still open, or none is there."""
        while self.starts and (hash_ := next(iter(self.starts))) in self.tried:
            genome = self.starts.pop(hash_)
            if self.tried[hash_][1] is not None:
                self._stand_on(hash_, genome)
                return True
        return False

    def _stand_on(self, hash_: str, genome: Genome) -> None:
        # Of the genomes that are this architecture, the one by which it was reached: its neighbours are looked at.
        self.current = hash_
        self.neighbours = neighbours(self.context.space, genome, self.context.rng)
        self.compared, self.better = 0, ""

    def _compare(self) -> bool:
        """Compare the present one with its neighbours until it moves or is an optimum. False where the next one has no value yet."""
        for hash_ in islice(self.neighbours, self.compared, None):
            if hash_ not in self.tried:
                return False
            self.compared += 1
            if self._improves(hash_, self.better or self.current):
                self.better = hash_
                if self.options.rule == "first":
                    break
        if self.better:
            self._move()
        else:
            self._leave()
        return True

    def _improves(self, hash_: str, on: str) -> bool:
        value, bar = self.tried[hash_][1], self.tried[on][1]
        return value is not None and bar is not None and value > bar

    def _move(self) -> None:
        number, value = self.tried[self.better]
        self.moves += 1
        message = f"moved to candidate {number}, having compared {self.compared} of {len(self.neighbours)} neighbours"
        self._notice("moved", message, number, value)
        self._stand_on(self.better, self.neighbours[self.better])

    def _leave(self) -> None:
        """The present one is a local optimum."""
        number, value = self.tried[self.current]
        self.optima += 1
        message = f"candidate {number} is a local optimum: none of its {self.compared} neighbours is better"
        self._notice("local_optimum", message, number, value)
        self.current, self.neighbours, self.compared = "", {}, 0

    # ---- report

    def _notice(self, name: str, message: str, number: int, value: float | None) -> None:
        told = len(self.tried)
        values = {"candidate": float(number), "value": value or 0.0, "neighbours_compared": float(self.compared)}
        self.context.emit(Notice(name=name, message=message, step=told, values=values), told)

    def figures(self, latest: Result) -> dict[str, float]:
        """Where the climb stands. Of the neighbours, those count that were compared with the present architecture."""
        counts = {"neighbours_compared": float(self.compared), "moves": float(self.moves), "restarts": float(self.optima)}
        return {"current": self.tried[self.current][1] or 0.0, **counts} if self.current else counts


def advise(options: LocalSearchConfig, space: SearchSpace[Any], trials: int | None) -> list[str]:
    """What to know before the start (`AlgorithmEntry.advice`)."""
    advice = []
    most = sum(len(decision.choices) - 1 for decision in space.decisions)
    if trials is not None and trials <= most:
        meaning = "it may not move once" if options.rule == "best" else "it may not know one local optimum"
        advice.append(
            f"An architecture has up to {most:,} neighbours, the budget allows {trials:,} trials: {meaning}. Give it more trials than that."
        )
    if options.open_trials > 1 and options.rule == "first":
        advice.append(
            f"With {options.open_trials} open trials, up to {options.open_trials - 1} are neighbours of an architecture that the search "
            "has left when they are told. A window of 1 spends the fewest trials."
        )
    return advice


def phases(config: LocalSearchConfig) -> list[Phase]:
    return [LocalSearch()]


ENTRY = AlgorithmEntry(
    id="local_search",
    title="Local search",
    family="sampling",
    summary="Moves to a neighbour that is better, an architecture with one decision changed, until none is; then starts again elsewhere.",
    source="White, Nolen and Savani, UAI 2021, arXiv:2005.02960",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"decisions"}),
    config=LocalSearchConfig,
    phases=phases,
    structure=("plane", "marginals"),
    advice="search_engine.algorithms.trials.local_search:advise",
    idle=(NEVER_TWICE,),
    quick=QUICK_TRIALS,
)
