"""A run as it stands at one event number: what a page draws first, so that a long run need not be replayed from its beginning.

The number of queries is fixed and every list is bounded, however long the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, IntegerField, Q, Subquery, When, Window
from django.db.models.functions import RowNumber

from search_engine.events import FRAME_KINDS
from webapp.core.models import Candidate, Event, Run, Trial

from . import shapes
from .present import run_detail

if TYPE_CHECKING:
    from .present import ReadyRun

MAX_POINTS = 2_000
MAX_CANDIDATES = 20_000
MAX_OF_KIND = 500
MAX_TRIAL_CURVES = 16
RECENT_TRIAL_POINTS = 200


def snapshot(run: ReadyRun) -> shapes.Snapshot:
    """The snapshot of a run made ready by `run_rows`.

    Its events are cut at `as_of_seq`; the run row and the states of trials may be a moment newer, which does no harm: the events
    after `as_of_seq` say the same again.
    """
    as_of = run.counter.last_seq
    detail = run_detail(run)
    latest = _latest(run, as_of)
    structure = latest.get("structure")
    few = _of_kinds(run, ("phase_started", "finalist", "control", "report"), as_of)
    phases = [data for data in few if data["kind"] == "phase_started"]
    return shapes.Snapshot(
        as_of_seq=as_of,
        run=detail,
        family=latest.get("family"),
        structure=None if structure is None else shapes.StructureNow(
            step=structure["step"], groups=structure["groups"], samples=structure.get("samples", {})
        ),
        champion=latest.get("champion"),
        derived=latest.get("derived"),
        incumbent=latest.get("incumbent"),
        phases=phases,
        metrics=_metrics(run, as_of),
        candidates=_candidates(run, as_of),
        finalists=[data for data in few if data["kind"] == "finalist"],
        models=detail.models,
        notices=_newest(run, "notice", as_of),
        decisions=latest.get("decisions"),
        pictures=[latest[kind] for kind in LATEST_PICTURES if kind in latest] + _latest_of_phases(run, len(phases), as_of),
        controls=[data for data in few if data["kind"] == "control"],
        reports=[data for data in few if data["kind"] == "report"],
        growth=_newest(run, "growth_step", as_of),
    )


def _events(run: Run, as_of: int) -> Any:
    return Event.objects.filter(run_id=run.pk, seq__lte=as_of)


OF_A_PHASE = ("charts", "mask")
"""Pictures that every phase has its own of: a later phase (a control, the next task) does not replace them."""
LATEST_PICTURES = sorted(FRAME_KINDS - {"structure", *OF_A_PHASE})
LATEST = sorted({"structure", "family", "champion", "derived", "incumbent", "decisions", *LATEST_PICTURES})


def _latest(run: Run, as_of: int) -> dict[str, dict[str, Any]]:
    """By kind, the newest event of those of which only the newest matters. One query, whose cost does not grow with the run: each kind's
    newest number is the end of an index range."""
    newest = Q()
    for kind in LATEST:
        newest |= Q(seq=Subquery(_events(run, as_of).filter(kind=kind).order_by("-seq").values("seq")[:1]))
    return {data["kind"]: data for data in _events(run, as_of).filter(newest).values_list("data", flat=True)}


def _latest_of_phases(run: Run, phases: int, as_of: int) -> list[dict[str, Any]]:
    """The newest charts and masks of each phase, each with its `source`. One query; a run has a handful of phases."""
    newest = Q()
    for kind in OF_A_PHASE:
        for phase in range(phases):
            own = _events(run, as_of).filter(kind=kind, source=f"phase:{phase}").order_by("-seq").values("seq")[:1]
            newest |= Q(seq=Subquery(own))
    if not newest:
        return []
    rows = _events(run, as_of).filter(newest).order_by("seq").values_list("source", "data")
    return [{**data, "source": source} for source, data in rows]


def _newest(run: Run, kind: str, as_of: int) -> list[dict[str, Any]]:
    """The newest few hundred events of one kind, the oldest of them first."""
    return list(_events(run, as_of).filter(kind=kind).order_by("-seq").values_list("data", flat=True)[:MAX_OF_KIND])[::-1]


def _of_kinds(run: Run, kinds: tuple[str, ...], as_of: int) -> list[dict[str, Any]]:
    """All of a few kinds that a run says only a handful of times."""
    return list(_events(run, as_of).filter(kind__in=kinds).order_by("seq").values_list("data", flat=True))


def _metrics(run: Run, as_of: int) -> dict[str, dict[str, shapes.Curve]]:
    """The curves of the search, of its phases and finalists, and of the newest trials (thousands have curves; the log holds them all)."""
    points = _events(run, as_of).filter(kind="metrics")
    trial_points = points.filter(source__startswith="trial:").order_by("-seq").values_list("source", flat=True)[:RECENT_TRIAL_POINTS]
    newest = list(dict.fromkeys(trial_points))[:MAX_TRIAL_CURVES]
    # A search may say training figures at every step and validation figures seldom: these are thinned for themselves.
    scored = Case(When(data__values__has_key="val_loss", then=1), default=0, output_field=IntegerField())
    sizes = list(
        points.filter(Q(source="run") | Q(source__startswith="phase:") | Q(source__startswith="final:") | Q(source__in=newest))
        .annotate(scored=scored)
        .values_list("source", "scored")
        .annotate(size=Count("seq"))
        .order_by()
    )
    strides = [When(source=source, scored=own, then=-(-size // MAX_POINTS)) for source, own, size in sizes if size > MAX_POINTS]
    rows = points.filter(source__in=list({source for source, _, _ in sizes})).annotate(scored=scored)
    if strides:
        # Counted from the newest point backwards, so that the newest is always kept.
        place = Window(RowNumber(), partition_by=["source", "scored"], order_by="-seq") - 1
        rows = rows.annotate(rest=place % Case(*strides, default=1, output_field=IntegerField())).filter(rest=0)
    curves: dict[str, dict[str, shapes.Curve]] = {}
    for source, data in rows.order_by("seq").values_list("source", "data"):
        for name, value in data["values"].items():
            curve = curves.setdefault(source, {}).setdefault(name, shapes.Curve(steps=[], samples=[], values=[]))
            curve.steps.append(data["step"])
            curve.samples.append(data["samples"])
            curve.values.append(value)
    return curves


def _candidates(run: Run, as_of: int) -> shapes.CandidateColumns:
    births = list(
        Candidate.objects.filter(run_id=run.pk, born_seq__lte=as_of)
        .order_by("-number")
        .values_list("number", "operator", "parents", "genome__hash")[:MAX_CANDIDATES]
    )[::-1]
    first = births[0][0] if births else 0
    rows = Trial.objects.filter(run_id=run.pk, candidate__number__gte=first).values_list("candidate__number", "value", "state")
    trials = {candidate: (value, state) for candidate, value, state in rows}
    told = [trials.get(number, (None, "queued")) for number, *_ in births]
    return shapes.CandidateColumns(
        number=[birth[0] for birth in births],
        value=[value for value, _ in told],
        status=[status for _, status in told],
        operator=[birth[1] for birth in births],
        parents=[birth[2] for birth in births],
        genome_hash=[birth[3] for birth in births],
    )
