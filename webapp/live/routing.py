"""WebSocket routes."""

from __future__ import annotations

from django.urls import path

from .consumer import RunConsumer

routes = [path("ws/v1/runs/<uuid:run>/", RunConsumer.as_asgi())]  # type: ignore[arg-type]  # Django's stubs know views only
