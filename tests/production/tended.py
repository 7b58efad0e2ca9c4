"""The production stack as a machine runs it for months: what ends is started again. Each process has a network and a clock of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .images import ROOT, compose
from .stack import Stack


class TendedStack(Stack):
    """A stack whose processes are started again when they end, as `restart: unless-stopped` does; what is in `away` stays away."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.away: set[str] = set()
        self.services: dict[str, str] = {}
        self.restarts: list[str] = []
        self.clocks = self.home.parent
        """A folder that stays writable, for `clock_of`."""
        self.servers: dict[str, dict[str, str]] = {}
        """By the name of a process, DATABASE_URL and REDIS_URL as it knows them."""

    def clock_of(self, name: str) -> Path:
        """The file that says by how many seconds the process's clock is off."""
        return self.clocks / name

    def start(self, service: str, name: str = "") -> subprocess.Popen[bytes]:
        if service == "migrate":
            return super().start(service, name)
        name = name or service
        self.services[name] = service
        words = [sys.executable, "-m", "tests.production.other_clock", str(self.clock_of(name)), *self.command(service)[2:]]
        environment = {**self.environment(compose()["services"][service]["image"]), **self.servers.get(name, {})}
        environment["PYTHONPATH"] = os.pathsep.join([*filter(None, [environment.get("PYTHONPATH")]), str(ROOT)])
        return self.run(name, words, environment)

    def tend(self) -> None:
        """Start again what ended."""
        for name, process in list(self.processes.items()):
            if name in self.services and name not in self.away and process.poll() is not None:
                self.restarts.append(name)
                self.start(self.services[name], name)
