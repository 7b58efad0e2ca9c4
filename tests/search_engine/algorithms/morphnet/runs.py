"""Small searches for widths, by hand and as whole runs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search_engine.algorithms.base import Context, StepPhase
from search_engine.algorithms.given import GivenModel
from search_engine.algorithms.morphnet.options import MorphNetConfig
from search_engine.base.generators import GlobalGenerators
from search_engine.catalogue.config import check_new
from search_engine.datasets.base import SearchData
from search_engine.datasets.digits import Digits, DigitsConfig
from search_engine.events import Event, EventLog
from search_engine.search.local_run import LocalRun
from search_engine.spaces.resized import ResizedConfig, ResizedSpace

CNN: dict[str, Any] = {"of": "plain", "options": {"network": "cnn", "channels": [8, 12], "widths": [16], "batch_norm": True}}
QUICK: dict[str, Any] = {
    "options": {"shrink_epochs": 1, "train_epochs": 1, "batch_size": 128, "sweep": [], "controls": False}, "space_options": CNN,
    "finale": {"baselines": 2, "redundancy": False, "onnx": False, "training": {"epochs": 1, "train_examples": 128}},
}


def digits() -> SearchData:
    return Digits(DigitsConfig()).search_data(seed=0)


def context(
    data: SearchData, options: Mapping[str, Any] | None = None, space: Mapping[str, Any] = CNN, seed: int = 0,
    given: GivenModel | None = None,
) -> Context:  # fmt: skip
    config = MorphNetConfig.model_validate({**QUICK["options"], **(options or {})})
    made = ResizedSpace(ResizedConfig.model_validate(dict(space)), data.shape)
    return Context(
        space=made, options=config, seed=seed, rng=random.Random(seed), metric="val_accuracy", log=EventLog("phase:0"), data=data,
        domains=[data], given=given,
    )


def through(phase: StepPhase[Any], given: Context, handover: dict[str, Any] | None = None) -> list[Event]:
    """Begin it, let it step to its end, and give what it said."""
    generators = GlobalGenerators(given.seed)
    with generators.active():
        phase.begin(given, handover)
        while not phase.finished:
            phase.step()
    return given.log.drain()


def local_run(values: Mapping[str, Any], out: Path, weights: bytes | None = None) -> dict[str, Any]:
    run = LocalRun(check_new({"algorithm": "morphnet", "datasets": ["digits"], **QUICK, **values}), out, out / "run", weights=weights)
    result: dict[str, Any] = run.run()
    return result
