"""What a person should know of a config before starting it: not wrong, but perhaps not what was meant. Torch-free and quick."""

from __future__ import annotations

from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from .checked import space_of
from .config import CheckedRun
from .few_examples import OF_A_TRIAL, OF_THE_FINALE, long_enough
from .idle import said
from .recipes import HOUSE, warnings


def advice(checked: CheckedRun, trials: int | None = None) -> list[str]:
    """Plain sentences; none where nothing is remarkable. `trials`: how many the budget allows at most, where somebody has worked it out;
    a budget in trials says it itself.

    >>> from search_engine.catalogue.config import check
    >>> advice(check({"algorithm": "regularized_evolution", "space": "sequence", "budget": {"trials": 20}}))[0]
    'The first 25 individuals are random, the budget allows 20 trials: ...
    """
    return [*_own(checked, trials), *_one_at_a_time(checked), *_few_examples(checked), *said(checked), *warnings(checked)]


def _own(checked: CheckedRun, trials: int | None) -> list[str]:
    """What the algorithm says of itself."""
    space = space_of(checked) if checked.algorithm.advice else None
    if space is None:
        return []
    if trials is None and checked.budget is not None and checked.budget.trials is not None:
        trials = checked.budget.trials
    said: list[str] = load_object(checked.algorithm.advice)(checked.options, space, trials)
    return said


def _few_examples(checked: CheckedRun) -> list[str]:
    """How long is trained, where that was made longer than usual.

    >>> from search_engine.catalogue.config import check_new
    >>> _few_examples(check_new({"algorithm": "random", "space": "macro_1d", "datasets": ["basic_motions_1d"], "budget": {"trials": 5}}))
    ['The data set has few examples, so that an epoch has few steps: a trial trains for 50 epochs, the finale for 200.']
    """
    found = []
    usual, trials = TrainingConfig(), checked.config.training
    own = long_enough(checked, usual, OF_A_TRIAL).epochs
    if "trials" in checked.algorithm.needs and not trials.steps and usual.epochs < own == trials.epochs:
        found.append(f"a trial trains for {own:,} epochs")
    own = long_enough(checked, HOUSE, OF_THE_FINALE).epochs
    if checked.finishes and not checked.finale_training.steps and HOUSE.epochs < own == checked.finale_training.epochs:
        found.append(f"the finale for {own:,}" if found else f"the finale trains for {own:,} epochs")
    return [f"The data set has few examples, so that an epoch has few steps: {', '.join(found)}."] if found else []


def _one_at_a_time(checked: CheckedRun) -> list[str]:
    """A window of one trial, where trials take time."""
    trains = "trials" in checked.algorithm.needs and checked.dataset.provides == "samples"
    if not trains or getattr(checked.options, "window", None) != 1 or getattr(checked.options, "scheduling", "steady") != "steady":
        return []
    better = f" Its own default is {checked.algorithm.window}." if checked.algorithm.window > 1 else ""
    return [f"With a window of 1 one candidate is trained at a time: this run keeps one worker busy, however many there are.{better}"]
