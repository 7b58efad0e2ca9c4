"""A real web process against clients that send too much, too slowly, or nothing: what is refused, when, and what it leaves behind."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from django.conf import settings

from tests.patience import PATIENCE
from webapp.core.models import ApiToken
from webapp.serving.server import configuration

from .api_world import make_user
from .live_server import Server, cookie, serving
from .own_world import OCTETS

pytestmark = pytest.mark.django_db(transaction=True)

UNFINISHED = 12
BOUNDS = {
    "NASCOPE_MAX_UNFINISHED": str(UNFINISHED), "NASCOPE_MAX_BODY_BYTES": "300000", "NASCOPE_MAX_ANONYMOUS_BODY_BYTES": "20000",
    "NASCOPE_MAX_HEADER_BYTES": "16000",
}  # fmt: skip
HUGE = 599_000_000
NGINX_KEEPS_SECONDS = 60
"""An idle connection to the server behind it: `keepalive_timeout` of an upstream block
(nginx.org/en/docs/http/ngx_http_upstream_module.html)."""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def server(django_db_setup: None, scratch: Path) -> Iterator[Server]:
    with serving(TMPDIR=str(scratch), NASCOPE_HEADER_SECONDS=str(PATIENCE), NASCOPE_BODY_SECONDS=str(PATIENCE), **BOUNDS) as made:
        yield made


@pytest.fixture(scope="module")
def impatient(django_db_setup: None, scratch: Path) -> Iterator[Server]:
    """Another, whose clients have a second."""
    with serving(TMPDIR=str(scratch), NASCOPE_HEADER_SECONDS="1", NASCOPE_BODY_SECONDS="1", NASCOPE_WRITE_SECONDS="1", **BOUNDS) as made:
        yield made


class Line:
    """One connection, spoken to in bytes."""

    def __init__(self, server: Server, window: int = 0) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.connect(("127.0.0.1", server.port))

    def say(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def rest(self) -> bytes:
        """Everything until the server ends the connection."""
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            while data := self.socket.recv(65_536):
                heard += data
        return heard

    def answer(self) -> tuple[int, Any]:
        """Status and JSON of one answer; None where there is no JSON."""
        heard = b""
        while b"\r\n\r\n" not in heard:
            data = self.socket.recv(65_536)
            assert data, heard
            heard += data
        head, _, body = heard.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        size = int(fields.get(b"content-length", b"0"))
        while len(body) < size:
            body += self.socket.recv(65_536)
        return int(head.split()[1]), json.loads(body) if b"json" in fields.get(b"content-type", b"") else None

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()


def head(path: str, *headers: str, method: str = "POST") -> str:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *headers, "", ""])


def spilled(server: Server, scratch: Path) -> list[str]:
    """Files in the scratch folder that the web process has open, also those without a name."""
    found = [str(path) for path in scratch.iterdir()]
    for entry in Path(f"/proc/{server.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found += [target for target in [os.readlink(entry)] if target.startswith(str(scratch))]
    return found


# ---------------------------------------------------------------- bodies


PLACES = [f"/api/v1/{route}" for route in ("no-such-route", "experiments", "auth/login", "runs")]
PLACES += ["/", "/admin/", "/login/x/", "/ws/", "/static/x"]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("ending", ["", "Connection: close", "Expect: 100-continue"])
def test_a_body_beyond_the_limit_is_refused_before_it_is_read(server: Server, scratch: Path, path: str, ending: str) -> None:
    """No byte of it is sent here, so none can have been read."""
    with Line(server) as line:
        line.say(head(path, f"Content-Length: {HUGE}", *([ending] if ending else [])))
        status, problem = line.answer()
        assert (status, problem["code"]) == (413, "too_large")
        assert line.rest() == b"", "nothing follows, and the connection ends"
    assert spilled(server, scratch) == []


def test_a_client_that_sends_all_the_same_reads_its_refusal(server: Server, scratch: Path) -> None:
    """Most clients send first and read then; a connection reset under them would tell them nothing."""
    with Line(server) as line:
        line.say(head("/api/v1/no-such-route", f"Content-Length: {HUGE}"))
        for _ in range(300):  # more than any buffer on the way holds
            line.say(b"x" * 100_000)
        assert line.answer()[0] == 413
    assert spilled(server, scratch) == []


def test_a_body_that_does_not_say_its_size_is_read_up_to_the_limit(server: Server, scratch: Path) -> None:
    with Line(server) as line:
        line.say(head("/api/v1/experiments", "Transfer-Encoding: chunked"))
        with contextlib.suppress(OSError):
            for _ in range(50):
                line.say(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        status, problem = line.answer()
        assert (status, problem["detail"]) == (
            413, "the request body is larger than 20,000 bytes, the most that is read here without a login"
        )
    assert spilled(server, scratch) == []


def send(server: Server, path: str, size: int, *headers: str, chunked: bool = False) -> int:
    body = b'{"name": "' + b"x" * (size - 12) + b'"}'
    assert len(body) == size
    with Line(server) as line:
        if chunked:
            line.say(head(path, "Transfer-Encoding: chunked", *headers))
            line.say(b"%x\r\n%s\r\n0\r\n\r\n" % (size, body))
        else:
            line.say(head(path, f"Content-Length: {size}", *headers))
            line.say(body)
        return line.answer()[0]


@pytest.mark.parametrize("chunked", [False, True])
def test_how_much_hangs_on_the_route_and_on_the_login(server: Server, chunked: bool) -> None:
    ada = make_user("ada")
    row, token = ApiToken.issue(ada, "laptop")
    session = f"Cookie: {cookie(ada)['Cookie']}"
    bearer = f"Authorization: Bearer {token}"

    def status(path: str, size: int, *headers: str) -> int:
        return send(server, f"/api/v1/{path}", size, *headers, chunked=chunked)

    assert status("experiments", 20_000) == 401, "anonymous, and as small as anybody's may be"
    assert status("experiments", 20_001) == 413
    assert status("experiments", 20_001, "Cookie: nascope_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") == 413
    assert status("experiments", 20_001, "Authorization: Bearer nascope_invented") == 413
    assert status("experiments", 300_000, bearer) == 400, "read, and found to be no experiment"
    assert status("experiments", 300_001, bearer) == 413
    assert status("experiments", 20_001, session) == 403, "read, and without the CSRF token"
    assert status("auth/login", 16_001, bearer) == 413, "a name and a password"
    assert status("no-such-route", 20_001, bearer) == 413, "a login is no reason to read what nobody takes"
    row.delete()
    assert status("experiments", 20_001, bearer) == 413


def test_what_comes_after_a_large_upload_on_its_connection_is_answered_whole(server: Server) -> None:
    """A body of several reads is taken from within a view; the server then watches the connection on behalf of whoever asked last."""
    token = ApiToken.issue(make_user("ada"), "laptop", "write")[1]
    more = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    body = b"a,b,y\n" + b"1.25,2.5,u\n" * 40_000
    with httpx.Client(base_url=server.origin, limits=httpx.Limits(max_connections=1), timeout=PATIENCE) as client:
        named = {"Upload-Length": str(len(body)), "Upload-Metadata": "filename " + base64.b64encode(b"large.csv").decode()}
        place = client.post("/api/v1/uploads", headers={**more, **named}).headers["Location"]
        sent = client.patch(place, content=body, headers={**more, "Upload-Offset": "0", "Content-Type": OCTETS})
        assert sent.headers["Upload-Offset"] == str(len(body))
        for path in ("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js", "/api/v1/algorithms"):
            for _ in range(2):
                answer = client.get(path, headers=more)
                assert answer.status_code == 200 and len(answer.content) > 10_000, path


def test_a_view_that_takes_uploads_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.api.experiments import ValidateView
    from webapp.serving.bodies import largest_body

    assert largest_body("/api/v1/experiments") == settings.NASCOPE_MAX_BODY_BYTES
    assert largest_body("/api/v1/experiments/validate") == ValidateView.largest_body < settings.NASCOPE_MAX_BODY_BYTES
    monkeypatch.setattr(ValidateView, "largest_body", 50_000_000)
    assert largest_body("/api/v1/experiments/validate") == 50_000_000
    assert largest_body("/nothing/of/ours") == settings.NASCOPE_MAX_ANONYMOUS_BODY_BYTES
    assert largest_body("/admin/auth/user/add/") == settings.NASCOPE_MAX_BODY_BYTES


# ---------------------------------------------------------------- time


def test_a_slow_head_ends(impatient: Server) -> None:
    with Line(impatient) as line:
        line.say("GET /api/v1/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        heard = line.rest()
    assert heard.startswith(b"HTTP/1.1 408 ") and b"too_slow" in heard


def test_a_head_that_goes_on_byte_by_byte_ends_too(impatient: Server) -> None:
    """A limit between two bytes would never be reached."""
    with Line(impatient) as line:
        line.say("GET / HTTP/1.1\r\nX-Slow: ")
        line.socket.settimeout(0.05)
        heard, until = b"", time.monotonic() + PATIENCE
        while not heard and time.monotonic() < until:
            with contextlib.suppress(OSError):
                line.say("x")
            with contextlib.suppress(TimeoutError):
                heard = line.socket.recv(1000) or b"ended"
    assert heard.startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_says_nothing_ends_without_a_word(impatient: Server) -> None:
    """A browser connects in advance, and takes what it finds there for the answer to what it asks later."""
    with Line(impatient) as line:
        assert line.rest() == b""


def test_a_slow_body_ends(impatient: Server) -> None:
    with Line(impatient) as line:
        line.say(head("/api/v1/auth/login", "Content-Length: 100") + "{")
        heard = line.rest()
    assert heard.startswith(b"HTTP/1.1 408 ") and b"body" in heard


def test_the_second_request_of_a_connection_is_timed_as_the_first(impatient: Server) -> None:
    with Line(impatient) as line:
        line.say(head("/api/v1/health/live", method="GET"))
        assert line.answer()[0] == 200
        line.say("GET / HTTP/1.1\r\nX-Slow: ")
        assert line.rest().startswith(b"HTTP/1.1 408 ")


def test_stray_line_ends_do_not_keep_a_connection(impatient: Server) -> None:
    with Line(impatient) as line:
        line.say(head("/api/v1/health/live", method="GET"))
        assert line.answer()[0] == 200
        line.say("\r\n\r\n")
        assert line.rest() == b""


def test_requests_behind_one_another_are_answered(impatient: Server) -> None:
    with Line(impatient) as line:
        for _ in range(3):
            line.say(head("/api/v1/auth/login", "Content-Length: 2") + "{}")
            assert line.answer()[0] in (400, 403)
        live = head("/api/v1/health/live", method="GET")
        line.say(live + live + head("/api/v1/health/live", "Connection: close", method="GET"))
        assert line.rest().count(b"HTTP/1.1 200 ") == 3, "all at once"


def test_a_head_that_is_too_large_is_refused(impatient: Server) -> None:
    for text in ("X-Long: " + "x" * 40_000 + "\r\n", "X-Many: 1\r\n" * 4_000):
        with Line(impatient) as line:
            with contextlib.suppress(OSError):
                line.say(f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{text}\r\n")
            assert line.answer()[0] == 431
    with Line(impatient) as line:
        with contextlib.suppress(OSError):
            line.say(f"GET /{'x' * 40_000}")
        assert line.answer()[0] == 431


def test_a_client_that_takes_nothing_of_its_answers_is_cut_off(impatient: Server) -> None:
    """More than all buffers on the way hold, so that the server has something left that it cannot send."""
    with Line(impatient, window=4096) as line:
        own = line.socket.getsockname()[1]
        line.say(head("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js", method="GET") * 12)
        process, until = psutil.Process(impatient.pid), time.monotonic() + PATIENCE
        for there in (True, False):
            while there != any(link.raddr and link.raddr.port == own for link in process.net_connections("tcp")):
                assert time.monotonic() < until, "the connection stays"
                time.sleep(0.05)
        assert len(line.rest()) < 12 * 1_000_000


# ---------------------------------------------------------------- how many


def test_unfinished_requests_beyond_the_bound_are_refused_and_others_served_again_after_them(impatient: Server) -> None:
    """Half heads, half bodies and silent connections count alike."""
    begun = ["GET / HTTP/1.1\r\nX: ", head("/api/v1/auth/login", "Content-Length: 9") + "{", ""]
    with contextlib.ExitStack() as open_lines:
        lines = [open_lines.enter_context(Line(impatient)) for _ in range(4 * UNFINISHED)]
        for number, line in enumerate(lines):
            with contextlib.suppress(OSError):
                line.say(begun[number % 3])
        heard = [line.rest() for line in lines]
    refused = [text for text in heard if text.startswith(b"HTTP/1.1 503 ")]
    assert len(refused) >= 3 * UNFINISHED, "those that came first may have ended before the last came"
    assert all(b'"busy"' in text for text in refused)
    with Line(impatient) as line:
        line.say(head("/api/v1/health/live", method="GET"))
        assert line.answer()[0] == 200


def test_nothing_of_refused_requests_stays(impatient: Server, scratch: Path) -> None:
    process = psutil.Process(impatient.pid)
    until = time.monotonic() + PATIENCE
    while [link for link in process.net_connections("tcp") if link.status != psutil.CONN_LISTEN]:
        assert time.monotonic() < until, "connections stay open"
        time.sleep(0.05)
    assert spilled(impatient, scratch) == []


# ---------------------------------------------------------------- addresses


def test_a_connection_outlives_the_clients_that_keep_one() -> None:
    """Else both end it in the same moment, and a request that is under way is lost."""
    kept = configuration("127.0.0.1", 0, grace=1, pong_seconds=1).timeout_keep_alive
    assert kept > httpx.Limits().keepalive_expiry and kept > NGINX_KEEPS_SECONDS  # type: ignore[operator]


def test_an_invented_x_forwarded_for_is_not_believed(server: Server) -> None:
    """Guesses from one machine, each with another header: uvicorn would take it for the address, since it comes from loopback."""
    statuses = []
    for number in range(21):
        body = json.dumps({"username": number, "password": "x"})  # no name at all: counted by the address, and no password is checked
        with Line(server) as line:
            line.say(head("/", method="GET"))
            answer = line.socket.recv(65_536).decode("latin-1")
            token = answer.split("csrftoken=")[1].split(";")[0]
            headers = [f"Cookie: csrftoken={token}", f"X-CSRFToken: {token}", f"X-Forwarded-For: 10.0.0.{number}"]
        with Line(server) as line:
            line.say(head("/api/v1/auth/login", *headers, f"Content-Length: {len(body)}") + body)
            statuses.append(line.answer()[0])
    assert statuses[0] == 400
    assert statuses[-1] == 429, "other tests of this file may have tried before"
