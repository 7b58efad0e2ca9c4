"""The network between two processes, as something that a test can trouble: a port of its own that passes bytes on to a server."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass

from . import packets

_KEEPALIVE = {socket.TCP_KEEPIDLE: 2, socket.TCP_KEEPINTVL: 1, socket.TCP_KEEPCNT: 3}
"""Seconds and times. Once packets arrive again, an end whose process gave the connection up refuses a probe, as its machine would."""


@dataclass(eq=False)
class _Connection:
    near: socket.socket
    far: socket.socket
    resets: bool = False

    def close(self) -> None:
        for end in (self.near, self.far):
            with contextlib.suppress(OSError):
                if self.resets:
                    # A reset instead of an orderly end.
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Closing alone neither ends a read under way nor, before that ends, the connection.
                end.shutdown(socket.SHUT_RD if self.resets else socket.SHUT_RDWR)
            end.close()

    def over_tcp(self) -> list[socket.socket]:
        return [end for end in (self.near, self.far) if end.family == socket.AF_INET]


class Cable:
    """`cut` closes all connections and refuses new ones. `lose` loses every packet of both directions without a word: what is there is half
    open for as long as its ends believe in it, and goes on if `mend` comes before. `mute` lets everything arrive and loses the answers;
    these connections are reset by `mend`, which makes everything well again."""

    def __init__(self, target: tuple[str, int] | str) -> None:
        """`target`: host and port, or the path of a socket."""
        self._target = target
        self._state = "well"
        self._connections: set[_Connection] = set()
        self._changed = threading.Condition()
        self._listen(0)
        self.port: int = self._door.getsockname()[1]

    def _listen(self, port: int) -> None:
        self._door = socket.socket()
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._door.bind(("127.0.0.1", port))
        self._door.listen(100)
        threading.Thread(target=self._accept, args=(self._door,), daemon=True).start()

    def cut(self) -> None:
        self._become("cut")
        # Shut down first: closing alone does not end an `accept` under way.
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._hang_up(abruptly=False)

    def lose(self) -> None:
        packets.lose(self._door)
        with self._changed:
            self._state = "lost"
            for connection in self._connections:
                for end in connection.over_tcp():
                    packets.lose(end)

    def mute(self) -> None:
        self._become("mute")

    def mend(self) -> None:
        was = self._state
        if was == "mute":
            self._hang_up(abruptly=True)
        if was == "cut":
            self._listen(self.port)
        with self._changed:
            if was == "lost":
                packets.deliver(self._door)
                for connection in self._connections:
                    for end in connection.over_tcp():
                        packets.deliver(end)
        self._become("well")

    def remove(self) -> None:
        if self._state != "cut":
            self.cut()

    def _become(self, state: str) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _hang_up(self, *, abruptly: bool) -> None:
        with self._changed:
            connections, self._connections = self._connections, set()
            for connection in connections:
                # Known before anybody who waits here goes on: it closes, too, and must not end the other socket in good order.
                connection.resets = abruptly
            self._changed.notify_all()
        for connection in connections:
            connection.close()

    def _accept(self, door: socket.socket) -> None:
        while True:
            try:
                near, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET)
        connection = _Connection(near, far)
        try:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE.items():
                near.setsockopt(socket.IPPROTO_TCP, option, value)
            far.connect(self._target)
        except OSError:
            connection.close()
            return
        with self._changed:
            if self._state == "cut":
                connection.close()
                return
            self._connections.add(connection)
            if self._state == "lost":
                for end in connection.over_tcp():
                    packets.lose(end)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pass_on, args=(connection, source, sink), daemon=True).start()

    def _pass_on(self, connection: _Connection, source: socket.socket, sink: socket.socket) -> None:
        kept_back = ("lost", "mute") if sink is connection.near else ("lost",)
        with contextlib.suppress(OSError):
            more = True
            while more:
                data = source.recv(65536)
                with self._changed:
                    while self._state in kept_back and connection in self._connections:
                        self._changed.wait()
                    # What was kept back of a connection that has been hung up is lost with it.
                    more = bool(data) and connection in self._connections
                if more:
                    sink.sendall(data)
        with self._changed:
            self._connections.discard(connection)
        connection.close()
