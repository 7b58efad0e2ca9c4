"""Who is credited with the fitness of an assembled network (Miikkulainen et al. 2017, section 4.1).

A blueprint's fitness is the mean over the networks assembled from it, a module's the mean over those that contain it, each network
once, at however many nodes the module stands in it. A module that was in none this time gets the mean of its species (of those of its
members that were), and so neither dies nor spreads for having been left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True)
class Assembly:
    """One network: the numbers of its blueprint, and of the module picked for each species that the blueprint names."""

    blueprint: int
    picks: Mapping[int, int]

    @property
    def modules(self) -> frozenset[int]:
        return frozenset(self.picks.values())


def blueprint_fitness(assemblies: Sequence[Assembly], values: Sequence[float]) -> dict[int, float]:
    """By blueprint: mean value of its networks.

    >>> blueprint_fitness([Assembly(7, {0: 1}), Assembly(7, {0: 2})], [0.5, 1.0])
    {7: 0.75}
    """
    return _means((assembly.blueprint, value) for assembly, value in zip(assemblies, values, strict=True))


def module_fitness(
    assemblies: Sequence[Assembly], values: Sequence[float], species: Mapping[int, Sequence[int]]
) -> dict[int, float]:
    """By module: mean value of the networks that contain it. `species`: their members, everybody once.

    >>> module_fitness([Assembly(0, {0: 1, 1: 5}), Assembly(0, {0: 2, 1: 5})], [0.5, 1.0], {0: [1, 2, 3], 1: [5]})
    {1: 0.5, 2: 1.0, 3: 0.75, 5: 0.75}
    """
    seen = _means((module, value) for assembly, value in zip(assemblies, values, strict=True) for module in sorted(assembly.modules))
    overall = fmean(values)
    found: dict[int, float] = {}
    for members in species.values():
        known = [seen[number] for number in members if number in seen]
        stand_in = fmean(known) if known else overall
        found |= {number: seen.get(number, stand_in) for number in members}
    return found


def _means(pairs: Iterable[tuple[int, float]]) -> dict[int, float]:
    collected: dict[int, list[float]] = {}
    for number, value in pairs:
        collected.setdefault(number, []).append(value)
    return {number: fmean(values) for number, values in collected.items()}
