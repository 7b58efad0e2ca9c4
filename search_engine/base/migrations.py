"""States of an earlier version: how they become states of the present one, and the sentence where they cannot.

Whatever is kept in a checkpoint has a version, which rises when its form changes. Beside it stand the steps, {version: function of a state
of that version that gives one of the next}. A version without a step cannot be gone on with: what it holds ends, with the reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import BadInput, CheckpointOutdated

Steps = Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]


def gap(what: str, found: Any, current: int, steps: Steps) -> str:
    """Why a state of the version `found` cannot become one of `current`, as a sentence about `what`; "" where it can.

    >>> gap("the run", 3, 5, {3: dict, 4: dict})
    ''
    >>> gap("the run", 2, 5, {3: dict, 4: dict})
    'the run was saved with state version 2, and this version of NAScope goes on from 3 to 5'
    >>> gap("the run", 6, 5, {})
    'the run was saved with state version 6, by a newer NAScope; this one goes on from 5'
    """
    oldest = current
    while oldest - 1 in steps:
        oldest -= 1
    if isinstance(found, int) and oldest <= found <= current:
        return ""
    if isinstance(found, int) and found > current:
        return f"{what} was saved with state version {found}, by a newer NAScope; this one goes on from {current}"
    known = f"{oldest} to {current}" if oldest < current else f"{current}"
    return f"{what} was saved with state version {found}, and this version of NAScope goes on from {known}"


def migrated(what: str, state: dict[str, Any], found: Any, current: int, steps: Steps) -> dict[str, Any]:
    """`state` of the version `found` as one of `current`. Raises CheckpointOutdated where no steps lead there.

    >>> migrated("the run", {"done": 1}, 1, 2, {1: lambda state: {**state, "seen": []}})
    {'done': 1, 'seen': []}
    """
    if reason := gap(what, found, current, steps):
        raise CheckpointOutdated(reason)
    for version in range(found, current):
        state = steps[version](state)
    return state


@contextlib.contextmanager
def expecting(what: str) -> Iterator[None]:
    """Around the reading of a state: whatever does not fit says that the state has another form, as where somebody's own package changed it
    without a new version. Raises CheckpointOutdated then."""
    try:
        yield
    except BadInput:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "state_dict" not in str(error):
            raise
        found = f"{type(error).__name__}: {error}"
        raise CheckpointOutdated(f"{what} was saved in another form than this version of NAScope expects ({found})") from error
