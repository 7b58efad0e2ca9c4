"""The stack on real servers, once per module: starting it takes seconds."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.services import postgres_server, redis_url

from .person import Person
from .stack import Stack

__all__ = ["postgres_server", "redis_url"]


@pytest.fixture(scope="module")
def database_url(postgres_server: str) -> Iterator[str]:
    """A fresh database for this module."""
    import psycopg

    name = f"nascope_{os.urandom(4).hex()}"
    plain = postgres_server.replace("postgres://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    base, _, query = postgres_server.partition("?")
    yield f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(plain, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def stack_environment() -> dict[str, str]:
    """Variables of all processes of the stack; a module that wants more has a fixture of this name."""
    return {}


@pytest.fixture(scope="module")
def stack(
    database_url: str, redis_url: str, stack_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Migrated and served; a module starts workers and reaper itself if it wants them."""
    made = Stack(tmp_path_factory.mktemp("production") / "home", database_url, redis_url, dict(stack_environment))
    try:
        made.migrate()
        made.serve()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def ada(stack: Stack) -> Person:
    return Person(stack, "ada")


@pytest.fixture(scope="module")
def grace(stack: Stack) -> Person:
    """A stranger to everything of ada's."""
    return Person(stack, "grace")
