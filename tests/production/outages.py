"""What can go away, and come back: each has `begin` and `end`."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
from collections.abc import Sequence
from typing import Protocol

import psycopg

from tests.services import Postgres, Redis

from .cable import Cable
from .small_disk import SmallDisk
from .tended import TendedStack


class Outage(Protocol):
    where: str
    """What goes away. Of those that are away at once each is something else."""
    allowed: tuple[int, ...]
    """What requests may be answered meanwhile, beside what they are answered otherwise; 0: they may get no answer. Never 500."""

    def begin(self, chance: random.Random) -> None: ...

    def end(self) -> None: ...


class RedisGone:
    """Stopped; what it held is lost."""

    where = "redis"
    allowed: tuple[int, ...] = ()

    def __init__(self, server: Redis) -> None:
        self.server = server

    def __str__(self) -> str:
        return "Redis"

    def begin(self, chance: random.Random) -> None:
        self.server.stop()

    def end(self) -> None:
        self.server.start()


class PostgresGone:
    """Stopped in good order or at once."""

    where = "database"
    allowed: tuple[int, ...] = (503,)

    def __init__(self, server: Postgres) -> None:
        self.server = server

    def __str__(self) -> str:
        return "PostgreSQL"

    def begin(self, chance: random.Random) -> None:
        self.server.stop(chance.choice([signal.SIGINT, signal.SIGQUIT]))

    def end(self) -> None:
        self.server.start()


class PostgresFull:
    """The disk of its files is full, so it refuses; or its own log too, so it breaks down. Then it is started again once there is room."""

    where = "database"
    allowed: tuple[int, ...] = (503, 507)

    def __init__(self, server: Postgres, disk: SmallDisk) -> None:
        self.server = server
        self.disk = disk

    def __str__(self) -> str:
        return "room for PostgreSQL"

    def begin(self, chance: random.Random) -> None:
        self.disk.begin(chance)
        if chance.choice([True, False]):
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    _execute(self.server, "SELECT pg_logical_emit_message(true, 'filler', repeat('x', 1000000))")

    def end(self) -> None:
        self.disk.end()
        self.server.tend()


class Gone:
    """Processes that are asked to end, killed or frozen."""

    def __init__(self, stack: TendedStack, *names: str) -> None:
        self.stack = stack
        self.names = names
        self.where = f"processes {names}"
        self.allowed: tuple[int, ...] = (0,) if "web" in names else ()
        self._frozen: list[subprocess.Popen[bytes]] = []

    def __str__(self) -> str:
        return " and ".join(self.names)

    def begin(self, chance: random.Random) -> None:
        number = chance.choice([signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP])
        for name in self.names:
            process = self.stack.processes[name]
            process.send_signal(number)
            if number == signal.SIGSTOP:
                self._frozen.append(process)
            else:
                self.stack.away.add(name)

    def end(self) -> None:
        for process in self._frozen:
            process.send_signal(signal.SIGCONT)
        self._frozen = []
        self.stack.away -= set(self.names)


class NetworkTrouble:
    """The network between some processes and some servers, while the others keep theirs. `way`: cut, lose or mute (`Cable`)."""

    def __init__(self, who: str, server: str, way: str, cables: Sequence[Cable], allowed: tuple[int, ...] = ()) -> None:
        self.cables = cables
        self.way = way
        self.where = f"network to {server}"
        self.allowed = allowed
        self._title = f"network from {who} to {server} ({way})"

    def __str__(self) -> str:
        return self._title

    def begin(self, chance: random.Random) -> None:
        for cable in self.cables:
            getattr(cable, self.way)()

    def end(self) -> None:
        for cable in self.cables:
            cable.mend()


HOURS = (-3 * 3600, -60, 3600, 26 * 3600)
"""How far a clock is put, in seconds."""


class ProcessClock:
    """The clock on the wall of some processes is put forward or back, and then right again."""

    allowed: tuple[int, ...] = ()

    def __init__(self, stack: TendedStack, *names: str) -> None:
        self.files = [stack.clock_of(name) for name in names]
        self.where = f"clock of {' and '.join(names)}"

    def __str__(self) -> str:
        return self.where

    def begin(self, chance: random.Random) -> None:
        self._put(chance.choice(HOURS))

    def end(self) -> None:
        self._put(0)

    def _put(self, seconds: int) -> None:
        for file in self.files:
            # Whole at every moment: the processes read it all the time.
            new = file.with_suffix(".new")
            new.write_text(str(seconds))
            new.replace(file)


class DatabaseClock:
    """The clock that leases are on. Sessions find a function of the same name before the server's own."""

    where = "database"
    allowed: tuple[int, ...] = ()

    def __init__(self, server: Postgres) -> None:
        self.server = server

    def __str__(self) -> str:
        return "clock of PostgreSQL"

    def prepare(self) -> None:
        """Of sessions that begin from now on."""
        _execute(
            self.server,
            "CREATE SCHEMA clock",
            "CREATE TABLE clock.ahead (seconds double precision NOT NULL)",
            "INSERT INTO clock.ahead VALUES (0)",
            "CREATE FUNCTION clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS "
            "'SELECT pg_catalog.statement_timestamp() + make_interval(secs => (SELECT seconds FROM clock.ahead))'",
            "ALTER DATABASE postgres SET search_path = clock, pg_catalog, public",
        )

    def begin(self, chance: random.Random) -> None:
        _execute(self.server, f"UPDATE clock.ahead SET seconds = {chance.choice(HOURS)}")

    def end(self) -> None:
        _execute(self.server, "UPDATE clock.ahead SET seconds = 0")


def _execute(server: Postgres, *statements: str) -> None:
    with psycopg.connect(server.url.replace("postgres://", "postgresql://"), autocommit=True) as session:
        for statement in statements:
            session.execute(statement)  # type: ignore[call-overload]
