"""Writing a bundle: a folder that holds one trained network as something that runs alone.

| file | content |
| --- | --- |
| README.md, sample.csv, .png or .npy | how to use it, and something to try it on |
| model.py, model.safetensors | the network: code and weights |
| model.pt2, model.onnx | (optional) with the preprocessing inside: without the code, and for other runtimes |
| architecture.json | the genome, its text form and its drawings |
| preprocessing.json, preprocess.py, columns.py | from raw inputs, or a table's columns, to network inputs |
| predict.py, read_table.py, read_picture.py | what the model says of a file |
| evaluate.py, evaluate_onnx.py, metrics.py, test_split.py, test.npz, read_data.py | repeat the score (with what read_data.py imports) |
| recorded.py | these first ask it whether the weights are those recorded |
| MODEL_CARD.md, requirements.txt, manifest.json | for people and for the hub; for pip; every file's digest, scores, versions |

Equal arguments give equal bytes on one machine: there is no time, no path and no pickle in it.
"""

from __future__ import annotations

import copy
import hashlib
import json
import platform
import shutil
import types
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import save
from torch import nn

from ..base.release import __version__
from ..base.training_config import TrainingConfig
from ..datasets.base import Part, SearchData
from ..datasets.readers import columns
from ..events import ClassScores, Score
from ..scoring import rules
from ..spaces.base import SearchSpace
from ..spaces.genomes import Genome
from ..spaces.tasks import SCORES, TaskName
from ..training.batches import Normaliser
from ..training.evaluation import BATCH, evaluate
from ..training.footprint import footprint as measure
from .card import model_card
from .errors import BundleError
from .inputs import input_kind, input_meaning
from .origin import Origin
from .other_forms import write_other_forms
from .readme import readme
from .sample import write_sample
from .source import as_network, model_state, write_model
from .testset import checksum, reads_pictures, write_test_split

FORMAT = 1
"""Version of the bundle's layout, in the manifest."""
SCRIPTS = (
    "preprocess.py", "recorded.py", "predict.py", "read_table.py", "read_picture.py", "test_split.py", "evaluate.py", "evaluate_onnx.py",
)
PROBES = 16
"""Test examples on which the written code and the network are compared."""


