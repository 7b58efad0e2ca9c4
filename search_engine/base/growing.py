"""What grows with every trial: rows, dicts and sets of which a checkpoint writes only what came since the one before (`base.row_log`).

A record is never changed once it is in, and only the oldest leave. So a container's state is a range of record numbers, `View`, which
costs nothing to take, however many records there are, and stays true whatever comes later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Any, Generic, TypeVar, overload

from . import collector

ItemT = TypeVar("ItemT")
KeyT = TypeVar("KeyT", str, int)
ValueT = TypeVar("ValueT")

LEAST_TRIMMED = 64


class Identity:
    """Of one container, through all checkpoints and processes that hold it: numbers of records mean something only within it."""


class View(Generic[ItemT]):
    """A container at one moment: records `first` .. `total` - 1, counted from its beginning. Their trees are made when asked for."""

    def __init__(self, owner: Grown[ItemT], items: list[ItemT], offset: int, first: int, total: int) -> None:
        self.owner, self.first, self.total = owner, first, total
        self._items, self._offset = items, offset

    def trees(self, since: int = 0) -> list[Any]:
        """Records from number `since` on (as far as they were still there), as JSON values."""
        start = max(since, self.first) - self._offset
        return [self.owner.to_tree(item) for item in self._items[start : self.total - self._offset]]


class Stored(list[Any]):
    """The trees of a container as a checkpoint had them, with the number of the first, and whose they are."""

    def __init__(self, trees: Iterable[Any], first: int, identity: Identity) -> None:
        super().__init__(trees)
        self.first, self.identity = first, identity


class Grown(Generic[ItemT]):
    """What rows, dicts and sets share. `to_tree` makes JSON values (with strings as keys) of a record, `from_tree` the record of them."""

    def __init__(self, to_tree: Callable[[ItemT], Any], from_tree: Callable[[Any], ItemT]) -> None:
        self.to_tree, self._from_tree = to_tree, from_tree
        self._begin(0, Identity())

    def _begin(self, first: int, identity: Identity) -> None:
        """Empty, the next record having the number `first`."""
        self.identity = identity
        # A view holds this list: it is only ever appended to, and replaced where its beginning goes.
        self._items: list[ItemT] = []
        self._offset = first
        self._start = 0

    def _entered(self, item: ItemT) -> None:
        """`item` came in (again, after a reload)."""

    def _enter(self, item: ItemT) -> None:
        self._items.append(item)
        self._entered(item)

    def _drop(self, count: int) -> None:
        """The oldest `count` leave."""
        self._start += count
        if self._start > LEAST_TRIMMED and 2 * self._start > len(self._items):
            self._items, self._offset, self._start = self._items[self._start :], self._offset + self._start, 0

    # ---- checkpoint

    @property
    def first(self) -> int:
        """Number of the oldest record that is still there."""
        return self._offset + self._start

    @property
    def total(self) -> int:
        """How many records ever came in."""
        return self._offset + len(self._items)

    def state_dict(self) -> View[ItemT]:
        return View(self, self._items, self._offset, self.first, self.total)

    def load_state_dict(self, state: Grown[ItemT] | View[ItemT] | list[Any]) -> None:
        """Of what a checkpoint stored (or any list of trees), of a view, or of an equal container that nobody uses any more."""
        if isinstance(state, Grown):
            vars(self).update(vars(state))
            return
        trees = state.trees() if isinstance(state, View) else state
        stored = trees if isinstance(trees, Stored) else Stored(trees, 0, Identity())
        self._begin(stored.first, stored.identity)
        with collector.paused():
            for tree in stored:
                self._enter(self._from_tree(tree))

    def follow(self, number: int, trees: list[Any], first: int) -> None:
        """Another process went on with this container: take the records that it added, the first of them having `number`, and let go
        what is older than `first`. Raises ValueError where they do not continue what is here."""
        if number < self.total:
            raise ValueError(f"record {number} was expected to be number {self.total}")
        if number > self.total:
            # What lies between came and went there between two checkpoints.
            self._begin(number, self.identity)
        for tree in trees:
            self._enter(self._from_tree(tree))
        if first >= self.total:
            self._begin(first, self.identity)
        elif first > self.first:
            self._drop(first - self.first)


class Records(Grown[ItemT], Sequence[ItemT]):
    """A row: new items come in at its end, the oldest leave first.

    >>> pairs = Records(list, tuple)
    >>> pairs.append(("conv", 3))
    >>> other = Records(list, tuple)
    >>> other.load_state_dict(pairs.state_dict().trees())
    >>> list(other), other.popleft(), len(other)
    ([('conv', 3)], ('conv', 3), 0)
    """

    def append(self, item: ItemT) -> None:
        self._enter(item)

    def extend(self, items: Iterable[ItemT]) -> None:
        for item in items:
            self._enter(item)

    def popleft(self) -> ItemT:
        """Raises IndexError for an empty row."""
        item = self[0]
        self._drop(1)
        return item

    def clear(self) -> None:
        self._begin(self.total, self.identity)

    def __len__(self) -> int:
        return len(self._items) - self._start

    def __iter__(self) -> Iterator[ItemT]:
        return islice(self._items, self._start, None)

    @overload
    def __getitem__(self, place: int) -> ItemT: ...
    @overload
    def __getitem__(self, place: slice) -> list[ItemT]: ...
    def __getitem__(self, place: int | slice) -> ItemT | list[ItemT]:
        if isinstance(place, slice):
            return [self._items[self._start + number] for number in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"there is no item {place} of {len(self)}")
        return self._items[self._start + place if place >= 0 else place]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Records) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


def _itself(value: Any) -> Any:
    return value


class GrowingDict(Grown[tuple[KeyT, ValueT]], Mapping[KeyT, ValueT]):
    """A dict whose keys stay; a key that is assigned anew takes one more record. Values are not changed in place.

    >>> seen = GrowingDict()
    >>> seen["a"], seen["b"], seen["a"] = 1, 2, 3
    >>> dict(seen), seen.state_dict().trees()
    ({'a': 3, 'b': 2}, [['a', 1], ['b', 2], ['a', 3]])
    """

    def __init__(self, to_tree: Callable[[ValueT], Any] = _itself, from_tree: Callable[[Any], ValueT] = _itself) -> None:
        super().__init__(lambda pair: [pair[0], to_tree(pair[1])], lambda tree: (tree[0], from_tree(tree[1])))

    def _begin(self, first: int, identity: Identity) -> None:
        super()._begin(first, identity)
        self._values: dict[KeyT, ValueT] = {}

    def _entered(self, item: tuple[KeyT, ValueT]) -> None:
        self._values[item[0]] = item[1]

    def __setitem__(self, key: KeyT, value: ValueT) -> None:
        self._enter((key, value))

    def __getitem__(self, key: KeyT) -> ValueT:
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[KeyT]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class GrowingSet(Grown[KeyT], Set[KeyT]):
    """A set of strings or numbers from which nothing is removed.

    >>> seen = GrowingSet()
    >>> seen.add("a"), seen.add("b"), seen.add("a"), "a" in seen
    (None, None, None, True)
    >>> seen.state_dict().trees()
    ['a', 'b']
    """

    def __init__(self) -> None:
        super().__init__(_itself, _itself)

    def _begin(self, first: int, identity: Identity) -> None:
        super()._begin(first, identity)
        self._known: set[KeyT] = set()

    def _entered(self, item: KeyT) -> None:
        self._known.add(item)

    def add(self, item: KeyT) -> None:
        if item not in self._known:
            self._enter(item)

    def __contains__(self, item: object) -> bool:
        return item in self._known

    def __iter__(self) -> Iterator[KeyT]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
