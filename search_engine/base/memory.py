"""How much main memory there is for this process, and how it is said."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container's limit stands: version 2, version 1."""


def memory_here() -> float:
    """Bytes of main memory: of the machine, or of the container where that is allowed less."""
    return min(float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")), container_limit())


def container_limit() -> float:
    """Bytes that the container allows; infinite where nothing limits it."""
    for path in _CGROUPS:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return float(text)
    return float("inf")


def in_words(amount: float) -> str:
    """Bytes for a sentence, in as many digits as matter.

    >>> in_words(3_214_000_000), in_words(37.2e9), in_words(350e6)
    ('3.2 GB', '37 GB', '350 MB')
    """
    if amount < 1e9:
        return f"{amount / 1e6:.0f} MB"
    return f"{amount / 1e9:.1f} GB" if amount < 1e10 else f"{amount / 1e9:.0f} GB"
