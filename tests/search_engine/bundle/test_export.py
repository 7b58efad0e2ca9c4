"""The bundle: a small trained network written out, unpacked elsewhere, run alone, checked, and caught when tampered with."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import random
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from search_engine.base.lazy import load_object
from search_engine.bundle.archive import write_archive
from search_engine.bundle.errors import BundleError
from search_engine.bundle.export import export_bundle
from search_engine.bundle.verify import verify, verify_all
from search_engine.catalogue.config import CheckedRun, check
from search_engine.datasets.base import Part, SearchData
from search_engine.datasets.idx_images import FILES
from search_engine.search.resources import Resources
from search_engine.search.sealed import open_test
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome
from search_engine.training.evaluation import evaluate
from search_engine.training.trainer import Trainer
from tests import small_mnist

ALLOWED = {
    "__future__", "argparse", "codecs", "collections", "csv", "dataclasses", "gzip", "hashlib", "io", "json", "pathlib", "re", "sys",
    "typing", "warnings", "zipfile", "numpy", "torch", "safetensors", "PIL", "onnxruntime",
    "columns", "functools", "metrics", "model", "preprocess", "read_data", "read_picture", "read_table", "recorded", "test_split",
}


@dataclass
class Trained:
    origin: CheckedRun
    space: SearchSpace[Any]
    genome: Genome
    network: nn.Module
    data: SearchData
    test: Part
    metrics: dict[str, float]

    def export(self, folder: Path, **changes: Any) -> dict[str, Any]:
        arguments = {**vars(self), "training": self.origin.finale_training, **changes}
        return export_bundle(folder, **arguments)


def train(
    space: str, dataset: str, data_dir: Path, *, epochs: int = 2, onnx: bool = False, algorithm: str = "random", **options: Any
) -> Trained:
    """`options` are those of the data set."""
    training = {"epochs": epochs, "channels": 4, "layers": 3 if space == "cell" else 1, "train_examples": 400}
    budget = {"trials": 1} if algorithm == "random" else None
    checked = check(
        {"algorithm": algorithm, "space": space, "datasets": [dataset], "dataset_options": [options], "budget": budget,
         "finale": {"baselines": 0, "training": training, "onnx": onnx}}
    )
    resources = Resources(checked, data_dir)
    rng = random.Random(4)
    genome = resources.space.sample(rng)
    if space in ("neuron_graph", "blueprint"):
        for _ in range(60 if space == "neuron_graph" else 25):
            genome, _ = resources.space.mutate(genome, rng)
    torch.manual_seed(0)
    network = load_object(checked.space.builder)(resources.space, genome, "final", checked.finale_training)
    trainer = Trainer(network, resources.search_data, checked.finale_training, seed=1)
    while not trainer.finished:
        trainer.advance()
    test = open_test(resources.dataset)  # type: ignore[arg-type]
    score = evaluate(network, test, resources.search_data.preprocessing)
    metrics = {**trainer.metrics(), "test_accuracy": score["accuracy"], "test_loss": score["loss"]}
    return Trained(checked, resources.space, genome, network, resources.search_data, test, metrics)


def fresh(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-B", *arguments], cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )


def figure(output: str, name: str) -> float:
    return float(next(line.split(": ")[1] for line in output.splitlines() if line.startswith(f"{name}: ")))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train("cell", "digits", tmp_path_factory.mktemp("data"), onnx=True)


@pytest.fixture(scope="module")
def bundle(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "model"
    trained.export(folder)
    return folder


@pytest.fixture(scope="module")
def unpacked(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as a user has it: downloaded as a zip, unpacked outside the repository."""
    place = tmp_path_factory.mktemp("download")
    write_archive(bundle, place / "model.zip")
    with zipfile.ZipFile(place / "model.zip") as archive:
        archive.extractall(place)
    return place / "model"


# ---- it runs alone


def test_evaluate_prints_the_recorded_accuracy_in_a_fresh_process(trained: Trained, unpacked: Path) -> None:
    done = fresh(unpacked, "evaluate.py")
    assert done.returncode == 0, done.stderr
    assert figure(done.stdout, "accuracy") == trained.metrics["test_accuracy"]
    assert figure(done.stdout, "loss") == trained.metrics["test_loss"]
    assert figure(done.stdout, "examples") == len(trained.test)


def test_the_search_engine_is_not_reachable_from_it(unpacked: Path) -> None:
    program = "import sys; sys.path.insert(0, '.'); import model; model.load_model(); print('search_engine' in sys.modules)"
    assert fresh(unpacked, "-c", program).stdout.split() == ["False"]


