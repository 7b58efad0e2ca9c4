"""Registers the OpenAPI extensions."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "webapp.api"

    def ready(self) -> None:
        from . import openapi  # noqa: F401 (importing registers them)
