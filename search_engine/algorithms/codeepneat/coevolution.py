"""The two populations and the champion as a picture: its blueprint with the species of modules, the network that it became, and what each
species was over the generations: how large, in how many networks, and with which credit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from search_engine.events import CoevolutionFrame, SpeciesRow, SpeciesTable, encode_floats
from search_engine.spaces.blueprint.space import BlueprintSpace
from search_engine.spaces.genes.graph import GeneGraph

from ..base import Finalist
from ..neat.population import Population
from ..thinned import Thinned
from .credit import Assembly

MOST_GENERATIONS = 60
"""So many are kept for the picture, at equal distances."""
MOST_SPECIES = 24
"""Rows of a population: the living, then the most recently extinct."""

Moment = list[list[list[float]]]
"""Of modules and of blueprints, each: [species, members, networks that used it, mean credit] for every living species."""


class Coevolution:
    """What is kept for the picture."""

    def __init__(self) -> None:
        self.record: Thinned[Moment] = Thinned(MOST_GENERATIONS)
        self.candidate = -1
        """The champion's number; -1 before there is any."""
        self.species: dict[str, int] = {}
        """By node of its blueprint (JSON wants text) the species of modules that the node named when the network was assembled."""
        self.latest: Moment = [[], []]

    def add(
        self, generation: int, modules: Population, blueprints: Population, assemblies: Sequence[Assembly],
        credits: tuple[Mapping[int, float], Mapping[int, float]],
    ) -> None:
        """A generation as it was evaluated; `credits` of modules and of blueprints, by individual."""
        of_module = {one.number: one.species for one in modules.individuals}
        of_blueprint = {one.number: one.species for one in blueprints.individuals}
        used_modules = _counted({of_module[number] for number in built.modules} for built in assemblies)
        used_blueprints = _counted({of_blueprint[built.blueprint]} for built in assemblies)
        self.latest = [
            _moment(population, used, credit)
            for population, used, credit in zip((modules, blueprints), (used_modules, used_blueprints), credits, strict=True)
        ]
        self.record.add(generation, self.latest)

    def crown(self, candidate: int, blueprint: GeneGraph) -> None:
        """A new best network, assembled from this blueprint."""
        self.candidate = candidate
        self.species = {str(node): blueprint.allele[node]["species"] for node in blueprint.live}

    def frame(
        self, step: int, generation: int, space: BlueprintSpace, champion: Finalist, metric: str, values: dict[str, float]
    ) -> CoevolutionFrame:
        """`generation`: the newest that was added."""
        assert champion.candidate is not None and champion.value is not None
        shown = self.record.with_newest(generation, self.latest)
        drawings = space.drawings(champion.genome)
        modules, blueprints = (_table(shown, place) for place in (0, 1))
        return CoevolutionFrame(
            step=step, candidate=champion.candidate, value=champion.value, metric=metric, blueprint=drawings["blueprint"],
            network=drawings["network"], species=self.species if champion.candidate == self.candidate else {},
            generations=[number for number, _ in shown], modules=modules, blueprints=blueprints, values=values,
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "record": self.record.state_dict(), "candidate": self.candidate, "species": dict(self.species), "latest": self.latest,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.record.load_state_dict(state["record"])
        self.candidate, self.species, self.latest = state["candidate"], dict(state["species"]), state["latest"]


def _counted(groups: Iterable[set[int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for group in groups:
        for number in group:
            found[number] = found.get(number, 0) + 1
    return found


def _moment(population: Population, used: Mapping[int, int], credit: Mapping[int, float]) -> list[list[float]]:
    rows: list[list[float]] = []
    for species in population.species:
        members = population.members(species.number)
        rows.append([species.number, len(members), used.get(species.number, 0), fmean(credit[one.number] for one in members)])
    return rows


def _table(shown: Sequence[tuple[int, Moment]], place: int) -> SpeciesTable:
    """One population's rows; a species that does not live in a generation has 0 members and no credit there."""
    by_generation = [{int(row[0]): row[1:] for row in moment[place]} for _, moment in shown]
    last = {number: at for at, rows in enumerate(by_generation) for number in rows}
    order = sorted(last, key=lambda number: (-last[number], number))
    newest = len(by_generation) - 1

    def column(number: int, which: int, missing: float) -> str:
        return encode_floats([rows[number][which] if number in rows else missing for rows in by_generation])

    rows = [
        SpeciesRow(
            number=number, living=last[number] == newest, members=column(number, 0, 0.0), used=column(number, 1, 0.0),
            credit=column(number, 2, float("nan")),
        )
        for number in sorted(order[:MOST_SPECIES])
    ]
    others = order[MOST_SPECIES:]
    of_others = [sum(at[number][0] for number in others if number in at) for at in by_generation]
    return SpeciesTable(species=rows, others=len(others), members_of_others=encode_floats(of_others))
