"""A search that begins with a finished network: the network out of its download is the one that was trained, or it is refused."""

from __future__ import annotations

import importlib.util
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms.given import WEIGHTS, GivenModel, place_weights
from search_engine.base.errors import BadInput
from search_engine.bundle.archive import write_archive
from search_engine.bundle.reopened import NAMES, Reopened, reopen
from search_engine.catalogue import registry
from search_engine.catalogue.config import check, check_new
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import DataShape

QUICK = {"epochs": 1, "train_examples": 128}
SMALL = {**QUICK, "channels": 4, "layers": 2}
DIGITS = DataShape((1, 8, 8), 10)


def found(space: str, out: Path) -> Path:
    """A model of that space, as a search finishes it."""
    training = {"cell": SMALL, "macro": {**QUICK, "channels": 4}, "mlp": {"train_examples": 128}}.get(space, QUICK)
    config = {
        "algorithm": "random", "space": space, "datasets": ["digits"], "budget": {"trials": 1}, "training": training,
        "finale": {"baselines": 0, "redundancy": False, "onnx": False, "training": training},
    }
    result = LocalRun(check_new(config), out, out / "run").run()
    assert result["status"] == "completed", result
    return out / "run" / "model"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found("plain", tmp_path_factory.mktemp("plain"))


def given(reopened: Reopened, folder: Path, shape: DataShape = DIGITS) -> GivenModel:
    place_weights(reopened.weights, folder)
    return GivenModel(reopened.config, registry.space(reopened.config.space), shape, folder)


def of_the_bundle(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("given_model", folder / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load_model()


@pytest.mark.parametrize("space", ["cell", "mlp", "blueprint"])
def test_it_computes_what_the_download_computes(space: str, tmp_path: Path) -> None:
    same(found(space, tmp_path), tmp_path)


def test_folder_and_zip_are_one_network(bundle: Path, tmp_path: Path) -> None:
    write_archive(bundle, tmp_path / "model.zip")
    assert reopen(bundle).weights == reopen(tmp_path / "model.zip").weights
    same(bundle, tmp_path)


def same(bundle: Path, folder: Path) -> None:
    network = given(reopen(bundle), folder).network().eval()
    examples = torch.from_numpy(np.random.default_rng(0).normal(size=(7, 1, 8, 8)).astype(np.float32))
    wanted = of_the_bundle(bundle)
    if reopen(bundle).config.space == "mlp":
        examples = examples.flatten(1)
    with torch.no_grad():
        assert torch.equal(network(examples), wanted(examples))


def refusal(action: Any) -> str:
    with pytest.raises(BadInput) as caught:
        action()
    assert caught.value.field == "model"
    return caught.value.message


def test_what_does_not_fit_is_refused_by_its_reason(bundle: Path, tmp_path: Path) -> None:
    reopened = reopen(bundle)
    assert "1 x 8 x 8" in refusal(lambda: given(reopened, tmp_path, DataShape((1, 28, 28), 10)))
    assert "7 outputs" in refusal(lambda: given(reopened, tmp_path, DataShape((1, 8, 8), 7)))
    place_weights(reopened.weights[:-1] + b"?", tmp_path)
    model = GivenModel(reopened.config, registry.space("plain"), DIGITS, tmp_path)
    assert "not those that the run was made with" in refusal(model.network)
    (tmp_path / WEIGHTS).unlink()
    assert "cannot be read" in refusal(model.network)
    odd = reopened.config.model_copy(update={"genome": {"nothing": 1}})
    assert "none of the space 'plain'" in refusal(lambda: GivenModel(odd, registry.space("plain"), DIGITS))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    reopened = reopen(found("macro", tmp_path))
    wider = reopened.config.training.model_copy(update={"channels": 8})
    model = given(Reopened(reopened.config.model_copy(update={"training": wider}), reopened.weights), tmp_path)
    assert "does not fit" in refusal(model.network)


def test_a_search_that_cannot_begin_with_one_says_so(bundle: Path) -> None:
    config = {"algorithm": "random", "space": "plain", "budget": {"trials": 1}, "model": reopen(bundle).config.model_dump()}
    assert "Random search does not begin with a finished network" in refusal(lambda: check(config))


def test_a_config_without_one_is_written_as_before_there_were_any() -> None:
    assert "model" not in check({"algorithm": "random", "space": "plain", "budget": {"trials": 1}}).config.model_dump(mode="json")


def test_what_is_no_download_is_refused(bundle: Path, tmp_path: Path) -> None:
    assert "there is no" in refusal(lambda: reopen(tmp_path / "absent.zip"))
    text = tmp_path / "words.zip"
    text.write_text("no zip")
    assert "no zip file" in refusal(lambda: reopen(text))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "holds no architecture.json" in refusal(lambda: reopen(tmp_path / "other.zip"))
    copy = tmp_path / "model"
    shutil.copytree(bundle, copy)
    (copy / "manifest.json").write_text(json.dumps({"files": {}}))
    assert "does not say what its network is" in refusal(lambda: reopen(copy))
    (copy / "manifest.json").write_text("{")
    assert "no JSON" in refusal(lambda: reopen(copy))
    shutil.copy(bundle / "manifest.json", copy)
    (copy / "model.safetensors").write_bytes(b"other")
    assert "damaged" in refusal(lambda: reopen(copy))


def test_a_zip_that_blows_up_is_not_read_into_memory(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAMES, "architecture.json", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/architecture.json", b" " * 100_000)
        for name in ("manifest.json", "model.safetensors"):
            archive.write(bundle / name, f"model/{name}")
    assert "at most 1,000 are read" in refusal(lambda: reopen(tmp_path / "bomb.zip"))
