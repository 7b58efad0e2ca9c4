"""How often one may try. Rates are per minute; the counts lie in Django's cache."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class _Throttle(SimpleRateThrottle):
    """`RATE` is read when a request comes, so that settings (and tests) may change it."""

    RATE = "60/min"

    def __init__(self) -> None:
        self.rate = self.RATE
        self.num_requests, self.duration = self.parse_rate(self.rate)


class _PerUser(_Throttle):
    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return None
        return f"throttle_{self.scope}_{request.user.pk}"


class LoginByAddress(_Throttle):
    """Password guesses from one address."""

    scope = "login_address"
    RATE = "20/min"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"throttle_{self.scope}_{self.get_ident(request)}"


class LoginByName(_Throttle):
    """Password guesses at one account, from wherever they come."""

    scope = "login_name"
    RATE = "10/min"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        data = request.data
        name = data.get("username") if isinstance(data, dict) else None
        if not isinstance(name, str):
            return None
        # Names may hold anything; hex is safe as a cache key.
        return f"throttle_{self.scope}_{name.lower()[:150].encode().hex()}"


class CreateRate(_PerUser):
    """New experiments, clones."""

    scope = "create"
    RATE = "60/min"


class EstimateRate(_PerUser):
    """The form asks again while somebody types."""

    scope = "estimate"
    RATE = "120/min"


class TicketRate(_PerUser):
    scope = "ws_ticket"
    RATE = "120/min"
