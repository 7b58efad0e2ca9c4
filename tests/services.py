"""Real servers for tests: PostgreSQL (as user postgres, in a temporary folder, no TCP) and Redis. Nothing is left behind.

TEST_DATABASE_URL and TEST_REDIS_URL name servers that run already. Without a server the test is skipped with the reason, or fails where
REQUIRE_SERVICES=1 (tests/absent.py).
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.absent import absent_service
from tests.patience import PATIENCE


def _postgres_bin() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server's maintenance database; a test makes its own databases there."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    if given:
        yield given
        return
    programs = _postgres_bin()
    if programs is None:
        absent_service("PostgreSQL", "install it (apt-get install postgresql), or name a server with TEST_DATABASE_URL")
    folder = Path(tempfile.mkdtemp(prefix="nascope-postgres-", dir="/tmp"))
    options: dict[str, object] = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    # The encoding is said, because initdb would take it from the locale, which not every environment names.
    create = [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    subprocess.run(create, check=True, **options)  # type: ignore[call-overload]
    server = subprocess.Popen(
        [programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "fsync=off", "-c", "listen_addresses="],
        **options,  # type: ignore[call-overload]
    )
    try:
        _wait(lambda: subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode == 0, "PostgreSQL")
        yield f"postgres://postgres@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, empty database, dropped afterwards."""
    import psycopg

    name = f"nascope_{os.urandom(4).hex()}"
    with psycopg.connect(postgres_server.replace("postgres://", "postgresql://"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    base, _, query = postgres_server.partition("?")
    yield f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(postgres_server.replace("postgres://", "postgresql://"), autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of a Redis server."""
    given = os.environ.get("TEST_REDIS_URL", "")
    if given:
        yield given
        return
    program = shutil.which("redis-server")
    if program is None:
        absent_service("Redis", "install it (apt-get install redis-server), or name a server with TEST_REDIS_URL")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="nascope-redis-")
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
    )
    try:
        import redis

        _wait(lambda: _pings(redis.Redis(port=port)), "Redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _pings(client: object) -> bool:
    import redis

    try:
        return bool(client.ping())  # type: ignore[attr-defined]
    except redis.ConnectionError:
        return False


def _wait(ready: object, what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not ready():  # type: ignore[operator]
        if time.monotonic() > until:
            raise RuntimeError(f"{what} did not start within {PATIENCE:.0f} s")
        time.sleep(0.1)
