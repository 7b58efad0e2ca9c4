"""What a run showed at one of its events, of all of which only the newest matters. What it costs does not grow with the run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Subquery

from search_engine.events import FRAME_KINDS
from webapp.core.models import Candidate, Event, Run, RunCounter, Trial
from webapp.events.past.candidates import MOST, STATUSES

from .past import deltas, filled

OF_A_PHASE = ("charts", "mask")
"""Pictures that every phase has its own of: a later phase (a control, the next task) does not replace them."""
LATEST = sorted((FRAME_KINDS | {"family", "champion", "derived", "incumbent", "decisions", "population"}) - set(OF_A_PHASE))
MOST_PHASES = 50
"""The newest phases, whose charts and masks are shown."""
MOST_DOMAINS = 32
"""Policies among which that of each data set is looked for."""
MOST_AT_A_MOMENT = 5_000


def latest_events(run_id: UUID, at: int) -> list[dict[str, Any]]:
    """Event records, in order: of each kind the newest until event `at`; of charts and masks that of each phase; of policies, where every
    data set has its own, that of each. Three queries, and one more where policies belong to data sets."""
    events = Event.objects.filter(run_id=run_id, seq__lte=at)
    wanted = [events.filter(kind=kind) for kind in LATEST]
    # Phases follow each other: the newest before the next one begins is a phase's own, or one of an earlier phase, which is found anyway.
    begun = events.filter(kind="phase_started").order_by("-seq").values_list("seq", flat=True)[:MOST_PHASES]
    for end in [*sorted(begun)[1:], at + 1]:
        wanted += [events.filter(kind=kind, seq__lt=end) for kind in OF_A_PHASE]
    # Their numbers first, each the end of a range of the index, which a condition on anything else would miss.
    numbers = {f"newest_{place}": Subquery(found.order_by("-seq").values("seq")[:1]) for place, found in enumerate(wanted)}
    newest = RunCounter.objects.filter(run_id=run_id).annotate(**numbers).values_list(*numbers).first() or ()
    found = {row.seq: row for row in events.filter(seq__in=[number for number in newest if number is not None])}
    if any(row.kind == "policy" and row.data.get("domain") is not None for row in found.values()):
        others = events.filter(kind="policy").order_by("-seq")[:MOST_DOMAINS]
        found |= {row.seq: row for row in {row.data["domain"]: row for row in reversed(others)}.values()}
    return [row.record() for _, row in sorted(found.items())]


def candidates_at(run: Run, at: int) -> dict[str, Any] | None:
    """The newest MOST_AT_A_MOMENT candidates as they were at event `at`, as plain JSON of `shapes.CandidateColumns`; None where the run has
    no more of them than its snapshot holds. Results are told in the order in which was asked, so the newest says of all whether they were
    told."""
    if run.counter.candidates <= MOST:
        return None
    events = Event.objects.filter(run_id=run.pk, seq__lte=at)
    newest = {
        kind: events.filter(kind=kind).order_by("-seq").values_list("data__number", flat=True).first()
        for kind in ("candidate_born", "trial_told")
    }
    last, told = (-1 if number is None else int(number) for number in newest.values())
    rows = list(
        Candidate.objects.filter(run_id=run.pk, number__lte=last, number__gt=last - MOST_AT_A_MOMENT)
        .order_by("number")
        .values_list("number", "born_seq", "operator", "parents", "genome_id")
    )
    results = {
        number: rest
        for number, *rest in Trial.objects.filter(
            run_id=run.pk, number__lte=min(last, told), number__gt=last - MOST_AT_A_MOMENT
        ).values_list("number", "value", "state", "reused_from")
    }
    operators = sorted({row[2] for row in rows})
    codes = {name: place for place, name in enumerate(operators)}
    firsts: dict[UUID, int] = {}
    same = [firsts.setdefault(row[4], row[0]) for row in rows]
    nothing = (None, STATUSES[0], None)
    outcomes = [results.get(row[0], nothing) for row in rows]
    return {
        "number": deltas(row[0] for row in rows),
        "born": deltas(row[1] for row in rows),
        "told": [int(row[0] in results) for row in rows],
        "value": [value for value, _, _ in outcomes],
        "samples": deltas(filled([None] * len(rows))),
        "statuses": list(STATUSES),
        "status": [STATUSES.index(state) if state in STATUSES else 0 for _, state, _ in outcomes],
        "operators": operators,
        "operator": [codes[row[2]] for row in rows],
        "parents": [row[3] for row in rows],
        "same_as": [None if first == row[0] else first for first, row in zip(same, rows, strict=True)],
        "reused_from": [reused for _, _, reused in outcomes],
        "reasons": {},
        "warnings": {},
    }
