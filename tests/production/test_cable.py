"""The network of the tests itself: what each trouble is to the two ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.patience import PATIENCE

from .cable import Cable


class Server:
    """Answers each word with itself; `heard` has what arrived, `ended` how the connections ended."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.heard: list[bytes] = []
        self.ended = threading.Semaphore(0)
        self.came = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                end, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(end,), daemon=True).start()

    def _serve(self, end: socket.socket) -> None:
        try:
            while word := end.recv(100):
                self.heard.append(word)
                self.came.release()
                end.sendall(word)
        except OSError:
            pass
        self.ended.release()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.door.close()


@pytest.fixture
def cable(server: Server) -> Iterator[Cable]:
    made = Cable(("127.0.0.1", server.door.getsockname()[1]))
    yield made
    made.remove()


def connected(cable: Cable) -> socket.socket:
    end = socket.create_connection(("127.0.0.1", cable.port), timeout=PATIENCE)
    assert asked(end) == b"hello"
    return end


def asked(end: socket.socket, word: bytes = b"hello") -> bytes:
    end.sendall(word)
    return end.recv(100)


def test_a_cut_ends_what_is_there_and_refuses_the_rest(cable: Cable, server: Server) -> None:
    end = connected(cable)
    cable.cut()
    assert end.recv(100) == b""
    assert server.ended.acquire(timeout=PATIENCE)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", cable.port), timeout=PATIENCE)
    cable.mend()
    connected(cable)


def test_what_is_lost_is_sent_again_once_packets_arrive(cable: Cable, server: Server) -> None:
    end = connected(cable)
    cable.lose()
    end.sendall(b"lost")
    end.settimeout(0.3)
    with pytest.raises(TimeoutError):
        end.recv(100)
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", cable.port), timeout=0.3)
    assert server.heard == [b"hello"]
    cable.mend()
    end.settimeout(PATIENCE)
    assert end.recv(100) == b"lost"


def test_an_end_that_gives_up_meanwhile_ends_the_other_afterwards(cable: Cable, server: Server) -> None:
    end = connected(cable)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 500)
    cable.lose()
    end.sendall(b"lost")
    with pytest.raises(TimeoutError):
        end.recv(100)
    end.close()
    assert not server.ended.acquire(blocking=False), "half open: nobody told the server"
    cable.mend()
    assert server.ended.acquire(timeout=PATIENCE)


def test_what_is_mute_arrives_and_is_reset(cable: Cable, server: Server) -> None:
    end = connected(cable)
    assert server.came.acquire(timeout=PATIENCE)
    cable.mute()
    end.sendall(b"done")
    assert server.came.acquire(timeout=PATIENCE)
    assert server.heard == [b"hello", b"done"]
    end.settimeout(0.3)
    with pytest.raises(TimeoutError):
        end.recv(100)
    cable.mend()
    end.settimeout(PATIENCE)
    with pytest.raises(ConnectionResetError):
        end.recv(100)
    assert server.ended.acquire(timeout=PATIENCE)
    connected(cable)


def test_a_connection_that_only_listens_is_reset_too(cable: Cable, server: Server) -> None:
    end = connected(cable)
    cable.mute()
    cable.mend()
    with pytest.raises(ConnectionResetError):
        end.recv(100)
