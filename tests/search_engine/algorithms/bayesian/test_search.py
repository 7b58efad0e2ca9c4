"""Bayesian optimisation: what a surrogate is given, that it is never asked twice for one architecture, and the planted table (A5)."""

from __future__ import annotations

import random
from statistics import mean
from typing import Any

import pytest

from search_engine.algorithms.base import Context, Result
from search_engine.algorithms.bayesian.observations import Observation, Observations, Observed
from search_engine.algorithms.bayesian.search import BayesianConfig, BayesianSearch
from search_engine.algorithms.trials.calibration import Calibration
from search_engine.algorithms.trials.random_search import RandomConfig, RandomSearch
from search_engine.events import Cost, EventLog, SurrogateFrame, decode_floats
from search_engine.spaces.base import SpaceConfig
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.decisions import Decision, DecisionList
from tests.search_engine.algorithms.bayesian.synthetic_cells import search
from tests.search_engine.algorithms.trials.test_grid import BoxSpace, box

SAMPLERS = ("gp", "tpe", "ensemble")


# ---------------------------------------------------------------- what a surrogate learns from


def test_a_failed_trial_counts_as_the_worst_seen_and_is_marked() -> None:
    told = [Observation((0,), 0.5), Observation((1,), None), Observation((2,), 0.25)]
    assert [(item.value, item.imputed) for item in observations(told, 10).imputed()] == [(0.5, False), (0.25, True), (0.25, False)]
    assert observations([Observation((0,), None)], 10).imputed() == []


def test_many_observations_are_cut_to_the_best_half_and_the_most_recent() -> None:
    told = [Observation((place,), value) for place, value in enumerate((9.0, 1.0, 8.0, 2.0, 3.0, 4.0))]
    assert [item.choices[0] for item in observations(told, 4).imputed()] == [0, 2, 4, 5]
    assert len(observations(told, 6).imputed()) == 6


