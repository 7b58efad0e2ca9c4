"""The web process never trains: nothing it does imports torch (two seconds and 220 MB)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

PROGRAM = """
import random, sys
import webapp.asgi
from search_engine.catalogue import registry
from search_engine.search.resources import Resources
from search_engine.catalogue.config import check
from webapp.api import catalogue
from webapp.api.base import data_dir
from tests.narrower import NARROWER

catalogue._algorithms(), catalogue._spaces(), catalogue._datasets(data_dir())
for item in registry.compatibility():
    if registry.dataset(item["dataset"]).shape is None:
        continue
    datasets = [item["dataset"]] * registry.algorithm(item["algorithm"]).domains.least
    config = {"algorithm": item["algorithm"], "space": item["space"], "datasets": datasets, "budget": {item["budgets"][0]: 10}}
    config["space_options"] = NARROWER.get((item["space"], item["dataset"]), {})
    space = Resources(check(config), data_dir()).space
    assert space.drawings(space.sample(random.Random(1)))
heavy = sorted({"torch", "sklearn", "onnx", "onnxruntime", "optuna", "scipy", "sympy", "matplotlib"} & set(sys.modules))
assert not heavy, heavy
"""


def test_catalogue_checks_and_drawings_import_no_torch(tmp_path: Path) -> None:
    environment = {"NASCOPE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, env=environment, check=True, timeout=PATIENCE)
