"""What a person should know of a config before starting it: not wrong, but perhaps not what was meant. Torch-free and quick."""

from __future__ import annotations

from ..base.lazy import load_object
from .config import CheckedRun


def advice(checked: CheckedRun, trials: int | None = None) -> list[str]:
    """Plain sentences; none where nothing is remarkable. `trials`: how many the budget allows at most, where somebody has worked it out;
    a budget in trials says it itself.

    >>> from search_engine.catalogue.config import check
    >>> advice(check({"algorithm": "regularized_evolution", "space": "sequence", "budget": {"trials": 20}}))[0]
    'The first 25 individuals are random, the budget allows 20 trials: ...
    """
    if not checked.algorithm.advice:
        return []
    shapes = [entry.shape_of(options) for entry, options in zip(checked.datasets, checked.dataset_options, strict=True)]
    known = tuple(shape for shape in shapes if shape is not None)
    if len(known) < len(shapes):
        return []
    if trials is None and checked.budget is not None and checked.budget.trials is not None:
        trials = checked.budget.trials
    space = checked.space.space(checked.space_options, known[0], known)
    said: list[str] = load_object(checked.algorithm.advice)(checked.options, space, trials)
    return said
