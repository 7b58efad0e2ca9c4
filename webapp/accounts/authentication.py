"""Who is asking: a bearer token, or the browser's session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import Error
from django.utils import timezone
from rest_framework import permissions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from webapp.core import room
from webapp.core.models import ApiToken

_TOUCH_EVERY = timedelta(minutes=1)


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer nascope_...`. Needs no CSRF token: no browser sends this header by itself."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("write the header as 'Authorization: Bearer TOKEN'")
        token = ApiToken.find(parts[1].decode("latin-1"))
        if token is None:
            raise AuthenticationFailed("this token is unknown, revoked or expired")
        now = timezone.now()
        if token.last_used is None or now - token.last_used > _TOUCH_EVERY:
            try:
                ApiToken.objects.filter(pk=token.pk).update(last_used=now)
            except Error as error:
                # When it was used is not worth an answer: a full database still lets everybody read.
                if not room.says_full(error):
                    raise
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


AUTHENTICATION: tuple[type[BaseAuthentication], ...] = (BearerAuthentication, SessionAuthentication)
"""Bearer first: its header is what a 401 answers with."""


def person(request: Request) -> User:
    """Who asks, in a view that lets only people in. Raises NotAuthenticated."""
    if not request.user.is_authenticated:
        raise NotAuthenticated
    return request.user


class TokenScope(permissions.BasePermission):
    """A token of scope `read` may only read; a session may do everything that its user may."""

    message = "this token may only read; make one of scope 'write'"
    code = "read_only_token"

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in permissions.SAFE_METHODS or not isinstance(request.auth, ApiToken) or request.auth.scope == "write"


class SessionOnly(permissions.BasePermission):
    """Tokens cannot make tokens: a leaked one must not outlive its revocation."""

    message = "log in with a browser to do this; a token cannot"
    code = "session_only"

    def has_permission(self, request: Request, view: Any) -> bool:
        return not isinstance(request.auth, ApiToken)