def test_no_file_imports_anything_else(unpacked: Path) -> None:
    scripts = sorted(unpacked.glob("*.py"))
    assert [path.name for path in scripts] == [
        "columns.py", "evaluate.py", "evaluate_onnx.py", "metrics.py", "model.py", "predict.py", "preprocess.py", "read_picture.py",
        "read_table.py", "recorded.py", "test_split.py",
    ]
    for path in scripts:
        text = path.read_text()
        imported = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
        assert imported <= ALLOWED, path.name
        assert "search_engine" not in text


def test_the_model_is_readable_code_with_the_genome(trained: Trained, unpacked: Path) -> None:
    text = (unpacked / "model.py").read_text()
    assert trained.space.to_string(trained.genome) in (ast.get_docstring(ast.parse(text)) or "")
    classes = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    assert any(name.startswith("NormalCell") for name in classes) and any(name.startswith("ReductionCell") for name in classes)
    for _, _, operation in trained.space.cell(trained.genome, "normal"):  # type: ignore[attr-defined]
        assert f'"{operation}"' in text
    assert max(len(line) for line in text.splitlines()[10:]) <= 200


def test_onnx_computes_what_the_network_computes(trained: Trained, unpacked: Path) -> None:
    import onnxruntime

    from search_engine.training.batches import Normaliser

    # The raw inputs as they are: the preprocessing lies in the file.
    session = onnxruntime.InferenceSession(str(unpacked / "model.onnx"), providers=["CPUExecutionProvider"])
    normalise = Normaliser(trained.data.preprocessing, 4, "cpu")
    for part in (trained.test.inputs, trained.test.inputs[:1]):
        inputs = normalise(torch.from_numpy(part))
        with torch.no_grad():
            expected = trained.network.eval()(inputs)
        found, shares = session.run(None, {"x": part})
        torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(torch.from_numpy(shares), expected.softmax(1), rtol=1e-4, atol=1e-4)


