"""What a figure by which architectures are judged is called, its unit, and which way is better.

A name is a split's prefix (`val_`, `test_`, `train_`) and a measure: `val_accuracy`, `test_r2`, `log_evidence`. An entry whose measure is
not in the table declares its unit (`metric_unit`), so that no number is shown without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["maximise", "minimise"]

SPLITS = {"val": "validation", "test": "test", "train": "training"}
"""Prefix of a name -> the split in words."""


@dataclass(frozen=True)
class Measure:
    """`name` in words, without the split."""

    name: str
    unit: str
    direction: Direction = "maximise"


MEASURES = {
    "accuracy": Measure("accuracy", "share of examples"),
    "balanced_accuracy": Measure("balanced accuracy", "mean share over classes"),
    "macro_f1": Measure("macro F1", "mean over classes"),
    "r2": Measure("R²", "share of variance"),
    "elbo": Measure("ELBO", "nats per example"),
    "log_likelihood": Measure("log likelihood", "nats per example"),
    "log_density": Measure("log density", "nats per example"),
    "log_evidence": Measure("log evidence", "nats"),
    "reward": Measure("reward", "points"),
    "loss": Measure("loss", "nats, or squared error", "minimise"),
    "auc": Measure("AUC", "probability"),
    "log_loss": Measure("log loss", "nats per example", "minimise"),
    "neg_log_loss": Measure("minus log loss", "nats per example"),
    "rmse": Measure("RMSE", "units of the target", "minimise"),
    "neg_rmse": Measure("minus RMSE", "units of the target"),
    "mae": Measure("MAE", "units of the target", "minimise"),
    "neg_mae": Measure("minus MAE", "units of the target"),
}


def split_of(metric: str) -> str | None:
    """The prefix of the split that a figure is of, or None.

    >>> split_of("val_accuracy"), split_of("log_evidence")
    ('val', None)
    """
    prefix = metric.partition("_")[0]
    return prefix if prefix in SPLITS and "_" in metric else None


def of_fold(metric: str, fold: int) -> str:
    """What a figure of one fold of a cross-validation is called; `fold` counts from 0.

    >>> of_fold("val_accuracy", 0)
    'val_accuracy_fold_1'
    """
    return f"{metric}_fold_{fold + 1}"


def over_folds_sd(metric: str) -> str:
    """What the sample standard deviation of a figure over the folds is called.

    >>> over_folds_sd("val_accuracy")
    'val_accuracy_sd'
    """
    return f"{metric}_sd"


def of_seed(metric: str, place: int) -> str:
    """What a figure of one of several trainings from different seeds is called; `place` counts from 0.

    >>> of_seed("test_accuracy", 0)
    'test_accuracy_seed_1'
    """
    return f"{metric}_seed_{place + 1}"


def over_seeds_mean(metric: str) -> str:
    """What the mean of a figure over trainings from different seeds is called.

    >>> over_seeds_mean("test_accuracy")
    'test_accuracy_seeds_mean'
    """
    return f"{metric}_seeds_mean"


def over_seeds_se(metric: str) -> str:
    """What the standard error of that mean is called.

    >>> over_seeds_se("test_accuracy")
    'test_accuracy_seeds_se'
    """
    return f"{metric}_seeds_se"


def measure_of(metric: str, unit: str = "") -> Measure:
    """The measure of a figure; `unit` is what an entry declares for one of its own. Raises KeyError where nobody says the unit.

    >>> measure_of("val_elbo").unit, measure_of("mood", unit="smiles").unit
    ('nats per example', 'smiles')
    >>> measure_of("mood")
    Traceback (most recent call last):
    KeyError: "nobody says in which unit 'mood' is: declare metric_unit, or use one of accuracy, balanced_accuracy, macro_f1, r2, elbo, ..."
    """
    split = split_of(metric)
    bare = metric.removeprefix(f"{split}_") if split else metric
    known = MEASURES.get(bare)
    if unit:
        return Measure(known.name if known else bare.replace("_", " "), unit, known.direction if known else "maximise")
    if known is None:
        some = ", ".join(list(MEASURES)[:5])
        raise KeyError(f"nobody says in which unit '{metric}' is: declare metric_unit, or use one of {some}, ...")
    return known


def check_unit(owner: str, metric: str, unit: str) -> None:
    """Raises ValueError where an entry ranks by a figure whose unit nobody says."""
    try:
        if metric:
            measure_of(metric, unit)
    except KeyError as error:
        raise ValueError(f"{owner}: {error.args[0]}") from None


def title_of(metric: str, unit: str = "") -> str:
    """The figure in words.

    >>> title_of("val_accuracy"), title_of("test_r2"), title_of("log_evidence")
    ('validation accuracy', 'test R²', 'log evidence')
    """
    split = split_of(metric)
    return f"{SPLITS[split]} {measure_of(metric, unit).name}" if split else measure_of(metric, unit).name
