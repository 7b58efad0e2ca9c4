"""Views of logging in and out, of API tokens, of WebSocket tickets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth import authenticate, login, logout
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.authentication import SessionOnly
from webapp.core.models import ApiToken, WsTicket

from . import shapes
from .base import ApiView, OwnedView
from .problems import Problem, ProblemDocument
from .throttles import CreateRate, GuessRate, TicketRate


class MeView(ApiView):
    """Who is asking."""

    @extend_schema(operation_id="me", responses={200: shapes.Me, 401: ProblemDocument})
    def get(self, request: Request) -> Response:
        get_token(request._request)  # sets the CSRF cookie where it is missing
        return Response(_me(request.user))


class LoginView(ApiView):
    """Log a browser in with name and password. Needs the CSRF token, as every POST with a session does."""

    largest_body = 16_000

    authentication_classes = ()
    permission_classes = ()

    def get_throttles(self) -> list[Any]:
        return [GuessRate()]

    @extend_schema(
        operation_id="login", request=shapes.LoginBody, responses={200: shapes.Me, 400: ProblemDocument, 403: ProblemDocument}, auth=[]
    )
    def post(self, request: Request) -> Response:
        SessionAuthentication().enforce_csrf(request)  # or a foreign page could log its visitor in as somebody else
        body = self.body(request, shapes.LoginBody)
        user = authenticate(request._request, username=body.username, password=body.password)
        if user is None:
            raise Problem(400, "wrong_credentials", "name or password is wrong", field="password")
        login(request._request, user)
        return Response(_me(user))


class LogoutView(ApiView):
    """End the session."""

    permission_classes = (*ApiView.permission_classes, SessionOnly)

    @extend_schema(operation_id="logout", request=None, responses={204: None, 401: ProblemDocument})
    def post(self, request: Request) -> Response:
        logout(request._request)
        return Response(status=204)


class TokensView(OwnedView):
    """API tokens: a list without their values; POST makes one and shows its value this once."""

    rows = ApiToken.objects
    permission_classes = (*ApiView.permission_classes, SessionOnly)

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(operation_id="tokens_list", responses={200: shapes.TokenInfos})
    def get(self, request: Request) -> Response:
        return Response(shapes.TokenInfos([shapes.TokenInfo(**_token(row)) for row in self.owned().order_by("-created", "-pk")]))

    @extend_schema(operation_id="tokens_create", request=shapes.TokenBody, responses={201: shapes.NewToken, 400: ProblemDocument})
    def post(self, request: Request) -> Response:
        body = self.body(request, shapes.TokenBody)
        row, plain = ApiToken.issue(request.user, body.name, body.scope)
        return Response(shapes.NewToken(**_token(row), token=plain), status=201)


class TokenView(OwnedView):
    """One API token; DELETE revokes it at once."""

    rows = ApiToken.objects
    permission_classes = (*ApiView.permission_classes, SessionOnly)

    @extend_schema(operation_id="token_delete", responses={204: None, 404: ProblemDocument})
    def delete(self, request: Request, pk: UUID) -> Response:
        self.find(pk).delete()
        return Response(status=204)


class WsTicketsView(ApiView):
    """The right to open one WebSocket within 30 seconds, for clients without a session cookie. Watching is reading: any token may."""

    permission_classes = (IsAuthenticated,)

    def get_throttles(self) -> list[Any]:
        return [TicketRate()]

    @extend_schema(operation_id="ws_tickets_create", request=None, responses={201: shapes.Ticket, 429: ProblemDocument})
    def post(self, request: Request) -> Response:
        token = request.auth if isinstance(request.auth, ApiToken) else None
        session = "" if token is not None else request.session.session_key or ""
        plain = WsTicket.issue(request.user, token=token, session=session)
        return Response(shapes.Ticket(ticket=plain, expires_in=int(WsTicket.lifetime.total_seconds())), status=201)


def _me(user: Any) -> shapes.Me:
    return shapes.Me(username=user.get_username(), id=user.pk, is_staff=user.is_staff)


def _token(row: ApiToken) -> dict[str, Any]:
    return {"id": row.pk, "name": row.name, "scope": row.scope, "hint": row.hint, "created": row.created, "last_used": row.last_used}
