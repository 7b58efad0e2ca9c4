"""Which examples are for the test, settled once when the data are kept, and how the rest is divided by a run's seed.

Roles: POOL is divided by the run's seed; TRAIN, VALIDATION and TEST are fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.errors import BadInput
from ..base import Array
from ..splits import Indices, permutation, stratified_split
from .choices import SplitKind

POOL, TRAIN, VALIDATION, TEST = 0, 1, 2, 3

PART_NAMES = {
    "train": TRAIN, "training": TRAIN, "test": TEST, "testing": TEST, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION,
    "dev": VALIDATION,
}
"""What people call the parts, in lower case."""


def chosen_by(
    kind: SplitKind, targets: Array, share: float, groups: Array | None, order: Array | None, *seed: object
) -> tuple[Indices, Indices]:
    """Positions of (the rest, the chosen share) of examples; the field of an error is "split".

    random: so many by the seed. stratified: each class in proportion. group: whole groups in an order by the seed, as many as come nearest
    to the share. time: the latest, whatever the seed; what has the time of the first chosen one is chosen too, so that no moment lies in
    both parts.

    >>> rest, chosen = chosen_by("time", np.zeros(4), 0.5, None, np.array([3, 0, 1, 2]))
    >>> rest.tolist(), chosen.tolist()
    ([1, 2], [0, 3])
    """
    count = len(targets)
    if kind == "group":
        assert groups is not None
        return _by_group(groups, share, *seed)
    if kind == "time":
        assert order is not None
        return _by_time(order, share)
    if kind == "stratified":
        try:
            return stratified_split(targets, share, *seed)
        except BadInput as error:
            raise BadInput("split", error.message) from None
    chosen = round(share * count)
    if not 0 < chosen < count:
        raise BadInput("split", f"a share of {share:g} of {count} examples leaves one part empty")
    places = permutation(count, "split", *seed)
    return places[chosen:], places[:chosen]


def _by_group(groups: Array, share: float, *seed: object) -> tuple[Indices, Indices]:
    names, counts = np.unique(groups, return_counts=True)
    if len(names) < 2:
        raise BadInput("split", f"there is {len(names)} group; at least 2 are needed to set one aside")
    order = permutation(len(names), "groups", *seed)
    sums = np.cumsum(counts[order])
    taken = 1 + int(np.abs(sums[:-1] - share * len(groups)).argmin())
    mask = np.isin(groups, names[order[:taken]])
    shuffled = permutation(len(groups), "split", *seed)
    return shuffled[~mask[shuffled]], shuffled[mask[shuffled]]


def _by_time(order: Array, share: float) -> tuple[Indices, Indices]:
    ranked = np.sort(order)
    first = ranked[len(ranked) - max(1, round(share * len(ranked)))]
    late = order >= first
    if late.all():
        raise BadInput("split", "all examples that are left have one time: none are earlier than others")
    return np.flatnonzero(~late).astype(np.int64), np.flatnonzero(late).astype(np.int64)


def own_roles(texts: Array) -> Array | None:
    """Roles (n,) uint8 from what a column (or a folder) calls the parts; None where it names anything else, or no training or no test
    part.

    >>> own_roles(np.array(["train", "Test", "train"])).tolist()
    [0, 3, 0]
    """
    names = np.unique(texts.astype(str))
    known = {name: PART_NAMES.get(name.strip().lower()) for name in names.tolist()[:50]}
    if len(names) > 50 or None in known.values() or not {TRAIN, TEST} <= set(known.values()):
        return None
    roles = np.array([known[name] for name in names.tolist()], dtype=np.uint8)
    found: Array = roles[np.searchsorted(names, texts.astype(str))]
    if VALIDATION not in found:
        # The run's seed takes the validation part from the training part.
        found = np.where(found == TRAIN, POOL, found).astype(np.uint8)
    return found


def roles_by(kind: SplitKind, targets: Array, share: float, seed: int, groups: Array | None, order: Array | None) -> Array:
    """Roles (n,) uint8: the test part is set aside, all else is the pool."""
    _, chosen = chosen_by(kind, targets, share, groups, order, "own", "test", seed)
    roles = np.full(len(targets), POOL, dtype=np.uint8)
    roles[chosen] = TEST
    return roles


def words(kind: SplitKind, column: str | None, seed: int, roles: Array) -> str:
    """The split for people."""
    test, rest = int((roles == TEST).sum()), int((roles != TEST).sum())
    how: dict[str, Any] = {
        "random": f"at random (seed {seed})",
        "stratified": f"at random with each class in proportion (seed {seed})",
        "group": f"by '{column}': no group lies in two parts (seed {seed})",
        "time": f"by '{column}': the test part is the latest, and validation the latest of what is left",
        "own": f"as the file says{f' in {column!r}' if column else ''}",
    }
    then = "; validation is fixed too" if kind == "own" and (roles == VALIDATION).any() else ""
    return f"{test:,} of {test + rest:,} examples are for the test, {how[kind]}{then}"
