"""The ceiling on a GPU's memory, with a device layer that only remembers what it was told. Whether CUDA keeps to it is for `make
test-gpu`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from search_engine.search.work import _of_what_it_may_take
from search_engine.training import device

TOTAL = 10_000_000_000


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The shares that CUDA was told."""
    shares: list[float] = []
    monkeypatch.setattr(device, "_limits", {})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: SimpleNamespace(total_memory=TOTAL))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", shares.append)
    return shares


@pytest.mark.parametrize(("ceiling", "allowed"), [(0.0, 0.9 * TOTAL), (4e9, 4e9), (1e12, TOTAL)])
def test_the_ceiling_is_told_to_cuda_and_known_afterwards(told: list[float], ceiling: float, allowed: float) -> None:
    assert device.memory_limit("cuda") is None
    assert device.limit_memory(ceiling) == allowed
    assert told == [pytest.approx(allowed / TOTAL)]
    assert device.memory_limit("cuda") == device.memory_limit("cuda:0") == allowed
    assert device.memory_limit("cuda:1") is None and device.memory_limit("cpu") is None


def test_what_finds_no_memory_says_how_much_it_may_take(told: list[float]) -> None:
    assert _of_what_it_may_take() == ""
    device.limit_memory(4e9)
    assert _of_what_it_may_take() == ": a worker may take 4.0 GB of the GPU's (NASCOPE_GPU_MEMORY_CEILING)"


def test_a_unit_is_held_to_the_memory_of_the_device_that_computes_it(told: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.jobs import estimates

    def checked(name: str) -> Any:
        return SimpleNamespace(config=SimpleNamespace(device=name, threads=1))

    monkeypatch.setattr(estimates.memory, "ceiling", lambda: 2e9)
    device.limit_memory(4e9)
    assert estimates.bounds(checked("cuda")).memory == estimates.bounds(checked("auto")).memory == 4e9
    assert estimates.bounds(checked("cpu")).memory == 2e9