def export_bundle(
    folder: Path,
    *,
    origin: Origin,
    space: SearchSpace[Any],
    genome: Genome,
    network: nn.Module,
    data: SearchData,
    test: Part,
    metrics: dict[str, float],
    scores: Sequence[Score] = (),
    by_class: Sequence[ClassScores] = (),
    warnings: Sequence[str] = (),
    calibration: dict[str, Any] | None = None,
    footprint: dict[str, Any] | None = None,
    training: TrainingConfig | None = None,
    domain: int = 0,
    data_files: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Write the bundle of a trained `network` to `folder`, which is new or replaced; returns the manifest.

    `metrics` are the run's figures, `scores` says which of them is what, `by_class` and `warnings` what stands beside them; the test
    score (`test_accuracy`, `test_r2`) must be what the network gives on `test` on the CPU. `calibration` is what its probabilities are
    worth there (`training.calibration`), where it was measured.
    `training` is how the network was trained (None: the algorithm itself finished it), `domain` the place of its data set in the run,
    `data_files` the SHA-256 of each of its files. The network is not changed. Raises BundleError where the network cannot be written as
    code or the code computes something else; then there is no folder.
    """
    network = as_network(copy.deepcopy(network).cpu().eval())
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        string = space.to_string(genome)
        code = write_model(network, data.shape.input, _description(origin, string))
        (temporary / "model.py").write_text(code, encoding="utf-8")
        state = model_state(network)
        (temporary / "model.safetensors").write_bytes(save(state))
        rebuilt = _rebuild(code, state)
        probes = Normaliser(data.preprocessing, test.inputs.ndim, "cpu")(torch.from_numpy(test.inputs[:PROBES]))
        _require_equal(network, rebuilt, probes)
        scored = SCORES[space.task]
        if f"test_{scored}" in metrics and "test_loss" in metrics:
            # Measured on the network that the code was just found equal to; `verify` repeats it from the files.
            score = {scored: metrics[f"test_{scored}"], "loss": metrics["test_loss"]}
        else:
            score = evaluate(rebuilt, test, data.preprocessing, task=space.task)
        if metrics.get(f"test_{scored}", score[scored]) != score[scored]:
            recorded = metrics[f"test_{scored}"]
            raise BundleError(f"the written model has the test {scored} {score[scored]}, the run recorded {recorded}")

        architecture = _architecture(space, genome, string)
        _write_json(temporary / "architecture.json", architecture)
        settings = _preprocessing(data, space.task)
        _write_json(temporary / "preprocessing.json", settings)
        for name in SCRIPTS:
            shutil.copyfile(Path(__file__).with_name("standalone") / name, temporary / name)
        shutil.copyfile(columns.__file__, temporary / "columns.py")
        shutil.copyfile(rules.__file__, temporary / "metrics.py")
        sample = write_sample(temporary, data, test, own=not origin.datasets[domain].test_reader)
        data_folder = write_test_split(temporary, origin.datasets[domain], test)
        (temporary / "requirements.txt").write_text(_requirements(reads_pictures(temporary)), encoding="utf-8")
        size = footprint or vars(measure(network, data.shape.input))
        manifest = _manifest(origin, space, genome, data, metrics, size, domain)
        manifest["dataset"]["files"] = data_files or {}
        manifest["training"] = training.model_dump(mode="json") if training else None
        if retrained := _retraining(origin):
            manifest["retraining"] = retrained
        manifest["scores"] = {item.kind: item.model_dump() for item in scores}
        manifest["by_class"] = [item.model_dump() for item in by_class]
        manifest["warnings"] = list(warnings)
        manifest["calibration"] = calibration
        manifest["sample"] = sample
        manifest["evaluation"] = {
            **score, "score": scored, "task": space.task, "examples": len(test),
            "checksum": checksum(test.inputs, test.labels), "data_folder": data_folder,
        }
        manifest["input"] = {"kind": input_kind(settings), "type": test.inputs.dtype.name, "meaning": input_meaning(settings, test.inputs)}
        manifest["files"] = {path.name: _file(path) for path in sorted(temporary.iterdir())}
        _write_json(temporary / "manifest.json", manifest)
        manifest |= write_other_forms(temporary, test, _metadata(manifest, settings), origin.config.finale.onnx)
        about = _about(origin, training, domain)
        (temporary / "MODEL_CARD.md").write_text(model_card(manifest, architecture, about), encoding="utf-8")
        (temporary / "README.md").write_text(readme(manifest, settings), encoding="utf-8")
        (temporary / "manifest.json").unlink()
        manifest["files"] = {path.name: _file(path) for path in sorted(temporary.iterdir())}
        _write_json(temporary / "manifest.json", manifest)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def _description(origin: Origin, string: str) -> str:
    safe = string.replace("\\", "\\\\").replace('"""', "'''")
    return (
        "One network, found by neural architecture search and written out as plain PyTorch.\n\n"
        f"Space: {origin.space.title} ({origin.space.id}). Architecture:\n\n    {safe}\n\n"
        "load_model() gives it trained (weights in model.safetensors); attribute names are those of the weights."
    )


def _rebuild(code: str, state: dict[str, torch.Tensor]) -> nn.Module:
    """The network from the written code and state. The code is this program's own output."""
    module = types.ModuleType("exported_model")
    module.__file__ = "model.py"
    with torch.random.fork_rng(devices=[]):
        exec(compile(code, "model.py", "exec"), module.__dict__)  # nosec B102 # our own generator wrote it a moment ago
        rebuilt: nn.Module = module.build_model()
    rebuilt.load_state_dict(state)
    return rebuilt.eval()


def _require_equal(network: nn.Module, rebuilt: nn.Module, probes: torch.Tensor) -> None:
    with torch.no_grad():
        for inputs in (probes, probes[:1]):
            if not torch.equal(network(inputs), rebuilt(inputs)):
                raise BundleError("the written code does not compute what the network computes")


def _architecture(space: SearchSpace[Any], genome: Genome, string: str) -> dict[str, Any]:
    return {
        "space": space.id,
        "space_options": space.config.model_dump(mode="json"),
        "genome": genome.content,
        "hash": space.hash(genome),
        "string": string,
        "drawings": {name: graph.model_dump(mode="json") for name, graph in space.drawings(genome).items()},
    }


def _preprocessing(data: SearchData, task: TaskName) -> dict[str, Any]:
    """`class_names` are the names of the targets' values where there are no classes."""
    used = data.preprocessing
    return {
        "task": task,
        "input_shape": list(data.shape.input), "scale": used.scale, "mean": list(used.mean), "std": list(used.std),
        "class_names": list(data.class_names), "feature_names": list(data.feature_names), "transformation": _transformation(data),
        "batch_size": BATCH, "formula": "(raw / scale - mean) / std, per channel, float32",
    }


def _transformation(data: SearchData) -> dict[str, Any] | None:
    """How a table's columns become raw inputs, where they are not the inputs themselves."""
    return data.transformation.model_dump(mode="json") if data.transformation is not None else None


def _requirements(pictures: bool) -> str:
    """`pictures`: whether the test examples themselves are pictures in files."""
    # Another version may decode a JPEG file to other pixels.
    pillow = f"pillow=={version('pillow')}\n" if pictures else "# pillow, only for predict.py on pictures\n"
    runtime = "# onnxruntime, only for evaluate_onnx.py, which needs numpy beside it and no torch\n"
    own = f"torch=={torch.__version__.partition('+')[0]}\nnumpy=={np.__version__}\nsafetensors=={safetensors.__version__}\n"
    return own + pillow + runtime


def _manifest(
    origin: Origin, space: SearchSpace[Any], genome: Genome, data: SearchData, metrics: dict[str, float], size: dict[str, Any],
    domain: int,
) -> dict[str, Any]:
    config = origin.config
    return {
        "format": FORMAT,
        "algorithm": {"id": origin.algorithm.id, "options": origin.options.model_dump(mode="json")},
        "space": {"id": space.id, "options": space.config.model_dump(mode="json")},
        "dataset": {
            "id": data.dataset, "options": origin.dataset_options[domain].model_dump(mode="json"), "input_shape": list(data.shape.input),
            "outputs": data.shape.classes, "class_names": list(data.class_names),
            "train_examples": len(data.train), "validation_examples": len(data.validation),
        },
        "seed": config.seed,
        "threads": config.threads,
        "together": config.together,
        "budget": config.budget.model_dump(exclude_none=True) if config.budget else None,
        "genome_hash": space.hash(genome),
        "metrics": metrics,
        "parameters": size["parameters"],
        "flops": size["flops"],
        "versions": {
            "nascope": __version__, "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
        },
    }


def _retraining(origin: Origin) -> dict[str, Any]:
    """How often and on what the finale trained, where that is not once and on the training part."""
    finale = origin.config.finale
    if finale.seeds == 1 and finale.train_on == "train":
        return {}
    return {"train_on": finale.train_on, "seeds": finale.seeds, "ensemble": finale.ensemble and finale.seeds > 1}


def _about(origin: Origin, training: TrainingConfig | None, domain: int) -> dict[str, Any]:
    dataset = origin.datasets[domain]
    return {
        "algorithm_title": origin.algorithm.title, "algorithm_source": origin.algorithm.source,
        "space_title": origin.space.title, "space_source": origin.space.source,
        "dataset_title": dataset.title, "dataset_source": dataset.source, "dataset_licence": dataset.licence,
        "training": training.model_dump(mode="json") if training else {},
    }


def _metadata(manifest: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """What a file that travels alone says of itself."""
    test = manifest["evaluation"]
    return {
        "made_by": f"NAScope {manifest['versions']['nascope']}",
        "task": settings["task"],
        "class_names" if settings["task"] == "classification" else "value_names": settings["class_names"],
        "feature_names": settings["feature_names"],
        "transformation": settings["transformation"],
        "input": manifest["input"]["meaning"],
        "dataset": manifest["dataset"]["id"],
        "test_score": {"name": test["score"], "value": test[test["score"]], "examples": test["examples"]},
        "genome_hash": manifest["genome_hash"],
    }


def _file(path: Path) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
