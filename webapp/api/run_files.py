"""Views of runs as files: an ended run or experiment on its way out, and those that somebody brings (their bytes: webapp.api.uploads, with
the purpose `run`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.archives.form import SUFFIX
from webapp.core.models import Dataset, Experiment, Run
from webapp.jobs import own_data, run_exports

from . import shapes
from .base import OwnedView
from .pagination import keyset_page
from .problems import Problem, ProblemDocument
from .queries import Page, reads
from .throttles import CreateRate

RUNS = Dataset.objects.filter(purpose=Dataset.Purpose.RUN)
FILE = {
    (200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, description="one file, to be opened elsewhere"),
    404: ProblemDocument, 409: ProblemDocument, 429: ProblemDocument,
}  # fmt: skip


class RunImportsView(OwnedView):
    """The runs that whoever asks brings, newest first. What was opened is an experiment, and leaves this list after a while."""

    rows = RUNS

    @extend_schema(operation_id="run_imports_list", responses={200: shapes.RunImportPage})
    @reads(Page)
    def get(self, request: Request, query: Page) -> Response:
        found, following = keyset_page(query, self.owned(), ("-created", "-id"))
        return Response(shapes.RunImportPage(results=[shapes.RunImport.of(row) for row in found], next=following))


class RunImportView(OwnedView):
    """One of them. DELETE ends the work at it and removes its file; the experiment that it became stays."""

    rows = RUNS

    @extend_schema(operation_id="run_import", responses={200: shapes.RunImport, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.RunImport.of(self.find(pk)))

    @extend_schema(operation_id="run_import_delete", responses={204: None, 404: ProblemDocument})
    def delete(self, request: Request, pk: UUID) -> Response:
        own_data.delete(self.find(pk))
        return Response(status=204)


class CancelRunImportView(OwnedView):
    """End the work at it."""

    rows = RUNS

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(
        operation_id="run_import_cancel", request=None, responses={202: shapes.RunImport, 404: ProblemDocument, 409: ProblemDocument}
    )
    def post(self, request: Request, pk: UUID) -> Response:
        try:
            own_data.cancel(self.find(pk))
        except own_data.NotNow as why:
            raise Problem(409, "wrong_state", str(why), state=why.state) from None
        return Response(shapes.RunImport.of(self.find(pk)), status=202)


class RunExportView(OwnedView):
    """An ended run as one file: its events, its models, what its page shows."""

    rows = Run.objects

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(operation_id="run_export", responses=FILE)
    def get(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        run = self.find(pk, self.owned().select_related("experiment", "counter"))
        return _sent(lambda: run_exports.of_run(run), f"{run.algorithm}-{run.space}-seed{run.seed}", run.state)


class ExperimentExportView(OwnedView):
    """An experiment, all of whose runs have ended, as one file."""

    rows = Experiment.objects

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(operation_id="experiment_export", responses=FILE)
    def get(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        experiment = self.find(pk)
        return _sent(lambda: run_exports.of_experiment(experiment), experiment.name, "")


def _sent(begin: Callable[[], Iterator[bytes]], name: str, state: str) -> StreamingHttpResponse:
    try:
        pieces = begin()
    except run_exports.NotPossible as why:
        raise Problem(409, "wrong_state", str(why), state=state) from None
    return StreamingHttpResponse(
        _in_turn(pieces),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{run_exports.file_name(name)}{SUFFIX}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _in_turn(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece is made when the one before is sent, in the thread that holds the request's connection to the database."""
    step = sync_to_async(lambda: next(pieces, None))
    while (piece := await step()) is not None:
        yield piece
