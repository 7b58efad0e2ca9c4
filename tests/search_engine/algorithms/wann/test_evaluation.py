"""Population x shared weights in one go equals the plain loop; upstream's defects are absent."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch

from search_engine.algorithms.wann.evaluation import LOG_FLOOR, Plan, as_inputs, evaluate, pieces, plan
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.neuron_genes import reference
from search_engine.spaces.neuron_genes.activations import NAMES, apply, apply_in_place, apply_numpy
from search_engine.spaces.neuron_genes.genes import Genes, initial_genes
from search_engine.spaces.neuron_genes.innovation import InnovationTable
from search_engine.spaces.neuron_genes.phenotype import compile_population
from search_engine.supernets.neuron_graph import NeuronGraphNetwork
from tests.search_engine.spaces.neuron_genes.test_genes import GROWING, SHARES, grow

WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
FORMS = ("concatenated", "padded")


@cache
def population(size: int, mutations: int, inputs: int = 12, seed: int = 0) -> list[Genes]:
    rng, table = random.Random(seed), InnovationTable(inputs, 4)
    return [grow(initial_genes(inputs, 4, 0.2, rng), table, rng, mutations, GROWING if i % 2 else SHARES) for i in range(size)]


def examples(inputs: int = 12, count: int = 37) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    return generator.normal(size=(count, inputs)), generator.integers(0, 4, count)


def logits_of(genes: Genes, features: np.ndarray, weights: tuple[float, ...], form: str = "concatenated") -> np.ndarray:
    """(weights, samples, outputs) in float64."""
    inputs = as_inputs(features, dtype=torch.float64)
    ((_, _, found),) = list(pieces([genes], inputs, weights, Plan(form, 1, len(features))))  # type: ignore[arg-type]
    return found[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece", [(1, 1000), (3, 10), (20, 37), (64, 64)])
@pytest.mark.parametrize("mutations", [0, 5, 80, 300])
def test_batched_equals_the_loop(form: str, piece: tuple[int, int], mutations: int) -> None:
    networks = population(7, mutations)
    features, labels = examples()
    expected = reference.evaluate(networks, features, labels, WEIGHTS, LOG_FLOOR)
    scores = evaluate(
        networks, as_inputs(features, dtype=torch.float64), torch.from_numpy(labels), WEIGHTS, accuracy=True,
        chosen=Plan(form, *piece),  # type: ignore[arg-type]
    )
    assert np.abs(scores.log_likelihood - expected).max() < 1e-9
    assert scores.accuracy is not None
    for row, genes in enumerate(networks):
        for column, weight in enumerate(WEIGHTS):
            right = (reference.logits(genes, features, weight).argmax(axis=1) == labels).mean()
            assert scores.accuracy[row, column] == pytest.approx(right)


@pytest.mark.parametrize("form", FORMS)
def test_float32_is_near_the_loop_in_float64(form: str) -> None:
    networks = population(6, 80)
    features, labels = examples()
    expected = reference.evaluate(networks, features, labels, WEIGHTS, LOG_FLOOR)
    scores = evaluate(networks, as_inputs(features), torch.from_numpy(labels), WEIGHTS, chosen=Plan(form, 4, 20))  # type: ignore[arg-type]
    assert np.abs(scores.log_likelihood - expected).max() < 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_x_to_gauss_to_y_by_hand(form: str) -> None:
    genes = Genes.from_content({"inputs": 1, "outputs": 1, "hidden": [[3, "gauss"]], "edges": [[2, 1, 3, 1], [3, 3, 2, 1]]})
    x = np.array([[-1.0], [0.0], [0.5], [2.0]])
    for weight in (-2.0, 0.5, 1.0):
        expected = weight * np.exp(-((weight * x[:, 0]) ** 2) / 2)
        found = logits_of(genes, x, (weight,), form)[0, :, 0]
        assert np.abs(found - expected).max() < 1e-12
        assert np.abs(reference.logits(genes, x, weight)[:, 0] - expected).max() < 1e-12


def test_the_bias_is_an_input_of_one() -> None:
    genes = Genes.from_content({"inputs": 1, "outputs": 1, "hidden": [], "edges": [[0, 0, 2, 1]]})
    assert logits_of(genes, np.array([[5.0], [-3.0]]), (0.5,))[0, :, 0].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("form", FORMS)
def test_a_disabled_edge_between_hidden_nodes_has_no_effect(form: str) -> None:
    """Upstream silently enables it again in the network (its adjacency matrix is a view)."""
    with_edge = {
        "inputs": 2, "outputs": 2, "hidden": [[5, "tanh"], [6, "sin"], [7, "relu"]],
        "edges": [[6, 1, 5, 1], [7, 5, 6, 0], [8, 6, 3, 1], [9, 5, 7, 1], [10, 7, 6, 1], [11, 5, 4, 1]],
    }  # fmt: skip
    without = {**with_edge, "edges": [edge for edge in with_edge["edges"] if edge[3]]}  # type: ignore[index]
    enabled = {**with_edge, "edges": [[*edge[:3], 1] for edge in with_edge["edges"]]}  # type: ignore[index]
    x = np.random.default_rng(0).normal(size=(20, 2))
    results = [logits_of(Genes.from_content(content), x, WEIGHTS, form) for content in (with_edge, without, enabled)]
    assert np.array_equal(results[0], results[1])
    assert np.abs(results[0] - results[2]).max() > 0.1
    assert Genes.from_content(with_edge).connections == 5


@pytest.mark.parametrize("form", FORMS)
def test_node_numbers_need_not_follow_the_order_of_computation(form: str) -> None:
    """Upstream renumbers in place, which corrupts edges unless hidden ids ascend along the network."""
    chain = [3, 4, 5, 6]
    names = ["tanh", "sin", "abs", "gauss"]
    x = np.random.default_rng(0).normal(size=(10, 1))

    def network(ids: list[int]) -> Genes:
        path = [1, *ids, 2]
        edges = [[number, a, b, 1] for number, (a, b) in enumerate(pairwise(path), start=2)]
        return Genes.from_content({"inputs": 1, "outputs": 1, "hidden": list(zip(ids, names, strict=True)), "edges": edges})

    expected = logits_of(network(chain), x, WEIGHTS, form)
    for ids in ([6, 5, 4, 3], [4, 6, 3, 5], [900, 3, 77, 5]):
        assert np.array_equal(logits_of(network(ids), x, WEIGHTS, form), expected)


def test_dead_nodes_are_left_out() -> None:
    genes = Genes.from_content(
        {"inputs": 1, "outputs": 1, "hidden": [[3, "tanh"], [4, "tanh"], [5, "abs"]],
         "edges": [[2, 1, 3, 1], [3, 3, 4, 1], [4, 1, 5, 1], [5, 5, 2, 1]]}
    )  # fmt: skip
    assert len(compile_population([genes]).owner) == 1


def test_a_hidden_node_without_enabled_inputs_is_a_constant() -> None:
    genes = Genes.from_content({"inputs": 1, "outputs": 1, "hidden": [[3, "cos"]], "edges": [[2, 1, 3, 0], [3, 3, 2, 1]]})
    for form in FORMS:
        assert logits_of(genes, np.ones((2, 1)), (0.5,), form)[0, :, 0].tolist() == [0.5, 0.5]


def test_compiling_a_cycle_is_refused() -> None:
    ok = Genes.from_content({"inputs": 1, "outputs": 1, "hidden": [[3, "tanh"], [4, "abs"]], "edges": [[2, 3, 4, 1], [4, 4, 2, 1]]})
    cyclic = Genes(
        1, 1, ok.nodes, ok.activations, np.array([2, 3, 4]), np.array([3, 4, 4]), np.array([4, 3, 2]), np.array([True, True, True])
    )
    with pytest.raises(ValueError, match="cycle"):
        compile_population([cyclic])


def test_hopeless_outputs_count_the_floor() -> None:
    # Outputs +-1e30 and a chain that overflows to infinity: log-probabilities stay numbers.
    genes = Genes.from_content({"inputs": 1, "outputs": 2, "hidden": [], "edges": [[2, 1, 2, 1]]})
    scores = evaluate([genes], as_inputs(np.array([[1e30], [3e38]])), torch.tensor([1, 1]), (2.0,))
    assert scores.log_likelihood.tolist() == [[LOG_FLOOR]]


def test_equal_bits_whatever_else_the_process_does() -> None:
    networks = population(20, 60)
    features, labels = examples()
    inputs, wanted = as_inputs(features), torch.from_numpy(labels)
    first = evaluate(networks, inputs, wanted, WEIGHTS).log_likelihood
    torch.randn(1000, 1000) @ torch.randn(1000, 10)
    assert np.array_equal(first, evaluate(networks, inputs.clone(), wanted, WEIGHTS).log_likelihood)


def test_the_plan_fits_sizes() -> None:
    small, large = compile_population(population(64, 2)), compile_population(population(8, 300))
    assert plan(small, 6, 1000, "cpu").form == "concatenated"
    assert plan(small, 6, 1000, "cpu").individuals > plan(large, 6, 1000, "cpu").individuals
    assert plan(small, 6, 1000, "cuda").form == "padded"


@pytest.mark.parametrize("number", sorted(NAMES))
def test_activations_agree_in_all_three_forms(number: int) -> None:
    x = np.linspace(-4, 4, 101)
    expected = apply_numpy(number, x)
    overwritten = torch.from_numpy(x.copy())
    apply_in_place(number, overwritten)
    assert np.abs(overwritten.numpy() - expected).max() < 1e-12
    assert np.abs(apply(number, torch.from_numpy(x)).numpy() - expected).max() < 1e-12


@pytest.mark.parametrize("mutations", [0, 3, 60, 200])
def test_the_module_equals_the_loop_at_a_shared_weight(mutations: int) -> None:
    features, _ = examples()
    for genes in population(4, mutations):
        network = NeuronGraphNetwork(genes, DataShape((12,), 4), 16).double()
        network.share(-0.7)
        found = network(torch.from_numpy(features)).detach().numpy()
        assert np.abs(found - reference.logits(genes, features, -0.7)).max() < 1e-9


def test_every_edge_of_the_module_has_its_own_weight_and_gradient() -> None:
    genes = population(2, 60)[1]
    network = NeuronGraphNetwork(genes, DataShape((12,), 4), 16).double()
    network.share(0.3)
    features, labels = examples()
    torch.nn.functional.cross_entropy(network(torch.from_numpy(features)), torch.from_numpy(labels)).backward()
    gradient = network.weights.grad
    assert gradient is not None and len(gradient) == len(network.edges)
    step = 1e-6
    for edge in range(0, len(network.edges), 7):
        losses = []
        for sign in (1, -1):
            with torch.no_grad():
                network.weights[edge] += sign * step
                losses.append(float(torch.nn.functional.cross_entropy(network(torch.from_numpy(features)), torch.from_numpy(labels))))
                network.weights[edge] -= sign * step
        assert float(gradient[edge]) == pytest.approx((losses[0] - losses[1]) / (2 * step), abs=1e-6)


@pytest.mark.gpu
@pytest.mark.parametrize("form", FORMS)
def test_a_cuda_device_gives_the_same_scores(form: str) -> None:
    networks = population(20, 80)
    features, labels = examples()
    expected = reference.evaluate(networks, features, labels, WEIGHTS, LOG_FLOOR)
    inputs = as_inputs(features, "cuda", torch.float64)
    wanted = torch.from_numpy(labels).to("cuda")
    scores = evaluate(networks, inputs, wanted, WEIGHTS, chosen=Plan(form, 8, 20))  # type: ignore[arg-type]
    assert np.abs(scores.log_likelihood - expected).max() < 1e-9
    default = evaluate(networks, inputs, wanted, WEIGHTS)
    assert np.abs(default.log_likelihood - expected).max() < 1e-9
