"""How alike the paths of a population are, and how much two paths share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search_engine.spaces.modular import Path


def overlap(first: Path, second: Path) -> int:
    """Number of modules (a module counts per layer) that both paths use."""
    return sum(len(set(a) & set(b)) for a, b in zip(first, second, strict=True))


def mean_similarity(paths: Sequence[Path], modules: int) -> float:
    """Mean Jaccard index (shared modules / modules of either) over all pairs of different members: 1 = all paths are equal.

    1 for fewer than two paths. `modules` is the number of modules in a layer.
    """
    if len(paths) < 2:
        return 1.0
    used = np.zeros((len(paths), len(paths[0]) * modules))
    for row, path in enumerate(paths):
        for layer, numbers in enumerate(path):
            used[row, [layer * modules + number for number in numbers]] = 1
    shared = used @ used.T
    sizes = used.sum(axis=1)
    jaccard = shared / (sizes[:, None] + sizes[None, :] - shared)
    pairs = len(paths) * (len(paths) - 1)
    return float((jaccard.sum() - len(paths)) / pairs)


def diversity(paths: Sequence[Path], modules: int) -> float:
    """1 - the mean Jaccard index over all pairs: 0 = all paths are equal, 1 = no two paths share a module."""
    return 1.0 - mean_similarity(paths, modules)
