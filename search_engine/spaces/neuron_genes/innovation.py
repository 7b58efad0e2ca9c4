"""Historical markings of neuron graphs: as `genes.innovations`, but direct edges have their numbers by formula (see `genes`)."""

from __future__ import annotations

from collections.abc import Iterable

from ..genes.innovations import Innovations
from .genes import Genes


class InnovationTable(Innovations):
    """Numbers for nodes and edges of neuron graphs with so many inputs and outputs."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(fixed=inputs + 1 + outputs, first_innovation=(inputs + 1) * outputs)

    def edge(self, genes: Genes, source: int, target: int) -> int:
        """The innovation number of the edge source -> target."""
        if source <= genes.inputs and target < genes.first_hidden:
            return genes.direct_number(source, target)
        return self.connection(source, target)

    def node(self, genes: Genes, innovation: int) -> int:
        """The node that splits edge `innovation` in this genome."""
        return self.split(innovation, set(genes.nodes.tolist()))

    def forget(self, living: Iterable[Genes]) -> None:
        """Drop inventions that no living genome carries."""
        self.keep({node for genes in living for node in genes.nodes.tolist()})
