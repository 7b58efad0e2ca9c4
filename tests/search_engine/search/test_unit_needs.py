"""What a unit needs is forecast from small batches, and is what the real one takes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import CheckedRun, check, check_new
from search_engine.search import bounds as bounds_of
from search_engine.search import unit_needs as needs_of
from search_engine.search.bounds import Bounds, may_be_large, refuse_too_large
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.unit_needs import unit_needs
from search_engine.training.needs import counting
from search_engine.training.prepared_batches import one_at_a_time
from tests import made_pictures

SPACES = {
    "nb201": {"channels": 8, "layers": 1},
    "mlp": {},
    "node_chain": {},
}


def trials(space: str, **training: Any) -> CheckedRun:
    return check({
        "algorithm": "random", "space": space, "datasets": ["digits"], "budget": {"trials": 1},
        "training": {"augment": "none", **SPACES[space], **training}, "finale": {"baselines": 0},
    })  # fmt: skip


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize(("dataset", "kept"), [("cifar10", 100 * 3072), ("cifar10_jpeg", 0)])
def test_the_data_are_held_with_all_copies_and_what_their_reader_keeps(
    dataset: str, kept: int, copies: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 + 20 pictures of 3,072 bytes with their labels; decoded pictures are mapped, not kept."""
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    (made_pictures.write_cifar10 if dataset == "cifar10" else made_pictures.write_jpeg_copy)(tmp_path)
    checked = check({
        "algorithm": "random", "space": "nb201", "datasets": [dataset], "dataset_options": [{"copies": copies}], "budget": {"trials": 1},
        "training": {"channels": 4, "layers": 1, "batch_size": 8}, "finale": {"baselines": 0},
    })  # fmt: skip
    [kind] = [kind for kind in needs_of.kinds(checked) if kind.training == "training"]
    counted = needs_of.Counted.of(kind, checked, tmp_path, needs_of.Limits())
    assert counted is not None and counted.held == needs_of.PROCESS_BYTES + (80 * copies + 20) * (3072 + 8) + kept


@pytest.mark.parametrize("space", SPACES)
def test_the_forecast_is_what_the_real_step_takes(space: str, tmp_path: Path) -> None:
    checked = trials(space, batch_size=256, train_examples=512)
    [need] = [found for found in unit_needs(checked, tmp_path) if found.what == "step of a trial"]
    taken, dearest, smallest = [], 0.0, 0.0
    [kind] = [kind for kind in needs_of.kinds(checked) if kind.training == "training"]
    for spec in kind.specs(checked, tmp_path, tmp_path):
        work: Any = open_work(checked, spec, tmp_path, tmp_path)
        peaks = []
        with work.generators.active(), one_at_a_time(), counting() as counted:
            # The space's own initialisation is a unit before the steps.
            for action in (work.begin, *[work.advance] * (2 + (not work.initialised))):
                counted.part()
                action()
                peaks.append((counted.peak, counted.flops))
        taken.append(max(peak for peak, _ in peaks))
        dearest = max(dearest, *(flops for _, flops in peaks))
        weights = sum(item.numel() * item.element_size() for item in work.trainer.network.parameters())
        # Weights, their gradients and the momentum live at once.
        smallest = max(smallest, 3 * weights)
    data = Resources(checked, tmp_path).search_data
    held = sum(part.inputs.nbytes + part.labels.nbytes for part in (data.train, data.validation))
    # Of all batches of an epoch the largest is forecast; the first may have one example less.
    assert need.memory - needs_of.PROCESS_BYTES - held == pytest.approx(max(taken), rel=1 / 200)
    assert need.flops == pytest.approx(dearest, rel=1 / 200)
    assert need.memory - needs_of.PROCESS_BYTES - held > smallest and not need.at_least


def test_a_linear_layer_is_counted_to_the_byte() -> None:
    with counting() as needs:
        layer = nn.Linear(100, 50, bias=False)
        built = needs.now
        needs.part()
        outputs = layer(torch.zeros(30, 100))
        assert (built, needs.now, needs.flops) == (4 * 5000, 4 * (5000 + 3000 + 1500), 2 * 30 * 5000)
        del outputs
    assert needs.peak == 4 * (5000 + 3000 + 1500)


def test_counting_ends_at_a_limit_and_says_so() -> None:
    with counting(bytes_limit=1000) as needs:
        torch.zeros(1000)
        pytest.fail("the limit was passed")
    assert needs.cut


def test_counting_changes_no_random_number(tmp_path: Path) -> None:
    torch.manual_seed(1)
    random.seed(1)
    before = torch.get_rng_state(), random.getstate()
    unit_needs(trials("mlp"), tmp_path)
    assert torch.equal(before[0], torch.get_rng_state()) and before[1] == random.getstate()


@pytest.mark.parametrize("algorithm", [name for name in registry.algorithms() if name not in ("variational",)])
def test_every_algorithm_has_a_forecast(algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs_of, "GENOMES", 1)
    monkeypatch.setattr(needs_of, "UNITS", 1)
    monkeypatch.setattr(needs_of, "OPERATIONS", 3000)
    entry = registry.algorithm(algorithm)
    checked = check({"algorithm": algorithm, **entry.quick})
    found = unit_needs(checked, tmp_path)
    assert {need.what for need in found} == {kind.what for kind in needs_of.kinds(checked)}
    assert all(need.memory > needs_of.PROCESS_BYTES for need in found)


# ---- refusals


