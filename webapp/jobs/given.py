"""What runs begin with: a finished model of one's own (what its download says of it, its weights in the folders of those runs), the initial
population of another run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from search_engine.algorithms.given import WEIGHTS, place_weights
from search_engine.base.errors import BadInput
from search_engine.base.given_config import GivenConfig
from search_engine.base.population_config import PopulationConfig
from search_engine.bundle.reopened import given_config
from search_engine.spaces import populations
from search_engine.spaces.populations import Individuals

from ..core.models import ModelArtefact, Run
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


def given_population(owner: Any, run_id: UUID) -> tuple[PopulationConfig, Path]:
    """The initial population of a run of `owner`, and its file. Raises BadInput (field "population") where there is no such run of theirs,
    or it has kept none."""
    run = Run.objects.filter(owner=owner, pk=run_id).first()
    if run is None:
        raise BadInput("population", f"you have no run {run_id}", code="unknown")
    path = kept_population(run_id)
    if not path.is_file():
        raise BadInput(
            "population", "that run has kept no initial population: its search has none, its option shared_start is off, or it has not "
            "begun yet", code="incompatible",
        )  # fmt: skip
    return populations.read(path)[0], path


def place_population(run_id: UUID, path: Path) -> None:
    """Put the individuals where the run reads them."""
    populations.place(path, run_dir(run_id))


def keep_population(run_id: UUID, config: PopulationConfig, individuals: Individuals) -> None:
    """Write individuals that were made for the run where it reads them."""
    populations.keep(config, individuals, run_dir(run_id))


def kept_population(run_id: UUID) -> Path:
    """That of a run, where it has one."""
    return run_dir(run_id) / populations.FILE
