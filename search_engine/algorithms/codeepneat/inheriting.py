"""What of their compression networks leave to their modules (Nikulenkov 2022, section 3.5, Algorithm 2 `applyModuleOptimization`).

A module may stand in several networks and several times in one, and is shrunk otherwise in each. The fittest network that uses it decides;
inside one network the copy that costs most. Modules that no network of this generation uses stay as they are.

    marked = {}
    for network in networks, the fittest first:
        for each module it uses that is not marked: the module becomes its most costly copy in this network
        marked |= the modules of this network

Taking the most costly copy of all networks would let the least fit decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

StateT = TypeVar("StateT")
Copies = Mapping[int, Sequence[tuple[float, StateT]]]
"""Of one network, by module: (cost, state) of each of its copies."""


def inherited(networks: Sequence[tuple[float, Copies[StateT]]]) -> dict[int, StateT]:
    """By module, what it becomes; of (fitness, copies) of each network. Of equally fit networks the earlier decides, of equally costly
    copies the first.

    >>> inherited([(0.8, {3: [(9.0, "small")]}), (0.1, {3: [(99.0, "large")]})])
    {3: 'small'}
    """
    found: dict[int, StateT] = {}
    for _, copies in sorted(networks, key=lambda network: -network[0]):
        for module, states in copies.items():
            if module not in found:
                found[module] = max(states, key=lambda state: state[0])[1]
    return found
