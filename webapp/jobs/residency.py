"""What a worker keeps in memory between two slices of a job, so that it need not read its checkpoint again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from uuid import UUID


class Residents:
    """The most recently used pieces of work, each with the digest of the checkpoint it equals. A digest that does not match means
    that another process went on with the job: the resident is dropped."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[UUID, tuple[str, Any]] = OrderedDict()

    def take(self, job_id: UUID, digest: str) -> Any | None:
        """The work that stands exactly at checkpoint `digest`, or None. It is out of here until it is put back: a slice that ends
        badly leaves nothing behind."""
        kept = self._kept.pop(job_id, None)
        return kept[1] if kept is not None and kept[0] == digest else None

    def take_any(self, job_id: UUID) -> tuple[str, Any] | None:
        """The work with the digest of the checkpoint at which it stands, whichever that is, or None: for work that can go on from there to
        the checkpoint that counts."""
        return self._kept.pop(job_id, None)

    def put(self, job_id: UUID, digest: str, work: Any) -> None:
        if self._size == 0:
            return
        self._kept[job_id] = (digest, work)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()
