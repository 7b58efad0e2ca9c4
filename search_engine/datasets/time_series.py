"""Three sets of labelled time series of the UCR and UEA archives: as series, and as vectors (their values, or statistics of every channel).

Source: H. A. Dau et al., "The UCR time series archive", IEEE/CAA J. Autom. Sinica 6(6) (2019); A. Bagnall et al., "The UEA multivariate
time series classification archive, 2018", arXiv 1811.00075. The official test part is the test part; the run's seed divides the training
part.

The full text of the paper on AddDel (M. Popova, V. Strijov 2015) was not at hand, so its own features are not known here. Statistics of
each channel are what J. Kwapisz, G. Weiss and S. Moore, "Activity recognition using cell phone accelerometers", SIGKDD Explorations 12(2)
(2010) took of accelerometer series: mean, standard deviation, mean absolute difference from the mean, shares of values in equal bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from ..spaces.data_shape import DataShape, Preprocessing
from .base import Array, DatasetConfig, DatasetEntry
from .damage import named_damage
from .official_split import OfficialSplit
from .readers.time_series import read_class_names, read_series
from .vectors import standardising

FOLDER = "timeseries"
STATISTICS = ("mean", "deviation", "mean difference")


class SeriesConfig(DatasetConfig):
    """Of series as they are."""

    validation_share: float = Field(
        default=0.25, ge=0.05, le=0.9, title="Validation share",
        description="share of the training series that chooses the structure; the others fit the weights",
    )


class StatisticsConfig(SeriesConfig):
    """The same test series stand behind all of these options: they say only how a series is described."""

    spares_test = SeriesConfig.spares_test | {"features", "bins"}

    features: Literal["values", "statistics"] = Field(
        default="statistics", title="Features",
        description="values: every value of every channel in order of time. statistics: of each channel the mean, the standard deviation, "
        "the mean absolute difference from the mean, and the bins",
    )
    bins: int = Field(
        default=0, ge=0, le=20, title="Bins",
        description="statistics only: so many features more for each channel, the shares of its values in equal parts between its smallest "
        "and its largest value; 0 = none, 10 as Kwapisz et al. 2010",
    )

    @model_validator(mode="after")
    def _bins_are_statistics(self) -> StatisticsConfig:
        if self.bins and self.features == "values":
            raise ValueError("bins are statistics: set bins to 0, or features to statistics")
        return self


class ValuesConfig(StatisticsConfig):
    """For series that are normalised one by one: mean and deviation would say nothing of them."""

    features: Literal["values", "statistics"] = Field(
        default="values", title="Features", description=StatisticsConfig.model_fields["features"].description
    )


@dataclass(frozen=True)
class Form:
    """What the series of a set look like."""

    channels: int
    length: int
    classes: int

    def shape(self, config: SeriesConfig) -> DataShape:
        if not isinstance(config, StatisticsConfig):
            return DataShape((self.channels, self.length), self.classes)
        each = self.length if config.features == "values" else len(STATISTICS) + config.bins
        return DataShape((self.channels * each,), self.classes)


def described(series: Array, config: SeriesConfig) -> Array:
    """(n, features) float32 of series (n, channels, length), channel after channel; the series themselves where they are not described.

    >>> described(np.array([[[0.0, 0.0, 4.0, 4.0]]]), StatisticsConfig(bins=4)).tolist()
    [[2.0, 2.0, 2.0, 0.5, 0.0, 0.0, 0.5]]
    """
    if not isinstance(config, StatisticsConfig):
        return series.astype(np.float32)
    if config.features == "values":
        return series.reshape(len(series), -1).astype(np.float32)
    values = series.astype(np.float64)
    mean = values.mean(axis=2)
    columns = [mean, values.std(axis=2), np.abs(values - mean[:, :, None]).mean(axis=2)]
    if config.bins:
        least, largest = values.min(axis=2, keepdims=True), values.max(axis=2, keepdims=True)
        width = np.where(largest > least, largest - least, 1.0)
        places = np.minimum((values - least) / width * config.bins, config.bins - 1).astype(np.int64)
        columns += [(places == place).mean(axis=2) for place in range(config.bins)]
    return np.stack(columns, axis=2).reshape(len(series), -1).astype(np.float32)


def feature_names(form: Form, config: SeriesConfig) -> tuple[str, ...]:
    """What `described` gives, in order; the channel is named where there are several. Of series as they are the channels."""
    if not isinstance(config, StatisticsConfig):
        return tuple(f"channel {channel}" for channel in range(form.channels))
    if config.features == "values":
        each = [f"time {place}" for place in range(form.length)]
    else:
        each = [*STATISTICS, *(f"bin {place}" for place in range(config.bins))]
    return tuple(f"channel {channel} {name}" if form.channels > 1 else name for channel in range(form.channels) for name in each)


class TimeSeries(OfficialSplit):
    """One of the sets, from `path`."""

    def __init__(self, name: str, form: Form, config: SeriesConfig, path: Path) -> None:
        super().__init__(validation_share=config.validation_share)
        self.name, self.config = name, config
        self._form, self._path = form, path

    def shape(self) -> DataShape:
        return self._form.shape(self.config)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        with named_damage():
            names = read_class_names(self._path)
            if len(names) != self._form.classes:
                expected = f"'{self.name}' has {self._form.classes}: put the original file there"
                raise ValueError(f"{self._path} names {len(names)} classes; {expected}")
        return names

    @property
    def feature_names(self) -> tuple[str, ...]:
        return feature_names(self._form, self.config)

    def _load(self, part: Literal["train", "test"]) -> tuple[Array, Array]:
        with named_damage():
            series, classes = read_series(self._path, part)
            if series.shape[1:] != (self._form.channels, self._form.length):
                raise ValueError(
                    f"{self._path}: the series of x_{part} have {series.shape[1]} channel(s) of length {series.shape[2]}; '{self.name}' "
                    f"has {self._form.channels} of length {self._form.length}: put the original file there"
                )
            strange = sorted(set(classes.tolist()) - set(self.class_names))
            if strange:
                raise ValueError(f"{self._path}: y_{part} has the class {strange[0]!r}, of which there is no training series")
        return described(series, self.config), np.searchsorted(np.array(self.class_names), classes).astype(np.int64)

    def _preprocessing(self, inputs: Array) -> Preprocessing:
        return standardising(inputs)


AS_SERIES = "_1d"
"""What the id of a set ends in where its series are taken as they are."""


def _entries(
    name: str, file: str, title: str, about: str, form: Form, config: type[StatisticsConfig], sizes: dict[str, int]
) -> tuple[DatasetEntry, DatasetEntry]:
    """A set as vectors, and as series."""
    return (
        _entry(
            name, file, f"{title} (time series)", f"{about} As vectors: the values, or statistics of each channel.", form, config, sizes
        ),
        _entry(
            f"{name}{AS_SERIES}", file, f"{title}, as series", f"{about} As series: channels along time.", form, SeriesConfig, sizes, name
        ),
    )


def _entry(
    name: str, file: str, title: str, about: str, form: Form, config: type[SeriesConfig], sizes: dict[str, int], vectors: str = ""
) -> DatasetEntry:
    return DatasetEntry(
        id=name,
        title=title,
        description=f"{about} The file holds numpy arrays x_train, y_train, x_test and y_test, as the package aeon loads the set.",
        source="https://www.timeseriesclassification.com (UCR and UEA archives), through the Python package aeon",
        licence="none given by the archives, which are free to use with a citation; aeon, which ships the set: BSD-3-Clause",
        provides="samples",
        config=config,
        open=lambda options, data_dir: TimeSeries(name, form, options, data_dir / FOLDER / file),
        input_kind=form.shape(config()).kind,
        shape=form.shape(config()),
        same_test_as=vectors,
        shape_from=form.shape,
        files=(f"{FOLDER}/{file}",),
        sizes=sizes,
    )


ENTRY = (
    *_entries(
        "italy_power_demand", "ItalyPowerDemand.npz", "Italy's power demand",
        "1,096 days of 24 hourly values: October to March, or April to September?", Form(1, 24, 2), ValuesConfig,
        {"train and validation": 67, "test": 1029},
    ),
    *_entries(
        "basic_motions", "BasicMotions.npz", "Basic motions",
        "80 series of a watch's accelerometer and gyroscope, six channels of 100 values: badminton, running, standing or walking?",
        Form(6, 100, 4), StatisticsConfig, {"train and validation": 40, "test": 40},
    ),
    *_entries(
        "japanese_vowels", "JapaneseVowels.npz", "Japanese vowels",
        "640 spoken vowels, twelve coefficients at 25 moments (all brought to one length): which of nine speakers?", Form(12, 25, 9),
        StatisticsConfig, {"train and validation": 270, "test": 370},
    ),
)
