"""A child ends with its parent: by the kernel where there is Linux, by its own watch everywhere."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import psutil
import pytest

from tests.patience import PATIENCE

from .installation import ROOT

BY_THE_SUPERVISOR = """
import django, sys
django.setup()
from webapp.jobs.supervisor import Child
child = Child("deaf", [sys.executable, "-c", "import time; time.sleep(600)"], worker=False)
child.start()
print(child.pid, flush=True)
child.process.wait()
"""
BY_ITSELF = """
import os, subprocess, sys
from webapp.jobs import parent
program = "import time; from webapp.jobs.parent import die_with_parent; die_with_parent(); print(flush=True); time.sleep(600)"
child = subprocess.Popen(
    [sys.executable, "-c", program], env={**os.environ, parent.VARIABLE: str(os.getpid())}, stdout=subprocess.PIPE
)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.parametrize("program", [
    pytest.param(BY_THE_SUPERVISOR, marks=pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")),
    BY_ITSELF,
], ids=["kernel", "watch"])
def test_a_child_ends_when_its_parent_is_killed(program: str, tmp_path: Any) -> None:
    environment = {"NASCOPE_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "webapp.settings", "PATH": "/usr/bin:/bin"}
    started = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)
    assert started.stdout is not None
    child = psutil.Process(int(started.stdout.readline()))
    assert child.is_running()
    started.kill()
    started.wait(PATIENCE)
    _, alive = psutil.wait_procs([child], timeout=PATIENCE)
    for process in alive:
        process.kill()
    assert not alive
