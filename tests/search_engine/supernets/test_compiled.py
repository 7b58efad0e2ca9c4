"""A super-network whose depthwise convolutions the compiled kernel computes: the results of torch's own, all gradients, also the second."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from search_engine.algorithms.simplex.estimators import ESTIMATORS, VirtualStep
from search_engine.primitives.native.choice import TORCH, Choice, name_of, using
from search_engine.primitives.native.kernel import Kernel
from search_engine.supernets.grouped import choices
from tests.search_engine.primitives.native.compiler import compiled_kernel
from tests.search_engine.searches import image_data, network_search


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return compiled_kernel()


def found(search: Any, choice: Choice, estimator: Any) -> list[torch.Tensor]:
    """The loss and every gradient in w and alpha, and an estimate of alpha's."""
    loss = search._loss(search.train_part, search.train_order)
    with using(choice):
        value = loss(search.weights, search.alpha.parameters)
        gradients = torch.autograd.grad(value, [*search.weights, *search.alpha.parameters])
        estimate = ESTIMATORS[estimator](loss, loss, search.weights, search.alpha.parameters, VirtualStep(0.1, 0.9, 3e-4))
    return [value.detach(), *gradients, *estimate.gradients]


@pytest.mark.parametrize("estimator", ["first", "exact"])
def test_a_search_sees_the_losses_and_gradients_of_torch(kernel: Kernel, estimator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    search = network_search("cell", image_data(64), batch_size=choices.COMPILED_BATCH)
    calls = {"forward": 0, "backward": 0}
    for name in calls:
        original = getattr(Kernel, name)

        def counted(self: Kernel, *arguments: Any, name: str = name, original: Any = original) -> Any:
            calls[name] += 1
            return original(self, *arguments)

        monkeypatch.setattr(Kernel, name, counted)
    expected = found(search, Choice(TORCH), estimator)
    assert calls == {"forward": 0, "backward": 0}
    own = found(search, Choice(name_of(kernel)), estimator)
    assert calls["forward"] > 0 and calls["backward"] > 0
    for one, two in zip(own, expected, strict=True):
        assert float((one - two).abs().max()) <= 1e-4 * float(two.abs().max()) + 1e-6


def test_small_batches_and_double_precision_are_torchs(kernel: Kernel) -> None:
    with using(Choice(name_of(kernel))):
        assert choices.compiled(choices.COMPILED_BATCH) is kernel and choices.compiled(choices.COMPILED_BATCH - 1) is None
        search = network_search("cell", batch_size=16)
        search.network.double()
        x = torch.randn(16, 1, 8, 8, dtype=torch.float64)
        gamma = {name: value.double() for name, value in search.alpha.sample(search.alpha.parameters, None).items()}
        assert search.network(x, gamma).dtype == torch.float64


def test_a_run_without_depthwise_convolutions_decides_nothing() -> None:
    choice = Choice()
    with using(choice):
        network_search("nb201", image_data(64), batch_size=choices.COMPILED_BATCH).step()
    assert choice.decided is None
