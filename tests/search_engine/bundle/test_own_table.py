"""A user's table: its columns are encoded by the download as they were for the training, from cells as they stand in the file."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from search_engine.catalogue.config import check
from search_engine.datasets.base import Part
from search_engine.datasets.own.importing import Choices, keep
from search_engine.datasets.readers.columns import decode, encode
from search_engine.datasets.transformation import ColumnRule, TargetRule, Transformation
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import DataShape, Preprocessing
from tests.search_engine.bundle.test_export import fresh, train
from tests.search_engine.bundle.test_forms import ONLY_ONNX

CLASSES = ("=low", "средний", "high")
FITTED = Transformation(
    columns=[
        ColumnRule(name="Возраст", kind="number", places=[0, 1], fill=38.5, missing_place=True),
        ColumnRule(name="job", kind="category", places=[2, 3, 4], categories=["cook", "smith", "кузнец"], known=["cook", "кузнец"]),
        ColumnRule(name="pay", kind="number", places=[5], fill=2.25),
    ],
    width=6, missing_texts=["", "na"], target=TargetRule(name="rank", kind="class", classes=list(CLASSES)),
)
CELLS = [
    ["20", "cook", "1.5"], ["", "кузнец", "2"], ["31.25", "smith", "NA"], ["47", "baker", "-3.75"], ["50", "", "1000"], ["7", "cook", "0"],
]
"""A missing number with a place for it and without, a category that the training part lacks, an unknown one, a missing one."""
ENCODED = [[20, 0, 1, 0, 0, 1.5], [38.5, 1, 0, 0, 1, 2], [31.25, 0, 0, 0, 0, 2.25], [47, 0, 0, 0, 0, -3.75], [50, 0, 0, 0, 0, 1000],
           [7, 0, 1, 0, 0, 0]]
ASKED = """
import csv, json, numpy as np, onnxruntime
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
rows = json.loads(sys.argv[1])
kinds = {item.name: item.type for item in session.get_inputs()}
given = {}
for name, column in zip(["Возраст", "job", "pay"], zip(*rows)):
    if kinds[name] == "tensor(float)":
        given[name] = np.array([[float(cell) if cell not in ("", "NA") else np.nan] for cell in column], dtype=np.float32)
    else:
        given[name] = np.array([[cell] for cell in column], dtype=object)
print(json.dumps([kinds, [item.tolist() for item in session.run(None, given)]]))
"""


def test_cells_become_places_and_back() -> None:
    fitted = FITTED.model_dump()
    columns = [
        np.array([np.nan if cell in ("", "NA") else float(cell) for cell in column])
        if rule.kind == "number" else np.array([cell or None for cell in column], dtype=object)
        for rule, column in zip(FITTED.columns, zip(*CELLS, strict=True), strict=True)
    ]
    encoded = encode(fitted, columns)
    assert encoded.tolist() == ENCODED and encoded.dtype == np.float32
    cells = decode(fitted, encoded)
    assert cells[0] == CELLS[0] and cells[1] == ["", "кузнец", "2"] and cells[2] == ["31.25", "", "2.25"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("own"), FITTED)


def written(place: Path, fitted: Transformation, task: str = "classification", *, onnx: bool = True) -> Path:
    """A bundle of a small random network whose inputs are a table's encoded columns."""
    made = train("mlp", "wine", place, epochs=1, onnx=onnx)
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3 if task == "classification" else 1))
    inputs = np.array(ENCODED * 2, dtype=np.float32)
    labels: Any = np.arange(12) % 3 if task == "classification" else np.linspace(-1, 1, 12, dtype=np.float32)[:, None]
    part = Part(inputs, labels, np.arange(12))
    names = CLASSES if task == "classification" else ("pay",)
    data = replace(
        made.data, shape=DataShape((6,), len(names), task), train=part, validation=part, transformation=fitted, class_names=names,  # type: ignore[arg-type]
        preprocessing=Preprocessing(scale=1.0, mean=(30.0, 0.0, 0.0, 0.0, 0.0, 100.0), std=(12.0, 1.0, 1.0, 1.0, 1.0, 300.0)),
        feature_names=("a", "b", "c", "d", "e", "f"),
    )
    space = type(made.space)(made.space.config, data.shape)
    made.export(place / "model", network=network, data=data, test=part, metrics={}, space=space)
    return place / "model"


