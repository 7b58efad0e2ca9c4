"""The networks of a search by morphisms and how they came of each other: what is drawn, and whose weights must be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from search_engine.base.growing import GrowingDict
from search_engine.events import GraphData, GraphEdge, GraphNode, Morphed, MorphismsFrame
from search_engine.spaces.growing_convnet.morphs import Morph, describe
from search_engine.spaces.growing_convnet.network import IMAGE, Network

MOST_DRAWN = 300
"""Networks of one picture: of more, the ancestors of the current one and the newest."""


@dataclass(frozen=True)
class Grown:
    """A network that was asked: what it grew from, by what, and how large it is."""

    number: int
    parent: int | None
    step: int
    morphs: tuple[str, ...]
    parameters: int
    megaflops: float

    @classmethod
    def of(cls, number: int, parent: int | None, step: int, morphs: Sequence[Morph], network: Network) -> Grown:
        size = network.size
        return cls(number, parent, step, tuple(describe(morph) for morph in morphs), size.parameters, size.flops / 1e6)

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Grown:
        return cls(**{**tree, "morphs": tuple(tree["morphs"])})


@dataclass(frozen=True)
class Told:
    """What became of it. `grown`: its value right after the morphs; both None where it failed."""

    value: float | None
    grown: float | None


class Lineage:
    """All networks so far, by candidate."""

    def __init__(self) -> None:
        self.asked: GrowingDict[int, Grown] = GrowingDict(asdict, Grown.from_tree)
        self.told: GrowingDict[int, Told] = GrowingDict(asdict, lambda tree: Told(**tree))
        self.chosen: list[int] = []
        """From which the search went on, in order."""

    def change(self, number: int) -> float | None:
        """By how much the morphs alone changed the value; 0 if they preserve the function."""
        told, parent = self.told.get(number), self.asked[number].parent
        before = self.told.get(parent) if parent is not None else None
        if told is None or told.grown is None or before is None or before.value is None:
            return None
        return told.grown - before.value

    def frame(self, step: int, metric: str, values: dict[str, float]) -> MorphismsFrame:
        current = self.chosen[-1] if self.chosen else None
        return MorphismsFrame(step=step, metric=metric, current=current, networks=[self._drawn(at) for at in self._shown()], values=values)

    def _shown(self) -> list[int]:
        numbers = list(self.asked)
        if len(numbers) <= MOST_DRAWN:
            return numbers
        kept: set[int] = set()
        for number in [*reversed(self.chosen), *reversed(numbers)]:
            way = self._ancestors(number) - kept
            if len(kept) + len(way) <= MOST_DRAWN:
                kept |= way
        return sorted(kept)

    def _ancestors(self, number: int) -> set[int]:
        found: set[int] = set()
        at: int | None = number
        while at is not None:
            found.add(at)
            at = self.asked[at].parent
        return found

    def _drawn(self, number: int) -> Morphed:
        asked, told = self.asked[number], self.told.get(number)
        parent = self.told.get(asked.parent) if asked.parent is not None else None
        state = "open" if told is None else "failed" if told.value is None else "trained"
        return Morphed(
            candidate=number, parent=asked.parent, step=asked.step, morphs=list(asked.morphs), parameters=asked.parameters,
            megaflops=asked.megaflops, state=state, before=None if parent is None else parent.value,
            grown=None if told is None else told.grown, value=None if told is None else told.value, chosen=number in self.chosen,
        )

    def state_dict(self) -> dict[str, Any]:
        return {"asked": self.asked.state_dict(), "told": self.told.state_dict(), "chosen": list(self.chosen)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.asked.load_state_dict(state["asked"])
        self.told.load_state_dict(state["told"])
        self.chosen = list(state["chosen"])


def drawn(network: Network) -> GraphData:
    """The network as a graph of labelled nodes, which keep their names while it grows."""
    last = network.output.id
    nodes = [GraphNode(id=str(IMAGE), label="image", kind="input")]
    for node in network.nodes:
        attributes = {"shape": network.flows[node.id].text}
        nodes.append(GraphNode(id=str(node.id), label=node.label, kind="output" if node.id == last else "hidden", attributes=attributes))
    edges = [GraphEdge(source=str(source), target=str(node.id), key="edge") for node in network.nodes for source in node.inputs]
    return GraphData(nodes=nodes, edges=edges)


@dataclass(frozen=True)
class Difference:
    """What a network has that an earlier one had not, as a champion says it."""

    added_nodes: list[str]
    added_edges: list[tuple[str, str]]
    removed_edges: list[tuple[str, str]]
    changed_nodes: list[str]
    """Layers that became wider."""

    @classmethod
    def between(cls, old: Network | None, new: Network) -> Difference:
        if old is None:
            return cls([], [], [], [])
        before, after = _edges(old), _edges(new)
        both = [(node, old.by_id[node.id]) for node in new.nodes if node.id in old.by_id]
        changed = [str(node.id) for node, before in both if replace(node, inputs=before.inputs) != before]
        return cls(
            [str(node.id) for node in new.nodes if node.id not in old.by_id], sorted(after - before), sorted(before - after), changed
        )


def _edges(network: Network) -> set[tuple[str, str]]:
    return {(str(source), str(node.id)) for node in network.nodes for source in node.inputs}
