"""Views of trained models and their downloads."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.core.models import Event, ModelArtefact, Run
from webapp.jobs import contents
from webapp.jobs.downloads import NotPossible, opened, request_rebuild
from webapp.jobs.recorded import Damaged

from . import shapes
from .base import OwnedView
from .bundles import chunks, file_name
from .pagination import keyset_page
from .present import model_info, model_rows, repair_text
from .problems import Problem, ProblemDocument, need_space
from .queries import Id, Page, Query, reads
from .throttles import CreateRate

MOST_POINTS = 10_000
"""Of a model's curves. A training has one for each epoch."""


class ModelsQuery(Page):
    """Models of one run, or of all."""

    run: Annotated[UUID | None, Id()] = None


class ModelsView(OwnedView):
    """The models of whoever asks, newest first."""

    rows = ModelArtefact.objects

    @extend_schema(operation_id="models_list", responses={200: shapes.ModelPage})
    @reads(ModelsQuery)
    def get(self, request: Request, query: ModelsQuery) -> Response:
        rows = model_rows(self.owned())
        if query.run is not None:
            rows = rows.filter(run_id=query.run)
        found, following = keyset_page(query, rows, ("-created", "-id"))
        return Response(shapes.ModelPage(results=[model_info(row, row.run) for row in found], next=following))


class ModelView(OwnedView):
    """One model."""

    rows = ModelArtefact.objects

    @extend_schema(operation_id="model", responses={200: shapes.Model, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        model = self.find(pk, model_rows(self.owned()))
        return Response(model_info(model, model.run))


class ModelAssessmentView(OwnedView):
    """What stands beside a model's scores; without parts where its answers were not looked at, as of a run of before they were."""

    rows = ModelArtefact.objects

    @extend_schema(operation_id="model_assessment", responses={200: shapes.ModelAssessment, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        model = self.find(pk, self.owned())
        said = Event.objects.filter(run_id=model.run_id, kind="assessment", source=f"final:{model.index}").order_by("-seq")
        found = said.values_list("data", flat=True).first()
        return Response(shapes.ModelAssessment() if found is None else shapes.ModelAssessment.model_validate(found))


class ModelCurvesView(OwnedView):
    """How the final training of a model went, epoch by epoch; without points where the search itself finished it."""

    rows = ModelArtefact.objects

    @extend_schema(operation_id="model_curves", responses={200: shapes.ModelCurves, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        model = self.find(pk, self.owned())
        said = Event.objects.filter(run_id=model.run_id, kind="metrics", source=f"final:{model.index}").order_by("step", "seq")
        points = said.values_list("data", flat=True)[:MOST_POINTS]
        return Response(shapes.ModelCurves(points=[shapes.CurvePoint.model_validate(data) for data in points]))


class ModelContentsView(OwnedView):
    """What a model's download has that can be had alone, and what there is to say of the model beside its scores."""

    rows = ModelArtefact.objects

    @extend_schema(operation_id="model_contents", responses={200: shapes.ModelContents, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        model = self.find(pk, self.owned())
        held = contents.sizes(model)
        parts = [shapes.BundlePart(part=part, file=contents.PARTS[part], size=size) for part, size in held.items()]
        measured = {"calibration": contents.calibration(model), "latency": contents.latency(model)}
        return Response(shapes.ModelContents.model_validate({"parts": parts, **measured}))


class DownloadQuery(Query):
    """The whole, or one file of it."""

    part: contents.PartName | None = None


class ModelDownloadView(OwnedView):
    """The model's bundle as a zip that runs without NAScope, or one file of it."""

    rows = ModelArtefact.objects

    @extend_schema(
        operation_id="model_download",
        responses={
            (200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, description="the bundle"),
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="the file of it that was asked for"),
            404: ProblemDocument, 409: ProblemDocument,
        },
    )
    @reads(DownloadQuery)
    def get(self, request: Request, query: DownloadQuery, pk: UUID) -> StreamingHttpResponse:
        model = self.find(pk, model_rows(self.owned()))
        if not model.bundle_path:
            raise Http404
        if not model.bundle_sha256 and model.run.state not in Run.TERMINAL:
            raise Problem(409, "not_ready", "the download is about to be put in place: ask again in a moment")
        try:
            if query.part is not None:
                return self._part(model, query.part)
            file = opened(model)
        except Damaged as damaged:
            raise Problem(409, "damaged", f"the download is damaged: {damaged}; {repair_text(model)}") from None
        except KeyError:
            raise Http404 from None
        return StreamingHttpResponse(
            chunks(file),
            content_type="application/zip",
            headers={
                "Content-Disposition": f'attachment; filename="{file_name(model)}"',
                "Content-Length": str(model.bundle_size),
                "X-Content-Type-Options": "nosniff",
                "Repr-Digest": _digest_header(model.bundle_sha256),
            },
        )


    @staticmethod
    def _part(model: ModelArtefact, part: contents.PartName) -> StreamingHttpResponse:
        name = f"{file_name(model).removesuffix('.zip')}-{contents.PARTS[part]}"
        return StreamingHttpResponse(
            chunks(contents.opened_part(model, part)),
            content_type="application/octet-stream",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Content-Length": str(contents.sizes(model)[part]),
                "X-Content-Type-Options": "nosniff",
            },
        )


class ModelRebuildView(OwnedView):
    """Make a damaged download again from the record. It is put in place only if its bytes are those recorded."""

    rows = ModelArtefact.objects

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(
        operation_id="model_rebuild", request=None,
        responses={202: shapes.Model, 404: ProblemDocument, 409: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        model = self.find(pk, model_rows(self.owned()))
        need_space()
        try:
            request_rebuild(model)
        except NotPossible as reason:
            raise Problem(409, "wrong_state", f"the download cannot be made again: {reason}", state=model.run.state) from None
        model.refresh_from_db()
        return Response(model_info(model, model.run), status=202)


def _digest_header(sha256: str) -> str:
    """RFC 9530: lets a client check what it received."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
