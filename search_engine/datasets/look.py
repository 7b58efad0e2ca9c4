"""What there is to see of a data set: a few of its examples, how its values and its classes are spread. Of the training and the validation
part alone: nobody looks at the test part before a network is finished."""

from __future__ import annotations

import base64
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..base.errors import BadInput
from .base import Array, DatasetEntry, SearchData
from .base import Samples as SampleSet
from .own.findings import Sample
from .review import review

RULE = 1
"""Rises where an equal data set would give another answer."""
SAMPLES = 24
FEATURES = 200
"""So many features are told one by one, the others counted."""
POINTS = 200
"""Of a series, at most."""
BINS = 10
"""Of a regression's targets."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LookShare(_Form):
    """A class, or a range of a regression's targets, and how often it stands in each part."""

    name: str
    train: int
    validation: int


class Feature(_Form):
    """Values of a feature of a vector, or of a channel of pictures or series, in the training part, as they are stored."""

    name: str
    mean: float
    std: float
    least: float
    largest: float


class Look(_Form):
    """All of it."""

    kind: Literal["vector", "image", "series"]
    task: str
    shape: list[int]
    train: int
    validation: int
    balance: list[LookShare]
    samples: list[Sample]
    features: list[Feature]
    features_left: int
    """How many more there are."""
    notices: list[str]


def look(entry: DatasetEntry, data_dir: Path) -> Look:
    """Of the set with its default options and seed 0. Raises BadInput (field "dataset") where it has no examples, MissingData where its
    files are not here.

    >>> from search_engine.datasets.digits import ENTRY
    >>> seen = look(ENTRY, Path("unused"))
    >>> seen.kind, seen.shape, seen.train, len(seen.samples), seen.samples[0].label, seen.balance[0].name, seen.features[0].largest
    ('image', [1, 8, 8], 1011, 24, '0', '0', 16.0)
    """
    opened = entry.open(entry.config(), data_dir)
    if not isinstance(opened, SampleSet):
        raise BadInput("dataset", f"'{entry.id}' has no examples to look at: nothing is trained on it", code="no_samples")
    data = opened.search_data(seed=0)
    kinds: dict[int, Literal["vector", "image", "series"]] = {1: "vector", 2: "series", 3: "image"}
    features = _features(data)
    return Look(
        kind=kinds[len(data.shape.input)], task=data.shape.task, shape=list(data.shape.input), train=len(data.train),
        validation=len(data.validation), balance=_balance(data), samples=[_sample(data, place) for place in _chosen(data)],
        features=features[:FEATURES], features_left=max(0, len(features) - FEATURES), notices=review(data),
    )  # fmt: skip


def _is_classes(data: SearchData) -> bool:
    return data.train.labels.ndim == 1 and data.train.labels.dtype.kind in "iu"


def _chosen(data: SearchData) -> list[int]:
    """Places in the training part: of every class in turn the first that was not taken yet, so that rare ones are seen too."""
    if not _is_classes(data):
        return list(range(min(SAMPLES, len(data.train))))
    first = [np.flatnonzero(data.train.labels == label)[:SAMPLES].tolist() for label in np.unique(data.train.labels)]
    turns = [places[turn] for turn in range(SAMPLES) for places in first if turn < len(places)]
    return turns[:SAMPLES]


def _name(data: SearchData, label: int) -> str:
    return data.class_names[label] if label < len(data.class_names) else str(label)


def _sample(data: SearchData, place: int) -> Sample:
    values = data.train.inputs[place]
    labels = np.atleast_1d(data.train.labels[place])
    label = _name(data, int(labels[0])) if _is_classes(data) else ", ".join(f"{float(value):.4g}" for value in labels[:4])
    if values.ndim == 3:
        return Sample(label=label, part="search", picture=base64.b64encode(png(_bytes(values, data))).decode())
    if values.ndim == 2:
        step = -(-values.shape[1] // POINTS)
        return Sample(label=label, part="search", series=[[float(f"{value:.5g}") for value in channel[::step]] for channel in values])
    return Sample(label=label, part="search", row=[f"{float(value):.6g}" for value in values[:FEATURES]])


def _bytes(values: Array, data: SearchData) -> Array:
    """(channels, height, width) of raw values -> (height, width, 1 or 3) uint8."""
    scaled = np.asarray(values, dtype=np.float64) / (data.preprocessing.scale or 1.0)
    least, largest = scaled.min(), scaled.max()
    if least < 0 or largest > 1:
        # Values without a scale of their own: from the picture's darkest to its lightest.
        scaled = (scaled - least) / (largest - least)
    shown = scaled if len(scaled) == 3 else scaled[:1]
    return np.ascontiguousarray(np.round(255 * shown).astype(np.uint8).transpose(1, 2, 0))


def png(pixels: Array) -> bytes:
    """A PNG file of (height, width, channels) uint8 with 1 (grey) or 3 channels (W3C PNG, second edition, sections 11.2 and 9.2).

    >>> png(np.zeros((2, 3, 1), dtype=np.uint8))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    height, width, channels = pixels.shape

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _features(data: SearchData) -> list[Feature]:
    inputs = data.train.inputs
    if inputs.ndim == 2:
        names = data.feature_names or tuple(f"feature {number + 1}" for number in range(inputs.shape[1]))
        columns = [inputs[:, place] for place in range(inputs.shape[1])]
    else:
        names = tuple(f"channel {number + 1}" for number in range(inputs.shape[1]))
        columns = [inputs[:, place].reshape(-1) for place in range(inputs.shape[1])]
    return [_feature(name, values) for name, values in zip(names, columns, strict=True)]


def _feature(name: str, values: Array) -> Feature:
    exact = values.astype(np.float64)
    figures = (float(exact.mean()), float(exact.std()), float(exact.min()), float(exact.max()))
    mean, std, least, largest = (float(f"{figure:.6g}") for figure in figures)
    return Feature(name=name, mean=mean, std=std, least=least, largest=largest)


def _balance(data: SearchData) -> list[LookShare]:
    train, validation = data.train.labels, data.validation.labels
    if _is_classes(data):
        count = max(len(data.class_names), int(train.max(initial=-1)) + 1)
        shares = zip(np.bincount(train, minlength=count), np.bincount(validation, minlength=count), strict=True)
        return [LookShare(name=_name(data, label), train=int(a), validation=int(b)) for label, (a, b) in enumerate(shares)]
    if train.ndim > 1 and train.shape[1] != 1:
        return []
    train, validation = train.reshape(-1).astype(np.float64), validation.reshape(-1).astype(np.float64)
    edges = np.histogram_bin_edges(np.concatenate([train, validation]), BINS)
    found = zip(np.histogram(train, edges)[0], np.histogram(validation, edges)[0], strict=True)
    names = [f"{least:.4g} to {largest:.4g}" for least, largest in pairwise(edges)]
    return [LookShare(name=name, train=int(a), validation=int(b)) for name, (a, b) in zip(names, found, strict=True)]
