"""What a person should know of a config before starting it: not wrong, but perhaps not what was meant. Torch-free and quick."""

from __future__ import annotations

from ..base.lazy import load_object
from .checked import space_of
from .config import CheckedRun
from .idle import said
from .recipes import warnings


def advice(checked: CheckedRun, trials: int | None = None) -> list[str]:
    """Plain sentences; none where nothing is remarkable. `trials`: how many the budget allows at most, where somebody has worked it out;
    a budget in trials says it itself.

    >>> from search_engine.catalogue.config import check
    >>> advice(check({"algorithm": "regularized_evolution", "space": "sequence", "budget": {"trials": 20}}))[0]
    'The first 25 individuals are random, the budget allows 20 trials: ...
    """
    return [*_own(checked, trials), *_one_at_a_time(checked), *said(checked), *warnings(checked)]


def _own(checked: CheckedRun, trials: int | None) -> list[str]:
    """What the algorithm says of itself."""
    space = space_of(checked) if checked.algorithm.advice else None
    if space is None:
        return []
    if trials is None and checked.budget is not None and checked.budget.trials is not None:
        trials = checked.budget.trials
    said: list[str] = load_object(checked.algorithm.advice)(checked.options, space, trials)
    return said


def _one_at_a_time(checked: CheckedRun) -> list[str]:
    """A window of one trial, where trials take time."""
    trains = "trials" in checked.algorithm.needs and checked.dataset.provides == "samples"
    if not trains or getattr(checked.options, "window", None) != 1 or getattr(checked.options, "scheduling", "steady") != "steady":
        return []
    better = f" Its own default is {checked.algorithm.window}." if checked.algorithm.window > 1 else ""
    return [f"With a window of 1 one candidate is trained at a time: this run keeps one worker busy, however many there are.{better}"]