def expected(folder: Path) -> torch.Tensor:
    """The network's outputs for CELLS, from places written down by hand."""
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    weights = [value.double() for _, value in sorted(state.items())]
    inputs = (torch.tensor(ENCODED).double() - torch.tensor([30.0, 0, 0, 0, 0, 100])) / torch.tensor([12.0, 1, 1, 1, 1, 300])
    hidden = torch.tanh(inputs @ weights[1].T + weights[0])
    return hidden @ weights[3].T + weights[2]


def test_onnx_takes_the_columns_as_they_are(folder: Path) -> None:
    done = fresh(folder, "-c", ONLY_ONNX + ASKED, json.dumps(CELLS))
    assert done.returncode == 0, done.stderr
    kinds, (logits, shares) = json.loads(done.stdout)
    assert kinds == {"Возраст": "tensor(float)", "job": "tensor(string)", "pay": "tensor(float)"}
    assert np.allclose(logits, expected(folder), atol=1e-4)
    assert np.allclose(shares, expected(folder).softmax(1), atol=1e-5)


@pytest.mark.parametrize(("name", "encoding", "separator", "decimal"), [
    ("plain.csv", "utf-8", ",", "."), ("excel.csv", "cp1251", ";", ","), ("unicode.tsv", "utf-16", "\t", ","),
    ("bom.csv", "utf-8-sig", ";", "."),
])
def test_predict_reads_the_table_as_excel_writes_it(
    folder: Path, name: str, encoding: str, separator: str, decimal: str, tmp_path: Path
) -> None:
    with (tmp_path / name).open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(["pay", "comment", "job", "Возраст"])
        for age, job, pay in CELLS:
            writer.writerow([pay.replace(".", decimal), "текст", job, age.replace(".", decimal)])
    done = fresh(folder, "predict.py", str(tmp_path / name), "--out", str(tmp_path / "answers.csv"))
    assert done.returncode == 0 and "not used by the model: comment" in done.stderr, done.stderr
    shares = expected(folder).softmax(1)
    with (tmp_path / "answers.csv").open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["example", "class", "probability", "p(=low)", "p(средний)", "p(high)"]
    assert np.allclose([[float(cell) for cell in row[3:]] for row in rows], shares, atol=1e-5)
    assert [row[1] for row in rows] == ["'=low" if int(k) == 0 else CLASSES[int(k)] for k in shares.argmax(1)]
    assert "'=low" in {row[1] for row in rows}, "the case happened"


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("job,Возраст\ncook,3\n", encoding="utf-8")
    said = fresh(folder, "predict.py", str(tmp_path / "a.csv")).stderr
    assert "the column 'pay' is missing; it has job, Возраст" in said and "Traceback" not in said
    (tmp_path / "b.csv").write_text("job,Возраст,pay\ncook,3,4\nsmith,many,4\n", encoding="utf-8")
    assert "line 3, column 'Возраст': 'many' is no number" in fresh(folder, "predict.py", str(tmp_path / "b.csv")).stderr


def test_the_sample_has_the_table_s_own_cells(folder: Path) -> None:
    assert (folder / "sample.csv").read_text(encoding="utf-8").splitlines()[:3] == ["Возраст,job,pay", "20,cook,1.5", ",кузнец,2"]
    done = fresh(folder, "predict.py", "sample.csv")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [CLASSES[int(k)] for k in expected(folder)[:3].argmax(1)], done.stderr
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["onnx"]["included"] and manifest["onnx"]["accuracy"] == manifest["evaluation"]["accuracy"]


@pytest.mark.slow
def test_numbers_come_in_the_table_s_own_units(tmp_path: Path) -> None:
    fitted = FITTED.model_copy(update={"target": TargetRule(name="pay", kind="number", mean=100.0, std=5.0)})
    folder = written(tmp_path, fitted, "regression")
    wanted = expected(folder) * 5 + 100
    done = fresh(folder, "predict.py", "sample.csv")
    assert np.allclose([float(line) for line in done.stdout.split()], wanted[:3, 0], rtol=1e-5), done.stderr
    _, (_, values) = json.loads(fresh(folder, "-c", ONLY_ONNX + ASKED, json.dumps(CELLS)).stdout)
    assert np.allclose(values, wanted, rtol=1e-5)


