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


class Postgres:
    """A server of the test's own, in a temporary folder, heard at a socket there; `stop` and `start` as often as a test wants."""

    def __init__(self, within: Path = Path("/tmp"), port: int = 0) -> None:
        """`within`: where its folder is made. `port`: where it is heard on 127.0.0.1 too (0: nowhere)."""
        programs = _postgres_bin()
        if programs is None:
            absent_service("PostgreSQL", "install it (apt-get install postgresql), or name a server with TEST_DATABASE_URL")
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="nascope-postgres-", dir=within))
        self.port = port
        self._options: dict[str, object] = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self._options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        # The encoding is said, because initdb would take it from the locale, which not every environment names.
        data = self.folder / "data"
        create = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(create, check=True, **self._options)  # type: ignore[call-overload]
        self.start()

    @property
    def url(self) -> str:
        """Of the maintenance database."""
        return f"postgres://postgres@/postgres?host={self.folder}" + (f"&port={self.port}" if self.port else "")

    @property
    def socket(self) -> str:
        """Path of the socket at which it is heard."""
        return str(self.folder / f".s.PGSQL.{self.port or 5432}")

    def start(self) -> None:
        words = ["-D", self.folder / "data", "-k", self.folder, "-c", "fsync=off"]
        words += ["-c", "listen_addresses=127.0.0.1", "-p", str(self.port)] if self.port else ["-c", "listen_addresses="]
        self._process = subprocess.Popen([self.programs / "postgres", *words], **self._options)  # type: ignore[call-overload]
        _wait(self._answers, "PostgreSQL")

    def tend(self) -> None:
        """Whatever it went through, it answers after this: one that ended by itself is started again, as a service manager does."""

        def answers() -> bool:
            if self._process.poll() is not None:
                self.start()
            return self._answers()

        _wait(answers, "PostgreSQL")

    def _answers(self) -> bool:
        ready = [self.programs / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port or 5432)]
        return subprocess.run(ready, check=False).returncode == 0

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """At once, leaving the rest to crash recovery, or by another of its ways."""
        self._process.send_signal(number)
        self._process.wait(PATIENCE)

    def remove(self) -> None:
        if self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Redis:
    """A server of the test's own, which keeps nothing; `stop` and `start` as often as a test wants, on one port."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            absent_service("Redis", "install it (apt-get install redis-server), or name a server with TEST_REDIS_URL")
        self.port = free_port()
        self._folder = tempfile.mkdtemp(prefix="nascope-redis-")
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder]
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        import redis

        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        _wait(lambda: _pings(redis.Redis(port=self.port)), "Redis")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def remove(self) -> None:
        if self._process.poll() is None:
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server's maintenance database; a test makes its own databases there."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    if given:
        yield given
        return
    server = Postgres()
    try:
        yield server.url
    finally:
        server.remove()


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
    server = Redis()
    try:
        yield server.url
    finally:
        server.remove()


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
