"""The application as a person starts it: `manage.py up` on a free port, with a home folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Server:
    """Supervisor, web process and workers. `origin` and `link` are known after `start`."""

    home: Path
    workers: int = 2
    more: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (sys.executable, "manage.py")
    """How a command of the web application is called, in `folder`."""
    folder: Path = ROOT
    origin: str = ""
    link: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        own = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        inherited = {name: value for name, value in os.environ.items() if name not in own}
        return {**inherited, "NASCOPE_HOME": str(self.home), "OMP_NUM_THREADS": "1", **self.more}

    def start(self) -> None:
        """Start, and wait for the login link that is printed when the web process answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        printed, said = self.home / "stdout.txt", self.home / "stderr.txt"
        words = ["up", "--port", "0", "--workers", str(self.workers), "--gpus", "0", "--no-browser"]
        with printed.open("wb") as out, said.open("ab") as errors:
            self.process = subprocess.Popen(
                [*self.program, *words], cwd=self.folder, env=self.environment, stdout=out, stderr=errors, start_new_session=True
            )
        until = time.monotonic() + PATIENCE
        while (found := re.search(r"(http://[^/\s]+)/login/\S+", printed.read_text())) is None:
            assert self.process.poll() is None, f"it ended: {said.read_text()}"
            assert time.monotonic() < until, f"no login link after {PATIENCE:.0f} s: {said.read_text()}"
            time.sleep(0.05)
        self.link, self.origin = found[0], found[1]

    def manage(self, *arguments: str) -> str:
        """Another command of manage.py on the same home."""
        done = subprocess.run(
            [*self.program, *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_user(self, name: str, password: str) -> None:
        code = f"from django.contrib.auth import get_user_model as users; users().objects.create_user({name!r}, password={password!r})"
        self.manage("shell", "-c", code)

    def children(self, word: str) -> list[int]:
        """Process ids of the supervisor's children whose command line has `word` in it."""
        assert self.process is not None
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()]
        return [int(pid) for pid, parent, command in rows if int(parent) == self.process.pid and word in command]

    def kill_web(self) -> None:
        """SIGKILL to the web process; the supervisor starts another on the same port."""
        (pid,) = self.children("webapp serve")
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> int:
        """Ctrl-C. Returns the exit status; raises TimeoutExpired where children hold it up."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, started; it ends with the block."""
    try:
        server.start()
        yield server
    finally:
        server.stop()
