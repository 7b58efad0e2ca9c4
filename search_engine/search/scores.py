"""The three scores of an architecture, each with name, unit, direction, fidelity and what it was selected from (`events.Score`)."""

from __future__ import annotations

from typing import Any, Literal

from ..base.measures import measure_of, split_of, title_of
from ..base.training_config import TrainingConfig
from ..catalogue.config import CheckedRun
from ..events import Fidelity, Score
from ..spaces.base import SearchSpace
from ..spaces.genomes import Genome
from ..spaces.tasks import SCORES

OF_THE_SEARCH = "as the search left it"
FORMULA = Fidelity(text="computed by a formula; nothing is trained")


def trained(training: TrainingConfig, samples: float | None = None, *, own: bool = False) -> Fidelity:
    """Of a network that was trained from scratch. `own`: the architecture decides its own training, so epochs differ between equals.

    >>> trained(TrainingConfig(epochs=12)).text, trained(TrainingConfig(epochs=9, early_stop=2)).text
    ('trained for 12 epochs', 'trained for up to 9 epochs, the best of them kept')
    >>> trained(TrainingConfig(steps=300))
    Fidelity(text='trained for 300 steps', epochs=None, samples=None)
    """
    count, unit = (training.steps, "step") if training.steps else (training.epochs, "epoch")
    length = f"{count:,} {unit if count == 1 else unit + 's'}"
    if own:
        text = "trained as the architecture itself says"
    elif training.early_stop:
        text = f"trained for up to {length}, the best of them kept"
    else:
        text = f"trained for {length}"
    if training.train_examples and not own:
        text += f" on at most {training.train_examples:,} examples"
    return Fidelity(text=text, epochs=None if training.steps else training.epochs, samples=samples)


def looked_up(at: dict[str, Any], samples: float | None = None) -> Fidelity:
    """Of a table's answer; `at` is the fidelity that the table declares.

    >>> looked_up({"epochs": 12}).text
    'looked up: 12 epochs of the benchmark'
    """
    epochs = at.get("epochs")
    words = ", ".join(f"{value} {name}" for name, value in at.items())
    return Fidelity(
        text=f"looked up: {words} of the benchmark" if words else "looked up in the benchmark's table",
        epochs=epochs if isinstance(epochs, int) else None, samples=samples,
    )


def of_trial(training: TrainingConfig, space: SearchSpace[Any], genome: Genome, samples: float | None, folds: int = 1) -> Fidelity:
    """Of a trial that trained `genome` so; with `folds` > 1 as often, once for each fold."""
    found = trained(training, samples, own="epochs" in space.training_of(genome))
    return found if folds == 1 else found.model_copy(update={"text": f"mean of {folds} folds, each {found.text}"})


def compressed_first(fidelity: Fidelity) -> Fidelity:
    """The same of a network that was compressed before.

    >>> compressed_first(trained(TrainingConfig(epochs=2))).text
    'compressed, then trained for 2 epochs'
    """
    return fidelity.model_copy(update={"text": f"compressed, then {fidelity.text}"})


def score(
    kind: Literal["search", "validation", "test"], metric: str, value: float, fidelity: Fidelity, *, unit: str = "",
    selected_from: int = 1, data_sets: int = 1,
) -> Score:
    """`unit` is what the entry declares for a measure of its own. Raises KeyError where nobody says the unit."""
    measure = measure_of(metric, unit)
    name = title_of(metric, unit) + (f", mean of {data_sets} data sets" if data_sets > 1 else "")
    return Score(
        kind=kind, metric=metric, name=name, unit=measure.unit, direction=measure.direction, value=value, fidelity=fidelity,
        selected_from=selected_from, data_sets=data_sets,
    )


def search_score(checked: CheckedRun, value: float, fidelity: Fidelity, selected_from: int, metric: str = "") -> Score:
    """By which the search ranked an architecture; `metric` where that is another figure than the run's."""
    metric = metric or checked.metric
    return score("search", metric, value, fidelity, unit=checked.unit(metric), selected_from=selected_from)


def finished_scores(
    checked: CheckedRun, metrics: dict[str, float], fidelity: Fidelity, *, task: str, kept_best_of: int = 1, data_sets: int = 1
) -> list[Score]:
    """Validation and test score of a finished network, where they were measured: by the run's own measure if it was taken of that split,
    else by the task's. `kept_best_of`: epochs of which the best by validation was kept, which makes its validation score the best of so
    many."""
    found = []
    for kind, prefix in (("validation", "val"), ("test", "test")):
        own = checked.metric
        split = split_of(own)
        names = [f"{prefix}_{own.removeprefix(f'{split}_')}" if split else own, f"{prefix}_{SCORES[task]}"]  # type: ignore[index]
        name = next((name for name in names if name in metrics and split_of(name) == prefix), None)
        if name is not None:
            found.append(
                score(
                    kind, name, metrics[name], fidelity, unit=checked.unit(name),  # type: ignore[arg-type]
                    selected_from=kept_best_of if kind == "validation" else 1, data_sets=data_sets,
                )
            )
    return found
