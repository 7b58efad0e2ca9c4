"""Errors as RFC 9457 problem+json: {type, title, status, detail, code, field, problems}.

`code` is stable and meant for programs, `detail` is a sentence for people, `field` is the dotted name of what was wrong (or null).
Every exception that a view lets out passes through `handle`, so there is one place that decides what an error looks like.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from pydantic import BaseModel, ValidationError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import all_problems

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One thing wrong with one field."""

    field: str
    message: str
    code: str


class ProblemDocument(BaseModel):
    """The body of every error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    problems: list[FieldProblem] | None = None
    state: str | None = None


class Problem(exceptions.APIException):
    """An error with everything that the document says. Raised by views; `handle` renders it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        problems: list[FieldProblem] | None = None,
        state: str | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.document = ProblemDocument(
            title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, field=field, problems=problems, state=state
        )


def from_bad_inputs(found: Iterable[BadInput]) -> Problem:
    """A 400 that lists every problem; its own field and code are those of the first."""
    problems = [FieldProblem(field=item.field, message=item.message, code=item.code) for item in found]
    first = problems[0]
    detail = f"{first.field}: {first.message}" if first.field else first.message
    if len(problems) > 1:
        detail += f" (and {len(problems) - 1} more)"
    return Problem(400, first.code, detail, field=first.field or None, problems=problems)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None (a 500) for what is our own mistake."""
    document = _document(error)
    if document is None:
        return None
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
    set_rollback()
    return Response(document.model_dump(), status=document.status, headers=headers, content_type=CONTENT_TYPE)


def _document(error: Exception) -> ProblemDocument | None:
    if isinstance(error, BadInput):
        return from_bad_inputs([error]).document
    if isinstance(error, ValidationError):
        return from_bad_inputs(all_problems("", error)).document
    if isinstance(error, Problem):
        return error.document
    if isinstance(error, Http404):
        return make(404, "not_found", "there is no such object, or it is not yours")
    if isinstance(error, PermissionDenied):
        return make(403, "permission_denied", "you may not do this")
    if isinstance(error, exceptions.APIException):
        codes = error.get_codes()
        return make(error.status_code, codes if isinstance(codes, str) else "invalid", str(error.detail))
    return None


def make(status: int, code: str, detail: str) -> ProblemDocument:
    """A document without field or list."""
    return ProblemDocument(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code)


def as_http(document: ProblemDocument) -> JsonResponse:
    """The document as a plain Django response, for what never reaches a DRF view."""
    return JsonResponse(document.model_dump(), status=document.status, content_type=CONTENT_TYPE)


def no_such_route(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Everything under /api/ that is no route (also a malformed id)."""
    return as_http(make(404, "not_found", f"there is nothing at {request.path}"))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400: a request that no view saw (a host that is not allowed, ...)."""
    return as_http(make(400, "bad_request", "this request cannot be answered"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what went wrong is in the server's log, not in the answer."""
    return as_http(make(500, "server_error", "something went wrong in the server; its log says what"))
