"""The two populations over the generations, as charts: how large each species was, and how fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from search_engine.events import Chart, Report, series

from ..neat.population import Population

LAST_GENERATION = "last_generation"
"""Of the report that a comparison of arms reads."""
MOST_SERIES = 8
"""Species with a line of their own: the living, then the most recently extinct; the others are one line."""


class SpeciesHistory:
    """Sizes and mean fitness of the species of one population, generation by generation."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title
        self.sizes: list[dict[int, int]] = []
        self.fitness: list[dict[int, float]] = []

    def add(self, population: Population, fitness: Mapping[int, float]) -> None:
        """One generation, as it was evaluated. `fitness`: by individual."""
        members = {species.number: population.members(species.number) for species in population.species}
        self.sizes.append({number: len(each) for number, each in members.items()})
        self.fitness.append({number: fmean(fitness[one.number] for one in each) for number, each in members.items()})

    def charts(self, metric: str) -> list[Chart]:
        """Sizes, and mean fitness, over the generations. Gaps where a species did not live."""
        generations = range(len(self.sizes))
        last: dict[int, int] = {number: at for at in generations for number in self.sizes[at]}
        order = sorted(last, key=lambda number: (-last[number], number))
        shown, folded = sorted(order[:MOST_SERIES]), order[MOST_SERIES:]

        def name(number: int) -> str:
            return f"species {number}" if last[number] == len(self.sizes) - 1 else f"species {number}, extinct"

        sizes = [series(name(number), generations, [float(at.get(number, 0)) for at in self.sizes]) for number in shown]
        if folded:
            rest = [float(sum(at.get(number, 0) for number in folded)) for at in self.sizes]
            sizes.append(series(f"{len(folded)} others, extinct", generations, rest, look="dashed"))
        means = [series(name(number), generations, [at.get(number, float("nan")) for at in self.fitness]) for number in shown]
        return [
            Chart(
                name=f"{self.name}_sizes", title=f"{self.title}: members of each species", x_title="generation", y_title="members",
                series=sizes, note="How many members each species had when its generation was evaluated.",
            ),
            Chart(
                name=f"{self.name}_fitness", title=f"{self.title}: mean fitness of each species", x_title="generation", y_title=metric,
                series=means, note="Mean over its members of the mean over the networks that each was part of.",
            ),
        ]

    def state_dict(self) -> list[Any]:
        return [
            [[[number, size] for number, size in at.items()] for at in self.sizes],
            [[[number, value] for number, value in at.items()] for at in self.fitness],
        ]

    def load_state_dict(self, state: list[Any]) -> None:
        sizes, fitness = state
        self.sizes = [{number: size for number, size in at} for at in sizes]
        self.fitness = [{number: value for number, value in at} for at in fitness]


def last_generation(scored: Sequence[float], failed: int, metric: str) -> Report:
    """The networks of the last generation, all of them: Nikulenkov 2022, section 6.1, compares arms by the mean over those of all seeds. A
    failed network is left out of the mean, and counted."""
    values = {"networks": float(len(scored)), "failed": float(failed)}
    if scored:
        values |= {"mean": fmean(scored), "best": max(scored), "worst": min(scored)}
    chart = Chart(
        name=LAST_GENERATION, title="The last generation", x_title="network, the best first", y_title=metric,
        series=[series("networks", range(1, len(scored) + 1), sorted(scored, reverse=True), look="points")],
        note="Every network of the last generation by its score.",
    )
    mean = f"mean {values['mean']:.4f} over {len(scored)}" if scored else "none was scored"
    return Report(
        name=LAST_GENERATION, title="The last generation", charts=[chart], values=values,
        message=f"Networks of the last generation: {mean}" + (f", {failed} failed." if failed else "."),
    )
