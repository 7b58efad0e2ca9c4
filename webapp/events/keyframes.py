"""A run's past (webapp.events.past), kept prepared: as a keyframe in the database, and the few events after it added when somebody asks.

Who prepares it: the reaper, which ticks once a second wherever the application runs, trains nothing and holds no lease; a worker's time
belongs to the science, and a web process that prepared first would keep its visitor waiting. What the reaper has not come to, whoever asks
adds for himself, in chunks, and leaves a keyframe to the next. Nothing hangs on keyframes: where none can be written (no space, the
database is read only or away) a past only takes longer.

Any number of processes may write at once: each keyframe is right by itself, and a later one replaces an earlier one and never the reverse.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from uuid import UUID

from django.db import Error, transaction
from django.db.models import Case, F, JSONField, Q, Value, When
from django.db.models.functions import Coalesce

from ..core import room
from ..core.models import Event, Keyframe, Run, RunCounter
from .past.fold import UNREAD, VERSION, Fact, Past

log = logging.getLogger(__name__)

CHUNK = 500
"""Events that are read at once: a generation or a champion may have tens of kilobytes."""
FAR = 2_000
"""So many events after its keyframe, a run gets a new one."""
FAR_OF_ENDED = 200
"""The same of a run that is over, whose past is read as it is from then on."""
AT_ONCE = 10_000
"""Events that the reaper adds in one tick: a fifth of a second."""
SHARE = 0.2
"""Of its time that it takes for this at most, however much there is to do (after an upgrade, all runs)."""
REST_SECONDS = 5.0
"""How long nothing is looked for after nothing was to be done."""


def past_of(run_id: UUID, metric: str, seq: int) -> Past:
    """The past of a run (its fitness is `metric`) up to its event `seq`, which is stored; up to a later one where a keyframe was written
    meanwhile. One query, and one for every CHUNK events after the keyframe; where these were many, a keyframe is left."""
    past = _prepared(run_id) or Past(metric)
    began = past.seq
    for fact in facts(run_id, past.seq, seq):
        past.add(fact)
    if past.seq - began >= FAR:
        _keep(run_id, past)
    return past


def facts(run_id: UUID, after: int, until: int) -> Iterator[Fact]:
    """The run's events after one number up to another, as a `Past` takes them, a chunk in memory at a time."""
    known = Case(When(kind__in=UNREAD, then=Value(None, JSONField())), default=F("data"), output_field=JSONField())
    rows = Event.objects.filter(run_id=run_id, seq__lte=until).annotate(known=known).order_by("seq")
    columns = rows.values_list("seq", "time", "science", "source", "step", "ordinal", "kind", "known")
    while after < until:
        chunk = [Fact(*row) for row in columns.filter(seq__gt=after)[:CHUNK]]
        if not chunk:
            return
        yield from chunk
        after = chunk[-1].seq


def _prepared(run_id: UUID) -> Past | None:
    """What the keyframe holds; None without one that this program can read."""
    kept = Keyframe.objects.filter(run_id=run_id, version=VERSION)
    found = kept.values_list("seq", "body").first()
    if found is None:
        return None
    seq, body = found
    try:
        return Past.read(bytes(body))
    except ValueError as error:
        log.warning("the keyframe of run %s is made anew: %s", run_id, error)
        try:
            # Else it would seem to be the later one for ever.
            kept.filter(seq=seq).delete()
        except Error as refused:
            room.says_full(refused)
        return None


def _keep(run_id: UUID, past: Past) -> bool:
    """Write the keyframe, unless there is a later one. False where that failed, which does no harm."""
    if room.full():
        return False
    values = {"version": VERSION, "seq": past.seq, "body": past.written()}
    try:
        with transaction.atomic():
            older = Keyframe.objects.filter(Q(seq__lt=past.seq) | ~Q(version=VERSION), run_id=run_id)
            if not older.update(**values):
                Keyframe.objects.bulk_create([Keyframe(run_id=run_id, **values)], ignore_conflicts=True)
    except Error as error:
        # The run may have been deleted; a full disk is remembered.
        room.says_full(error)
        log.warning("the keyframe of run %s is not written: %s", run_id, error)
        return False
    return True


class Keyframes:
    """Prepares pasts. Call `tick` about once a second; any number of processes may."""

    def __init__(self) -> None:
        self._rest_until = 0.0
        self._troubled: set[UUID] = set()
        """Runs whose events cannot be added up here: tried once."""

    def tick(self) -> None:
        """Bring the run that is farthest behind, if one is far, nearer to its present."""
        if time.monotonic() < self._rest_until:
            return
        began = time.monotonic()
        found = self._farthest()
        worked = found is not None and self._bring(*found)
        now = time.monotonic()
        self._rest_until = now + ((now - began) * (1 / SHARE - 1) if worked else REST_SECONDS)

    def _farthest(self) -> tuple[UUID, str, int] | None:
        """(run, its fitness, its last event)"""
        of_ours = Case(When(run__keyframe__version=VERSION, then=F("run__keyframe__seq")), default=Value(0))
        behind = RunCounter.objects.exclude(run_id__in=self._troubled).annotate(behind=F("last_seq") - Coalesce(of_ours, Value(0)))
        far = behind.filter(Q(behind__gte=FAR) | Q(behind__gte=FAR_OF_ENDED, run__state__in=Run.TERMINAL))
        return far.order_by("-behind").values_list("run_id", "run__metric", "last_seq").first()

    def _bring(self, run_id: UUID, metric: str, last: int) -> bool:
        try:
            past = _prepared(run_id) or Past(metric)
            for fact in facts(run_id, past.seq, min(past.seq + AT_ONCE, last)):
                past.add(fact)
        except (Error, OSError):
            raise
        except Exception:
            # No search, and no other duty of this process, ends because its past cannot be told.
            log.exception("the events of run %s cannot be added up", run_id)
            self._troubled.add(run_id)
            return True
        return _keep(run_id, past)
