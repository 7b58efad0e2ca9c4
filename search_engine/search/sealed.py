"""The one door to a test split. The finale alone imports this module (`[tool.importlinter]`, contract "test-split")."""

from __future__ import annotations

from ..datasets.base import FinalePass, Part, Samples, Table
from ..spaces.genomes import Genome


def open_test(dataset: Samples) -> Part:
    """The test part, for a network that is finished."""
    return dataset.open_test(_new_pass())


def final_figures(table: Table, genome: Genome, string: str) -> dict[str, float]:
    """What a table says of a finalist, its test figures among it."""
    return table.final_metrics(genome, string, _new_pass())


def _new_pass() -> FinalePass:
    # Its constructor refuses everybody.
    return object.__new__(FinalePass)
