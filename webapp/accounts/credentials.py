"""What let somebody in, kept for as long as a connection lives, so that it can be asked again whether it still does."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from webapp.core.models import ApiToken, WsTicket


def _of_session(key: str) -> Any:
    """Whom a session lets in: a user, or somebody anonymous."""
    request: Any = SimpleNamespace(session=import_module(settings.SESSION_ENGINE).SessionStore(key))
    return get_user(request)


def is_somebody(request: HttpRequest) -> bool:
    """Whether a request that no view saw yet comes from somebody who is logged in."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return ApiToken.find(token.strip()) is not None
    return bool(_of_session(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")).is_authenticated)


@dataclass(frozen=True)
class Credential:
    """A person's session or token. Where it is neither (a ticket that names nothing), the person alone."""

    user: int
    session: str = ""
    token: UUID | None = None

    @classmethod
    def of_ticket(cls, ticket: WsTicket) -> Credential:
        """What the ticket was given for: a ticket outlives neither."""
        return cls(user=ticket.user_id, session=ticket.session, token=ticket.token_id)

    def holds(self) -> bool:
        """Whether it would let the person in now: not logged out, expired, revoked or deactivated, with the password of then.

        Reads the database, so that what another process did is seen.
        """
        if self.token is not None:
            alive = Q(expires=None) | Q(expires__gt=timezone.now())
            return ApiToken.objects.filter(alive, pk=self.token, owner_id=self.user, owner__is_active=True).exists()
        if self.session:
            return bool(_of_session(self.session).pk == self.user)
        return User.objects.filter(pk=self.user, is_active=True).exists()
