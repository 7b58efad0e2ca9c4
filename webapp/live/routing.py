"""WebSocket routes."""

from __future__ import annotations

from django.urls import path, re_path

from .consumer import NoSuchSocket, RunConsumer

routes = [
    path("ws/v1/runs/<uuid:run>/", RunConsumer.as_asgi()),  # type: ignore[arg-type]  # Django's stubs know views only
    # Without it an unknown address would be an error of the server, for anybody to cause and to fill the log with.
    re_path(r".*", NoSuchSocket.as_asgi()),  # type: ignore[arg-type]
]
