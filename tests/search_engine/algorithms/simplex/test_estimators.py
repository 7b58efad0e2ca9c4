"""The architecture-gradient estimators against the paper's toy, exact derivatives and brute-force differences."""

from __future__ import annotations

import contextlib
import gc
import statistics
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from search_engine.algorithms.simplex import estimators
from search_engine.algorithms.simplex.estimators import ESTIMATORS, VirtualStep, exact, finite_difference, first
from search_engine.structures import SoftmaxStructure

XI = (0.0, 0.1, 0.25, 0.5, 1.0)


def toy_train(weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
    return (weights[0] ** 2 - 2 * alphas[0] * weights[0] + alphas[0] ** 2).sum()


def toy_val(weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
    return (alphas[0] * weights[0] - 2 * alphas[0] + 1).sum()


@pytest.mark.parametrize("xi", XI)
@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_the_papers_toy_converges_where_the_closed_form_says(name: Any, xi: float) -> None:
    """Figure 2 of the paper: from (2, -2), both rates 0.05, alpha* = w* = 2 / (1 + 2 xi); xi = 0.5 reaches the bilevel optimum (1, 1)."""
    alpha = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
    weight = torch.tensor([-2.0], dtype=torch.float64, requires_grad=True)
    for _ in range(400):
        found = ESTIMATORS[name](toy_train, toy_val, [weight], [alpha], VirtualStep(xi))
        with torch.no_grad():
            alpha -= 0.05 * found.gradients[0]
            weight -= 0.05 * (2 * weight - 2 * alpha)
    expected = 2.0 if name == "first" else 2 / (1 + 2 * xi)
    assert alpha.item() == pytest.approx(expected, abs=1e-3)
    assert weight.item() == pytest.approx(expected, abs=1e-3)


class SmoothProblem:
    """A mixed layer of smooth operations in float64, after 20 weight steps with momentum."""

    xi, momentum, weight_decay = 0.5, 0.9, 3e-4

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int, scale: float = 1.0) -> Tensor:
            return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.structure = SoftmaxStructure({"cell": (2, 4)}, generator, dtype=torch.float64)
        with torch.no_grad():
            self.structure.parameters[0].copy_(draw(2, 4, scale=0.5))
        self.alphas = self.structure.parameters
        self.weights = [draw(6, 8, scale=0.4), draw(8, 8, scale=0.3), draw(8, 3, scale=0.3)]
        self.batches = {level: (draw(32, 6), torch.randint(0, 3, (32,), generator=generator)) for level in ("train", "val")}
        self.buffers: list[Tensor] = [torch.zeros_like(weight) for weight in self.weights]
        for _ in range(20):
            leaves = [weight.requires_grad_(True) for weight in self.weights]
            gradients = torch.autograd.grad(self.train(leaves, self.alphas), leaves)
            decayed = [g + self.weight_decay * w.detach() for g, w in zip(gradients, leaves, strict=True)]
            self.buffers = [self.momentum * b + g for b, g in zip(self.buffers, decayed, strict=True)]
            self.weights = [(w - 0.1 * b).detach() for w, b in zip(leaves, self.buffers, strict=True)]
        self.step = VirtualStep(self.xi, self.momentum, self.weight_decay, self.buffers)

    def _loss(self, level: str, weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
        x, labels = self.batches[level]
        gamma = self.structure.sample(alphas)["cell"]
        for row, weight in enumerate(weights[:2]):
            hidden = x @ weight
            x = gamma[row, 0] * hidden.tanh() + gamma[row, 1] * hidden.sin() + gamma[row, 2] * hidden + gamma[row, 3] * hidden.sigmoid()
        return torch.nn.functional.cross_entropy(x @ weights[2], labels)

    def train(self, weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
        return self._loss("train", weights, alphas)

    def val(self, weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
        return self._loss("val", weights, alphas)

    def gradient(self, estimator: estimators.Estimator) -> Tensor:
        return estimator(self.train, self.val, self.weights, self.alphas, self.step).gradients[0]

    def ahead(self, alphas: Sequence[Tensor]) -> list[Tensor]:
        """w' written out a second time, independently of the estimators."""
        leaves = [weight.clone().requires_grad_(True) for weight in self.weights]
        gradients = torch.autograd.grad(self.train(leaves, alphas), leaves)
        return [
            weight - self.xi * (self.momentum * buffer + gradient + self.weight_decay * weight)
            for weight, buffer, gradient in zip(self.weights, self.buffers, gradients, strict=True)
        ]

    def direct(self) -> Tensor:
        """d_alpha L_val(w', alpha) with w' held."""
        return torch.autograd.grad(self.val(self.ahead(self.alphas), self.alphas), self.alphas)[0]


def implicit_errors(monkeypatch: pytest.MonkeyPatch, length: float) -> list[float]:
    monkeypatch.setattr(estimators, "PERTURBATION", length)
    errors = []
    for seed in range(5):
        problem = SmoothProblem(seed)
        direct = problem.direct()
        truth = problem.gradient(exact) - direct
        errors.append(float((problem.gradient(finite_difference) - direct - truth).norm() / truth.norm()))
    return errors


def test_the_finite_difference_of_the_implicit_term_is_second_order(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse, fine = implicit_errors(monkeypatch, 1e-2), implicit_errors(monkeypatch, 1e-3)
    assert max(coarse) < 1e-3
    assert statistics.median(coarse) / statistics.median(fine) >= 50


def test_the_weights_are_shifted_by_a_hundredth_whatever_the_gradient() -> None:
    """epsilon = 0.01 / ||v|| over all parameters together: both shifts have length 0.01, in opposite directions."""
    problem = SmoothProblem(0)
    start = [weight.clone() for weight in problem.weights]
    seen: list[Tensor] = []

    def train(weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
        seen.append(torch.cat([(weight - old).detach().flatten() for weight, old in zip(weights, start, strict=True)]))
        return problem.train(weights, alphas)

    finite_difference(train, problem.val, problem.weights, problem.alphas, problem.step)
    at, above, below = seen
    assert at.norm() == 0 and above.norm().item() == pytest.approx(0.01) and torch.allclose(above, -below)


def test_the_exact_estimator_agrees_with_brute_force_differences() -> None:
    """The derivative of alpha -> L_val(w'(alpha), alpha), entry by entry, with momentum and weight decay in w'."""
    problem = SmoothProblem(0)
    found = problem.gradient(exact)
    numerical = torch.zeros_like(found)
    for index in range(found.numel()):
        values = []
        for shift in (1e-5, -1e-5):
            moved = problem.alphas[0].detach().clone()
            moved.view(-1)[index] += shift
            values.append(float(problem.val(problem.ahead([moved]), [moved])))
        numerical.view(-1)[index] = (values[0] - values[1]) / 2e-5
    assert torch.allclose(found, numerical, atol=1e-8)
    # The implicit term is what makes the difference here: without it the numbers disagree.
    assert float((problem.direct() - numerical).norm() / numerical.norm()) > 0.05


@pytest.mark.parametrize("breaks", [0, 1, 2, 3, 4], ids=lambda place: f"breaks in pass {place}" if place else "whole")
@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_estimators_leave_what_they_are_given_bit_for_bit(name: Any, breaks: int) -> None:
    """Also where a loss raises, in whichever pass."""
    problem = SmoothProblem(1)
    leaves = [weight.clone().requires_grad_(place != 1) for place, weight in enumerate(problem.weights)]
    before = [tensor.detach().clone() for tensor in (*leaves, *problem.alphas, *problem.buffers)]
    passes: list[str] = []

    def loss(level: str) -> estimators.Loss:
        def value(weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
            passes.append(level)
            if len(passes) == breaks:
                raise ArithmeticError
            return problem._loss(level, weights, alphas)

        return value

    with contextlib.suppress(ArithmeticError):
        ESTIMATORS[name](loss("train"), loss("val"), leaves, problem.alphas, problem.step)
    after = [*leaves, *problem.alphas, *problem.buffers]
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(tensor.grad is None for tensor in (*leaves, *problem.alphas))
    assert [tensor.requires_grad for tensor in leaves] == [True, False, True]


def on_copies(problem: SmoothProblem) -> Tensor:
    """The finite difference as the formula is written: every shift a copy of all weights, every gradient by itself."""
    ahead = [weight.detach().requires_grad_(True) for weight in problem.ahead(problem.alphas)]
    along = torch.autograd.grad(problem.val(ahead, problem.alphas), ahead)
    epsilon = 0.01 / torch.cat([part.flatten() for part in along]).norm()
    above, below = (
        torch.autograd.grad(
            problem.train([w + sign * epsilon * v for w, v in zip(problem.weights, along, strict=True)], problem.alphas), problem.alphas
        )[0]
        for sign in (1, -1)
    )
    return problem.direct() - problem.xi * (above - below) / (2 * epsilon)


@pytest.mark.parametrize("seed", range(3))
def test_weights_moved_in_place_give_what_copies_give(seed: int) -> None:
    problem = SmoothProblem(seed)
    found, expected = problem.gradient(finite_difference), on_copies(problem)
    assert float((found - expected).norm() / expected.norm()) < 1e-10


def test_every_pass_asks_for_what_it_needs_and_keeps_nothing_else() -> None:
    """(weights followed, alphas followed, tensors of a weight's shape that are alive) in each pass of a finite difference: the virtual step
    wants gradients in w, the validation loss in both, the Hessian's passes in alpha alone; beside the weights stand one copy and then v."""
    generator = torch.Generator().manual_seed(0)
    shape = (37, 41)
    weight, alpha = torch.randn(shape, generator=generator), torch.randn(41, generator=generator, requires_grad=True)
    rows = torch.randn(5, 37, generator=generator)
    seen: list[tuple[bool, bool, int]] = []

    def loss(weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
        assert weights[0] is weight, "the network would have to be rebuilt"
        alive = [item for item in gc.get_objects() if issubclass(type(item), Tensor) and item.shape == shape]
        seen.append((weights[0].requires_grad, alphas[0].requires_grad, len({item.data_ptr() for item in alive})))
        return ((rows @ weights[0]).tanh() * alphas[0]).square().sum()

    finite_difference(loss, loss, [weight], [alpha], VirtualStep(0.1, 0.9, 3e-4, [None]))
    assert seen == [(True, False, 1), (True, True, 2), (False, True, 3), (False, True, 3)]
    seen.clear()
    first(loss, loss, [weight], [alpha], VirtualStep(0.1))
    assert seen == [(False, True, 1)]


def test_the_validation_loss_is_that_of_the_weights_looked_at() -> None:
    problem = SmoothProblem(2)
    here = problem.val(problem.weights, problem.alphas).item()
    ahead = problem.val(problem.ahead(problem.alphas), problem.alphas).item()
    values = {
        name: float(estimate(problem.train, problem.val, problem.weights, problem.alphas, problem.step).val_loss)
        for name, estimate in ESTIMATORS.items()
    }
    assert values["first"] == pytest.approx(here, abs=1e-12)
    assert values["finite_difference"] == pytest.approx(ahead, abs=1e-12)
    assert values["exact"] == pytest.approx(ahead, abs=1e-12)


def test_the_losses_are_called_as_often_as_is_said() -> None:
    problem = SmoothProblem(3)
    for estimate in ESTIMATORS.values():
        calls = {"train": 0, "val": 0}

        def counted(level: str, calls: dict[str, int] = calls) -> estimators.Loss:
            def loss(weights: Sequence[Tensor], alphas: Sequence[Tensor]) -> Tensor:
                calls[level] += 1
                return problem._loss(level, weights, alphas)

            return loss

        found = estimate(counted("train"), counted("val"), problem.weights, problem.alphas, problem.step)
        double_backward = 1 if estimate is exact else 0
        assert (found.train_passes, found.val_passes) == (calls["train"] + double_backward, calls["val"])


def test_without_a_gradient_in_the_weights_only_the_direct_term_is_left() -> None:
    """||v|| = 0 would divide by zero."""
    alpha, weight = torch.ones(1, requires_grad=True), torch.ones(1)
    found = finite_difference(toy_train, lambda weights, alphas: (3 * alphas[0]).sum(), [weight], [alpha], VirtualStep(0.5))
    assert found.gradients[0].tolist() == [3.0]


def test_unused_alphas_have_zero_gradients() -> None:
    alphas = [torch.ones(1, requires_grad=True), torch.ones(2, requires_grad=True)]
    for estimate in ESTIMATORS.values():
        found = estimate(toy_train, toy_val, [torch.ones(1)], alphas, VirtualStep(0.5))
        assert found.gradients[1].tolist() == [0.0, 0.0]


def test_first_is_the_gradient_at_the_weights_of_now() -> None:
    problem = SmoothProblem(4)
    expected = torch.autograd.grad(problem.val(problem.weights, problem.alphas), problem.alphas)[0]
    found = first(problem.train, problem.val, problem.weights, problem.alphas, problem.step)
    assert torch.allclose(found.gradients[0], expected, atol=1e-12)
