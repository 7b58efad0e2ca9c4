"""WANN: one generation at a time, reproducible, and better than chance (evolution 1.6)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from search_engine.algorithms.base import Context
from search_engine.algorithms.wann import ENTRY
from search_engine.algorithms.wann.evaluation import evaluate
from search_engine.algorithms.wann.four_numbers import SHARED_WEIGHTS, finish
from search_engine.algorithms.wann.records import KEYFRAME_EVERY, decode_block, keyframe_of, materialise
from search_engine.algorithms.wann.search import WannConfig, WannSearch
from search_engine.base import checkpoint
from search_engine.base.errors import BadInput
from search_engine.base.generators import random_state, restore_random
from search_engine.catalogue.config import parse
from search_engine.datasets.base import SearchData
from search_engine.datasets.digits import Digits, DigitsConfig
from search_engine.events import Event, EventLog, decode_floats
from search_engine.search.sealed import open_test
from search_engine.spaces.neuron_genes.genes import Genes
from search_engine.spaces.neuron_graph import NeuronGraphConfig, NeuronGraphSpace

DIGITS = Digits(DigitsConfig())
SMALL = {"population": 16, "generations": 12, "batch_size": 100}


def search_data(seed: int) -> SearchData:
    return DIGITS.search_data(seed)


def begin(seed: int = 0, kind: type[WannSearch] = WannSearch, **options: Any) -> WannSearch:
    data = search_data(seed)
    space = NeuronGraphSpace(NeuronGraphConfig(), data.shape)
    phase = kind()
    context = Context(
        space=space, options=WannConfig(**{**SMALL, **options}), seed=seed, rng=random.Random(seed), metric="val_accuracy",
        log=EventLog("phase:0"), data=data,
    )  # fmt: skip
    phase.begin(context, None)
    return phase


def run(phase: WannSearch) -> list[Event]:
    events: list[Event] = []
    while not phase.finished:
        phase.step()
        events += phase.context.log.drain()
    return events


def of_kind(events: list[Event], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]


def numbers(figures: Mapping[str, Any]) -> dict[str, float]:
    """Of what a scorer gave, what is no array."""
    return {name: value for name, value in figures.items() if not isinstance(value, np.ndarray)}


class Unselected(WannSearch):
    """The control: the same mutations, but the order of the population is chance."""

    def _ranked(self, mean: np.ndarray, best: np.ndarray) -> list[int]:
        places = list(range(len(self.population)))
        self.context.rng.shuffle(places)
        return places


def population_accuracy(phase: WannSearch) -> float:
    """Mean over the population and the shared weights, on the validation part."""
    scores = evaluate(phase.population, phase.validation_inputs, phase.validation_labels, SHARED_WEIGHTS, accuracy=True)
    assert scores.accuracy is not None
    return float(scores.accuracy.mean())


# ---------------------------------------------------------------- the search


def test_a_search_beats_its_controls() -> None:
    """The fast gate. Measured on seeds 0 to 3: selected .16 to .24 (seed 0: .24), unselected .07 to .11, initial .10 to .11."""
    options = {"population": 64, "generations": 70, "batch_size": 400}
    phase, control = begin(0, **options), begin(0, Unselected, **options)
    assert population_accuracy(phase) < 0.135
    run(phase)
    run(control)
    assert population_accuracy(control) < 0.135
    assert population_accuracy(phase) >= 0.135


@pytest.mark.slow
def test_acceptance_on_digits() -> None:
    """Four seeds. Which course 150 generations take turns on the last bits, so a seed gives other figures on another processor: means are
    held to what eight seeds gave (random .295, sd .05; ensemble .40, sd .07; trained .50, sd .06), each seed to more than a control reached
    in any of them (random .184, ensemble .238)."""
    found: dict[str, list[float]] = {"random_mean": [], "ensemble": [], "accuracy": [], "six": [], "gain": []}
    for seed in range(4):
        phase = begin(seed, population=64, generations=150, batch_size=1000)
        data, test = search_data(seed), open_test(DIGITS)
        initial = max(_each_accuracy(phase.space, genes, data, test).mean() for genes in _best_by_likelihood(phase, 5))
        run(phase)
        champion = phase.archive[0].genes
        metrics = finish(phase.space, phase.best()[0], data, seed, "cpu").score("test", test)
        assert metrics["random_mean"] <= min(metrics["ensemble"], metrics["tuned"], metrics["accuracy"])
        assert metrics["accuracy"] >= max(metrics["ensemble"], metrics["tuned"])
        assert initial < 0.22
        control = begin(seed, Unselected, population=64, generations=150, batch_size=1000)
        run(control)
        unselected = finish(control.space, control.best()[0], data, seed, "cpu").score("test", test)
        assert unselected["random_mean"] < 0.22 and unselected["ensemble"] < 0.30
        for name in ("random_mean", "ensemble", "accuracy"):
            found[name].append(metrics[name])
        found["six"].append(float(_each_accuracy(phase.space, champion, data, test).min()))
        found["gain"].append(metrics["random_mean"] - unselected["random_mean"])
    assert min(found["random_mean"]) > 0.185 and fmean(found["random_mean"]) >= 0.24
    assert min(found["ensemble"]) > 0.24 and fmean(found["ensemble"]) >= 0.33
    assert min(found["accuracy"]) >= 0.38 and fmean(found["accuracy"]) >= 0.43
    assert min(found["six"]) > 0.1 and fmean(found["six"]) >= 0.155, "for every one of the six shared weights"
    assert min(found["gain"]) > 0 and fmean(found["gain"]) >= 0.08


def _best_by_likelihood(phase: WannSearch, count: int) -> list[Genes]:
    scores = evaluate(phase.population, phase.validation_inputs, phase.validation_labels, SHARED_WEIGHTS)
    return [phase.population[place] for place in np.argsort(-scores.log_likelihood.mean(axis=1))[:count]]


def _each_accuracy(space: NeuronGraphSpace, genes: Genes, data: SearchData, test: Any) -> np.ndarray:
    """(weights,) test accuracy at each shared weight."""
    from search_engine.algorithms.wann.four_numbers import _accuracies, _examples

    return _accuracies(genes, _examples(space, data, test, "cpu"), SHARED_WEIGHTS)


def test_equal_seeds_give_equal_science_and_others_do_not() -> None:
    first, second, other = run(begin(3)), run(begin(3)), run(begin(4))
    assert [event.model_dump_json() for event in first] == [event.model_dump_json() for event in second]
    assert [event.model_dump_json() for event in first] != [event.model_dump_json() for event in other]


def test_a_reload_after_every_generation_changes_nothing() -> None:
    expected = run(begin(1))
    phase = begin(1)
    events: list[Event] = []
    while not phase.finished:
        phase.step()
        events += phase.context.log.drain()
        saved = checkpoint.unpack(
            checkpoint.pack(
                {"phase": phase.state_dict(), "rng": random_state(phase.context.rng), "log": phase.context.log.state_dict()}
            )
        )
        phase = begin(1)
        phase.load_state_dict(saved["phase"])
        restore_random(phase.context.rng, saved["rng"])
        phase.context.log.load_state_dict(saved["log"])
    assert [event.model_dump_json() for event in events] == [event.model_dump_json() for event in expected]


def test_complexity_decides_in_four_of_five_generations() -> None:
    phase = begin()
    # Fitter means a worse best weight here, and all are equally complex: by (mean, 1 / connections) the fittest come first in order,
    # by (mean, max) everybody is in one front and its two ends come first.
    phase.population = [phase.population[0]] * 16
    mean = np.linspace(-2, -1, 16)
    orders = [phase._ranked(mean, -mean) for _ in range(1000)]
    by_complexity = sum(order == list(range(15, -1, -1)) for order in orders)
    by_best_weight = sum(set(order[:2]) == {0, 15} for order in orders)
    assert by_complexity + by_best_weight == 1000
    assert 760 < by_complexity < 840


def test_everybody_sees_the_same_batch_and_every_generation_another() -> None:
    phase = begin()
    phase.population = [phase.population[0]] * 16
    first = phase._on_batch().log_likelihood
    # Equal networks get equal scores only if they saw the same examples.
    assert np.ptp(first, axis=0).max() == 0
    phase.plan, phase.evaluated, phase.done = None, [], 1
    assert not np.array_equal(first, phase._on_batch().log_likelihood)


def test_generations_keep_their_size_and_elites() -> None:
    phase = begin(population=20, generations=5)
    for _ in range(4):
        phase.step()
        elites = [birth for birth in phase.births if birth.operator == "elite"]
        # Culled: 4 of 20; elites: a fifth of the 16 left, rounded down.
        assert len(phase.population) == 20 and len(elites) == 3
        assert sum(birth.operator != "elite" for birth in phase.births) == 17


def test_cost_counts_population_weights_and_batch() -> None:
    phase = begin(validated=1)
    edges = sum(genes.connections for genes in phase.population)
    cost = phase.step()
    validation = len(search_data(0).validation)
    assert cost.forward == 16 * 6 * 100 + 1 * 6 * validation
    assert cost.forward_backward == 0
    assert cost.flops == 2.0 * 6 * (edges * 100 + phase.archive[0].genes.connections * validation)
    # The batch is never larger than the training part.
    large = begin(batch_size=100_000, validated=1)
    assert large.step().forward == 16 * 6 * len(search_data(0).train) + 6 * validation


def test_best_ever_champions_are_kept_by_validation() -> None:
    phase = begin(generations=30)
    values = [champion.value for champion in of_kind(run(phase), "champion")]
    assert values == sorted(values)
    assert phase.archive[0].accuracy == values[-1]
    finalists = phase.best()
    assert [item.value for item in finalists] == sorted((item.value for item in finalists), reverse=True)
    assert all(item.finish == "as_is" for item in finalists)
    assert len({item.genome for item in finalists}) == len(finalists) <= 10


# ---------------------------------------------------------------- what it says


def test_events_of_a_search() -> None:
    phase = begin()
    events = run(phase)
    metrics = of_kind(events, "metrics")
    assert [item.step for item in metrics] == list(range(12))
    assert set(metrics[0].values) == {"best", "mean", "median_edges", "median_nodes", "val_accuracy"}
    assert [item.generation for item in of_kind(events, "population")] == list(range(12))
    assert {(item.metric, item.direction) for item in of_kind(events, "population")} == {("train_log_likelihood", "maximise")}
    assert metrics[-1].samples == phase.cost.samples
    champion = of_kind(events, "champion")[-1]
    genome = phase.best()[0].genome
    assert champion.genome == genome.to_json()
    assert champion.genome_hash == phase.space.hash(genome)
    assert champion.graph == phase.space.drawings(genome)["network"]


def test_champion_events_say_what_changed() -> None:
    champions = of_kind(run(begin(1, population=64, generations=50, batch_size=200)), "champion")
    assert len(champions) >= 3
    assert not champions[0].added_edges and not champions[0].added_nodes
    former: set[tuple[str, str]] = {(edge.source, edge.target) for edge in champions[0].graph.edges}
    nodes = {node.id for node in champions[0].graph.nodes if node.kind == "hidden"}
    for champion in champions[1:]:
        edges = {(edge.source, edge.target) for edge in champion.graph.edges}
        assert edges == (former | set(champion.added_edges)) - set(champion.removed_edges)
        hidden = {node.id for node in champion.graph.nodes if node.kind == "hidden"}
        assert set(champion.added_nodes) == hidden - nodes
        assert edges - former == set(champion.added_edges)
        former, nodes = edges, hidden


def test_any_individual_can_be_rebuilt_from_blocks() -> None:
    phase = begin(generations=KEYFRAME_EVERY + 8, batch_size=20, validated=1)
    blocks: list[str] = []
    populations = []
    while not phase.finished:
        populations.append(phase.population)
        phase.step()
        blocks += [payload.block for payload in of_kind(phase.context.log.drain(), "population")]
    for generation in (0, 1, 37, KEYFRAME_EVERY - 1, KEYFRAME_EVERY, KEYFRAME_EVERY + 7):
        start = keyframe_of(generation)
        for index in (0, 3, 15):
            rebuilt = materialise(blocks[start : generation + 1], index)
            assert rebuilt.key == populations[generation][index].key
    with pytest.raises(ValueError, match="first block"):
        materialise(blocks[1:3], 0)
    columns = decode_block(blocks[5])
    assert columns["connections"] == [genes.connections for genes in populations[5]]
    assert len(blocks[5]) < 100 * 16


def test_fronts_of_few_generations_are_drawn_however_long_the_search() -> None:
    frames = of_kind(run(begin(0, generations=60)), "charts")
    assert [frame.step for frame in frames] == [*range(9), 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 59]
    [chart] = frames[-1].charts
    assert [item.name for item in chart.series] == [f"generation {number}" for number in (0, 16, 32, 48, 59)]


def test_the_front_has_who_is_dominated_by_nobody() -> None:
    phase = begin(0, population=40, generations=10)
    events = run(phase)
    [chart] = of_kind(events, "charts")[-1].charts
    columns = decode_block(of_kind(events, "population")[-1].block)
    points = list(zip(columns["connections"], columns["mean"], strict=True))
    expected = sorted({
        point for point in points
        if not any(other != point and other[0] <= point[0] and other[1] >= point[1] for other in points)
    })
    assert decode_floats(chart.series[-1].x).tolist() == [edges for edges, _ in expected]
    assert decode_floats(chart.series[-1].y).tolist() == pytest.approx([fitness for _, fitness in expected], abs=1e-5)


# ---------------------------------------------------------------- the four numbers


def test_four_numbers_of_a_champion() -> None:
    phase = begin(0, population=32, generations=40, batch_size=400)
    run(phase)
    data, test = search_data(0), open_test(DIGITS)
    finished = finish(phase.space, phase.best()[0], data, 0, "cpu")
    network, metrics = finished.network, numbers(finished.score("test", test))
    assert set(metrics) == {"accuracy", "random_mean", "random_sd", "ensemble", "tuned"}
    assert metrics["accuracy"] > metrics["random_mean"]
    assert set(finished.figures) == {"tuned_weight"} and -2 <= finished.figures["tuned_weight"] <= 2
    again = finish(phase.space, phase.best()[0], data, 0, "cpu")
    assert numbers(again.score("test", test)) == metrics and (again.figures, again.cost) == (finished.figures, finished.cost)
    assert finished.cost.forward_backward == 400 * 256 + 200 * 128 and finished.passes == 100 + 6 + 2 + 81 + 2
    # The shipped network, fed like any other network of the house, repeats the score.
    from search_engine.training.evaluation import evaluate as evaluate_network

    assert network is not None
    assert evaluate_network(network, test, data.preprocessing, "cpu")["accuracy"] == pytest.approx(metrics["accuracy"])


def test_the_tuned_weight_is_the_best_of_the_grid_on_training_data() -> None:
    from search_engine.algorithms.wann.four_numbers import _accuracies, _examples, tune

    phase = begin(0, generations=20)
    run(phase)
    data = search_data(0)
    examples = _examples(phase.space, data, data.train, "cpu")
    genes = phase.archive[0].genes
    grid = tuple(np.linspace(-2, 2, 81).tolist())
    accuracy = _accuracies(genes, examples, grid)
    tuned, swept = tune(genes, examples)
    assert accuracy[grid.index(tuned)] == accuracy.max() and np.array_equal(swept, accuracy)


def test_a_vote_counts_votes_and_breaks_ties_by_probability() -> None:
    import torch

    from search_engine.algorithms.wann.four_numbers import _Examples, ensemble_accuracy

    # Output 0 = w * x, output 1 = w * w * |x| (through an absolute value), so the sign of w decides who wins.
    content = {"inputs": 1, "outputs": 2, "hidden": [[4, "abs"]], "edges": [[2, 1, 2, 1], [4, 1, 4, 1], [5, 4, 3, 1]]}
    genes = Genes.from_content(content)
    features = torch.tensor([[1.0]])

    def accuracy(weights: tuple[float, ...], label: int) -> float:
        return ensemble_accuracy(genes, _Examples(features, torch.tensor([[1.0], [1.0]]), torch.tensor([label])), weights)

    # w = 2: 2 against 4 -> class 1. w = .5: .5 against .25 -> class 0. w = -1: -1 against -1 (a tie, lowest class).
    assert accuracy((2.0,), 1) == 1.0 and accuracy((0.5,), 0) == 1.0
    assert accuracy((2.0, 0.5, 0.6), 0) == 1.0
    # One vote each: class 1 is 2 ahead of class 0, class 0 only .25 ahead of class 1.
    assert accuracy((2.0, 0.5), 1) == 1.0


# ---------------------------------------------------------------- configuration


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"weights": [0.5, 0.0]}, "options.weights"),
        ({"weights": []}, "options.weights"),
        ({"weights": [1.0, 1.0]}, "options.weights"),
        ({"activations": ["tanh", "tanh"]}, "options.activations"),
        ({"activations": ["swish", "tanh"]}, "options.activations.0"),
        ({"population": 1}, "options.population"),
        ({"add_node": 0, "add_connection": 0, "enable": 0, "change_activation": 0}, "options.change_activation"),
        ({"populaton": 64}, "options.populaton"),
    ],
)
def test_bad_options_name_their_field(options: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse("options", WannConfig, options)
    assert caught.value.field == field


def test_the_step_function_is_off_by_default() -> None:
    assert "step" not in WannConfig().activations
    assert "step" in WannConfig(activations=("step", "tanh")).activations


def test_entry() -> None:
    assert ENTRY.spaces == ("neuron_graph",) and "trials" not in ENTRY.budgets
