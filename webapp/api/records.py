"""Views of what a run has recorded: events, snapshot, structure, trials, candidates, genomes."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import check
from search_engine.events import GraphData
from search_engine.search.resources import Resources
from search_engine.spaces.genomes import Genome as EngineGenome
from webapp.accounts.authentication import person
from webapp.core.models import Candidate, Genome, Run, Trial
from webapp.events.store import read_after

from . import shapes
from .base import OwnedView, data_dir, read_uuid
from .pagination import keyset_page, read_int, read_limit
from .present import run_rows
from .snapshot import snapshot
from .structure import structure_series

MAX_EVENTS = 5_000
_LARGEST = 2**62

CURSOR = [
    OpenApiParameter("cursor", str, description="the `next` of the page before"),
    OpenApiParameter("limit", int, description="rows of a page, 1 to 200"),
]
OF_RUN = OpenApiParameter("run", UUID, required=True, description="the run whose rows these are")


class OfRunView(OwnedView):
    """Rows of one run, named by its id in the path."""

    rows = Run.objects


class EventsView(OfRunView):
    """The events of a run after a number, in order and without a gap."""

    @extend_schema(
        operation_id="run_events",
        parameters=[OpenApiParameter("after", int), OpenApiParameter("limit", int, description=f"1 to {MAX_EVENTS}, default 500")],
        responses={200: shapes.EventPage},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        after = read_int(request, "after", 0, 0, _LARGEST)
        limit = read_limit(request, 500, MAX_EVENTS)
        run = self.find(pk, self.owned().select_related("counter"))
        records = read_after(run.pk, after, limit)
        last = max(run.counter.last_seq, records[-1]["seq"] if records else 0)
        has_more = bool(records) and records[-1]["seq"] < last
        # The rows were validated when they were written; building the models again would cost more than reading them.
        return Response({"events": records, "last_seq": last, "has_more": has_more})


class SnapshotView(OfRunView):
    """The run as it stands now, to be followed by the events after `as_of_seq`."""

    @extend_schema(operation_id="run_snapshot", responses={200: shapes.Snapshot})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(snapshot(self.find(pk, run_rows(self.owned()))))


class StructureView(OfRunView):
    """One edge's weights over the steps."""

    @extend_schema(
        operation_id="run_structure",
        parameters=[
            OpenApiParameter("group", str, required=True),
            OpenApiParameter("edge", int, required=True, description="number of the edge in the group"),
            OpenApiParameter("from", int, description="first step"),
            OpenApiParameter("to", int, description="last step"),
            OpenApiParameter("every", int, description="only steps divisible by this; 0 = thin evenly"),
        ],
        responses={200: shapes.StructureSeries},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        run = self.find(pk)
        edge = read_int(request, "edge", -1, 0, 1_000_000)
        if edge < 0:
            raise BadInput("edge", "name the edge by its number in the group")
        first = read_int(request, "from", 0, 0, _LARGEST)
        last = read_int(request, "to", -1, 0, _LARGEST)
        every = read_int(request, "every", 0, 0, 1_000_000_000)
        group = request.query_params.get("group", "")
        return Response(structure_series(run, group, edge, first, None if last < 0 else last, every))


class _RunRowsView(OwnedView):
    """A list of the rows of `?run=`; a run that is not yours is absent."""

    owner_path = "run__owner"

    def of_run(self, request: Request) -> Any:
        run = read_uuid(request, "run")
        if run is None:
            raise BadInput("run", "name the run: ?run=ID")
        found = OwnedView.find(self, run, Run.objects.filter(owner=person(request)))
        return self.owned().filter(run=found)


class TrialsView(_RunRowsView):
    """The trials of a run, in birth order or best first."""

    rows = Trial.objects

    @extend_schema(
        operation_id="trials_list",
        parameters=[OF_RUN, OpenApiParameter("order", str, enum=["number", "-value"]), *CURSOR],
        responses={200: shapes.TrialPage},
    )
    def get(self, request: Request) -> Response:
        order = request.query_params.get("order", "number")
        if order not in ("number", "-value"):
            raise BadInput("order", f"use number or -value, not '{order[:40]}'")
        rows = self.of_run(request).select_related("candidate__genome")
        found, following = keyset_page(request, rows, ("number",) if order == "number" else ("-value", "number"))
        return Response(shapes.TrialPage(results=[_trial(row) for row in found], next=following))


class CandidatesView(_RunRowsView):
    """The candidates of a run in birth order."""

    rows = Candidate.objects

    @extend_schema(operation_id="candidates_list", parameters=[OF_RUN, *CURSOR], responses={200: shapes.CandidatePage})
    def get(self, request: Request) -> Response:
        found, following = keyset_page(request, self.of_run(request).select_related("genome"), ("number",))
        return Response(shapes.CandidatePage(results=[_candidate(row) for row in found], next=following))


class GenomesView(_RunRowsView):
    """The genomes of a run; with `?hash=` those of one equivalence class, which come with their drawings."""

    rows = Genome.objects

    @extend_schema(
        operation_id="genomes_list",
        parameters=[OF_RUN, OpenApiParameter("hash", str), *CURSOR],
        responses={200: shapes.GenomePage},
    )
    def get(self, request: Request) -> Response:
        rows = _with_candidates(self.of_run(request))
        wanted = request.query_params.get("hash", "")
        if wanted:
            rows = rows.filter(hash=wanted)
        found, following = keyset_page(request, rows, ("id",))
        return Response(shapes.GenomePage(results=[_genome(row, drawn=bool(wanted)) for row in found], next=following))


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


def _candidate(row: Candidate) -> shapes.CandidateInfo:
    return shapes.CandidateInfo(
        number=row.number,
        genome=row.genome_id,
        genome_hash=row.genome.hash,
        parents=row.parents,
        operator=row.operator,
        born_seq=row.born_seq,
    )


def _trial(row: Trial) -> shapes.TrialInfo:
    return shapes.TrialInfo(
        id=uuid5(row.run_id, f"trial:{row.number}"),
        run=row.run_id,
        number=row.number,
        candidate=row.candidate.number,
        state=row.state,
        reason=row.reason,
        metrics=row.metrics,
        cost=row.cost,
        fidelity=row.fidelity,
        reused_from=row.reused_from,
        simulated=row.simulated,
        value=row.value,
        genome=row.candidate.genome_id,
        genome_hash=row.candidate.genome.hash,
    )
