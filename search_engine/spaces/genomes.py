"""A genome: the immutable, JSON-serialisable description of one architecture.

Content only: who its parents are belongs to the candidate, how well it does belongs to the trial. Its meaning (and its canonical
hash) is given by the space that made it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any


def canonical_json(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def digest(text: str) -> str:
    """SHA-256 of a text, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Genome:
    """One architecture of space `space`. `content` must be JSON and is never changed after construction.

    >>> genome = Genome("sequence", {"place1": "2", "place2": "1"})
    >>> genome == Genome("sequence", {"place2": "1", "place1": "2"})
    True
    >>> genome.key
    '["sequence",{"place1":"2","place2":"1"}]'
    """

    space: str
    content: dict[str, Any]

    @cached_property
    def key(self) -> str:
        """The content's own text: equal for equal content, different for isomorphic but differently written genomes."""
        return canonical_json([self.space, self.content])

    def to_json(self) -> dict[str, Any]:
        return {"space": self.space, "content": self.content}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Genome:
        return cls(space=data["space"], content=data["content"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Genome) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)
