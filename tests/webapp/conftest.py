"""Fixtures of the web application's tests."""

from tests.services import postgres_server, postgres_url, redis_url
from tests.webapp.installation import installation

__all__ = ["installation", "postgres_server", "postgres_url", "redis_url"]
