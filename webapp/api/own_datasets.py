"""Views of a person's own data sets: what was found in an upload, its choices, keeping it, removing it; and of any data set, what there is
to see of it and what uses it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.catalogue import registry
from search_engine.datasets.base import DatasetEntry
from search_engine.datasets.own.choices import Choices
from webapp.core.models import Dataset, DatasetLook, DatasetUse, Run
from webapp.jobs import looks, own_data

from . import shapes
from .base import ApiView, OwnedView
from .mine import own_ids
from .pagination import keyset_page
from .problems import Problem, ProblemDocument, need_space
from .queries import Page, Query, reads
from .throttles import CreateRate, EstimateRate

DATA = Dataset.objects.filter(purpose=Dataset.Purpose.DATA)


class OwnDatasetsView(OwnedView):
    """The data sets that whoever asks has brought, newest first, those on their way among them."""

    rows = DATA

    @extend_schema(operation_id="own_datasets_list", responses={200: shapes.OwnDatasetPage})
    @reads(Page)
    def get(self, request: Request, query: Page) -> Response:
        found, following = keyset_page(query, self.owned(), ("-created", "-id"))
        return Response(shapes.OwnDatasetPage(results=[shapes.OwnDataset.of(row) for row in found], next=following))


class DataRoomView(ApiView):
    """How much room there is for data of whoever asks."""

    @extend_schema(operation_id="data_room", responses={200: shapes.DataRoom})
    def get(self, request: Request) -> Response:
        taken = own_data.taken(request.user)
        return Response(shapes.DataRoom(taken=taken, most=settings.NASCOPE_OWNER_BYTES, most_of_a_file=settings.NASCOPE_UPLOAD_BYTES))


class RemoveQuery(Query):
    """`in_use=remove` says that experiments use the set and it is to be removed all the same: they stay, and cannot be repeated."""

    in_use: str = ""


class OwnDatasetView(OwnedView):
    """One of them, with what was found in it. DELETE removes it; where experiments use it, only when that is said."""

    rows = DATA

    @extend_schema(operation_id="own_dataset", responses={200: shapes.OwnDataset, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.OwnDataset.of(self.find(pk), whole=True))

    @extend_schema(operation_id="own_dataset_delete", responses={204: None, 404: ProblemDocument, 409: ProblemDocument})
    @reads(RemoveQuery)
    def delete(self, request: Request, query: RemoveQuery, pk: UUID) -> Response:
        row: Dataset = self.find(pk)
        experiments, runs, _ = own_data.uses(request.user, row.registry_id) if row.registry_id else (0, 0, 0)
        if experiments and query.in_use != "remove":
            raise Problem(409, "in_use", _depends(experiments, runs), state=row.state)
        _try(lambda: own_data.delete(row))
        return Response(status=204)


def _depends(experiments: int, runs: int) -> str:
    one = experiments == 1
    return (
        f"{experiments} {'experiment' if one else 'experiments'} with {runs} {'run' if runs == 1 else 'runs'} "
        f"{'uses' if one else 'use'} it: their results stay, but they cannot be repeated, extended or compared with new runs on it; "
        "say in_use=remove to remove it"
    )


def _try(action: Any) -> None:
    try:
        action()
    except own_data.NotNow as why:
        raise Problem(409, "wrong_state", str(why), state=why.state) from None


class _ActionView(OwnedView):
    """Something to be done with one of them."""

    rows = DATA

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    def done(self, pk: UUID) -> Response:
        return Response(shapes.OwnDataset.of(self.find(pk), whole=True), status=202)


class ExamineView(_ActionView):
    """Look at it again, under these choices; what is left out is inferred."""

    @extend_schema(
        operation_id="own_dataset_examine", request=Choices,
        responses={202: shapes.OwnDataset, 400: ProblemDocument, 404: ProblemDocument, 409: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        row = self.find(pk)
        need_space()
        choices = self.body(request, Choices)
        _try(lambda: own_data.examine_again(row, choices))
        return self.done(pk)


class KeepView(_ActionView):
    """Store it as it was examined last: from then on searches can use it, and it never changes."""

    @extend_schema(
        operation_id="own_dataset_keep", request=None,
        responses={202: shapes.OwnDataset, 404: ProblemDocument, 409: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        row = self.find(pk)
        need_space()
        _try(lambda: own_data.keep(row))
        return self.done(pk)


class CancelImportView(_ActionView):
    """End the work at it."""

    @extend_schema(
        operation_id="own_dataset_cancel", request=None, responses={202: shapes.OwnDataset, 404: ProblemDocument, 409: ProblemDocument}
    )
    def post(self, request: Request, pk: UUID) -> Response:
        row = self.find(pk)
        _try(lambda: own_data.cancel(row))
        return self.done(pk)


# ---------------------------------------------------------------- any data set


def visible(user: Any, name: str) -> DatasetEntry:
    """The data set, if it is built in or theirs. Raises Http404: somebody else's is as none."""
    found = registry.known_dataset(name)
    if found is None or (found.own and name not in own_ids(user)):
        raise Http404
    return found


class DatasetUsesView(OwnedView):
    """What of whoever asks uses the data set, newest first."""

    rows = DatasetUse.objects

    @extend_schema(operation_id="dataset_uses", responses={200: shapes.DatasetUsePage, 404: ProblemDocument})
    @reads(Page)
    def get(self, request: Request, query: Page, dataset: str) -> Response:
        visible(request.user, dataset)
        of_experiment = Run.objects.filter(experiment_id=OuterRef("experiment_id"))
        counts = {"runs": _counted(of_experiment), "open_runs": _counted(of_experiment.exclude(state__in=Run.TERMINAL))}
        rows = self.owned().filter(dataset=dataset).select_related("experiment").annotate(**counts)
        found, following = keyset_page(query, rows, ("-created", "-id"))
        return Response(shapes.DatasetUsePage(results=[_use(row) for row in found], next=following))


def _counted(runs: QuerySet[Run]) -> Subquery:
    return Subquery(runs.order_by().values("experiment_id").annotate(count=Count("pk")).values("count"), output_field=IntegerField())


def _use(row: Any) -> shapes.DatasetUseInfo:
    of = {"name": row.experiment.name, "created": row.created, "runs": row.runs or 0, "open_runs": row.open_runs or 0}
    return shapes.DatasetUseInfo(id=row.pk, experiment=row.experiment_id, **of)


class DatasetLookView(ApiView):
    """Samples and statistics of a data set, of its training and validation part. POST asks a worker for them, GET says what is known."""

    def get_throttles(self) -> list[Any]:
        return [EstimateRate()]

    @extend_schema(operation_id="dataset_look", responses={200: shapes.DatasetLookInfo, 404: ProblemDocument})
    def get(self, request: Request, dataset: str) -> Response:
        found = looks.known(visible(request.user, dataset))
        if found is None:
            raise Http404
        return Response(_look(found))

    @extend_schema(
        operation_id="dataset_look_create", request=None,
        responses={202: shapes.DatasetLookInfo, 404: ProblemDocument, 409: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, dataset: str) -> Response:
        entry = visible(request.user, dataset)
        if entry.provides != "samples":
            raise Problem(409, "no_samples", "it has no examples to look at: nothing is trained on it")
        found = looks.known(entry)
        if found is None or found.state == "failed":
            need_space()
            found = looks.request(request.user, entry)
        return Response(_look(found), status=202)


def _look(row: DatasetLook) -> shapes.DatasetLookInfo:
    return shapes.DatasetLookInfo(dataset=row.dataset, state=row.state, reason=row.reason, result=row.result)