def test_what_needs_more_memory_is_refused_at_the_field_that_dominates(tmp_path: Path) -> None:
    checked = trials("mlp", batch_size=1024)
    [need] = [found for found in unit_needs(checked, tmp_path) if found.what == "step of a trial"]
    allowed = Bounds(need.memory - 1, 1e15, "a worker has")
    with pytest.raises(BadInput) as refused:
        refuse_too_large(checked, tmp_path, allowed)
    assert (refused.value.field, refused.value.code) == ("training.batch_size", "too_large")
    assert "one step of a trial would need" in refused.value.message and "with 512 here" in refused.value.message
    smaller = trials("mlp", batch_size=512)
    assert refuse_too_large(smaller, tmp_path, allowed)


def test_a_field_that_is_no_batch_is_found_too(tmp_path: Path) -> None:
    checked = trials("nb201", batch_size=16, channels=64)
    [need] = [found for found in unit_needs(checked, tmp_path) if found.what == "step of a trial"]
    with pytest.raises(BadInput) as refused:
        refuse_too_large(checked, tmp_path, Bounds(1e12, need.flops / 2))
    assert refused.value.field == "training.channels" and "FLOPs" in refused.value.message


def test_where_no_size_was_raised_nothing_is_counted() -> None:
    base = {"algorithm": "darts", "datasets": ["digits"]}
    assert not may_be_large(check(base))
    assert may_be_large(check({**base, "options": {"batch_size": 4096}}))
    assert may_be_large(check({**base, "space_options": {"search_channels": 64}}))
    assert not may_be_large(check({**base, "options": {"epochs": 5000}})), "a long search has no larger unit"


@pytest.mark.parametrize("algorithm", list(registry.algorithms()))
def test_a_new_run_of_the_defaults_is_not_counted(algorithm: str, tmp_path: Path) -> None:
    """A new config has the recipe of its finale in full: that is nobody's larger size, and the first picture does not wait for it."""
    needs_budget = registry.algorithm(algorithm).quick.get("budget")
    new = check_new({"algorithm": algorithm, **({"budget": needs_budget} if needs_budget else {})}, tmp_path)
    assert not may_be_large(new)
    if new.dataset.provides == "samples" and not new.algorithm.finisher:
        values = new.config.model_dump(mode="json", exclude_unset=True)
        values["finale"]["training"]["batch_size"] = 4096
        assert may_be_large(check(values))


def test_the_bound_in_flops_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = trials("mlp")
    assert bounds_of.flops_bound(checked) == bounds_of.CPU_FLOPS
    monkeypatch.setenv("NASCOPE_UNIT_FLOPS", "7e9")
    assert bounds_of.flops_bound(checked) == 7e9
    monkeypatch.setenv("NASCOPE_UNIT_FLOPS", "0")
    assert bounds_of.flops_bound(checked) == float("inf")
    monkeypatch.setenv("NASCOPE_UNIT_FLOPS", "much")
    with pytest.raises(BadInput, match="NASCOPE_UNIT_FLOPS"):
        bounds_of.flops_bound(checked)


def test_long_units_are_only_spoken_of() -> None:
    assert bounds_of.long_units(1.0) == []
    assert "about 9 s" in bounds_of.long_units(9.2)[0]


# ---- what is counted


def test_trials_together_are_counted_as_they_are_trained_and_scored(tmp_path: Path) -> None:
    """More rows are scored at once than small batches have: they need the memory."""
    base = {"algorithm": "grid", "space": "mlp", "datasets": ["digits"], "options": {"window": 8}, "budget": {"trials": 8}}
    alone = unit_needs(check({**base, "training": {"batch_size": 16}}), tmp_path)
    together = unit_needs(check({**base, "training": {"batch_size": 16}, "together": 8}), tmp_path)
    ratio = together[0].flops / alone[0].flops
    assert together[0].what == alone[0].what == "step of a trial" and ratio == pytest.approx(8, rel=0.02)
    assert together[0].memory > alone[0].memory


def test_the_scoring_of_a_batch_is_a_unit_too(tmp_path: Path) -> None:
    """A training of a few examples at a time scores hundreds at once."""
    [need] = [found for found in unit_needs(trials("mlp", batch_size=16), tmp_path) if found.what == "step of a trial"]
    [kind] = [kind for kind in needs_of.kinds(trials("mlp")) if kind.training == "training"]
    forward = []
    for spec in kind.specs(trials("mlp"), tmp_path, tmp_path):
        work: Any = open_work(trials("mlp"), spec, tmp_path, tmp_path)
        with work.generators.active():
            work.begin()
        forward.append(work.trainer._domains[0]._flops_forward)
    assert need.flops > 337 * max(forward)


def test_later_phases_the_algorithms_own_end_and_the_download_are_kinds(tmp_path: Path) -> None:
    def kinds(algorithm: str, **changes: Any) -> list[str]:
        return [kind.what for kind in needs_of.kinds(check({"algorithm": algorithm, **registry.algorithm(algorithm).quick, **changes}))]

    assert kinds("wann") == ["step of the search", "end of the search"]
    assert kinds("darts") == ["step of the search", "step of the final training", "download that is written"]
    assert len([what for what in kinds("pathnet") if what.startswith("step of ")]) > 1


def test_a_limit_in_flops_is_one_of_a_unit() -> None:
    """Two parts that each keep to it keep to it, whatever they take together."""
    with counting(flops_limit=3e9) as needs:
        for _ in range(2):
            needs.part()
            torch.zeros(1000, 1000) @ torch.zeros(1000, 1000)
    assert not needs.cut
