"""The searches through the command line of a checkout: each in a process of its own, as many at a time as there are processors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.production.images import ROOT
from tests.production.searches import CommandLine, Science

Outcome = Science | str
"""What a search said, or why it did not end."""


def run_all(configs: dict[str, dict[str, Any]], *roots: Path) -> Iterator[tuple[str, list[Outcome]]]:
    """(name, outcome in each checkout) of each search, as they end. Without `roots`: in this checkout."""
    with TemporaryDirectory(prefix="nascope-golden-") as folder, ThreadPoolExecutor(max(os.cpu_count() or 1, 1)) as pool:
        places = {name: Path(folder) / name.replace("/", "-") for name in configs}
        waiting = {pool.submit(_outcomes, config, roots or (ROOT,), places[name]): name for name, config in configs.items()}
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def _outcomes(config: dict[str, Any], roots: tuple[Path, ...], folder: Path) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for number, root in enumerate(roots):
        run = CommandLine(config, folder / str(number), root)
        try:
            outcomes.append(run.science())
        except AssertionError as failure:
            outcomes.append(str(failure).strip().splitlines()[-1])
    return outcomes
