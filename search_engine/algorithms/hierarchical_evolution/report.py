"""The best genome as a picture: its cell, its motifs, the flattened graph, and how often each motif is used."""

from __future__ import annotations

from collections.abc import Sequence

from search_engine.events import Motif, MotifChange, MotifsFrame
from search_engine.primitives.names import MOTIFS
from search_engine.spaces.genomes import Genome
from search_engine.spaces.hierarchical import HierarchicalSpace, Mutation

from ..base import Finalist


def change_of(mutation: Mutation, candidate: int, parent: int) -> MotifChange:
    slot = mutation.slot
    return MotifChange(
        candidate=candidate, parent=parent, level=slot.level, motif=slot.motif, source=slot.predecessor, target=slot.successor,
        old=mutation.old, new=mutation.new,
    )


def motifs_of(space: HierarchicalSpace, genome: Genome, mean_uses: Sequence[Sequence[float]]) -> list[Motif]:
    """Every motif of the genome, level 2 first; `mean_uses`: of each, level by level."""
    entries, hierarchy = space.entries_of(genome), space.hierarchy
    uses = hierarchy.uses(entries)
    return [
        Motif(
            level=number, number=motif, nodes=level.nodes, edges=space.wiring(entries, number, motif),
            uses=uses[number - 2][motif - 1], mean_uses=mean_uses[number - 2][motif - 1],
        )
        for number, level in enumerate(hierarchy.levels, start=2)
        for motif in range(1, level.motifs + 1)
    ]


def network_of(space: HierarchicalSpace, genome: Genome) -> list[tuple[str, str, str]]:
    """The edges of the flattened cell, as far as they are on a path."""
    return [
        (edge.source, edge.target, "" if edge.operation is None else MOTIFS[edge.operation]) for edge in space.flat(genome).edges
    ]


def motifs_frame(
    step: int, space: HierarchicalSpace, leader: Finalist, metric: str, mean_uses: Sequence[Sequence[float]],
    change: MotifChange | None, latest: MotifChange | None, values: dict[str, float],
) -> MotifsFrame:
    """`leader`: the best so far, whose genome is drawn."""
    assert leader.candidate is not None and leader.value is not None
    return MotifsFrame(
        step=step, candidate=leader.candidate, value=leader.value, metric=metric, motifs=motifs_of(space, leader.genome, mean_uses),
        network=network_of(space, leader.genome), change=change, latest=latest, values=values,
    )
