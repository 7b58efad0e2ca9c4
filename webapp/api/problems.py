"""Errors as RFC 9457 problem+json: {type, title, status, detail, code, field, problems}.

`code` is stable and meant for programs, `detail` is a sentence for people, `field` is the dotted name of what was wrong (or null).
Every exception that a view lets out passes through `handle`, so there is one place that decides what an error looks like.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from pydantic import BaseModel, ValidationError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from search_engine.base.errors import BadInput
from search_engine.base.quoting import shortened
from search_engine.catalogue.config import all_problems
from webapp.accounts.doors import open_to_anybody
from webapp.core import room

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
MOST_LISTED = 100
"""A body of a megabyte can hold a hundred thousand unknown names; nobody reads as many answers."""
AWAY_SECONDS = 2
"""When to ask again a server whose database is away."""


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


def _phrase(status: int) -> str:
    # Of the upload protocol, and none of HTTP's own.
    return "Checksum Mismatch" if status == 460 else HTTPStatus(status).phrase


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
            title=_phrase(status), status=status, detail=detail, code=code, field=field, problems=problems, state=state
        )


def listed(found: Sequence[BadInput]) -> list[FieldProblem]:
    """What is wrong, as an answer lists it: at most MOST_LISTED things, and how many more there are."""
    problems = [FieldProblem(field=item.field, message=item.message, code=item.code) for item in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        left = f"and {len(found) - MOST_LISTED:,} more: put right what is listed, and ask again"
        problems.append(FieldProblem(field="", message=left, code="more_problems"))
    return problems


def from_bad_inputs(found: Iterable[BadInput]) -> Problem:
    """A 400 that lists what is wrong; its own field and code are those of the first."""
    found = list(found)
    first = found[0]
    detail = f"{first.field}: {first.message}" if first.field else first.message
    if len(found) > 1:
        detail += f" (and {len(found) - 1} more)"
    return Problem(400, first.code, detail, field=first.field or None, problems=listed(found))


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None (a 500) for what is our own mistake."""
    document = _document(error)
    if document is None:
        return None
    set_rollback()
    return Response(document.model_dump(), status=document.status, headers=_headers(error, document.status), content_type=CONTENT_TYPE)


def handle_in_json(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """`handle` for a view whose renderers write something else."""
    document = _document(error)
    if document is None:
        return None
    answer = as_http(document)
    for name, value in _headers(error, document.status).items():
        answer[name] = value
    return answer


def _headers(error: Exception, status: int) -> dict[str, str]:
    headers = {"Retry-After": str(AWAY_SECONDS)} if status == 503 else {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
    return headers


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
    return outage(error)


def outage(error: BaseException | None) -> ProblemDocument | None:
    """What is nobody's mistake: a full disk, or a database that does not answer. None for anything else."""
    if error is None:
        return None
    if room.says_full(error):
        return no_space().document
    if isinstance(error, (OperationalError, InterfaceError)):
        log.warning("a request met a database that does not answer: %s", error)
        # The next request gets a connection of its own.
        connection.close()
        return make(503, "database_away", "the database does not answer just now; send this again in a moment")
    return None


def no_space() -> Problem:
    """507: nothing can be written, or nothing should be begun."""
    return Problem(507, "no_space", "the disk is full: free some space where files and database lie, then send this again")


def need_space() -> None:
    """Raises the Problem 507 where what is asked for could not go on."""
    if room.full():
        raise no_space()


def make(status: int, code: str, detail: str) -> ProblemDocument:
    """A document without field or list."""
    return ProblemDocument(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code)


def as_http(document: ProblemDocument) -> JsonResponse:
    """The document as a plain Django response, for what never reaches a DRF view."""
    return JsonResponse(document.model_dump(), status=document.status, content_type=CONTENT_TYPE)


@open_to_anybody
def no_such_route(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Everything under /api/ that is no route (also a malformed id)."""
    return as_http(make(404, "not_found", f"there is nothing at {shortened(request.path)}"))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400: a request that no view saw (a host that is not allowed, ...)."""
    return as_http(make(400, "bad_request", "this request cannot be answered"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, for what no view of the API saw (a session that cannot be read or written, a page, the administration). What
    went wrong is in the server's log, not in the answer, except for outages."""
    document = outage(sys.exc_info()[1])
    if document is not None:
        return as_http(document)
    return as_http(make(500, "server_error", "something went wrong in the server; its log says what"))
