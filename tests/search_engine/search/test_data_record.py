"""A run reads the data that it began with, or ends and names the file: whoever reads, whenever, whatever was cached before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import check
from search_engine.datasets import data_files, idx_images
from search_engine.search import data_record
from search_engine.search.local_run import LocalRun
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.work import run_slice
from tests.damage import DAMAGE, missing
from tests.small_mnist import write_labelled

CONFIG: dict[str, Any] = {
    "algorithm": "random", "space": "mlp", "space_options": {"max_layers": 1, "epochs_divisor": 5}, "datasets": ["mnist"],
    "dataset_options": [{"labels": [0, 1]}], "budget": {"trials": 2}, "training": {"train_examples": 32},
    "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"train_examples": 32}},
}
TRAIN, TEST = "mnist/train-labels-idx1-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz"
LABELS = ([0, 1] * 60, [0, 1] * 20)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_labelled(tmp_path / "data", *LABELS)


def other_labels(data: Path, name: str) -> None:
    """Another sound file under the same name."""
    other = write_labelled(data.parent / "other", [1, 0] * 60, [1, 0] * 20)
    shutil.copyfile(other / name, data / name)


class Stop(Exception):
    pass


def interrupted(data: Path, out: Path, when: Callable[[LocalRun], bool], *, resume: bool = False) -> LocalRun:
    """A run that was left off."""
    run = LocalRun(check(CONFIG), data, out, resume=resume, slice_seconds=0.0)

    def report(*_: Any) -> None:
        if when(run):
            raise Stop

    with pytest.raises(Stop):
        run.run(report=report)
    return run


def in_finale(run: LocalRun) -> bool:
    return run.work is not None and run.work.spec.kind == "final" and run.work.progress().done > 0


@pytest.mark.parametrize("name", [TRAIN, TEST])
@pytest.mark.parametrize("left_off", [lambda run: run.work is not None, in_finale], ids=["in a trial", "in the finale"])
def test_a_run_that_goes_on_finds_its_data_or_ends(data: Path, tmp_path: Path, name: str, left_off: Callable[[LocalRun], bool]) -> None:
    interrupted(data, tmp_path / "run", left_off)
    kept = (data / name).read_bytes()
    other_labels(data, name)
    with pytest.raises(BadInput, match="is not the one that this run began with") as told:
        LocalRun(check(CONFIG), data, tmp_path / "run", resume=True).run()
    assert (told.value.field, told.value.code) == ("dataset", "changed_data")
    assert name in told.value.message and str(data) not in told.value.message, "the file, and not where it lies"
    # What is put back is known again, though its time is another one.
    (data / name).write_bytes(kept)
    result = LocalRun(check(CONFIG), data, tmp_path / "run", resume=True).run()
    assert result["status"] == "completed"
    undisturbed = LocalRun(check(CONFIG), data, tmp_path / "whole").run()
    assert (result["best"], result["data_files"]) == (undisturbed["best"], undisturbed["data_files"])
    assert set(result["data_files"]) == {f"mnist/{file}" for pair in idx_images.FILES.values() for file in pair}


@pytest.mark.parametrize("damage", [item for item in DAMAGE if item is not missing], ids=lambda damage: damage.__name__)
def test_the_finale_reads_the_test_file_that_the_run_began_with(data: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """In one process, whose training part is in memory: only the test file is read so late."""
    run = LocalRun(check(CONFIG), data, tmp_path / "run", slice_seconds=0.0)

    def report(*_: Any) -> None:
        if in_finale(run) and (data / TEST).is_file() and not spoilt:
            damage(data / TEST)
            spoilt.append(True)

    spoilt: list[bool] = []
    with pytest.raises(BadInput, match=f"{TEST} of the data set 'mnist' (is not the one|cannot be read)") as told:
        run.run(report=report)
    assert spoilt and told.value.code in ("changed_data", "unreadable_data")


def test_what_another_run_left_in_memory_is_not_taken_for_the_file(data: Path, tmp_path: Path) -> None:
    first = Resources(check(CONFIG), data).search_data.train.labels
    other_labels(data, TRAIN)
    second = Resources(check(CONFIG), data).search_data.train.labels
    assert first.tolist() != second.tolist()


def test_a_file_that_changes_while_it_is_read_is_not_believed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = idx_images.read_idx

    def slow(path: Path, dimensions: int) -> Any:
        values = real(path, dimensions)
        if path.name in TRAIN:
            other_labels(data, TRAIN)
        return values

    monkeypatch.setattr(idx_images, "read_idx", slow)
    with pytest.raises(BadInput, match="is not the one that this run began with"):
        Resources(check(CONFIG), data).search_data  # noqa: B018  (reading is what is tried)


def test_another_process_with_the_work_alone_compares_too(data: Path, tmp_path: Path) -> None:
    run = interrupted(data, tmp_path / "run", lambda run: run.work is not None)
    other_labels(data, TRAIN)
    work = open_work(run.checked, run.queue[0], data, tmp_path / "run")
    with pytest.raises(BadInput, match="is not the one that this run began with"):
        run_slice(work, 0.0)


def test_a_run_of_an_earlier_version_is_held_to_what_it_finds(data: Path, tmp_path: Path) -> None:
    interrupted(data, tmp_path / "run", lambda run: run.work is not None)
    (tmp_path / "run" / data_record.FILE).unlink()
    gone_on = interrupted(data, tmp_path / "run", lambda run: run.work is not None, resume=True)
    assert data_record.read(tmp_path / "run") == gone_on.coordinator.resources.all_files()
    other_labels(data, TRAIN)
    with pytest.raises(BadInput, match="began with"):
        LocalRun(check(CONFIG), data, tmp_path / "run", resume=True).run()


@pytest.mark.parametrize("damage", [item for item in DAMAGE if item is not missing], ids=lambda damage: damage.__name__)
def test_a_damaged_record_is_no_record_to_believe(data: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    interrupted(data, tmp_path / "run", lambda run: run.work is not None)
    damage(tmp_path / "run" / data_record.FILE)
    with pytest.raises(BadInput, match="recorded of its data files cannot be read"):
        LocalRun(check(CONFIG), data, tmp_path / "run", resume=True).run()


def test_what_a_beginning_left_that_was_never_committed_is_replaced(data: Path, tmp_path: Path) -> None:
    data_record.write(tmp_path / "run", {TRAIN: "0" * 64})
    (tmp_path / "run").mkdir(exist_ok=True)
    assert LocalRun(check(CONFIG), data, tmp_path / "run").run()["status"] == "completed"


def test_a_file_is_read_once_as_long_as_it_stays_the_same(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    real = data_files.hashlib.file_digest
    monkeypatch.setattr(data_files.hashlib, "file_digest", lambda file, how: read.append(file.name) or real(file, how))
    path = data / TRAIN
    first = data_files.digest_of(path)
    assert data_files.digest_of(path) == first and len(read) == 1
    seen = os.stat(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    # As long and as old as before: a restored time is no proof.
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert data_files.digest_of(path) != first and len(read) == 2


def test_files_of_packages_are_known_too(tmp_path: Path) -> None:
    found = Resources(check({"algorithm": "darts", "datasets": ["digits"]}), tmp_path).all_files()
    assert list(found) == ["sklearn/datasets/data/digits.csv.gz"] and len(found.popitem()[1]) == 64
