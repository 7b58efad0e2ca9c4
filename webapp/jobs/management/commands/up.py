"""`manage.py up`: everything from an empty folder to a served application."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import socket
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ....core import running
from ....core.commands import called

WORKER_SECONDS = 15.0
HEALTH_SECONDS = 120.0
MAX_DEFAULT_WORKERS = 8
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Command(BaseCommand):
    help = "Migrate, then start the web process and the workers, and keep them running until Ctrl-C."
    # The checks of the system import everything; the children do it anyway.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine only)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000; 0 = any free one)")
        parser.add_argument("--workers", type=int, default=min(cores, MAX_DEFAULT_WORKERS), help="CPU workers (default: one per core)")
        parser.add_argument("--gpus", type=int, default=_gpus(), help="GPU workers (default: one per NVIDIA device)")
        parser.add_argument(
            "--end-runs", action="store_true",
            help="start although open runs that this version cannot go on with will end (default: ask on a terminal, refuse elsewhere)",
        )
        parser.add_argument("--no-browser", action="store_true", help="do not open a browser")

    def handle(self, *args: Any, **options: Any) -> None:
        host, workers = options["host"], options["workers"]
        if workers < 0 or workers + options["gpus"] < 1:
            raise CommandError("--workers: give at least one worker")
        # Kept open as long as this process lives; the system unlocks it however the process ends.
        lock = _lock(running.lock_path())
        port = _free_port(host, options["port"])
        _empty_broker()
        # Before the database is migrated: afterwards nobody can go back to the version that wrote them.
        _ask_about_runs(self.stderr, end_runs=options["end_runs"])
        call_command("migrate", interactive=False, verbosity=0)
        user = _first_user()
        if host not in LOOPBACK:
            _check_exposed(host)

        from ...supervisor import Supervisor, children

        supervisor = Supervisor(children(host, port, workers, options["gpus"]))
        supervisor.start()
        try:
            if _wait_for_health(supervisor, host, port):
                _wait_for_worker(supervisor)
                _write_address(lock, host, port)
                self._say_where(user, host, port, browser=not options["no_browser"])
        finally:
            supervisor.run()
            lock.close()

    def _say_where(self, user: Any, host: str, port: int, *, browser: bool) -> None:
        from webapp.accounts.links import new_link

        url = new_link(user, _origin(host, port))
        self.stdout.write(f"NAScope is ready (the link works once): {url}")
        self.stdout.flush()
        if browser and sys.stdout.isatty():
            webbrowser.open(url)


def _origin(host: str, port: int) -> str:
    return f"http://{_address('127.0.0.1' if host in ('::', 'localhost') else host)}:{port}"


def _write_address(lock: Any, host: str, port: int) -> None:
    """Into the locked file: true as long as it is locked (`webapp.core.running`)."""
    lock.write(_origin(host, port))
    lock.flush()


def _gpus() -> int:
    """NVIDIA devices of this machine, without importing torch here."""
    return sum(re.fullmatch(r"nvidia\d+", path.name) is not None for path in Path("/dev").glob("nvidia*"))


def _lock(path: Path) -> Any:
    # Not emptied: the one that runs may have its address in it.
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(f"NAScope is already running on {path.parent}; stop it first, or set NASCOPE_HOME to another folder") from None
    file.truncate(0)
    return file


def _free_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port") from None
        return int(probe.getsockname()[1])


def _empty_broker() -> None:
    """Old rings and mailboxes of workers that are gone. This process holds the lock, so nobody else uses the folder."""
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        for room in ("queue", "processed", "control"):
            for path in (settings.BROKER_DIR / room).iterdir():
                path.unlink(missing_ok=True)


def _ask_about_runs(say: Any, *, end_runs: bool) -> None:
    """Raises CommandError where open runs would end and nobody says that they may."""
    from ...upgrade import endings_by_another_process

    try:
        found = endings_by_another_process()
    except RuntimeError as error:
        raise CommandError(f"{error}; nothing was changed") from None
    if not found:
        return
    one = len(found) == 1
    say.write(f"This version of NAScope cannot go on with {len(found)} open {'run' if one else 'runs'}, which would end:")
    for item in found:
        say.write(f"  {item}")
    if end_runs:
        return
    if sys.stdin.isatty() and input(f"Start, and end {'it' if one else 'them'}? [y/N] ").strip().lower() in ("y", "yes"):
        return
    raise CommandError("nothing was changed: start the version that they were begun with, or give --end-runs to end them")


def _first_user() -> Any:
    """The administrator; made without a password at the first start, so only a login link lets one in."""
    from webapp.accounts.links import administrator

    return administrator() or get_user_model().objects.create_superuser("admin", password=None)


def _check_exposed(host: str) -> None:
    """Beyond this machine only with a password and named hosts."""
    if not any(user.has_usable_password() for user in get_user_model().objects.filter(is_active=True)):
        raise CommandError(f"--host {host} is reachable from other machines: first set a password ({called('changepassword admin')})")
    if "ALLOWED_HOSTS" not in os.environ:
        raise CommandError(f"--host {host} is reachable from other machines: set ALLOWED_HOSTS to the names that browsers use")


def _address(host: str) -> str:
    """Where one reaches on this machine what is bound to `host`, as it stands in an address."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # nosec B104 # compared, not bound
    return f"[{reached}]" if ":" in reached else reached


def _wait_for_health(supervisor: Any, host: str, port: int) -> bool:
    """Whether the web process answers within the time. A stop meanwhile ends the waiting."""
    shown = _address(host)
    # Django answers only names that it is told to serve.
    name = next((item for item in settings.ALLOWED_HOSTS if not item.startswith(".")), shown)
    request = urllib.request.Request(f"http://{shown}:{port}/api/v1/health/live", headers={"Host": name})
    until = time.monotonic() + HEALTH_SECONDS
    while time.monotonic() < until and not supervisor.stopping:
        supervisor.watch()
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # nosec B310 # always http, to ourselves
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    if not supervisor.stopping:
        sys.stderr.write(f"the web process did not answer within {HEALTH_SECONDS:.0f} s; see the messages above\n")
        supervisor.stopping = True
    return False


def _wait_for_worker(supervisor: Any) -> None:
    """Until a first worker is there (it imports torch, which takes seconds), so that the first click finds one. Not for ever: a link
    without workers is better than none."""
    from webapp.core.models import Worker

    until = time.monotonic() + WORKER_SECONDS
    pids = [child.pid for child in supervisor.crew if child.worker]
    while time.monotonic() < until and not supervisor.stopping:
        supervisor.watch()
        if Worker.objects.filter(host=platform.node(), pid__in=pids).exists():
            return
        time.sleep(0.1)
