"""A finished model of one's own that runs begin with: what its download says of it, and its weights in the folders of those runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from search_engine.algorithms.given import WEIGHTS, place_weights
from search_engine.base.errors import BadInput
from search_engine.base.given_config import GivenConfig
from search_engine.bundle.reopened import given_config

from ..core.models import ModelArtefact
from .downloads import bundle_folder
from .files import run_dir

DESCRIPTIONS = ("architecture.json", "manifest.json")
"""Files of a download that say what its network is."""


def given(owner: Any, model_id: UUID) -> tuple[GivenConfig, Path]:
    """The network that a run of `owner` begins with, and the file of its weights. Raises BadInput (field "model") where there is no such
    model of theirs, or its files are not there."""
    model = ModelArtefact.objects.filter(owner=owner, pk=model_id).select_related("run__experiment").first()
    if model is None:
        raise BadInput("model", f"you have no model {model_id}", code="unknown")
    folder = bundle_folder(model)
    if folder is None:
        raise BadInput("model", f"nothing is kept of its network: {model.reason or 'it has no download'}", code="incompatible")
    try:
        architecture, manifest = (json.loads((folder / name).read_bytes()) for name in DESCRIPTIONS)
    except (OSError, ValueError):
        raise BadInput("model", "the files of its network cannot be read: its download is damaged", code="damaged") from None
    title = f"{model.title or 'model'} of {model.run.experiment.name}, seed {model.run.seed}"
    return given_config(architecture, manifest, title[:300]), folder / "model.safetensors"


def place_given(run_id: UUID, weights: Path) -> None:
    """Put the weights where the run reads them. They are never changed there, so the file may be one with another's."""
    place = run_dir(run_id) / WEIGHTS
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(weights, place)
    except FileNotFoundError:
        raise BadInput("model", "its weights are not there any more: its download is damaged", code="damaged") from None
    except OSError:
        # Another disk, or one that knows no links.
        place_weights(weights.read_bytes(), place.parent)


def given_weights(run_id: UUID) -> Path:
    """Those that a run began with."""
    return run_dir(run_id) / WEIGHTS
