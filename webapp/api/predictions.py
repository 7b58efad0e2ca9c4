"""Views of what people ask their finished models: what a model takes, a question, its answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiTypes, extend_schema
from pydantic import Field
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.bundle.answers import MOST_EXAMPLES, NotAskable
from webapp.core.models import ModelArtefact, Prediction
from webapp.jobs import asked

from . import shapes
from .base import OwnedView
from .present import model_rows
from .problems import Problem, ProblemDocument, need_space
from .queries import Query, Text, reads
from .streamed import PIECE
from .throttles import AskRate

CONTENT_TYPE = "application/octet-stream"


class Bytes(BaseParser):
    """A file as it is, which nobody parses."""

    media_type = CONTENT_TYPE

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return {}


class ModelInputView(OwnedView):
    """What one gives to a model to be told something, with the sample that lies in its download."""

    rows = ModelArtefact.objects

    @extend_schema(operation_id="model_input", responses={200: shapes.ModelInput, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        model: ModelArtefact = self.find(pk, model_rows(self.owned()))
        bounds = {"most_examples": MOST_EXAMPLES, "seconds": settings.NASCOPE_TRY_SECONDS}
        try:
            form = asked.form(model)
        except NotAskable as why:
            return Response(shapes.ModelInput(form=None, reason=str(why), most_bytes=0, **bounds))
        return Response(shapes.ModelInput(form=form, reason="", most_bytes=asked.most_bytes(form), **bounds))


class AskQuery(Query):
    """What is asked of a model beside the bytes of the body."""

    name: Annotated[str, Text(200)] = Field("", description="what its owner calls the file: its ending says what it is")
    sample: Literal["yes"] | None = Field(None, description="ask for the sample in the download; the body is not read")
    invert: Literal["yes"] | None = Field(None, description="of a picture: it is dark on light")


class ModelPredictionsView(OwnedView):
    """Ask a model: the body is a picture, a row or a few as CSV, or an array. A worker answers. A person has one question at a time: the
    next takes the place of the one before."""

    rows = ModelArtefact.objects
    parser_classes = (Bytes,)
    largest_body = settings.NASCOPE_TRY_BYTES

    def get_throttles(self) -> list[Any]:
        return [AskRate()]

    @extend_schema(
        operation_id="model_ask", request={CONTENT_TYPE: OpenApiTypes.BINARY},
        responses={
            202: shapes.PredictionInfo, 400: ProblemDocument, 404: ProblemDocument, 409: ProblemDocument, 413: ProblemDocument,
            415: ProblemDocument, 429: ProblemDocument, 507: ProblemDocument,
        },
    )
    @reads(AskQuery)
    def post(self, request: Request, query: AskQuery, pk: UUID) -> Response:
        model: ModelArtefact = self.find(pk, model_rows(self.owned()))
        need_space()
        pieces = None if query.sample else _body(request)
        try:
            row = asked.ask(request.user, model, query.name, pieces, invert=query.invert is not None)
        except NotAskable as why:
            raise Problem(409, "cannot_ask", f"nothing can be asked of this model here: {why}") from None
        except asked.TooLarge as why:
            raise Problem(413, "too_large", str(why), field="file") from None
        return Response(_info(row), status=202)


def _body(request: Request) -> Iterator[bytes]:
    kind = (request.content_type or "").partition(";")[0].strip()
    # A client that sends nothing need not say of what kind it is.
    if kind != CONTENT_TYPE and (kind or request.headers.get("Content-Length", "0") != "0"):
        raise Problem(415, "unsupported_media_type", f"send the bytes of the file as {CONTENT_TYPE}", field="Content-Type")
    plain: Any = request._request
    return iter(lambda: plain.read(PIECE), b"")


class PredictionView(OwnedView):
    """A question and its answer, which is kept for ten minutes. DELETE takes it back: whoever answers it stops."""

    rows = Prediction.objects

    @extend_schema(operation_id="prediction", responses={200: shapes.PredictionInfo, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(_info(self.find(pk)))

    @extend_schema(operation_id="prediction_delete", responses={204: None, 404: ProblemDocument})
    def delete(self, request: Request, pk: UUID) -> Response:
        asked.forget(self.owned().filter(pk=self.find(pk).pk))
        return Response(status=204)


def _info(row: Prediction) -> shapes.PredictionInfo:
    waiting = asked.waits_for(row) if row.state == Prediction.State.QUEUED else ""
    return shapes.PredictionInfo(
        id=row.pk, model=row.model_id, state=row.state, waiting=waiting, reason=row.reason, result=row.result, created=row.created
    )
