"""A small house in a temporary folder, into which tests plant imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]

CONTRACTS = """
[tool.importlinter]
root_packages = ["house"]
include_external_packages = true
contract_types = [
    "layers_with_strings: tools.contracts.Layers",
    "independence_with_strings: tools.contracts.Independence",
    "forbidden_with_strings: tools.contracts.Forbidden",
]

[[tool.importlinter.contracts]]
id = "layers"
name = "The cellar knows nothing of the roof"
type = "layers_with_strings"
containers = ["house"]
layers = ["roof", "rooms", "cellar"]

[[tool.importlinter.contracts]]
id = "independence"
name = "The rooms know nothing of each other"
type = "independence_with_strings"
modules = ["house.rooms.kitchen", "house.rooms.study"]

[[tool.importlinter.contracts]]
id = "forbidden"
name = "No XML in the cellar"
type = "forbidden_with_strings"
source_modules = ["house.cellar"]
forbidden_modules = ["xml"]
"""

HOUSE = {
    "__init__.py": "",
    "roof.py": "import xml.dom\n\ndef build():\n    return xml.dom\n",
    "rooms/__init__.py": "",
    "rooms/kitchen/__init__.py": "",
    "rooms/study/__init__.py": "",
    "rooms/study/desk.py": "",
    "cellar/__init__.py": "",
    "cellar/wine.py": "",
}

WAYS = {
    "at_the_top": "import {module}\n",
    "from_its_package": "from {package} import {name}\n",
    "in_a_function": "def late():\n    import {module}\n",
    "for_types_only": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import {module}\n",
    "lazily": "from lazy import lazy_module\n\nthing = lazy_module('{module}')\n",
    "by_importlib": "import importlib\n\nthing = importlib.import_module('{module}')\n",
    "as_an_object": "THING = '{module}:build'\n",
    "as_an_object_in_a_list": "THINGS = [('first', '{module}:build')]\n",
}
"""How one module may import another: its source."""


def every_way(room: str, module: str) -> dict[str, str]:
    """A file of the room for every way of importing `module`: path below the house -> source."""
    package, _, name = module.rpartition(".")
    return {f"{room}/{way}.py": source.format(module=module, package=package, name=name) for way, source in WAYS.items()}


def build(folder: Path, changed: dict[str, str]) -> Path:
    """The house under `folder`, with the files in `changed` added or written anew."""
    for name, source in (HOUSE | changed).items():
        path = folder / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    (folder / "pyproject.toml").write_text(CONTRACTS)
    return folder


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """`lint-imports` on the house, one contract."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache", "--no-logo", "--contract", contract], cwd=folder, capture_output=True, text=True, check=False,
        timeout=PATIENCE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
