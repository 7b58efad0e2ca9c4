"""What work left of itself in a run's folder."""

from __future__ import annotations

from pathlib import Path

from search_engine.search.continuation import ROOM
from search_engine.search.data_record import FILE


def checkpoints_left(run_dir: Path) -> list[Path]:
    """Checkpoints that are still there. The record of the data files is none, nor is what a longer search goes on with: they stay."""
    return [path for path in run_dir.rglob("*.safetensors") if path != run_dir / FILE and path.parent != run_dir / ROOM]
