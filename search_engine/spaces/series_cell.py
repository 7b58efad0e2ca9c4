"""The DARTS cell space along time: cells of one-dimensional operations, for series (channels, time).

Genomes, decisions, texts and pictures are those of `cell`, so every method that searches cells of images searches these. Reduction cells
halve the time line. The operations reach further than those over images, since a series is long where an image is wide: dilated
convolutions of up to 25 moments stand beside plain, separable and pooling ones. One-dimensional convolutions are what the strong networks
for series are made of: H. Ismail Fawaz et al., "InceptionTime", Data Mining and Knowledge Discovery 34 (2020), arXiv 1909.04939.
"""

from __future__ import annotations

import math
from typing import ClassVar

from ..primitives.names import DARTS_1D
from .base import SpaceEntry
from .cell import CellConfig, CellSpace
from .cell_macro import Macro, Stage, macro_for
from .data_shape import DataShape
from .input_kinds import require_series


class SeriesCellSpace(CellSpace):
    """See the module's docstring.

    >>> space = SeriesCellSpace(CellConfig(nodes=1), DataShape((6, 100), 4))
    >>> space.macro("search"), space.operations[-1]
    (Macro(cells=3, channels=4, reduces=True), 'dil_conv_7')
    """

    id: ClassVar[str] = "cell_1d"
    operations: ClassVar[tuple[str, ...]] = DARTS_1D
    dims: ClassVar[int] = 1

    def validate_shape(self, shape: DataShape) -> None:
        # Two reductions must leave a moment.
        require_series(self.id, shape, least=4)

    def _size(self, stage: Stage) -> Macro:
        """That of an image with about as many pixels as the series has moments."""
        return macro_for(stage, math.isqrt(self.shape.input[1]))


ENTRY = SpaceEntry(
    id="cell_1d",
    title="DARTS cells along time",
    description="A normal and a reduction cell as in the space of DARTS cells, of one-dimensional operations: convolutions, separable and "
    "dilated ones, poolings. For time series.",
    source="Liu, Simonyan and Yang: DARTS, ICLR 2019, arXiv 1806.09055; operations along time as in Ismail Fawaz et al.: InceptionTime, "
    "2020, arXiv 1909.04939",
    config=CellConfig,
    space=SeriesCellSpace,
    offers=SeriesCellSpace.offers,
    inputs=frozenset({"series"}),
    tasks=frozenset({"classification", "regression"}),
    supernet_options=("search_cells", "search_channels"),
    builder="search_engine.supernets.cell_network:build",
)
