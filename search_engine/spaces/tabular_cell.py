"""Cells for tables: every column is a token, and the nodes of a cell relate the columns to one another.

A vector becomes a state (C, columns): a number x is x w + b, a category a row of its own table of embeddings (`DataShape.columns` says
which places of the input are a category; without it every place is a number). Cells of equal form are stacked, each reading the two before
it as DARTS' cells do; none reduces. The operations on an edge are a linear layer, a gated linear unit, a residual block, attention over
the columns, the identity and none. The mean over the columns is classified.

Genomes are those of `cell` with a normal cell alone: `{"normal": {"edges": [[source, target, operation], ...]}}`, two edges per node.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ..primitives.names import TABULAR
from .base import SpaceEntry
from .cell import CellConfig, CellSpace
from .cell_macro import Macro, Stage
from .data_shape import DataShape
from .input_kinds import require_vectors

MOST_COLUMNS = 512
"""Attention and linear maps of columns grow with the square of their number."""
_SIZES: dict[Stage, Macro] = {
    "search": Macro(2, 8, reduces=False), "trial": Macro(2, 16, reduces=False), "final": Macro(2, 16, reduces=False),
}


class TabularCellConfig(CellConfig):
    """Options of the tabular cell. 0 leaves a size to the space."""

    nodes: int = Field(
        default=3, ge=1, le=6, title="Nodes", description="Intermediate nodes of a cell, each with two incoming operations."
    )
    search_cells: int = Field(
        default=0, ge=0, le=20, title="Cells in search", description="Depth of the super-network; 0 = the space's own choice, 2."
    )
    search_channels: int = Field(
        default=0, ge=0, le=64, title="Channels in search",
        description="How many numbers stand for each column in the super-network; 0 = the space's own choice, 8.",
    )


class TabularCellSpace(CellSpace):
    """See the module's docstring.

    >>> space = TabularCellSpace(TabularCellConfig(nodes=1), DataShape((13,), 3))
    >>> space.size(), space.places
    (25, 13)
    """

    id: ClassVar[str] = "tabular_cell"
    operations: ClassVar[tuple[str, ...]] = TABULAR
    kinds: ClassVar[tuple[str, ...]] = ("normal",)
    dims: ClassVar[int] = 1

    def validate_shape(self, shape: DataShape) -> None:
        require_vectors(self.id, shape, most=MOST_COLUMNS)

    @property
    def places(self) -> int:
        return len(self.shape.widths)

    def _size(self, stage: Stage) -> Macro:
        return _SIZES[stage]


ENTRY = SpaceEntry(
    id="tabular_cell",
    title="Cells for tables",
    description="Every column of a table is a token (numbers scaled, categories embedded); a cell of linear layers, gated units, residual "
    "blocks and attention relates them.",
    source="cells as in Liu, Simonyan and Yang: DARTS, ICLR 2019; tokens, residual blocks and attention of columns as in Gorishniy et al.: "
    "Revisiting Deep Learning Models for Tabular Data, NeurIPS 2021, arXiv 2106.11959; gates as in Dauphin et al., ICML 2017",
    config=TabularCellConfig,
    space=TabularCellSpace,
    offers=TabularCellSpace.offers,
    inputs=frozenset({"vector"}),
    tasks=frozenset({"classification", "regression"}),
    supernet_options=("search_cells", "search_channels"),
    builder="search_engine.supernets.tabular_network:build",
)
