"""The two pages that the server itself writes: the application's shell, and plain messages where there is no shell."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.html import escape
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe


def page(title: str, text: str, status: int = 200) -> HttpResponse:
    """A page without style or script, so that it needs no exception from the content security policy."""
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - NAScope</title></head>'
        f'<body><h1>{escape(title)}</h1><p>{escape(text)}</p><p><a href="/">NAScope</a></p></body></html>'
    )
    return HttpResponse(body, status=status)


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
