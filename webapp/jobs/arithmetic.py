"""What a worker computes its runs with, held against what has been recorded of them (`search_engine.search.arithmetic`)."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from django.db import transaction
from django.db.models import F

from search_engine.search.arithmetic import Arithmetic

from ..core.models import Run, RunCounter
from ..events.store import append, ops
from .failures import mark_not_reproducible

KEPT = 64
"""Runs that a worker remembers: more take turns only in a queue of that many."""


class Arithmetics:
    """Of the runs that this process served last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, Arithmetic] = OrderedDict()
        self._settled: dict[UUID, dict[str, str]] = {}

    def of(self, run_id: UUID, device: str, again: bool = False) -> Arithmetic:
        """That of a run whose config names the device. Read from the database once, and `again` where a phase is about to begin: another
        process may have decided meanwhile."""
        if again or run_id not in self._kept:
            recorded = Run.objects.filter(pk=run_id).values_list("arithmetic", flat=True).first()
            self._kept[run_id] = Arithmetic(recorded or {}, device)
            while len(self._kept) > KEPT:
                self._settled.pop(self._kept.popitem(last=False)[0], None)
        self._kept.move_to_end(run_id)
        return self._kept[run_id]

    def settle(self, counter: RunCounter) -> None:
        """Record what a slice computed with; where the run began with something else, say so and mark it. Call with the run locked, in the
        transaction that commits the slice. Reads and writes nothing where nothing is new to this process."""
        run_id = counter.run_id
        arithmetic = self._kept[run_id]
        here = arithmetic.here()
        if self._settled.get(run_id) == here:
            return
        recorded = Run.objects.values_list("arithmetic", flat=True).get(pk=run_id)
        # Another process may have recorded it since this one looked.
        if different := arithmetic.differs(recorded):
            append(counter, [ops("diverged", different, **here)])
            mark_not_reproducible(counter, different)
        merged = {**here, **recorded}
        if merged != recorded:
            Run.objects.filter(pk=run_id).update(arithmetic=merged, revision=F("revision") + 1)
        transaction.on_commit(lambda: self._settled.update({run_id: here}))
