"""Training and validation part as one: what a network is trained on when nothing is to be chosen by validation any more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .base import Part, SearchData


def both_parts(data: SearchData) -> SearchData:
    """The same data with the validation part behind the training part, and none left to validate on (a part of 0 examples).

    What was fitted to the training part (preprocessing, the encoding of a table) stays as it is.

    >>> from search_engine.datasets.digits import Digits, DigitsConfig
    >>> data = Digits(DigitsConfig()).search_data(seed=0)
    >>> both = both_parts(data)
    >>> len(both.train) == len(data.train) + len(data.validation), len(both.validation)
    (True, 0)
    """
    train, validation = data.train, data.validation
    together = Part(
        np.concatenate([train.inputs, validation.inputs]), np.concatenate([train.labels, validation.labels]),
        np.concatenate([train.indices, validation.indices]),
    )
    return replace(data, train=together, validation=Part(validation.inputs[:0], validation.labels[:0], validation.indices[:0]))
