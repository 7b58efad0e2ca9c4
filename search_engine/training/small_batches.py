"""A batch of one example cannot be normalised: said in words instead of torch's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..base.errors import TrialFailure


@contextmanager
def enough_for_batch_norm(examples: int) -> Iterator[None]:
    """Around a forward pass in training mode on `examples` examples. Raises TrialFailure where batch normalisation needs more."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise TrialFailure(f"a batch of {examples} is too small for batch normalisation: use a larger batch_size") from None
