"""How often one may try. The counts lie in Django's cache (webapp.accounts.guesses)."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from webapp.accounts.guesses import too_many, wait_of


class GuessRate(BaseThrottle):
    """Guesses at passwords."""

    _wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        data = request.data
        name = data.get("username") if isinstance(data, dict) else None
        self._wait = too_many(request._request, name if isinstance(name, str) else None)
        return not self._wait

    def wait(self) -> float:
        return self._wait


class _PerUser(BaseThrottle):
    """So many requests a minute that change something. `RATE` is read when a request comes, so that tests may change it."""

    RATE = 60
    scope = ""
    _wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return True
        self._wait = wait_of(f"throttle_{self.scope}_{request.user.pk}", self.RATE)
        return not self._wait

    def wait(self) -> float:
        return self._wait


class CreateRate(_PerUser):
    """New experiments, clones, tokens, rebuilt downloads."""

    scope = "create"


class ValidateRate(_PerUser):
    """The form asks after each pause of whoever fills it in; a program may ask as often as a busy person with several pages open."""

    scope = "validate"
    RATE = 240


class ReadingRate(_PerUser):
    """Architectures that are read while somebody types."""

    scope = "reading"
    RATE = 120


class EstimateRate(_PerUser):
    """The form asks again while somebody types."""

    scope = "estimate"
    RATE = 120


class UploadRate(_PerUser):
    """Pieces of uploads: a file of gigabytes in small ones, or over a bad line."""

    scope = "upload"
    RATE = 1_200


class AskRate(_PerUser):
    """Questions to models: a person with an eager finger."""

    scope = "ask"


class TicketRate(_PerUser):
    """WebSockets of clients without a session."""

    scope = "ws_ticket"
    RATE = 120
