"""The pages that the server itself writes: the application's shell, plain messages where there is no shell, and the one-time login link."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import escape
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_safe

from webapp.core.commands import called
from webapp.core.models import LoginToken

from .doors import open_to_anybody


def page(title: str, text: str, status: int = 200) -> HttpResponse:
    """A page without style or script, so that it needs no exception from the content security policy."""
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - NAScope</title></head>'
        f'<body><h1>{escape(title)}</h1><p>{escape(text)}</p><p><a href="/">NAScope</a></p></body></html>'
    )
    return HttpResponse(body, status=status)


@open_to_anybody
@require_safe
@ensure_csrf_cookie
def application(request: HttpRequest, path: str = "") -> HttpResponse:
    """The single-page application, whatever the path: its own router reads the address. Sets the CSRF cookie it will need."""
    index = Path(settings.BASE_DIR) / "webapp" / "static" / "ui" / "index.html"
    try:
        content = index.read_bytes()
    except FileNotFoundError:
        return page(
            "The front end is not built",
            "Run 'make run', which builds it, or 'npm ci && npm run build' in frontend/. The API answers under /api/v1/.",
            status=503,
        )
    # Never kept: it names the hashed assets of exactly this build.
    return HttpResponse(content, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})


@open_to_anybody
@never_cache
@require_GET
def login_link(request: HttpRequest, token: str) -> HttpResponse:
    """A link that logs its owner in, once. The token is spent whatever happens next."""
    row = LoginToken.redeem(token)
    if row is None:
        return page(
            "This login link cannot be used",
            f"It was used before or has expired. Who runs the application gets a new one with '{called('login_link')}'.",
            status=403,
        )
    login(request, row.user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect("/")
