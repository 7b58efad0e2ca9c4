"""Bayesian choice of the network to grow next.

Source: Jin, Song, Hu: Auto-Keras: An efficient neural architecture search system, KDD 2019 (arXiv:1806.10282), sections 3.1 to 3.3: a
Gaussian process over the edit distance of networks, and a search through their morphisms by a queue and simulated annealing for the one of
the largest acquisition, which is then trained from the morphed weights of the network that it grew from.

Different from the published codes (Auto-Keras 0.3, NNI): one kernel for what was seen and for what is asked (`gaussian_process`), where
theirs has exp(-d²) for the one and an embedding for the other; FLOPs are bounded beside parameters, where theirs grow until memory ends;
open trials are scored as the worst one seen (constant liar; Ginsbourger et al. 2010), where theirs are unknown to the process and the
search stops proposing skips; nothing global is seeded.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from search_engine.base.growing import GrowingDict
from search_engine.base.lazy import lazy_module
from search_engine.events import SurrogateFrame, encode_floats
from search_engine.spaces.growing_convnet.morphs import Morph, random_morph
from search_engine.spaces.growing_convnet.network import Network

from ..base import Context, Proposal, Result
from ..trials.acquisition import expected_improvement
from ..trials.calibration import Calibration
from .edit_distance import Sketch, Skip, distance, sketch
from .search import MorphismSearch

if TYPE_CHECKING:
    from . import gaussian_process
else:
    gaussian_process = lazy_module("search_engine.algorithms.network_morphism.gaussian_process")

TWINS = 1e-5
"""Networks that are closer than this are one."""
COLDEST = 1e-4
"""Temperature at which the annealing ends (from 1)."""
SHOWN = 50
"""Candidates of a picture."""


@dataclass(frozen=True)
class Candidate:
    """A network that might be grown from the kept network of `parent`."""

    parent: int
    morphs: tuple[Morph, ...]
    network: Network
    sketch: Sketch
    mean: float
    deviation: float
    acquisition: float
    """In deviations of the scores seen, so that temperatures mean the same on every data set."""


class BayesianChoice(MorphismSearch):
    """One network after the other."""

    title = "Bayesian choice among morphisms"
    keeps: ClassVar[tuple[str, ...]] = (*MorphismSearch.keeps, "sketches", "predicted", "calibration", "twins")

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.sketches: GrowingDict[int, Sketch] = GrowingDict(_to_tree, _from_tree)
        """Of everything ever asked, by candidate."""
        self.predicted: dict[str, float] = {}
        """Of open trials: the mean that was expected."""
        self.calibration = Calibration()
        self.twins = 0
        """Candidates that were too close to a known network."""

    @property
    def horizon(self) -> int:
        return int(self.options.networks)

    @property
    def window(self) -> int:
        """One until the seed is told: everything grows from it."""
        return self.options.open_trials if self.lineage.told else 1

    # ---- ask

    def ask(self) -> list[Proposal]:
        if not self.asked:
            proposal = self.seed()
            self.sketches[0] = sketch(self.space.network(proposal.genome))
            return [proposal]
        if self.asked >= self.options.networks or not self.kept:
            return []
        self.step += 1
        chosen, looked_at = self._chosen()
        if chosen is None:
            self.stop_reason = "repeated"
            return []
        self.sketches[self.asked] = chosen.sketch
        self.predicted[str(self.asked)] = chosen.mean
        self._draw(looked_at, chosen)
        return [self.child(chosen.parent, chosen.morphs, chosen.network)]

    def _process(self) -> tuple[gaussian_process.GaussianProcess, list[int], float]:
        """The process over everything asked (an open or failed trial has the worst score seen), in which order, and the best score."""
        numbers = list(self.sketches)
        values = {number: told.value for number in numbers if (told := self.lineage.told.get(number)) is not None}
        known = [value for value in values.values() if value is not None]
        worst = min(known)
        scores = [worst if (value := values.get(number)) is None else value for number in numbers]
        distances = [[distance(self.sketches[one], self.sketches[other]) for other in numbers] for one in numbers]
        return gaussian_process.GaussianProcess(distances, scores), numbers, max(known)

    def _chosen(self) -> tuple[Candidate | None, list[Candidate]]:
        """The candidate with the largest acquisition that a simulated annealing from the kept networks finds, and all that it looked at."""
        process, numbers, best = self._process()
        known = [self.sketches[number] for number in numbers]
        options, rng = self.options, self.context.rng

        def judged(parent: int, morphs: tuple[Morph, ...], network: Network) -> Candidate | None:
            """None for a twin of a known network."""
            own = sketch(network)
            away = [distance(own, other) for other in known]
            if morphs and (own in drawn or min(away) < TWINS):
                self.twins += 1
                return None
            drawn.add(own)
            means, deviations = process.predict([away])
            mean, deviation = float(means[0]), float(deviations[0])
            if options.acquisition == "ucb":
                value = (mean + options.beta * deviation - process.centre) / process.scale
            else:
                value = expected_improvement(float(means[0]), float(deviations[0]), best) / process.scale
            return Candidate(parent, morphs, network, own, mean, deviation, value)

        found: list[Candidate] = []
        drawn: set[Sketch] = set()
        queue: list[tuple[float, int, Candidate]] = []
        for number in self.kept:
            start = judged(number, (), self.network_of(number))
            assert start is not None
            heapq.heappush(queue, (-start.acquisition, len(queue), start))
        entered, temperature, top = len(queue), 1.0, -math.inf
        while queue and temperature > COLDEST and len(found) < options.candidates:
            _, _, item = heapq.heappop(queue)
            if _accepted(item.acquisition - top, temperature, rng):
                for _ in range(options.neighbours):
                    grown = random_morph(item.network, self.space.config, rng, self.space.fits)
                    if grown is None:
                        break
                    candidate = judged(item.parent, (*item.morphs, grown[0]), grown[1])
                    if candidate is None or len(found) >= options.candidates:
                        continue
                    found.append(candidate)
                    heapq.heappush(queue, (-candidate.acquisition, entered, candidate))
                    entered += 1
                    top = max(top, candidate.acquisition)
            temperature *= options.cooling
        if not found:
            return None, []
        return max(found, key=lambda candidate: candidate.acquisition), found

    # ---- tell

    def choose(self, results: list[Result]) -> None:
        metric = self.context.metric
        for result in results:
            expected = self.predicted.pop(str(result.number), None)
            if expected is not None and result.ok:
                self.calibration.add(expected, result.metrics[metric])
            if result.number in self.kept and (self._current is None or result.metrics[metric] > self._value(self._current)):
                self.lineage.chosen.append(result.number)
        best = sorted(self.kept, key=lambda number: (-self._value(number), number))[: self.options.parents]
        # An open trial reads its parent's weights when a worker begins it.
        needed = {item.parent for number, item in self.lineage.asked.items() if number not in self.lineage.told and item.parent is not None}
        self.keep({*best, *needed, *self.lineage.chosen[-1:]})

    # ---- report

    def figures(self, latest: Result) -> dict[str, float]:
        return {**super().figures(latest), "twins": float(self.twins)}

    def _draw(self, looked_at: Sequence[Candidate], chosen: Candidate) -> None:
        if not self.pace.due(self.step):
            return
        shown = sorted(looked_at, key=lambda candidate: -candidate.acquisition)[:SHOWN]
        values = {"acquisition": chosen.acquisition, "twins": float(self.twins)}
        if (spearman := self.calibration.spearman) is not None:
            values["spearman"] = spearman
        frame = SurrogateFrame(
            step=self.asked, means=encode_floats([item.mean for item in shown]),
            deviations=encode_floats([item.deviation for item in shown]), chosen=[0], observed=encode_floats(self.calibration.observed),
            predicted=encode_floats(self.calibration.predicted), values=values,
        )
        self.context.emit(frame, self.asked)


def _accepted(gain: float, temperature: float, rng: random.Random) -> bool:
    """Whether a network is grown further: for certain if none was better, else the less likely the colder it is."""
    return gain >= 0 or rng.random() < math.exp(gain / temperature)


def _to_tree(item: Sketch) -> list[Any]:
    return [[list(layer) for layer in item.layers], [[skip.op, skip.source, skip.target] for skip in item.skips]]


def _from_tree(tree: list[Any]) -> Sketch:
    return Sketch(tuple((op, width, kernel) for op, width, kernel in tree[0]), tuple(Skip(*skip) for skip in tree[1]))
