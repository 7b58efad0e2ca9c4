"""The download's other forms, from raw inputs: model.onnx in a process that has onnxruntime and NumPy alone, model.pt2 without the code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from search_engine.bundle import other_forms
from search_engine.bundle.verify import verify
from tests.search_engine.bundle.test_export import Trained, figure, fresh, train

WITHOUT = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
"""
"""Lines before a program that make imports fail as in an environment that lacks them."""
ONLY_ONNX = WITHOUT.format(names=("torch", "safetensors", "PIL", "onnx", "scipy", "pandas", "search_engine", "model"))
RAW_ROWS = """
import json, numpy as np, onnxruntime
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
held = np.load("test.npz")
answers = session.run(["probabilities"], {"x": held["inputs"]})[0].argmax(1)
about = session.get_modelmeta().custom_metadata_map
print(json.dumps([float((answers == held["labels"]).mean()), about, [(item.name, item.type) for item in session.get_inputs()]]))
"""
PROGRAM = """
import numpy as np, torch
network = torch.export.load("model.pt2").module()
raw = torch.from_numpy(np.load("test.npz")["inputs"])
np.save("answers.npy", network(raw).detach().numpy())
print(len(network(raw[:1])))
"""


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path, dict[str, Any]]:
    place = tmp_path_factory.mktemp("wine")
    trained = train("mlp", "wine", place, epochs=30, onnx=True)
    manifest = trained.export(place / "run" / "model")
    # As it is on a user's disk: outside of the run's folder, which the scripts know nothing of.
    shutil.copytree(place / "run" / "model", place / "elsewhere")
    return trained, place / "elsewhere", manifest


def test_raw_rows_of_wine_give_the_recorded_accuracy_without_torch(wine: tuple[Trained, Path, dict[str, Any]]) -> None:
    trained, folder, manifest = wine
    done = fresh(folder, "-c", ONLY_ONNX + RAW_ROWS)
    assert done.returncode == 0, done.stderr
    accuracy, about, inputs = json.loads(done.stdout)
    assert accuracy == trained.metrics["test_accuracy"] == manifest["onnx"]["accuracy"] > 0.9
    assert inputs == [["x", "tensor(float)"]]
    assert json.loads(about["class_names"]) == list(trained.data.class_names)
    assert json.loads(about["feature_names"])[:2] == ["alcohol", "malic acid"]
    assert json.loads(about["test_score"]) == {"name": "accuracy", "value": accuracy, "examples": 44}
    assert "not standardised" in about["input"] and about["made_by"].startswith("NAScope ")
    scored = fresh(folder, "-c", ONLY_ONNX + "import runpy; sys.argv = ['evaluate_onnx.py']; runpy.run_path('evaluate_onnx.py', "
                   "run_name='__main__')")
    assert scored.returncode == 0, scored.stderr
    assert figure(scored.stdout, "accuracy") == accuracy
    assert figure(scored.stdout, "loss") == pytest.approx(trained.metrics["test_loss"], rel=1e-5)


def test_the_program_gives_equal_bits_without_the_model_s_code(wine: tuple[Trained, Path, dict[str, Any]], tmp_path: Path) -> None:
    trained, folder, manifest = wine
    assert manifest["program"] == {"included": True, "accuracy": trained.metrics["test_accuracy"], "loss": trained.metrics["test_loss"]}
    for name in ("model.pt2", "test.npz"):
        shutil.copyfile(folder / name, tmp_path / name)
    done = fresh(tmp_path, "-c", PROGRAM)
    assert done.returncode == 0 and done.stdout.split() == ["1"], done.stderr
    from search_engine.training.batches import Normaliser

    with torch.no_grad():
        expected = trained.network.eval()(Normaliser(trained.data.preprocessing, 2, "cpu")(torch.from_numpy(trained.test.inputs)))
    assert np.array_equal(np.load(tmp_path / "answers.npy"), expected.numpy())
    assert figure(fresh(folder, "evaluate.py", "--program").stdout, "loss") == trained.metrics["test_loss"]


def test_the_sample_and_the_readme_s_lines_work(wine: tuple[Trained, Path, dict[str, Any]]) -> None:
    trained, folder, manifest = wine
    lines = (folder / "README.md").read_text().split("```")[1].strip().splitlines()
    assert lines == ["pip install -r requirements.txt", "python predict.py sample.csv", "python evaluate.py"]
    answers = fresh(folder, "predict.py", "sample.csv")
    assert [line.split()[0] for line in answers.stdout.splitlines()] == manifest["sample"]["labels"], answers.stderr
    names = (folder / "sample.csv").read_text().splitlines()[0]
    assert names.split(",") == list(trained.data.feature_names)


KEYS = {
    "": {"language", "license", "license_name", "license_link", "library_name", "tags", "datasets", "metrics", "base_model",
         "pipeline_tag", "model-index"},
    "task": {"type", "name"}, "dataset": {"type", "name", "config", "split", "revision", "args"},
    "metric": {"type", "value", "name", "config", "args", "verified"},
}
"""Of the head of a card: huggingface/hub-docs, modelcard.md; https://huggingface.co/docs/hub/model-cards."""


def test_the_card_has_the_hub_s_form(wine: tuple[Trained, Path, dict[str, Any]]) -> None:
    trained, folder, _ = wine
    text = (folder / "MODEL_CARD.md").read_text()
    empty, head, body = text.split("---\n", 2)
    about = yaml.safe_load(head)
    assert empty == "" and set(about) <= KEYS[""] and about["datasets"] == ["wine"] and about["license"] == "unknown"
    assert about["metrics"] == ["accuracy"] and {"onnx", "torch-export", "nascope"} <= set(about["tags"])
    (model,) = about["model-index"]
    assert set(model) == {"name", "results"}
    (result,) = model["results"]
    assert set(result) == {"task", "dataset", "metrics"}
    assert {"type"} <= set(result["task"]) <= KEYS["task"] and {"type", "name"} <= set(result["dataset"]) <= KEYS["dataset"]
    figures = {}
    for metric in result["metrics"]:
        assert {"type", "value"} <= set(metric) <= KEYS["metric"]
        figures[metric["type"]] = metric["value"]
    assert figures["accuracy"] == trained.metrics["test_accuracy"] and figures["loss"] == trained.metrics["test_loss"]
    for heading in ("How it was found", "Data", "Scores", "Training", "Use", "Uses and limits"):
        assert f"\n## {heading}\n" in body


@pytest.mark.parametrize(("name", "value", "said"), [
    ("MOST_WEIGHTS", 10, "its weights have"), ("SECONDS", 0, "took more than"), ("TOLERANCE", -1.0, "it gives the accuracy"),
])
def test_what_fails_is_told_and_loses_nothing_else(
    wine: tuple[Trained, Path, dict[str, Any]], name: str, value: float, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, *_ = wine
    monkeypatch.setattr(other_forms, name, value)
    manifest = trained.export(tmp_path / "model")
    for form, file in other_forms.FORMS.items():
        assert not manifest[form]["included"] and said in manifest[form]["reason"], manifest[form]
        assert not (tmp_path / "model" / file).exists() and file not in manifest["files"]
        for text in ("README.md", "MODEL_CARD.md"):
            assert f"There is no `{file}`" in (tmp_path / "model" / text).read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["model"], "nothing is left beside it"
    assert verify(tmp_path / "model") == trained.metrics["test_accuracy"]
