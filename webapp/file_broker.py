"""kombu's filesystem transport, made safe for several processes any of which may be killed.

kombu writes messages and binding tables in place. A reader that comes between the opening of a file and its writing finds nothing in it,
which ends a Celery worker with a JSON error; a writer that is killed there leaves the same to everybody who comes later. Here a file
appears under its name only when it is complete.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads

log = logging.getLogger(__name__)

Binding = filesystem.exchange_queue_t


class Channel(filesystem.Channel):
    """Messages are files of the queue folder, `<milliseconds>_<uuid>.<queue>.msg`; an exchange's bindings are one file of the control
    folder."""

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:  # type: ignore[override]  # kombu's base classes disagree
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message. Raises Empty."""
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            path = Path(self.data_folder_in) / name
            try:
                with path.open("rb") as file:
                    # Of two readers one can remove it, and that one has the message.
                    path.unlink()
                    return loads(file.read().decode())
            except FileNotFoundError:
                continue
            except ValueError:
                log.warning("%s is no message and was thrown away", name)
        raise Empty

    def get_table(self, exchange: str) -> list[Binding]:  # type: ignore[override]  # in the stubs plain tuples; in kombu as here
        try:
            return [Binding(*row) for row in loads(self._table_file(exchange).read_text())]
        except FileNotFoundError:
            return []

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        binding = Binding(routing_key or "", pattern or "", queue or "")
        self._change(exchange, lambda table: table if binding in table else [binding, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str | None, pattern: str | None, *args: Any, **kwargs: Any) -> None:
        # Not the direct parent's, which rewrites the table in place; the grandparent's, which empties the queue.
        virtual.Channel._delete(self, queue, exchange, routing_key, pattern, *args, **kwargs)
        binding = Binding(routing_key or "", pattern or "", queue or "")
        self._change(exchange, lambda table: [row for row in table if row != binding])

    def _change(self, exchange: str, change: Callable[[list[Binding]], list[Binding]]) -> None:
        with _locked(Path(self.control_folder) / "tables.lock"):
            before = self.get_table(exchange)
            after = change(before)
            if after != before:
                _write(self._table_file(exchange), after)

    def _table_file(self, exchange: str) -> Path:
        path: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # kombu's own, missing in its stubs
        return path


class Transport(filesystem.Transport):
    """Registered in webapp.celery in place of kombu's for `filesystem://`."""

    Channel = Channel


def _write(path: Path, value: Any) -> None:
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    temporary.write_text(dumps(value))
    os.replace(temporary, path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """The system unlocks it when the process ends, however that happens."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