@pytest.mark.slow
def test_a_search_and_its_download_say_errors_in_the_target_s_own_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the download repeats every figure that the run ranked by or showed."""
    monkeypatch.setenv("NASCOPE_OWN", str(tmp_path / "own"))
    rng = np.random.default_rng(2)
    width = rng.normal(size=150)
    price = 50_000 + 8_000 * width + 2_000 * rng.normal(size=150)
    lines = [f"{w:.4f},{p:.2f}" for w, p in zip(width, price, strict=True)]
    (tmp_path / "prices.csv").write_text("\n".join(["width,price", *lines]) + "\n")
    kept = keep(tmp_path / "prices.csv", Choices(target="price", task="regression"))
    values = {"algorithm": "random", "space": "mlp", "datasets": [kept.id], "budget": {"trials": 1}, "seed": 1, "objective": "rmse",
              "finale": {"baselines": 0, "redundancy": False, "training": {"epochs": 20}}}
    result = LocalRun(check(values), tmp_path, tmp_path / "run", slice_seconds=1e9).run()
    assert result["status"] == "completed", result["reason"]
    events = [json.loads(line)["data"] for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    (told,) = [data for data in events if data["kind"] == "trial_told"]
    assert told["metrics"]["val_rmse"] > 500 and told["metrics"]["val_neg_rmse"] == -told["metrics"]["val_rmse"]
    (beside,) = [data for data in events if data["kind"] == "assessment"]
    always = next(model for model in beside["parts"][0]["models"] if model["name"] == "mean")
    assert next(figure["value"] for figure in always["figures"] if figure["metric"] == "rmse") == pytest.approx(price.std(), rel=0.35)
    metrics = result["best"][0]["metrics"]
    for script in ("evaluate.py", "evaluate_onnx.py"):
        lines = fresh(tmp_path / "run" / "model", script).stdout.splitlines()
        printed = dict(line.split(": ") for line in lines if not line.startswith("("))
        for name in ("r2", "rmse", "mae"):
            assert float(printed[name]) == pytest.approx(metrics[f"test_{name}"], rel=1e-5), (script, name)


@pytest.mark.slow
def test_a_file_of_one_s_own_from_the_import_to_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of the file that was imported, given to the download as they are, get the answers that the network had."""
    monkeypatch.setenv("NASCOPE_OWN", str(tmp_path / "own"))
    rng = np.random.default_rng(5)
    rows = []
    for _ in range(240):
        age, job = int(rng.integers(18, 80)), ["cook", "кузнец", "smith"][int(rng.integers(3))]
        pay = round(age / 10 + 3 * (job == "smith") + float(rng.normal()), 2)
        cells = ["" if rng.uniform() < 0.1 else str(age), job, str(pay).replace(".", ",")]
        rows.append([*cells, "да" if pay > 6 else "нет"])
    with (tmp_path / "people.csv").open("w", encoding="cp1251", newline="") as file:
        csv.writer(file, delimiter=";").writerows([["Возраст", "job", "pay", "богат"], *rows])
    kept = keep(tmp_path / "people.csv", Choices(target="богат"))
    values = {"algorithm": "random", "space": "mlp", "datasets": [kept.id], "budget": {"trials": 1}, "seed": 1,
              "finale": {"baselines": 0, "redundancy": False, "training": {"epochs": 20}}}
    result = LocalRun(check(values), tmp_path, tmp_path / "run", slice_seconds=1e9).run()
    assert result["status"] == "completed" and result["model"] == "model/", result["reason"]
    folder = tmp_path / "run" / "model"
    manifest = json.loads((folder / "manifest.json").read_text())
    name = manifest["evaluation"]["score"]
    assert manifest["onnx"][name] == manifest["program"][name] == manifest["evaluation"][name], manifest["onnx"]
    done = fresh(folder, "predict.py", str(tmp_path / "people.csv"), "--out", str(tmp_path / "answers.csv"))
    assert done.returncode == 0 and "богат" in done.stderr, done.stderr
    with np.load(folder / "test.npz") as held:
        places, labels = held["indices"], held["labels"]
    with (tmp_path / "answers.csv").open(encoding="utf-8-sig", newline="") as file:
        answers = [row[1] for row in csv.reader(file)][1:]
    truth = [manifest["dataset"]["class_names"][label] for label in labels]
    assert truth == [rows[place][3] for place in places]
    right = [answers[place] == true for place, true in zip(places, truth, strict=True)]
    assert sum(right) / len(right) == pytest.approx(manifest["evaluation"][name])
