"""A model that can be asked, without a search: a download of real scripts around a small network whose weights are written here."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.cache import cache
from safetensors.numpy import save

from search_engine.bundle import export
from search_engine.datasets.readers import columns
from webapp.core.models import Job, ModelArtefact, Prediction, Run
from webapp.jobs import files

from .api_world import API, fill, make_experiment

FITTED: dict[str, Any] = {
    "format": 1, "width": 4, "missing_texts": ["", "na"], "decimal": "", "target": {"name": "rank", "kind": "class", "classes": ["a", "b"]},
    "columns": [
        {"name": "age", "kind": "number", "places": [0, 1], "fill": 38.5, "missing_place": True, "categories": [], "known": []},
        {"name": "job", "kind": "category", "places": [2, 3], "categories": ["cook", "smith"], "known": ["cook", "smith"]},
    ],
}
MODEL = """
import torch
from pathlib import Path
from safetensors.torch import load_file


def load_model():
    weight = load_file(Path(__file__).with_name("model.safetensors"))["weight"]
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False))
    network[1].weight.data = weight
    return network.eval()
"""


def askable(owner: Any, kind: str = "row", **changes: Any) -> ModelArtefact:
    """A finished model of `owner` that takes rows with a category (`row`) or grey pictures of 8 x 8 (`picture`)."""
    run = make_experiment(owner).runs.get()
    fill(run)
    Run.objects.filter(pk=run.pk).update(state="completed")
    model = ModelArtefact.objects.get(run=run)
    folder = Path(settings.NASCOPE_HOME) / model.bundle_path
    shutil.rmtree(folder)
    written(folder, kind, **changes)
    path, sha256 = files.pack_bundle(run.pk, folder)
    ModelArtefact.objects.filter(pk=model.pk).update(bundle_sha256=sha256, bundle_size=path.stat().st_size)
    model.refresh_from_db()
    return model


def written(folder: Path, kind: str, **changes: Any) -> None:
    """The download's folder; `changes` are of its settings."""
    folder.mkdir()
    standalone = Path(export.__file__).with_name("standalone")
    for name in export.SCRIPTS:
        shutil.copyfile(standalone / name, folder / name)
    shutil.copyfile(columns.__file__, folder / "columns.py")
    (folder / "model.py").write_text(MODEL)
    row = kind == "row"
    settings_ = {
        "task": "classification", "input_shape": [4] if row else [1, 8, 8], "scale": 1.0 if row else 255.0, "mean": [0.0], "std": [1.0],
        "class_names": ["a", "b"], "feature_names": [], "transformation": FITTED if row else None, "batch_size": 500, **changes,
    }
    (folder / "preprocessing.json").write_text(json.dumps(settings_))
    size = int(np.prod(settings_["input_shape"]))
    weights = save({"weight": np.random.default_rng(1).normal(size=(2, size)).astype(np.float32)})
    (folder / "model.safetensors").write_bytes(weights)
    sample = "sample.csv" if row else "sample.png"
    (folder / sample).write_bytes(b"age,job\n31,cook\n" if row else picture())
    known = {"model.safetensors": {"sha256": hashlib.sha256(weights).hexdigest()}}
    (folder / "manifest.json").write_text(json.dumps({"files": known, "sample": {"file": sample, "examples": 1, "labels": ["b"]}}))


def picture(side: int = 8) -> bytes:
    """A PNG of as many points a side."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(2).integers(0, 255, (side, side), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def ask(client: Any, model: ModelArtefact, body: bytes = b"", query: str = "?sample=yes", **more: Any) -> Any:
    """POST models/{id}/predictions."""
    cache.clear()
    return client.generic("POST", f"{API}models/{model.pk}/predictions{query}", body, content_type="application/octet-stream", **more)


def asked(owner: Any) -> Prediction:
    """A question that waits, without a file."""
    job = Job.objects.create(owner=owner, kind=Job.Kind.PREDICT, source="predict")
    return Prediction.objects.create(owner=owner, model=ModelArtefact.objects.filter(owner=owner).first(), job=job)
