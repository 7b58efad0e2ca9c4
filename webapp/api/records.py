"""Views of what a run has recorded: events, snapshot, moments, structure, trials, candidates, genomes."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import check
from search_engine.events import GraphData
from search_engine.search.resources import Resources
from search_engine.spaces.genomes import Genome as EngineGenome
from webapp.accounts.authentication import person
from webapp.core.models import Candidate, Genome, Job, Run, Trial
from webapp.events.store import read_after

from . import shapes
from .base import OwnedView, data_dir
from .compression import compress, compressed
from .moments import candidates_at, latest_events
from .pagination import keyset_page
from .present import run_rows
from .queries import LARGEST, Id, Page, Query, Text, Whole, reads
from .snapshot import snapshots
from .structure import structure_series
from .trial_warnings import trial_warnings

MAX_EVENTS = 5_000


class EventsQuery(Query):
    """Which part of a run's events."""

    after: Annotated[int, Whole(0, LARGEST)] = Field(0, description="number of the last event that is known")
    limit: Annotated[int, Whole(1, MAX_EVENTS)] = 500


class MomentQuery(Query):
    """Which moment of a run."""

    at: Annotated[int, Whole(0, LARGEST)] = Field(description="number of the event that had just come")


class StructureQuery(Query):
    """Which edge's weights, at which steps."""

    group: Annotated[str, Text(100)]
    edge: Annotated[int, Whole(0, 1_000_000)] = Field(description="number of the edge in the group")
    first: Annotated[int, Whole(0, LARGEST)] = Field(0, alias="from", description="first step")
    last: Annotated[int | None, Whole(0, LARGEST)] = Field(None, alias="to", description="last step")
    every: Annotated[int, Whole(0, 1_000_000_000)] = Field(0, description="only steps divisible by this; 0 = thin evenly")


class OfRun(Page):
    """A page of one run's rows."""

    run: Annotated[UUID, Id()] = Field(description="the run whose rows these are")


class TrialsQuery(OfRun):
    """Trials in birth order, or best first."""

    order: Literal["number", "-value"] = "number"


class CandidatesQuery(OfRun):
    """Candidates in birth order, from one on."""

    first: Annotated[int, Whole(0, LARGEST)] = Field(0, alias="from", description="number of the first that is wanted")


class GenomesQuery(OfRun):
    """All genomes, or those of one equivalence class."""

    hash: Annotated[str, Text(64)] = ""


class OfRunView(OwnedView):
    """Rows of one run, named by its id in the path."""

    rows = Run.objects


class EventsView(OfRunView):
    """The events of a run after a number, in order and without a gap."""

    @extend_schema(
        operation_id="run_events",
        responses={200: shapes.EventPage},
    )
    @reads(EventsQuery)
    def get(self, request: Request, query: EventsQuery, pk: UUID) -> Response:
        run = self.find(pk, self.owned().select_related("counter"))
        records = read_after(run.pk, query.after, query.limit)
        last = max(run.counter.last_seq, records[-1]["seq"] if records else 0)
        has_more = bool(records) and records[-1]["seq"] < last
        # The rows were validated when they were written; building the models again would cost more than reading them.
        return Response({"events": records, "last_seq": last, "has_more": has_more})


class SnapshotView(OfRunView):
    """The run as it stands now, to be followed by the events after `as_of_seq`. Sent compressed, with an ETag: who has it already is told
    so (304)."""

    @extend_schema(operation_id="run_snapshot", responses={200: shapes.Snapshot})
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        # Whose it is comes first: a body that others asked for is sent without another look at its run.
        self.find(pk)
        prepared = snapshots.of(pk, run_rows(self.owned()))
        if prepared is None:
            raise Http404
        response = compressed(request._request, prepared.body, ETag=prepared.tag, **{"Cache-Control": "private, no-cache"})
        return get_conditional_response(request._request, etag=prepared.tag, response=response) or response


class MomentView(OfRunView):
    """What the run showed when one of its events had come."""

    @extend_schema(operation_id="run_moment", responses={200: shapes.Moment})
    @reads(MomentQuery)
    def get(self, request: Request, query: MomentQuery, pk: UUID) -> HttpResponseBase:
        run = self.find(pk, self.owned().select_related("counter"))
        at = min(query.at, run.counter.last_seq)
        # The rows were validated when they were written.
        moment = {"at": at, "events": latest_events(run.pk, at), "candidates": candidates_at(run, at)}
        body = compress(json.dumps(moment, separators=(",", ":"), allow_nan=False).encode())
        # What has been stays as it was; a new version of this program may say it in another form.
        keep = "private, max-age=600" if query.at == at else "no-store"
        return compressed(request._request, body, **{"Cache-Control": keep})


class StructureView(OfRunView):
    """One edge's weights over the steps."""

    @extend_schema(operation_id="run_structure", responses={200: shapes.StructureSeries})
    @reads(StructureQuery)
    def get(self, request: Request, query: StructureQuery, pk: UUID) -> Response:
        return Response(structure_series(self.find(pk), query.group, query.edge, query.first, query.last, query.every))


class _RunRowsView(OwnedView):
    """A list of the rows of `?run=`; a run that is not yours is absent."""

    owner_path = "run__owner"

    def of_run(self, request: Request, query: OfRun) -> Any:
        # Whose the rows are is whose the run is: to ask again row by row would take the index's order from the database.
        return self.rows.filter(run=OwnedView.find(self, query.run, Run.objects.filter(owner=person(request))))


