"""What a search keeps in its checkpoint, as a tree of JSON values and arrays, and back."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from search_engine.spaces.genomes import Genome

GENOME = "$genome"


@runtime_checkable
class Stateful(Protocol):
    """What puts itself into a checkpoint and takes itself out again."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state: Any) -> None: ...


def to_tree(value: Any) -> Any:
    """`value` for a checkpoint: what has a `state_dict` gives that; lists, tuples and dicts are copied, with the genomes in them; a set
    is sorted.

    >>> to_tree({"seen": (1, 2)})
    {'seen': [1, 2]}
    """
    if isinstance(value, Stateful):
        return value.state_dict()
    if isinstance(value, Genome):
        return {GENOME: value.to_json()}
    if isinstance(value, dict):
        return {key: to_tree(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [to_tree(item) for item in value]
    return value


def from_tree(tree: Any, like: Any) -> Any:
    """Undo `to_tree`. `like` is what stands in that place of a search that has just begun: it says what the tree is of. A tuple or set
    comes back as one where `like` is one; deeper down, tuples come back as lists.

    >>> from_tree([1, 2], like=())
    (1, 2)
    """
    if isinstance(like, Stateful):
        like.load_state_dict(tree)
        return like
    value = _with_genomes(tree)
    return type(like)(value) if isinstance(like, set | tuple) else value


def _with_genomes(tree: Any) -> Any:
    if isinstance(tree, dict):
        return Genome.from_json(tree[GENOME]) if GENOME in tree else {key: _with_genomes(item) for key, item in tree.items()}
    return [_with_genomes(item) for item in tree] if isinstance(tree, list | tuple) else tree
