"""What a person should know of data before believing a score on them: unequal classes, inputs that say nothing, examples that repeat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .base import Array, Part, SearchData

IMBALANCE = 3.0
"""A class with so many times the examples of another makes an accuracy mean something else than people think."""
NAMED = 5
"""So many features or classes are named, the others counted."""


def percent(share: float) -> str:
    """A share in words.

    >>> percent(0.98), percent(0.003)
    ('98 %', '0.3 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.0095 else f"{100 * share:.1g} %"


def review(data: SearchData) -> list[str]:
    """Plain sentences about the training and the validation part; none where there is nothing to say.

    >>> from search_engine.datasets.digits import Digits, DigitsConfig
    >>> review(Digits(DigitsConfig()).search_data(seed=0))
    []
    """
    found = [*_constant(data), *_repeated(data)]
    if data.shape.task == "classification":
        found += _classes(data)
    return found


def overlap(data: SearchData, test: Part) -> list[str]:
    """Whether test examples stand in the training or in the validation part as well. For the finale, which alone has the test part."""
    seen = {"training": _keys(data.train.inputs), "validation": _keys(data.validation.inputs)}
    own = _keys(test.inputs)
    found = []
    for name, keys in seen.items():
        known = set(keys)
        shared = sum(key in known for key in own)
        if shared:
            found.append(
                f"{_count(shared, 'example')} of the {len(own):,} in the test part ({percent(shared / len(own))}) "
                f"{'stands' if shared == 1 else 'stand'} in the {name} part too: on them the test says little."
            )
    return found


def _constant(data: SearchData) -> list[str]:
    inputs = data.train.inputs
    if (inputs == inputs[:1]).all():
        return ["Every training input is the same: nothing can be learnt from the inputs."]
    if len(data.shape.input) == 1:
        still = np.flatnonzero((inputs == inputs[:1]).all(axis=0))
        if len(still):
            names = data.feature_names or tuple(str(number) for number in range(inputs.shape[1]))
            shown = ", ".join(names[place] for place in still[:NAMED]) + (f" and {len(still) - NAMED} more" if len(still) > NAMED else "")
            return [f"{_count(len(still), 'feature')} never {'changes' if len(still) == 1 else 'change'} in the training part: {shown}."]
        return []
    channels = inputs.reshape(len(inputs), inputs.shape[1], -1)
    still = np.flatnonzero((channels == channels[:1, :, :1]).all(axis=(0, 2)))
    if len(still):
        what = "series" if inputs.ndim == 3 else "images"
        return [f"{_count(len(still), 'channel')} of the {what} never {'changes' if len(still) == 1 else 'change'} in the training part."]
    return []


def _repeated(data: SearchData) -> list[str]:
    train, validation = _keys(data.train.inputs), _keys(data.validation.inputs)
    counted = Counter(train)
    repeats = len(train) - len(counted)
    found = []
    if repeats:
        verb = "repeats" if repeats == 1 else "repeat"
        sentence = f"{_count(repeats, 'training example')} of {len(train):,} {verb} the inputs of another"
        differing = _contradictions(train, data.train.labels) if data.shape.task == "classification" else 0
        found.append(sentence + (f", {differing:,} of them with another class." if differing else "."))
    shared = sum(key in counted for key in validation)
    if shared:
        found.append(
            f"{_count(shared, 'validation example')} of {len(validation):,} ({percent(shared / len(validation))}) "
            f"{'stands' if shared == 1 else 'stand'} in the training part too: there a validation score rewards learning by heart."
        )
    return found


def _contradictions(keys: Sequence[bytes], labels: Array) -> int:
    """Repeats whose label is not that of the first example with these inputs."""
    first: dict[bytes, int] = {}
    return sum(first.setdefault(key, label) != label for key, label in zip(keys, labels.tolist(), strict=True))


def _classes(data: SearchData) -> list[str]:
    labels = np.concatenate([data.train.labels, data.validation.labels])
    counts = np.bincount(labels, minlength=len(data.class_names))
    absent = [data.class_names[place] for place in np.flatnonzero(counts == 0)]
    found = []
    if absent:
        names = ", ".join(f"'{name}'" for name in absent[:NAMED]) + (f" and {len(absent) - NAMED} more" if len(absent) > NAMED else "")
        found.append(f"There is no example of {_count(len(absent), 'class', 'classes')} of {len(counts)}: {names}.")
    largest, smallest = int(counts.argmax()), int(np.where(counts > 0, counts, counts.max() + 1).argmin())
    if counts[largest] >= IMBALANCE * counts[smallest]:
        most, least, share = data.class_names[largest], data.class_names[smallest], counts[largest] / counts.sum()
        found.append(
            f"The classes are unequal: {percent(share)} of the examples are '{most}', {percent(counts[smallest] / counts.sum())} are "
            f"'{least}'. Always answering '{most}' has an accuracy of {share:.2f}; read balanced accuracy and the recall of each class."
        )
    return found


def _keys(inputs: Array) -> list[bytes]:
    """One key for each example, equal where its inputs are."""
    rows = np.ascontiguousarray(inputs).reshape(len(inputs), math.prod(inputs.shape[1:]))
    return [row.tobytes() for row in rows]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
