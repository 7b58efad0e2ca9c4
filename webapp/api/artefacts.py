"""Views of trained models and their downloads."""

from __future__ import annotations

import base64
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.core.models import ModelArtefact

from . import shapes
from .base import OwnedView, read_uuid
from .bundles import bundle_zip, chunks, file_name
from .pagination import keyset_page
from .present import model_info, model_rows
from .problems import ProblemDocument
from .records import CURSOR


class ModelsView(OwnedView):
    """The models of whoever asks, newest first."""

    rows = ModelArtefact.objects
    owner_path = "run__owner"

    @extend_schema(operation_id="models_list", parameters=[OpenApiParameter("run", UUID), *CURSOR], responses={200: shapes.ModelPage})
    def get(self, request: Request) -> Response:
        rows = model_rows(self.owned())
        run = read_uuid(request, "run")
        if run is not None:
            rows = rows.filter(run_id=run)
        found, following = keyset_page(request, rows, ("-created", "-id"))
        return Response(shapes.ModelPage(results=[model_info(row, row.run) for row in found], next=following))


class ModelView(OwnedView):
    """One model."""

    rows = ModelArtefact.objects
    owner_path = "run__owner"

    @extend_schema(operation_id="model", responses={200: shapes.Model, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        model = self.find(pk, model_rows(self.owned()))
        return Response(model_info(model, model.run))


class ModelDownloadView(OwnedView):
    """The model's bundle as a zip that runs without NAScope."""

    rows = ModelArtefact.objects
    owner_path = "run__owner"

    @extend_schema(
        operation_id="model_download",
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, description="the bundle"), 404: ProblemDocument},
    )
    def get(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        model = self.find(pk, model_rows(self.owned()))
        path = bundle_zip(model)
        return StreamingHttpResponse(
            chunks(path),
            content_type="application/zip",
            headers={
                "Content-Disposition": f'attachment; filename="{file_name(model)}"',
                "Content-Length": str(path.stat().st_size),
                "X-Content-Type-Options": "nosniff",
                "Repr-Digest": _digest_header(model.bundle_sha256),
            },
        )


def _digest_header(sha256: str) -> str:
    """RFC 9530: lets a client check what it received."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