def plainly(told: list[Observation], most: int) -> list[Observed]:
    """The definition: sort all by score, a failure counting as the worst; the best half of `most`, then the most recent others."""
    scores = [item.value for item in told if item.value is not None]
    if not scores:
        return []
    filled = [Observed(item.choices, min(scores) if item.value is None else item.value, item.value is None) for item in told]
    if len(filled) <= most:
        return filled
    kept = set(sorted(range(len(filled)), key=lambda place: (-filled[place].value, place))[: most // 2])
    recent = [place for place in reversed(range(len(filled))) if place not in kept][: most - len(kept)]
    return [filled[place] for place in sorted(kept.union(recent))]


@pytest.mark.parametrize("failing", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("values", [1, 3, 1000])
def test_what_a_fit_takes_is_known_without_sorting_all(failing: float, values: int) -> None:
    rng = random.Random(f"{failing} {values}")
    told: list[Observation] = []
    kept = observations([], 11)
    for place in range(60):
        item = Observation((place,), None if rng.random() < failing else float(rng.randrange(values)))
        told.append(item)
        kept.append(item)
        assert kept.imputed() == plainly(told, 11)
    assert kept.failures == sum(item.value is None for item in told)
    assert observations(told, 11).imputed() == plainly(told, 11)


def observations(told: list[Observation], most: int) -> Observations:
    made = Observations(most)
    made.extend(told)
    return made


def test_rank_correlation_of_predictions() -> None:
    calibration = Calibration()
    for predicted, observed in ((1.0, 10.0), (2.0, 20.0)):
        calibration.add(predicted, observed)
    assert calibration.spearman is None
    calibration.add(3.0, 15.0)
    assert calibration.spearman == pytest.approx(0.5)
    calibration.add(3.0, 30.0)  # ranks 0 1 2.5 2.5 against 0 2 1 3
    assert calibration.spearman == pytest.approx(0.6324555)
    constant = Calibration()
    for observed in range(5):
        constant.add(1.0, float(observed))
    assert constant.spearman is None


def test_expected_improvement_against_its_integral() -> None:
    from search_engine.algorithms.trials.acquisition import expected_improvement

    rng = random.Random(0)
    sampled = mean(max(0.0, rng.gauss(0.2, 0.5) - 0.4) for _ in range(20_000))
    assert expected_improvement(0.2, 0.5, 0.4) == pytest.approx(sampled, abs=0.01)
    assert expected_improvement(0.5, 0.0, 0.4) == pytest.approx(0.1) and expected_improvement(0.3, 0.0, 0.4) == 0


def test_the_ensembles_members_learn_apart_but_together() -> None:
    """One member of five learns exactly what it would learn among other ones: their gradients do not mix."""
    import torch

    from search_engine.algorithms.bayesian.ensemble import Ensemble, EnsembleOptions

    options = EnsembleOptions(members=3, layers=1, width=8, epochs=30)
    x = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    y = 5 + 2 * x[:, 0] - x[:, 1]
    whole, spoilt = Ensemble(4, options, seed=1), Ensemble(4, options, seed=1)
    with torch.no_grad():
        spoilt.weights[0][1:] += 100.0
    for model in (whole, spoilt):
        model.fit(x, y)
    predictions = whole.predict(x)
    assert torch.equal(predictions[0], spoilt.predict(x)[0])
    assert not torch.equal(predictions[0], predictions[1]), "two members are the same"
    assert float((predictions.mean(dim=0) - y).abs().mean()) < 0.5 * float((y - y.mean()).abs().mean())


# ---------------------------------------------------------------- the search


class ConditionalSpace(BoxSpace):
    """a; b only after a = 1; c only after b = 0; e always. Of its 2 + 2 * (3 + 1) lists, those with e = 1 score more."""

    id = "conditional"

    @property
    def decisions(self) -> DecisionList:
        return DecisionList(
            [
                Decision("a", "A", "a", ("x", "y")),
                Decision("b", "B", "b", ("0", "1"), when=("a", frozenset({1}))),
                Decision("c", "C", "c", ("0", "1", "2"), when=("b", frozenset({0}))),
                Decision("e", "E", "e", ("p", "q")),
                Decision("f", "F", "f", ("only",)),
            ]
        )


def begun(space: Any, window: int = 1, **options: Any) -> BayesianSearch:
    phase = BayesianSearch()
    config = BayesianConfig(window=window, **options)
    phase.begin(Context(space=space, options=config, seed=3, rng=random.Random(3), metric="score", log=EventLog("run")), None)
    return phase


def told_all(phase: BayesianSearch, score: Any, window: int = 1) -> list[Any]:
    """Ask and tell with `window` open trials until nothing is left; the genomes in ask order."""
    genomes: list[Any] = []
    told = 0
    while True:
        proposals = phase.ask() if len(genomes) - told < window else []
        if proposals:
            genomes.append(proposals[0].genome)
        elif told == len(genomes):
            return genomes
        else:
            value = score(phase.context.space.choices_of(genomes[told]))
            phase.tell([Result(told, genomes[told], "failed" if value is None else "completed", {"score": value} if value else {}, Cost())])
            told += 1


@pytest.mark.parametrize(("sampler", "window"), [("gp", 3), ("tpe", 1), ("tpe", 3), ("ensemble", 1), ("ensemble", 3)])
def test_a_small_conditional_space_is_exhausted_without_a_repeat(sampler: str, window: int) -> None:
    """Duplicates up to isomorphism are never asked, failures and inactive decisions disturb nobody, and the end is an end."""
    space = ConditionalSpace(SpaceConfig(), DataShape((1,), 2))
    phase = begun(space, window, sampler=sampler, initial=3, per_round=2, epochs=5, candidates=8)
    genomes = told_all(phase, lambda choices: None if choices[2] == 1 else 1.0 + choices[3], window)
    hashes = [space.hash(genome) for genome in genomes]
    assert len(hashes) == len(set(hashes)) == space.decisions.size == 10
    assert phase.ask() == []


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_without_a_single_score_it_goes_on_at_random(sampler: str) -> None:
    phase = begun(box(2, 3), sampler=sampler, initial=2)
    assert len(told_all(phase, lambda choices: None)) == 6


@pytest.mark.parametrize("sampler", ["gp", "ensemble"])
def test_frames_show_what_was_predicted_before_it_was_seen(sampler: str) -> None:
    """An additive score: the surrogate is soon right, the frames say so, and the proposal is marked among the candidates."""
    phase = begun(box(6, 6, 6), sampler=sampler, initial=10, per_round=1)
    for number in range(18):
        [proposal] = phase.ask()
        value = sum(choice or 0 for choice in phase.context.space.choices_of(proposal.genome)) / 15
        phase.tell([Result(number, proposal.genome, "completed", {"score": value}, Cost())])
    frames = [event.payload for event in phase.context.log.drain() if isinstance(event.payload, SurrogateFrame)]
    assert len(frames) == 8
    last = frames[-1]
    predicted, observed = decode_floats(last.predicted), decode_floats(last.observed)
    assert 4 <= len(predicted) == len(observed) <= 7
    # In the score's own unit: a standardised prediction would be off by more than the scores' range allows.
    assert abs(predicted - observed).mean() < 0.2
    assert last.values["best"] >= 0.8 and last.values["imputed"] == 0 and -1 <= last.values["spearman"] <= 1
    means, deviations = decode_floats(last.means), decode_floats(last.deviations)
    assert 0 < len(means) == len(deviations) <= 50 and (deviations >= 0).all() and last.chosen == [0]


def test_tpe_shows_density_ratios_and_no_predictions() -> None:
    phase = begun(box(6, 6, 6), sampler="tpe", initial=4, draws=30)
    for number in range(8):
        [proposal] = phase.ask()
        phase.tell([Result(number, proposal.genome, "completed", {"score": float(number)}, Cost())])
    last = [event.payload for event in phase.context.log.drain() if isinstance(event.payload, SurrogateFrame)][-1]
    ratios = decode_floats(last.means).tolist()
    assert len(ratios) == 30 and ratios == sorted(ratios, reverse=True)
    assert last.predicted == last.observed == "" and not decode_floats(last.deviations).any()


# ---------------------------------------------------------------- A5


def best_of_60(sampler: str, seeds: int) -> float:
    return mean(max(search(BayesianSearch, BayesianConfig(sampler=sampler), seed)) for seed in range(seeds))  # type: ignore[arg-type]


class Blind(BayesianSearch):
    """A mutant: the surrogate is given scores of other architectures."""

    def tell(self, results: list[Result]) -> None:
        super().tell(results)
        values = [item.value for item in self.history]
        random.Random(len(values)).shuffle(values)
        told = [Observation(item.choices, value) for item, value in zip(self.history, values, strict=True)]
        self.history = observations(told, self.options.most_observations)


def test_a5_fast_gate() -> None:
    """Two seeds: measured 3.83 and 4.02; given scores of other architectures 3.47 and 3.64; random search 3.33 over ten seeds."""
    assert best_of_60("tpe", 2) >= 3.7
    assert best_of_60("ensemble", 2) >= 3.8


@pytest.mark.slow
def test_a5_random_search_is_left_behind() -> None:
    assert mean(max(search(RandomSearch, RandomConfig(), seed)) for seed in range(10)) <= 3.6


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "seeds", "gate"), [("tpe", 10, 3.75), ("ensemble", 10, 3.9), ("gp", 3, 4.0)])
def test_a5_mean_incumbent_of_60_trials(sampler: str, seeds: int, gate: float) -> None:
    assert best_of_60(sampler, seeds) >= gate


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "gate"), [("tpe", 3.75), ("ensemble", 3.9)])
def test_a5_a_surrogate_that_ignores_the_data_fails(sampler: str, gate: float) -> None:
    scores = [max(search(Blind, BayesianConfig(sampler=sampler), seed)) for seed in range(10)]  # type: ignore[arg-type]
    assert mean(scores) < gate - 0.1
