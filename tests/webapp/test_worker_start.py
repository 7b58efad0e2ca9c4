"""What a process of the application imports when it starts: others than the web process need no pages, and nobody the compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
NOBODY = ("torch._dynamo", "torch._inductor", "sympy", "onnx", "onnxruntime", "networkx", "optuna", "scipy", "sklearn", "matplotlib")
PAGES = ("webapp.urls", "webapp.api.base", "drf_spectacular.plumbing", "click_repl", "prompt_toolkit")

WORKER = """
import sys
from celery.worker import WorkController
def start(self): pass
WorkController.start = start  # all that comes before it has been imported then
sys.argv = ["manage.py", "worker", "--name", "one"]
from django.core.management import execute_from_command_line
try:
    execute_from_command_line(sys.argv)
except SystemExit as ended:
    assert not ended.code, ended.code
if sys.platform == "linux":
    assert open("/proc/self/oom_score_adj").read().strip() == "500", "the kernel would end others before it"
assert "torch" in sys.modules and "webapp.jobs.tasks" in sys.modules, "the worker did not come as far as its work"
"""
SUPERVISOR = """
import sys
import django
django.setup()
from django.core.management import call_command
from webapp.jobs.management.commands import up
from webapp.jobs.supervisor import Supervisor
"""


@pytest.mark.parametrize(("program", "absent"), [(WORKER, (*NOBODY, *PAGES)), (SUPERVISOR, (*NOBODY, *PAGES, "torch"))],
                         ids=["worker", "supervisor"])
def test_its_imports(program: str, absent: tuple[str, ...], tmp_path: Path) -> None:
    environment = {**os.environ, "NASCOPE_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "webapp.settings", "PYTHONPATH": str(ROOT)}
    environment = {name: value for name, value in environment.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True, timeout=PATIENCE)
    program += f"heavy = [name for name in {absent!r} if name in sys.modules]\nassert not heavy, heavy\n"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
