"""What an algorithm or a data set of an installed package must be to be listed and used (see `base.entry_checks`)."""

from __future__ import annotations

from ..algorithms.base import AlgorithmEntry, Phase
from ..base.entry_checks import check_entry, check_reference
from ..datasets.base import DatasetEntry
from ..spaces.base import SpaceEntry
from ..spaces.data_shape import DataShape


def check_algorithm(entry: AlgorithmEntry, spaces: dict[str, SpaceEntry]) -> None:
    """Raises TypeError or ValueError naming the field."""
    check_entry(entry)
    for field, light in (("check", True), ("advice", True), ("recipe", True), ("finisher", False)):
        path = getattr(entry, field)
        if path:
            check_reference(field, path, light=light)
    for name in entry.spaces or ():
        if name not in spaces:
            raise ValueError(f"spaces: there is no search space '{name}'")
    if entry.spaces == () or (entry.spaces is None and not any(entry.space_needs <= space.offers for space in spaces.values())):
        raise ValueError(f"space_needs: no search space offers {', '.join(sorted(entry.space_needs)) or 'anything'}")
    if not entry.budgets:
        raise ValueError("budgets: name at least one of samples, seconds, trials")
    if not 1 <= entry.domains.least <= entry.domains.most:
        raise ValueError(f"domains: {entry.domains.least} to {entry.domains.most} data sets is no range")
    options = entry.config()
    phases = entry.phases(options, entry.domains.least) if entry.domains.most > 1 else entry.phases(options)
    if not isinstance(phases, list) or not phases or not all(isinstance(phase, Phase) for phase in phases):
        raise TypeError(f"phases: it must give a list of phases, not {str(phases)[:80]!r}")


def check_dataset(entry: DatasetEntry, spaces: dict[str, SpaceEntry]) -> None:
    """Raises TypeError or ValueError naming the field."""
    check_entry(entry)
    for name in sorted(entry.spaces or ()):
        if name not in spaces:
            raise ValueError(f"spaces: it answers for the search space '{name}', which there is not")
    if entry.test_reader:
        check_reference("test_reader", f"{entry.test_reader}:read_test", light=False)
    shape = entry.shape_of(entry.config())
    if shape is not None and not isinstance(shape, DataShape):
        raise TypeError(f"shape_from: it must give a DataShape, not {str(shape)[:80]!r}")
