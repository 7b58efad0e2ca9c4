"""Constraint sets and the softmax structure."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch

from search_engine.base.checkpoint import pack, unpack
from search_engine.structures import CONSTRAINTS, SoftmaxStructure, constraint

SHAPES = {"normal": (3, 4), "reduction": (2, 3)}


def structure(seed: int = 0, scale: float = 1.0) -> SoftmaxStructure:
    generator = torch.Generator().manual_seed(seed)
    made = SoftmaxStructure(SHAPES, generator, dtype=torch.float64)
    with torch.no_grad():
        for alpha in made.parameters:
            alpha.copy_(scale * torch.randn(alpha.shape, generator=generator, dtype=torch.float64))
    return made


@pytest.mark.parametrize("name", list(CONSTRAINTS))
def test_samples_lie_in_their_set_and_in_the_cube(name: str) -> None:
    rng = np.random.default_rng(0)
    points = [constraint(name).sample(5, 4, rng) for _ in range(20)]
    assert all(constraint(name).contains(point) for point in points)
    assert all(constraint("cube").contains(point) for point in points)
    assert len({point.tobytes() for point in points}) > 10


def test_sets_exclude_what_does_not_belong() -> None:
    inside_simplex = np.array([[0.2, 0.3, 0.5]])
    one_hot, two_hot = np.array([[0.0, 1.0, 0.0]]), np.array([[1.0, 1.0, 0.0]])
    allowed = {
        "simplex": (True, True, False), "simplex_vertices": (False, True, False),
        "cube": (True, True, True), "cube_vertices": (False, True, True),
    }
    for name, expected in allowed.items():
        assert tuple(constraint(name).contains(point) for point in (inside_simplex, one_hot, two_hot)) == expected
        assert not constraint(name).contains(np.array([[1.5, -0.5, 0.0]]))
        assert not constraint(name).contains(np.array([[np.nan, 0.0, 1.0]]))
    with pytest.raises(KeyError, match="simplex_vertices"):
        constraint("ball")


def test_the_softmax_structure_starts_almost_uniform_and_repeatably() -> None:
    first, second = (SoftmaxStructure(SHAPES, torch.Generator().manual_seed(7)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters, second.parameters, strict=True))
    for group, (edges, operations) in SHAPES.items():
        weights = first.numpy()[group]
        assert weights.shape == (edges, operations) and weights.dtype == np.float32
        assert constraint("simplex").contains(weights)
        assert np.abs(weights - 1 / operations).max() < 5e-3
        assert len(np.unique(weights)) > 1, "ties must be broken"
    assert first.normalised_entropy() == pytest.approx(1.0, abs=1e-4)


def test_draws_are_differentiable_in_the_given_parameters_only() -> None:
    made = structure()
    other = [alpha.detach().clone().requires_grad_(True) for alpha in made.parameters]
    value = sum((weights**2).sum() for weights in made.sample(other).values())
    gradients = torch.autograd.grad(value, [*other, *made.parameters], allow_unused=True)
    assert all(gradient is not None and gradient.abs().max() > 0 for gradient in gradients[:2])
    assert gradients[2:] == (None, None)


def test_entropy_and_log_probability_are_those_of_the_categorical_law() -> None:
    made = structure(1)
    for group, entropy in made.entropy().items():
        assert torch.allclose(entropy, torch.distributions.Categorical(probs=made.mean()[group]).entropy())
    total = 0.0
    for choice in itertools.product(*(range(columns) for rows, columns in SHAPES.values() for _ in range(rows))):
        parts = {"normal": torch.tensor(choice[:3]), "reduction": torch.tensor(choice[3:])}
        one_hot = {group: torch.nn.functional.one_hot(part, SHAPES[group][1]).double() for group, part in parts.items()}
        total += made.log_prob(one_hot).exp().item()
    assert total == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(ValueError, match="one operation per edge"):
        made.log_prob(made.mean())


def test_a_decided_structure_has_no_entropy() -> None:
    made = structure()
    with torch.no_grad():
        for alpha in made.parameters:
            alpha.zero_()
            alpha[:, 1] = 1000.0
    assert made.normalised_entropy() == 0.0


def test_state_round_trip_keeps_the_very_tensors() -> None:
    source, target = structure(2), structure(3)
    before = list(target.parameters)
    target.load_state_dict(unpack(pack(source.state_dict())))
    assert all(a is b for a, b in zip(before, target.parameters, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(source.parameters, target.parameters, strict=True))
    with pytest.raises(ValueError, match="not of a SoftmaxStructure over"):
        SoftmaxStructure({"cell": (3, 4)}).load_state_dict(source.state_dict())


def test_a_state_given_away_does_not_change_with_the_structure() -> None:
    made = structure()
    state = made.state_dict()
    kept = state["parameters"]["normal"].clone()
    with torch.no_grad():
        made.parameters[0].add_(1)
    assert torch.equal(state["parameters"]["normal"], kept)


def test_an_empty_family_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one group"):
        SoftmaxStructure({})


def test_darts_and_its_structure_import_without_torch() -> None:
    code = "import sys, search_engine.algorithms.simplex.darts, search_engine.structures; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
