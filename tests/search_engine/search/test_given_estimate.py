"""What is said before the start of a search that begins with a finished model: it is measured although the weights are not at hand."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.given_config import GivenConfig
from search_engine.catalogue import registry
from search_engine.catalogue.config import check_new
from search_engine.search.estimate import estimate
from search_engine.spaces.data_shape import DataShape

SMALL = {"epochs": 1, "train_examples": 128}


def given() -> GivenConfig:
    entry = registry.space("growing_convnet")
    space = entry.space(entry.config.model_validate({"channels": [4, 4]}), DataShape((1, 8, 8), 10))
    genome = space.sample(random.Random(0))
    return GivenConfig(
        weights="0" * 64, space=entry.id, space_options={"channels": [4, 4]}, genome=genome.content, input=[1, 8, 8], outputs=10
    )


@pytest.mark.parametrize(
    ("algorithm", "options"),
    [
        # A batch above the default is counted by the run itself, too, before its first step.
        ("morphnet", {"shrink_epochs": 2, "train_epochs": 1, "controls": False, "sweep": [], "batch_size": 96}),
        ("network_morphism", {"steps": 1, "children": 2, "epochs": 1}),
    ],
)
def test_a_search_that_begins_with_a_model_is_estimated(algorithm: str, options: dict[str, Any], tmp_path: Path) -> None:
    values = {
        "algorithm": algorithm, "options": options, "datasets": ["digits"], "seed": 0, "model": given().model_dump(mode="json"),
        "training": {"train_examples": 128} if algorithm == "network_morphism" else {},
        "finale": {"baselines": 0, "onnx": False, "redundancy": False, "training": SMALL},
    }  # fmt: skip
    found = estimate(check_new(values), tmp_path)
    assert found["seconds"] > 0 and found["samples"] > 0 and found["unit"]["memory"] > 0
    assert not any(tmp_path.iterdir())
