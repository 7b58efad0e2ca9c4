"""A disk of its own that a test can fill up to the last byte."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from tests.absent import absent_service

_NAME = re.compile(r"nascope-disk-(\d+)-(\d+)")
"""What the mount says of itself: the process that made it, and when that began."""


def _me() -> str:
    return f"nascope-disk-{os.getpid()}-{psutil.Process().create_time():.0f}"


def _lives(pid: int, began: int) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - began) < 2.0
    except psutil.NoSuchProcess:
        return False


def _unmount(folder: Path) -> None:
    # Lazily: a process of the test that was killed may still be there.
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def sweep() -> list[Path]:
    """Take away the disks of tests that were killed before they could. Returns where these lay."""
    try:
        mounts = [line.split()[:2] for line in Path("/proc/self/mounts").read_text().splitlines()]
    except FileNotFoundError:
        return []
    found = [(_NAME.fullmatch(name), Path(folder)) for name, folder in mounts]
    stale = [folder for name, folder in found if name and not _lives(int(name[1]), int(name[2]))]
    for folder in stale:
        _unmount(folder)
    return stale


class SmallDisk:
    """In memory, mounted at `folder` (a short path, which every account may enter), so that the rest of this machine loses no space."""

    where = "disk"
    allowed: tuple[int, ...] = (507,)

    def __init__(self, megabytes: int) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix="nascope-disk-", dir="/tmp"))
        words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", _me(), str(self.folder)]
        try:
            done = subprocess.run(words, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            done = False
        if not done:
            self.folder.rmdir()
            absent_service("the right to mount a small disk", "run the tests as root on Linux")
        self._filler = self.folder / "filler"
        self.full_since = 0.0
        """When it was filled (monotonic); 0 while there is room."""

    def __str__(self) -> str:
        return "room on the disk"

    def begin(self, chance: random.Random) -> None:
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
        self.full_since = time.monotonic()

    def end(self) -> None:
        self.full_since = 0.0
        self._filler.unlink(missing_ok=True)

    def remove(self) -> None:
        _unmount(self.folder)