class TrialsView(_RunRowsView):
    """The trials of a run, in birth order or best first."""

    rows = Trial.objects

    @extend_schema(
        operation_id="trials_list",
        responses={200: shapes.TrialPage},
    )
    @reads(TrialsQuery)
    def get(self, request: Request, query: TrialsQuery) -> Response:
        rows = self.of_run(request, query).select_related("candidate__genome")
        found, following = keyset_page(query, rows, ("number",) if query.order == "number" else ("-value", "number"))
        seconds = _trial_seconds(found)
        warnings = trial_warnings(found[0].run_id, step__in=[row.number for row in found]) if found else {}
        results = [_trial(row, seconds.get(row.number), warnings.get(row.number, [])) for row in found]
        return Response(shapes.TrialPage(results=results, next=following))


class CandidatesView(_RunRowsView):
    """The candidates of a run in birth order."""

    rows = Candidate.objects

    @extend_schema(operation_id="candidates_list", responses={200: shapes.CandidatePage})
    @reads(CandidatesQuery)
    def get(self, request: Request, query: CandidatesQuery) -> Response:
        rows = self.of_run(request, query).select_related("genome").prefetch_related("trials")
        if query.first and not query.cursor:
            # Only for the first page: a cursor lies behind it, and two beginnings would let the database read from the earlier one.
            rows = rows.filter(number__gte=query.first)
        found, following = keyset_page(query, rows, ("number",))
        # One trial each, which is there once the candidate's training has begun.
        results = [_candidate(row, next((trial.metrics for trial in row.trials.all()), {})) for row in found]
        return Response(shapes.CandidatePage(results=results, next=following))


class GenomesView(_RunRowsView):
    """The genomes of a run; with `?hash=` those of one equivalence class, which come with their drawings."""

    rows = Genome.objects

    @extend_schema(operation_id="genomes_list", responses={200: shapes.GenomePage})
    @reads(GenomesQuery)
    def get(self, request: Request, query: GenomesQuery) -> Response:
        rows = _with_candidates(self.of_run(request, query))
        if query.hash:
            found, following = keyset_page(query, rows.filter(hash=query.hash), ("content_digest",))
        else:
            found, following = keyset_page(query, rows, ("id",))
        return Response(shapes.GenomePage(results=[_genome(row, drawn=bool(query.hash)) for row in found], next=following))


class GenomeView(OwnedView):
    """One genome with its drawings."""

    rows = Genome.objects
    owner_path = "run__owner"

    @extend_schema(operation_id="genome", responses={200: shapes.GenomeDetail})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(_genome(self.find(pk, _with_candidates(self.owned())), drawn=True))


def _with_candidates(rows: QuerySet[Genome]) -> QuerySet[Genome]:
    return rows.select_related("run").prefetch_related(Prefetch("candidates", queryset=Candidate.objects.order_by("number")))


def _genome(row: Genome, drawn: bool) -> shapes.GenomeDetail:
    return shapes.GenomeDetail(
        id=row.pk,
        run=row.run_id,
        hash=row.hash,
        space=row.space,
        string=row.string,
        content=row.content,
        drawings=_drawings(row) if drawn else {},
        candidates=[candidate.number for candidate in row.candidates.all()],
    )


def _drawings(genome: Genome) -> dict[str, GraphData]:
    """The genome's graphs as its own space draws them; none where the space or the algorithm was uninstalled since."""
    try:
        checked = check(genome.run.config)
    except BadInput:
        return {}
    return Resources(checked, data_dir()).space.drawings(EngineGenome(space=genome.space, content=genome.content))


def _candidate(row: Candidate, metrics: dict[str, float]) -> shapes.CandidateInfo:
    return shapes.CandidateInfo(
        number=row.number,
        genome=row.genome_id,
        genome_hash=row.genome.hash,
        string=row.genome.string,
        parents=row.parents,
        operator=row.operator,
        born_seq=row.born_seq,
        metrics=metrics,
    )


def _trial_seconds(rows: list[Trial]) -> dict[int, float]:
    """What each of one run's trials took, where it was work of its own: its job knows. Events hold none, seconds being no science."""
    if not rows:
        return {}
    sources = {f"trial:{row.number}": row.number for row in rows}
    served = Job.objects.filter(run_id=rows[0].run_id, source__in=sources).values_list("source", "served_seconds")
    return {sources[source]: seconds for source, seconds in served}


def _trial(row: Trial, seconds: float | None, warnings: list[str]) -> shapes.TrialInfo:
    # Without a figure where nothing was measured (a table's answer, a reused result): 0 would say that it took no time.
    cost = {name: value for name, value in row.cost.items() if name != "seconds"} | ({} if seconds is None else {"seconds": seconds})
    return shapes.TrialInfo(
        id=uuid5(row.run_id, f"trial:{row.number}"),
        run=row.run_id,
        number=row.number,
        candidate=row.candidate.number,
        state=row.state,
        reason=row.reason,
        metrics=row.metrics,
        warnings=warnings,
        cost=cost,
        fidelity=row.fidelity,
        reused_from=row.reused_from,
        simulated=row.simulated,
        value=row.value,
        genome=row.candidate.genome_id,
        genome_hash=row.candidate.genome.hash,
    )
