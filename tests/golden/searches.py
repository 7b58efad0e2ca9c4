"""The searches that have a golden digest, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from search_engine.catalogue import registry
from tests.production.searches import SEARCHES


def quick(algorithm: str, **changes: Any) -> dict[str, Any]:
    """The quick run of an algorithm on its default space and data set, with a finale that is quick too."""
    entry = registry.algorithm(algorithm)
    values = {"algorithm": algorithm, "seed": 3, **entry.quick}
    idle = {field for item in entry.idle for field in item.fields}
    # The study of redundancy is the finale's own, whatever the algorithm: redundancy/test_study.py has it.
    without = {name: False for name in ("onnx", "redundancy") if f"finale.{name}" not in idle}
    return {**values, "finale": {**values.get("finale", {}), **without}, **changes}


def built_in(algorithm: str) -> bool:
    """Whether it is one of ours: an installed package keeps its own record."""
    return registry.algorithm(algorithm).config.__module__.startswith("search_engine.")


OF_KINDS: dict[str, dict[str, Any]] = {
    "kinds/darts-tabular_cell": {
        "algorithm": "darts", "space": "tabular_cell", "datasets": ["switched_column"], "options": {"steps": 3, "batch_size": 16},
        "space_options": {"nodes": 2, "search_cells": 1, "search_channels": 4},
    },
    "kinds/darts-cell_1d": {
        "algorithm": "darts", "space": "cell_1d", "datasets": ["echo"], "dataset_options": [{"examples": 200}],
        "options": {"steps": 3, "batch_size": 16}, "space_options": {"nodes": 2, "search_cells": 1, "search_channels": 4},
    },
    "kinds/random-macro_1d": {
        "algorithm": "random", "space": "macro_1d", "datasets": ["echo"], "dataset_options": [{"examples": 200}],
        "budget": {"trials": 2}, "training": {"epochs": 1, "train_examples": 64, "channels": 4}, "space_options": {"layers": 2},
    },
}
"""Searches of other spaces than the default ones. Their finale trains little and exports nothing: that the quick ones have."""


def of_kind(name: str) -> dict[str, Any]:
    finale = {"export": False, "redundancy": False, "baselines": 0, "training": {"epochs": 1, "train_examples": 64, "channels": 4}}
    return {"seed": 3, "finale": finale, **OF_KINDS[name]}


def golden_searches() -> dict[str, dict[str, Any]]:
    """Run config by name: `quick/ALGORITHM`, `kinds/ALGORITHM-SPACE` and `matrix/ALGORITHM`."""
    quick_runs = {f"quick/{name}": quick(name) for name in registry.algorithms() if built_in(name)}
    return quick_runs | {name: of_kind(name) for name in OF_KINDS} | {f"matrix/{name}": config for name, config in SEARCHES.items()}


def missing_files(config: dict[str, Any], data_dir: Path) -> list[str]:
    """Data files that the search needs and `data_dir` lacks."""
    return [file for name in config.get("datasets", ()) for file in registry.dataset(name).missing_files(data_dir)]
