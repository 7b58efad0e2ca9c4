"""A stored set as the registry knows it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field, create_model

from ...spaces.tasks import SCORES
from ..base import DatasetConfig, DatasetEntry
from .findings import Manifest
from .samples import OwnSamples, shape_of
from .stored import MANIFEST, manifest, manifests, set_folder

WHAT = {"vector": "rows of a table", "image": "pictures", "series": "series"}


def entries(folder: Path | None = None) -> dict[str, DatasetEntry]:
    """All stored sets by id, the oldest first."""
    found = (entry(item.id, folder) for item in manifests(folder))
    return {item.id: item for item in found if item is not None}


def entry(name: str, folder: Path | None = None) -> DatasetEntry | None:
    """The stored set with that id; None where there is none."""
    place, kept = set_folder(name, folder), manifest(name, folder)
    return None if place is None or kept is None else _entry(place, kept.model_dump_json())


@lru_cache(maxsize=256)
def _entry(place: Path, text: str) -> DatasetEntry:
    kept = Manifest.model_validate_json(text)
    what = "rows of a table" if kept.layout else WHAT[kept.kind]
    return DatasetEntry(
        id=kept.id,
        title=kept.title,
        description=f"{kept.rows:,} {what} from {kept.source.name} ({kept.format}), of which '{kept.target}' is predicted. "
        f"{kept.split.words[0].upper()}{kept.split.words[1:]}.",
        source=f"your file {kept.source.name} (SHA-256 {kept.source.sha256[:12]}…)",
        licence="yours",
        provides="samples",
        config=_config(kept),
        open=lambda config, data_dir: OwnSamples(kept, place, getattr(config, "validation_share", kept.split.validation_share)),
        input_kind=kept.kind,
        shape=shape_of(kept),
        files=(MANIFEST, *sorted(kept.arrays)),
        folder=place,
        sizes={"train and validation": kept.split.train + kept.split.validation + kept.split.pool, "test": kept.split.test},
        task=kept.task,
        metric=f"val_{SCORES[kept.task]}",
        own=True,
    )


def _config(kept: Manifest) -> type[DatasetConfig]:
    if kept.split.validation:
        return DatasetConfig
    share: Any = (
        float,
        Field(
            default=kept.split.validation_share, ge=0.02, le=0.9, title="Validation share",
            description="share of the non-test examples that chooses the structure; the others fit the weights",
        ),
    )
    made: type[DatasetConfig] = create_model("OwnConfig", __base__=DatasetConfig, validation_share=share)
    return made