def test_predict_reads_csv_npz_and_pictures(trained: Trained, unpacked: Path, tmp_path: Path) -> None:
    from PIL import Image

    image = trained.test.inputs[0]
    np.savetxt(tmp_path / "a.csv", image.reshape(1, -1), delimiter=",")
    np.savez(tmp_path / "a.npz", inputs=trained.test.inputs[:3])
    Image.fromarray((image[0] / 16 * 255).astype(np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(255 - (image[0] / 16 * 255).astype(np.uint8)).save(tmp_path / "dark.png")
    lines = {}
    for name, more in (("a.csv", []), ("a.npz", []), ("a.png", []), ("dark.png", ["--invert"])):
        done = fresh(unpacked, "predict.py", str(tmp_path / name), *more)
        assert done.returncode == 0, done.stderr
        lines[name] = [line.split() for line in done.stdout.splitlines()]
    with torch.no_grad():
        from search_engine.training.batches import Normaliser

        inputs = Normaliser(trained.data.preprocessing, 4, "cpu")(torch.from_numpy(trained.test.inputs[:3]))
        best = trained.network.eval()(inputs).softmax(1).max(1)
    assert lines["a.npz"] == [[str(int(k)), f"{float(p):.4f}"] for p, k in zip(best.values, best.indices, strict=True)]
    assert lines["a.csv"] == lines["a.npz"][:1]
    assert lines["a.png"][0][0] == lines["dark.png"][0][0] == lines["a.npz"][0][0]


def test_predict_says_what_is_wrong(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "short.csv").write_text("1,2,3\n")
    np.savez(tmp_path / "object.npz", inputs=np.array([{}], dtype=object))
    assert "an example of this model has 64" in fresh(unpacked, "predict.py", str(tmp_path / "short.csv")).stderr
    assert "there is no file" in fresh(unpacked, "predict.py", "absent.png").stderr
    (tmp_path / "header.csv").write_text(",".join(f"pixel{index}" for index in range(64)) + "\n")
    (tmp_path / "labelled.csv").write_text("\n".join(",".join(["1"] * 65) for _ in range(64)) + "\n")
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    names = ("object.npz", "header.csv", "labelled.csv", "broken.npz")
    said = {name: fresh(unpacked, "predict.py", str(tmp_path / name)) for name in names}
    for name, refused in said.items():
        assert refused.returncode == 1 and name in refused.stderr, refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1, "one clear line"
    # 64 lines of 65 numbers would fill 65 examples.
    assert "an example of this model has 64" in said["labelled.csv"].stderr
    assert "allow_pickle=False" in said["object.npz"].stderr


# ---- records


def test_the_manifest_lists_every_file_with_its_digest(trained: Trained, bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert set(manifest["files"]) | {"manifest.json"} == {path.name for path in bundle.iterdir()}
    for name, about in manifest["files"].items():
        assert hashlib.sha256((bundle / name).read_bytes()).hexdigest() == about["sha256"]
    assert manifest["metrics"] == trained.metrics
    assert manifest["genome_hash"] == trained.space.hash(trained.genome)
    architecture = json.loads((bundle / "architecture.json").read_text())
    assert Genome(architecture["space"], architecture["genome"]) == trained.genome
    card = (bundle / "MODEL_CARD.md").read_text()
    assert f"{trained.metrics['test_accuracy']:.6g}" in card and architecture["string"] in card


def test_equal_arguments_give_equal_bytes(trained: Trained, bundle: Path, tmp_path: Path) -> None:
    first = write_archive(bundle, tmp_path / "first.zip")
    trained.export(tmp_path / "elsewhere" / "again")
    again = write_archive(tmp_path / "elsewhere" / "again", tmp_path / "again.zip")
    assert first == again == hashlib.sha256((tmp_path / "first.zip").read_bytes()).hexdigest()


def test_nothing_tells_of_the_machine(bundle: Path) -> None:
    for path in bundle.iterdir():
        content = path.read_bytes()
        for trace in (str(Path(__file__).parents[3]).encode(), str(bundle.parent).encode(), b"site-packages", b"search_engine"):
            assert trace not in content, (path.name, trace)


def test_exporting_leaves_the_network_alone(trained: Trained, tmp_path: Path) -> None:
    trained.network.train()
    before = {name: item.clone() for name, item in trained.network.state_dict().items()}
    state = torch.get_rng_state()
    trained.export(tmp_path / "model", origin=without_onnx(trained.origin))
    assert trained.network.training and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(item, before[name]) for name, item in trained.network.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in trained.network.modules())


# ---- checks


def without_onnx(checked: CheckedRun) -> CheckedRun:
    finale = checked.config.finale.model_copy(update={"onnx": False})
    return checked.model_copy(update={"config": checked.config.model_copy(update={"finale": finale})})


def test_verify_repeats_the_score(trained: Trained, bundle: Path) -> None:
    before = sorted(path.name for path in bundle.iterdir())
    assert verify(bundle) == trained.metrics["test_accuracy"]
    assert sorted(path.name for path in bundle.iterdir()) == before


def tampered(bundle: Path, place: Path, *, record: bool) -> Path:
    """A copy with other weights in the classifier; with `record` the manifest is made to agree."""
    from safetensors.torch import load_file, save

    folder = place / "model"
    shutil.copytree(bundle, folder)
    state = load_file(folder / "model.safetensors")
    state["classifier.weight"] = -state["classifier.weight"]
    (folder / "model.safetensors").write_bytes(save(state))
    if record:
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["model.safetensors"]["sha256"] = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_changed_weight_is_found(bundle: Path, tmp_path: Path) -> None:
    folder = tampered(bundle, tmp_path, record=False)
    with pytest.raises(BundleError, match=r"model\.safetensors does not have the digest"):
        verify(folder)
    done = fresh(folder, "evaluate.py")
    assert done.returncode != 0 and "not the file that was recorded" in done.stderr
    (folder / "examples.csv").write_text("0\n")
    done = fresh(folder, "predict.py", "examples.csv")
    assert done.returncode != 0 and "not the file that was recorded" in done.stderr


def test_a_changed_weight_with_a_changed_manifest_is_found_by_its_score(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="a fresh process gives the accuracy"):
        verify(tampered(bundle, tmp_path, record=True))


def test_one_process_checks_several_bundles_each_by_its_own_code(
    trained: Trained, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, started = subprocess.run, []
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: started.append(args) or real(*args, **options))
    assert verify_all([bundle, bundle]) == [trained.metrics["test_accuracy"]] * 2
    assert len(started) == 1
    other = tampered(bundle, tmp_path, record=True)
    with pytest.raises(BundleError, match="a fresh process gives the accuracy"):
        verify_all([bundle, other])
    (other / "evaluate.py").write_text("import sys\nprint('accuracy: 1.0')\nsys.exit('it does not work here')\n")
    listed = json.loads((other / "manifest.json").read_text())
    listed["files"]["evaluate.py"]["sha256"] = hashlib.sha256((other / "evaluate.py").read_bytes()).hexdigest()
    (other / "manifest.json").write_text(json.dumps(listed))
    with pytest.raises(BundleError, match="failed in a fresh process: it does not work here"):
        verify_all([other])


def test_the_evaluation_loads_neither_this_program_nor_the_compiler(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "model")
    command = [sys.executable, "-I", "-B", "-X", "importtime", "evaluate.py"]
    done = subprocess.run(command, cwd=tmp_path / "model", capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines() if line.startswith("import time:")}
    parts = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "torch" in loaded
    assert not loaded & {"search_engine", "webapp", "django", "sympy", "onnx", "onnxruntime", "networkx", "sklearn", "scipy"}
    assert not parts & {"torch._dynamo", "torch._inductor"}


def test_a_file_too_many_or_too_few_is_found(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "model")
    (tmp_path / "model" / "extra.py").write_text("")
    with pytest.raises(BundleError, match=r"extra\.py"):
        verify(tmp_path / "model")
    (tmp_path / "model" / "extra.py").unlink()
    (tmp_path / "model" / "predict.py").unlink()
    with pytest.raises(BundleError, match=r"predict\.py"):
        verify(tmp_path / "model")


def test_a_wrong_recorded_score_is_not_exported(trained: Trained, tmp_path: Path) -> None:
    metrics = {name: value for name, value in trained.metrics.items() if name != "test_loss"}
    with pytest.raises(BundleError, match=r"the run recorded 0\.5"):
        trained.export(tmp_path / "model", metrics={**metrics, "test_accuracy": 0.5})
    assert list(tmp_path.iterdir()) == []


# ---- other spaces, other data


def test_a_neuron_graph_needs_nothing_of_its_own(tmp_path: Path) -> None:
    graph = train("neuron_graph", "digits", tmp_path, algorithm="wann", onnx=True)
    manifest = graph.export(tmp_path / "model")
    assert manifest["onnx"]["included"], manifest["onnx"]
    assert verify(tmp_path / "model") == graph.metrics["test_accuracy"]


@pytest.mark.parametrize(("space", "algorithm"), [("neuron_graph", "wann"), ("blueprint", "codeepneat")])
def test_a_grown_network_predicts_outside(space: str, algorithm: str, tmp_path: Path) -> None:
    """A neuron graph, and a network assembled from a blueprint whose graphs have grown joins: the download answers as the network does."""
    from search_engine.training.batches import Normaliser

    grown = train(space, "digits", tmp_path, algorithm=algorithm, epochs=1, onnx=False)
    if space == "blueprint":
        assert any(step.join for step in grown.space.plan(grown.genome).steps), "the case happened"  # type: ignore[attr-defined]
    grown.export(tmp_path / "run" / "model")
    write_archive(tmp_path / "run" / "model", tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path / "elsewhere")
    np.savez(tmp_path / "a.npz", inputs=grown.test.inputs[:20])
    done = fresh(tmp_path / "elsewhere" / "model", "predict.py", str(tmp_path / "a.npz"))
    assert done.returncode == 0, done.stderr
    with torch.no_grad():
        inputs = Normaliser(grown.data.preprocessing, 4, "cpu")(torch.from_numpy(grown.test.inputs[:20]))
        best = grown.network.eval()(inputs).softmax(1).max(1)
    expected = [[str(int(answer)), f"{float(share):.4f}"] for share, answer in zip(best.values, best.indices, strict=True)]
    assert [line.split() for line in done.stdout.splitlines()] == expected


def test_data_with_its_own_files_gives_indices_and_a_reader(tmp_path: Path) -> None:
    small_mnist.write(tmp_path, train=300, test=60)
    network = train("nb201", "mnist", tmp_path, epochs=1)
    manifest = network.export(tmp_path / "model")
    assert manifest["evaluation"]["data_folder"] == "mnist" and not manifest["onnx"]["included"]
    with np.load(tmp_path / "model" / "test.npz", allow_pickle=False) as file:
        assert sorted(file.files) == ["indices", "labels"]
    assert verify(tmp_path / "model", tmp_path) == network.metrics["test_accuracy"]
    assert "give --data FOLDER" in fresh(tmp_path / "model", "evaluate.py").stderr
    assert "is missing" in fresh(tmp_path / "model", "evaluate.py", "--data", str(tmp_path)).stderr
    shutil.copyfile(tmp_path / "mnist" / FILES["test"][1], tmp_path / "labels")
    (tmp_path / "mnist" / FILES["test"][1]).write_bytes(gzip.compress(small_mnist.idx_bytes(np.arange(60) % 7)))
    assert "not the examples" in fresh(tmp_path / "model", "evaluate.py", "--data", str(tmp_path / "mnist")).stderr
