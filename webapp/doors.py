"""Every door of the web application and whom it lets in, read from the code: routes, methods, WebSockets.

    python -m webapp.doors > docs/doors.md

A door says by itself whom it is for: a view of the API by its permission classes and by whose rows it shows, a page by
`open_to_anybody`, the administration by being it, a WebSocket by its class. One that says nothing is an error here, so that none can be
forgotten; that each door does what its row says is tested (tests/webapp/test_doors.py).
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
if __name__ == "__main__":
    django.setup()

from django.contrib.auth.models import AnonymousUser, User
from django.urls import URLPattern, URLResolver, get_resolver

from webapp.accounts.doors import of_the_administration
from webapp.api.base import OwnedView
from webapp.api.problems import no_such_route
from webapp.api.queries import asked_of
from webapp.core.models import ApiToken
from webapp.live.consumer import RunConsumer
from webapp.live.routing import routes

Answer = Literal["yes", "401", "403", "404", "login", "4401", "4404"]
"""`login`: led to the login page. Four digits: the code with which a WebSocket closes."""

ROLES = ("anonymous", "logged out", "stranger", "read token", "write token", "owner", "staff")
"""A *stranger* and *staff* (a superuser) are logged in and own nothing of what is asked for; the tokens are the owner's; *logged out*
brings the cookie of a session that has ended."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Door:
    """A method of a route, or a WebSocket."""

    path: str
    method: str
    answers: dict[str, Answer]


def doors() -> list[Door]:
    """All of them. Raises LookupError for one that does not say whom it is for."""
    found = [Door(path, method, answers) for path, view in _routes(get_resolver()) for method, answers in _of_view(path, view)]
    return found + [Door(_text(route), "socket", _of_socket(route)) for route in routes]


def _routes(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, Any]]:
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield from _routes(item, before + _text(item))
        else:
            yield before + _text(item), item.callback


def _text(item: URLPattern | URLResolver) -> str:
    """A route as it is written, regular expressions among them."""
    return str(item.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")


def _of_view(path: str, view: Any) -> Iterator[tuple[str, dict[str, Answer]]]:
    cls = getattr(view, "cls", None)
    if cls is not None:
        for method in METHODS:
            if hasattr(cls, method.lower()):
                yield method, {role: _of_api(path, cls, method, role) for role in ROLES}
    elif view is no_such_route:
        yield "GET", dict.fromkeys(ROLES, "404")
    elif getattr(view, "open_to_anybody", False):
        yield "GET", dict.fromkeys(ROLES, "yes")
    elif of_the_administration(view):
        # A token is for the API: elsewhere it is nobody's.
        logged_in: dict[str, Answer] = {"stranger": "403", "owner": "403", "staff": "yes"}
        # Its address for logging in is a method of the site itself; it leads elsewhere, and takes nothing.
        for method in ("GET",) if inspect.ismethod(view) else ("GET", "POST"):
            yield method, {role: logged_in.get(role, "login") for role in ROLES}
    else:
        raise LookupError(f"{path}: the view does not say whom it is for (webapp.accounts.doors, or permission classes)")


def _of_api(path: str, cls: Any, method: str, role: str) -> Answer:
    request = _request(method, role)
    for permission in cls.permission_classes:
        if not permission().has_permission(request, cls):
            return "403" if request.user.is_authenticated else "401"
    names_a_row = "<uuid:" in path or "run" in _required(cls, method)
    if issubclass(cls, OwnedView) and names_a_row and role in ("stranger", "staff"):
        return "404"
    return "yes"


def _required(cls: Any, method: str) -> set[str]:
    return {name for name, field in asked_of(cls(), method).model_fields.items() if field.is_required()}


def _request(method: str, role: str) -> Any:
    """As much of a request as permissions look at."""
    if role in ("anonymous", "logged out"):
        return SimpleNamespace(method=method, user=AnonymousUser(), auth=None)
    token = ApiToken(scope=role.split()[0]) if role.endswith(" token") else None
    return SimpleNamespace(method=method, user=User(pk=1, username=role), auth=token)


def _of_socket(route: Any) -> dict[str, Answer]:
    consumer = route.callback.consumer_class
    if getattr(consumer, "open_to_anybody", False):
        return dict.fromkeys(ROLES, "4404")
    if not issubclass(consumer, RunConsumer):
        raise LookupError(f"{_text(route)}: the WebSocket does not say whom it is for")
    refused: dict[str, Answer] = {"anonymous": "4401", "logged out": "4401", "stranger": "4404", "staff": "4404"}
    return {role: refused.get(role, "yes") for role in ROLES}


HEAD = """# Doors

Written by `python -m webapp.doors > docs/doors.md` from the code itself; tests fail when it drifts, and try every door in every role.

Every route with its methods, every WebSocket, and what somebody gets there. *stranger* and *staff* are logged in and own nothing of what
is asked for; *read token* and *write token* are the owner's; *logged out* brings the cookie of a session that has ended. *yes*: let in, to
what is theirs where rows have owners. Numbers are HTTP statuses, or those with four digits the codes with which a WebSocket closes.
*login*: led to the login page. A token opens the API and, by a ticket, a WebSocket; elsewhere it is nobody's.

There is one login (`/api/v1/auth/login`), and links that work once (`/login/TOKEN/`). Guesses at passwords are counted in one place, for
the login and for the administration's change of a password: %d a minute from one address, %d at one name. A WebSocket asks every %g
seconds whether its client would still be let in, and ends where not.
"""


def page() -> str:
    """docs/doors.md."""
    from webapp.accounts.guesses import BY_ADDRESS, BY_NAME
    from webapp.live.watch import HEARTBEAT_SECONDS

    lines = [HEAD % (BY_ADDRESS, BY_NAME, HEARTBEAT_SECONDS), f"| door | {' | '.join(ROLES)} |", f"| --- |{' --- |' * len(ROLES)}"]
    for door in doors():
        path = door.path.replace("|", "\\|")
        lines.append(f"| `{door.method} {path}` | {' | '.join(door.answers[role] for role in ROLES)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
