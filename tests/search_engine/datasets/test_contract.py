"""The contract suite of the data sets: every registered one, without knowing which it is (`--dataset ID`: that one alone)."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.base.errors import BadInput, TrialFailure
from search_engine.base.measures import split_of
from search_engine.catalogue import registry
from search_engine.datasets.base import Objective, Samples, Table
from search_engine.datasets.file_table import FileTable
from search_engine.search.sealed import final_figures, open_test
from search_engine.spaces.data_shape import NO_INPUT
from tests import made_pictures

DATASETS = sorted(registry.datasets())
BUNDLED = [name for name in DATASETS if not registry.dataset(name).files]
WITH_FILES = [name for name in DATASETS if registry.dataset(name).files]
MADE = {
    "cifar10": made_pictures.write_cifar10, "cifar10_jpeg": made_pictures.write_jpeg_copy, "cifar100": made_pictures.write_cifar100,
    "tiny_imagenet": made_pictures.write_tiny,
}
"""Of these the real files are not at hand, or are many: made ones of the same layout. The real JPEG copy has tests of its own."""
DRAWS = 50


def keeps_its_promises(dataset_id: str, folder: Path) -> None:
    """What a search and a finale rely on."""
    entry = registry.dataset(dataset_id)
    dataset = entry.open(entry.config(), folder)
    kinds = {"samples": Samples, "table": Table, "objective": Objective}
    assert isinstance(dataset, kinds[entry.provides])
    visits_are_counted_by_what_is_opened(dataset_id, folder)
    if isinstance(dataset, Samples):
        splits_are_apart(dataset_id, dataset)
    elif isinstance(dataset, Table):
        answers_and_hides_the_test(dataset_id, dataset)
    else:
        space, rng = registry.space(dataset.space), random.Random(0)
        one = space.space(space.config(), entry.shape_of(entry.config()) or NO_INPUT)
        for _ in range(DRAWS):
            genome = one.sample(rng)
            assert math.isfinite(dataset.reward(genome)) and dataset.reward(genome) == dataset.reward(genome)


def splits_are_apart(dataset_id: str, dataset: Samples) -> None:
    entry = registry.dataset(dataset_id)
    data, again, other = dataset.search_data(0), dataset.search_data(0), dataset.search_data(1)
    test = open_test(dataset)
    assert data.shape == dataset.shape() and entry.shape_of(entry.config()) in (None, data.shape)
    assert entry.input_kind == data.shape.kind and data.shape.task == entry.task
    for part in (data.train, data.validation, test):
        assert len(part.inputs) == len(part.labels) == len(part.indices) > 0 and part.inputs.shape[1:] == data.shape.input
        if entry.task == "classification":
            assert part.labels.dtype == np.int64 and set(np.unique(part.labels)) <= set(range(data.shape.classes))
        else:
            assert part.labels.dtype == np.float32 and part.labels.shape[1:] == (data.shape.classes,)
    assert not set(data.train.indices.tolist()) & set(data.validation.indices.tolist())
    assert np.array_equal(data.train.indices, again.train.indices) and np.array_equal(data.validation.indices, again.validation.indices)
    assert not np.array_equal(data.train.indices, other.train.indices)
    # The same test for every seed, and nothing of it in what a search sees.
    assert np.array_equal(test.indices, open_test(dataset).indices)
    seen = {part.inputs[place].tobytes() for part in (data.train,) for place in range(len(part))}
    shared = sum(test.inputs[place].tobytes() in seen for place in range(len(test)))
    assert shared < 0.05 * len(test), f"{shared} of {len(test)} test examples stand in the training part too"
    assert len(data.class_names) == data.shape.classes
    assert len(data.preprocessing.mean) == len(data.preprocessing.std) == data.shape.input[0] and min(data.preprocessing.std) > 0
    with pytest.raises(TypeError):
        dataset.open_test(object())  # type: ignore[arg-type]


def another(field: str, config: Any) -> Any:
    """The config with another value of one option that it takes; None where it takes none of the tried ones."""
    value = getattr(config, field)
    tries: list[Any] = []
    if isinstance(value, float):
        tries = [value * 0.8, value * 0.5 + 0.1, 0.4]
    elif isinstance(value, int) and not isinstance(value, bool):
        tries = [value + 7, value + 1, value - 1, 30]
    elif isinstance(value, tuple):
        tries = [(0, 1)]
    for item in tries:
        try:
            return type(config).model_validate({**config.model_dump(), field: item})
        except ValueError:
            continue
    return None


def visits_are_counted_by_what_is_opened(dataset_id: str, folder: Path) -> None:
    """An option decides the name of the test part where, and only where, it decides which examples that holds."""
    entry = registry.dataset(dataset_id)
    if entry.provides != "samples":
        return
    config = entry.config()
    own = open_test(entry.open(config, folder))
    # Two sets that open the same examples are counted as one, and each is called what it is.
    assert (entry.test_part(config), entry.test_part_in_words(config)) == (entry.same_test_as or entry.id, entry.id)
    for field in type(config).model_fields:
        other = another(field, config)
        if other is None:
            continue
        test = open_test(entry.open(other, folder))
        # Of examples that are described by other features (a vector of another length) it is the labels and places that tell.
        described = len(own.inputs.shape) == 2 and own.inputs.shape[1] != test.inputs.shape[1]
        same = np.array_equal(own.labels, test.labels) and np.array_equal(own.indices, test.indices)
        same = same and (described or np.array_equal(own.inputs, test.inputs))
        assert same == (entry.test_part(other) == entry.test_part(config)), f"{field}: in spares_test if it spares the test, else not"
        assert len(entry.test_part(other)) <= 100


def answers_and_hides_the_test(dataset_id: str, table: Table) -> None:
    entry, space, rng = registry.dataset(dataset_id), registry.space(table.space), random.Random(0)
    assert entry.spaces == {table.space}
    one = space.space(space.config(), entry.shape_of(entry.config()) or NO_INPUT)
    answered = 0
    for _ in range(DRAWS):
        genome = one.sample(rng)
        string = one.to_string(genome)
        try:
            answer = table.lookup(genome, string, {})
        except TrialFailure:
            continue
        answered += 1
        assert entry.metric in answer.metrics and all(math.isfinite(value) for value in answer.metrics.values())
        assert answer.samples == table.charge(genome, string, {}) >= 0
        assert not [name for name in answer.metrics if name.startswith("test")]
        # A validation figure of another training than the test figure's is no finished network's.
        same = dict(table.final_at) == dict(table.trial_at({}))
        kept = {name: value for name, value in answer.metrics.items() if same or split_of(name) is None}
        final = final_figures(table, genome, string)
        assert {name: final[name] for name in kept} == {**kept, **{name: final[name] for name in kept if split_of(name)}}
    assert answered, f"none of {DRAWS} architectures has a row; are the keys written as the space's to_string writes them?"
    if isinstance(table, FileTable):
        for text in table.architectures:
            try:
                assert one.to_string(one.from_string(text)) == text
            except BadInput as error:
                assert error.code == "incompatible", f"the row '{text}' is no architecture of '{table.space}': {error}"
                break  # a space that cannot read its own texts


@pytest.mark.parametrize("dataset_id", BUNDLED)
def test_a_data_set_without_files_keeps_its_promises(dataset_id: str, tmp_path: Path) -> None:
    keeps_its_promises(dataset_id, tmp_path)


@pytest.mark.parametrize("dataset_id", [name for name in WITH_FILES if name in MADE])
def test_a_data_set_keeps_its_promises_on_made_files(dataset_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    MADE[dataset_id](tmp_path)
    registry.dataset(dataset_id).check_files(tmp_path)
    keeps_its_promises(dataset_id, tmp_path)


@pytest.mark.parametrize("dataset_id", [name for name in WITH_FILES if name not in MADE])
def test_a_data_set_with_files_keeps_its_promises(dataset_id: str, data_dir: Path) -> None:
    registry.dataset(dataset_id).check_files(data_dir)
    keeps_its_promises(dataset_id, data_dir)


@pytest.mark.parametrize("dataset_id", WITH_FILES)
def test_a_file_that_is_missing_is_named(dataset_id: str, tmp_path: Path) -> None:
    entry = registry.dataset(dataset_id)
    with pytest.raises(BadInput, match=entry.files[0]) as caught:
        entry.check_files(tmp_path)
    assert caught.value.code == "missing_data" and str(tmp_path) in caught.value.message


@pytest.mark.parametrize("dataset_id", DATASETS)
def test_every_option_is_documented(dataset_id: str) -> None:
    for name, option in registry.dataset(dataset_id).config.model_json_schema().get("properties", {}).items():
        assert option.get("description") and "default" in option, name
