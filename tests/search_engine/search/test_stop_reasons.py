"""What a run says of its end is why it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search_engine.algorithms.base import AlgorithmEntry, Context, Finalist, Phase, Proposal, Result, SteadyConfig, TrialPhase
from search_engine.algorithms.trials.ranking import Ranking
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.search import stop_reasons
from search_engine.search.local_run import LocalRun
from search_engine.spaces.genomes import Genome
from tests.search_engine import toys


class Fickle(TrialPhase[SteadyConfig]):
    """Draws at random for some trials, then only among the first `few` of what it drew."""

    def __init__(self, random_trials: int, few: int) -> None:
        self.random_trials, self.few = random_trials, few

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.ranking = Ranking(context.metric)
        self.drawn: list[Genome] = []
        self.asked = 0

    def ask(self) -> list[Proposal]:
        self.asked += 1
        if self.asked <= self.random_trials:
            self.drawn.append(self.context.space.sample(self.context.rng))
            return [Proposal(self.drawn[-1])]
        return [Proposal(self.drawn[self.asked % self.few])]

    def tell(self, results: list[Result]) -> None:
        for result in results:
            self.ranking.add(result, self.context.space.hash(result.genome))

    def best(self) -> list[Finalist]:
        return self.ranking.finalists()

    def state_dict(self) -> dict[str, Any]:
        return {"ranking": self.ranking.state_dict(), "drawn": [genome.to_json() for genome in self.drawn], "asked": self.asked}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.ranking.load_state_dict(state["ranking"])
        self.drawn = [Genome.from_json(tree) for tree in state["drawn"]]
        self.asked = state["asked"]


def ended(tmp_path: Path, phases: Any, bits: int, trials: int = 5000) -> dict[str, Any]:
    entry = AlgorithmEntry(
        id="fickle", title="Fickle", family="sampling", summary="", source="", needs=frozenset({"trials"}),
        space_needs=frozenset({"sample"}), config=SteadyConfig, phases=phases,
    )
    with toys.registered(algorithms=(entry,)):
        values = {"algorithm": "fickle", "space": "bits", "datasets": ["ones"], "budget": {"trials": trials}}
        return LocalRun(check({**values, "space_options": {"bits": bits}}), tmp_path, tmp_path).run()


def one_phase(random_trials: int, few: int) -> Any:
    def phases(options: SteadyConfig) -> list[Phase]:
        return [Fickle(random_trials, few)]

    return phases


@pytest.mark.parametrize(
    ("random_trials", "few", "bits", "reason", "words"),
    [
        # Three bits are 8 architectures: nothing is left, whatever repeats.
        (100, 90, 3, "exhausted", "no architecture is left to try: all 8 were tried"),
        (100, 3, 100, "collapsed", "the last 1,000 trials repeated 3 of the 100 architectures tried: the search has settled on them; "
         "others may be left"),
        (100, 1, 100, "collapsed", "the last 1,000 trials repeated 1 of the 100 architectures tried: the search has settled on it; "
         "others may be left"),
        (100, 90, 100, "repeated", "the last 1,000 trials repeated 90 of the 100 architectures tried; others may be left"),
    ],
)
def test_a_row_of_repeats_is_told_apart_by_what_is_known(
    random_trials: int, few: int, bits: int, reason: str, words: str, tmp_path: Path
) -> None:
    result = ended(tmp_path, one_phase(random_trials, few), bits)
    assert (result["stop_reason"], result["reason"]) == (reason, f"finished: {words}")
    tried = result["tried"]
    assert tried["architectures"] == min(2**bits, 100) and tried["trials"] == tried["architectures"] + tried["repeated"]
    assert tried["repeated_share"] == tried["repeated"] / tried["trials"]


def test_every_reason_has_words_and_every_phase_names_one_of_them() -> None:
    """A new reason cannot be left without words, and words without a figure cannot claim that nothing is left."""
    tried = stop_reasons.Tried(1388, 388, 1000, row=1000, row_of=3)
    for reason in stop_reasons.REASONS:
        said = []
        for say in (stop_reasons.of_steps, lambda name: stop_reasons.of_trials(name, tried)):
            try:
                said.append(say(reason))
            except KeyError:
                continue
        assert said, reason
        assert all(any(letter.isdigit() for letter in words) for words in said if "left" in words)


@pytest.mark.parametrize(
    ("algorithm", "options", "reason"),
    [
        ("adddel", {"cycles": 20, "unit": "feature"}, "settled"),
        ("adanet", {"iterations": 1}, "horizon"),
        ("lottery_ticket", {"stop_drop": 1e-9, "target_share": 0.03}, "stopped"),
        ("lottery_ticket", {"stop_drop": 0.0}, "horizon"),
        ("ard", {}, "horizon"),
    ],
)
def test_a_run_ends_with_its_reason(algorithm: str, options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    finale = {"baselines": 0, "export": False, "redundancy": False, "training": {"epochs": 1}}
    quick = {**registry.algorithm(algorithm).quick, "finale": finale}
    values = {"algorithm": algorithm, "seed": 3, **quick, "options": {**quick.get("options", {}), **options}}
    result = LocalRun(check(values), tmp_path, tmp_path, slice_seconds=1e9).run()
    assert (result["status"], result["stop_reason"]) == ("completed", reason), result["reason"]
