"""The macro space along time: a chain of one-dimensional layers with skip connections, for series (channels, time).

Genomes, decisions and texts are those of `macro` with other operations; the reductions halve the time line.
"""

from __future__ import annotations

import math
from typing import ClassVar

from ..primitives.names import MACRO_1D
from .base import SpaceEntry
from .data_shape import DataShape
from .input_kinds import require_series
from .macro import MacroConfig, MacroSpace


class SeriesMacroSpace(MacroSpace):
    """See the module's docstring."""

    id: ClassVar[str] = "macro_1d"
    operations: ClassVar[tuple[str, ...]] = MACRO_1D
    dims: ClassVar[int] = 1

    def validate_shape(self, shape: DataShape) -> None:
        # Two reductions must leave a moment.
        require_series(self.id, shape, least=4)

    @property
    def _side(self) -> int:
        """That of an image with about as many pixels as the series has moments."""
        return math.isqrt(self.shape.input[1])


ENTRY = SpaceEntry(
    id="macro_1d",
    title="Layered network with skips, along time",
    description="A chain of layers for time series: each chooses one of seven one-dimensional operations, one of them of long reach, and "
    "from which earlier layers it also reads. The time line is halved twice.",
    source="Pham et al.: Efficient Neural Architecture Search via Parameter Sharing. ICML 2018, arXiv 1802.03268, section 2.3, along time",
    config=MacroConfig,
    space=SeriesMacroSpace,
    offers=SeriesMacroSpace.offers,
    inputs=frozenset({"series"}),
    tasks=frozenset({"classification", "regression"}),
    idle={"layers": "the depth of a network is its genome's"},
    supernet_options=("search_channels",),
    builder="search_engine.supernets.macro_network:build",
)
