"""Bayesian optimisation: a surrogate predicts scores from the trials so far, and the next trial is where it promises most.

Sources: GP with expected improvement and TPE (Bergstra et al., NeurIPS 2011) as in Optuna (Akiba et al., KDD 2019), through its ask/tell
interface; the ensemble is BANANAS (White, Neiswanger and Savani, AAAI 2021, arXiv:1910.11858).

The first trials are random. A failed trial counts as the worst score seen. Nothing is evaluated twice up to isomorphism: where a surrogate
insists on known architectures, one decision of its proposal is changed. With several open trials the GP fantasises their scores, TPE
counts them as bad ones, and the ensemble proposes others.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from search_engine.base.generators import derive_seed
from search_engine.base.growing import GrowingDict, Records
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, each, one_of
from search_engine.events import SurrogateFrame, encode_floats
from search_engine.spaces.decisions import Choices
from search_engine.spaces.genomes import Genome

from ..base import Context, Proposal, Result, SteadyConfig
from ..trials.calibration import Calibration
from ..trials.search import TrialSearch
from ..trials.unseen import Unseen
from .observations import Observation, Observations
from .proposal import Suggestion

if TYPE_CHECKING:
    from . import ensemble, optuna_samplers
else:
    ensemble = lazy_module("search_engine.algorithms.bayesian.ensemble")
    optuna_samplers = lazy_module("search_engine.algorithms.bayesian.optuna_samplers")

WALK = 20
"""Changes of one decision away from a known proposal before a random one is taken."""


class BayesianConfig(SteadyConfig):
    """Hyper-parameters of Bayesian optimisation."""

    works_with: ClassVar[WorksWith] = {
        **each(
            ("per_round", "candidates", "parents", "random_share", "members", "layers", "width", "epochs", "learning_rate"),
            {"sampler": one_of("ensemble")},
        ),
        "draws": {"sampler": one_of("tpe")},
    }

    sampler: Literal["gp", "tpe", "ensemble"] = Field(
        default="ensemble",
        title="Surrogate",
        description="gp: Gaussian process with expected improvement, strongest on few trials, seconds per proposal beyond some hundred; "
        "tpe: tree-structured Parzen estimators, milliseconds; ensemble: five small networks with Thompson sampling (BANANAS).",
    )
    initial: int = Field(default=10, ge=1, le=10_000, title="Random trials", description="Random trials before the surrogate is asked.")
    per_round: int = Field(
        default=10,
        ge=1,
        le=1000,
        title="Trials per round",
        description="ensemble: how many architectures are taken from one fit, before the networks are trained anew.",
    )
    candidates: int = Field(
        default=100,
        ge=1,
        le=10_000,
        title="Candidates",
        description="ensemble: how many architectures it compares for a round, mutations of the best and random ones.",
    )
    draws: int = Field(
        default=24,
        ge=1,
        le=10_000,
        title="Draws",
        description="tpe: how many architectures it draws from its density of good ones for one proposal, of which it takes the best.",
    )
    parents: int = Field(
        default=10, ge=1, le=10, title="Parents", description="ensemble: how many of the best architectures are mutated into candidates."
    )
    random_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        title="Random candidates",
        description="ensemble: share of the candidates that is drawn at random instead of mutated from the best (0 in the paper); with "
        "few trials it keeps the search from settling too early.",
    )
    members: int = Field(default=5, ge=2, le=50, title="Networks", description="ensemble: how many networks predict.")
    layers: int = Field(default=3, ge=1, le=20, title="Hidden layers", description="ensemble: depth of each network.")
    width: int = Field(default=64, ge=1, le=1024, title="Width", description="ensemble: units of each hidden layer.")
    epochs: int = Field(default=150, ge=1, le=10_000, title="Epochs", description="ensemble: passes over the observations in one fit.")
    learning_rate: float = Field(default=0.01, gt=0, le=1, title="Learning rate", description="ensemble: Adam's.")
    most_observations: int = Field(
        default=500,
        ge=10,
        le=100_000,
        title="Observations at most",
        description="A fit takes the best half of this many trials and the most recent others, so that its time stays bounded.",
    )


@dataclass(frozen=True)
class Open:
    """An architecture that was proposed and not told yet, and what the surrogate expected of it (None for a random one)."""

    choices: Choices
    hash: str
    operator: str
    predicted: float | None = None

    def to_tree(self) -> list[Any]:
        return [list(self.choices), self.hash, self.operator, self.predicted]

    @classmethod
    def from_tree(cls, tree: list[Any]) -> Open:
        return cls(tuple(tree[0]), tree[1], tree[2], tree[3])


class BayesianSearch(TrialSearch[BayesianConfig]):
    """Random trials first, then the surrogate's proposals, each new up to isomorphism."""

    title = "Bayesian optimisation"
    state_version = 3
    keeps = ("unseen", "history", "open", "queue", "scores", "asked", "rounds", "duplicates", "calibration")
    shows_marginals = True

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.unseen = Unseen(context.space, self._draw, context.seed)
        self.drawn: Choices = ()
        """The choices that were drawn last."""
        self.history = Observations(self.options.most_observations)
        self.open = Records(Open.to_tree, Open.from_tree)
        """Asked and not told, in ask order."""
        self.queue = Records(Open.to_tree, Open.from_tree)
        """Chosen and not asked yet: the rest of a round."""
        self.scores: GrowingDict[str, float | None] = GrowingDict()
        """Canonical hash of everything ever chosen -> its score, None while there is none."""
        self.asked = 0
        self.rounds = 0
        """How often the surrogate was asked."""
        self.duplicates = 0
        self.calibration = Calibration()

    # ---------------------------------------------------------------- ask

    def ask(self) -> list[Proposal]:
        if not self.queue:
            self._fill()
        if not self.queue:
            self.stop_reason = self.unseen.stop_reason
            return []
        chosen = self.queue.popleft()
        self.open.append(chosen)
        self.asked += 1
        return [Proposal(self.context.space.genome_of(chosen.choices), operator=chosen.operator)]

    def _fill(self) -> None:
        """Put the next architectures into the queue; none if no new one is left."""
        options = self.options
        observed = self.history.imputed()
        if self.asked < options.initial or not observed:
            self._choose(self._random(), "random")
            return
        self.rounds += 1
        seed = derive_seed(self.context.seed, "surrogate", self.asked)
        decisions = self.context.space.decisions
        if options.sampler == "ensemble":
            candidates = self._candidates()
            if not candidates:
                self._choose(self._random(), "random")
                return
            shape = ensemble.EnsembleOptions(options.members, options.layers, options.width, options.epochs, options.learning_rate)
            suggestion = ensemble.suggest(decisions, observed, candidates, options.per_round, seed, shape)
        else:
            pending = [item.choices for item in self.open]
            suggestion = optuna_samplers.suggest(
                options.sampler, decisions, observed, pending, self._lookup, seed, options.draws
            )
        self.duplicates += suggestion.duplicates
        for choices, predicted in zip(suggestion.choices, suggestion.predicted, strict=True):
            if self._lookup(choices)[0]:
                self._choose(self._beside(choices), "surrogate, then changed")
            else:
                self._choose(choices, "surrogate", predicted)
        self._report(suggestion)

    def _choose(self, choices: Choices | None, operator: str, predicted: float | None = None) -> None:
        if choices is not None:
            hash_ = self._hash(choices)
            self.scores[hash_] = None
            self.queue.append(Open(choices, hash_, operator, predicted))

    def _hash(self, choices: Choices) -> str:
        space = self.context.space
        return str(space.hash(space.genome_of(choices)))

    def _lookup(self, choices: Choices) -> tuple[bool, float | None]:
        """Whether the architecture was chosen before, and its score if it has one."""
        hash_ = self._hash(choices)
        return hash_ in self.scores, self.scores.get(hash_)

    def _random(self) -> Choices | None:
        """A random architecture that was never chosen, or None if none is found."""
        found = self.unseen.next(self.context.rng, self.scores.__contains__)
        if found is None:
            return None
        # Several choice lists may be one genome: the surrogate sees the one that was drawn.
        return self.context.space.choices_of(found[0]) if self.unseen.walks else self.drawn

    def _draw(self, rng: random.Random) -> Genome:
        self.drawn = self.context.space.decisions.sample(rng)
        return self.context.space.genome_of(self.drawn)

    def _beside(self, choices: Choices) -> Choices | None:
        """The first new architecture on a walk that changes one decision of `choices` after another, else a random new one."""
        decisions, rng = self.context.space.decisions, self.context.rng
        for _ in range(WALK):
            places = decisions.changeable(choices)
            if not places:
                break
            choices = decisions.change(choices, rng.choice(places), rng)
            if not self._lookup(choices)[0]:
                return choices
        return self._random()

    def _candidates(self) -> list[Choices]:
        """New architectures for the ensemble to compare, each once: mutations of the best ones and random ones."""
        options, space, rng = self.options, self.context.space, self.context.rng
        best = [space.choices_of(finalist.genome) for finalist in self.ranking.finalists()[: options.parents]]
        drawn = round(options.random_share * options.candidates)
        found: dict[str, Choices] = {}
        for _ in range(WALK):
            mutated = ensemble.mutants(space.decisions, best, options.candidates - drawn, rng)
            for choices in mutated + [space.decisions.sample(rng) for _ in range(drawn)]:
                hash_ = self._hash(choices)
                if hash_ not in self.scores and len(found) < options.candidates:
                    found.setdefault(hash_, choices)
            if len(found) >= options.candidates:
                break
        return list(found.values())

    # ---------------------------------------------------------------- tell

    def tell(self, results: list[Result]) -> None:
        metric = self.context.metric
        for result in results:
            told = self.open.popleft()
            value = result.metrics[metric] if result.ok else None
            self.history.append(Observation(told.choices, value))
            self.scores[told.hash] = value
            if told.predicted is not None and value is not None:
                self.calibration.add(told.predicted, value)
        super().tell(results)

    def figures(self, latest: Result) -> dict[str, float]:
        return {"duplicates": float(self.duplicates)}

    def _report(self, suggestion: Suggestion) -> None:
        """What the surrogate thought when it chose; `observed` and `predicted` are of earlier choices, made before they were scored."""
        if not self.pace.due(self.rounds):
            return
        shown, calibration = suggestion.candidates, self.calibration
        counts = {"duplicates": self.duplicates, "imputed": self.history.failures}
        values = {**shown.values, "best": self.ranking.finalists()[0].value or 0.0, **counts}
        if (spearman := calibration.spearman) is not None:
            values["spearman"] = spearman
        # A density ratio ranks architectures, but is no prediction of a score to be compared with one.
        pairs = calibration if self.options.sampler != "tpe" else Calibration()
        frame = SurrogateFrame(
            step=self.asked,
            means=encode_floats(shown.means),
            deviations=encode_floats(shown.deviations),
            chosen=shown.chosen,
            scale=shown.scale,
            observed=encode_floats(pairs.observed),
            predicted=encode_floats(pairs.predicted),
            values={name: float(value) for name, value in values.items()},
        )
        self.context.emit(frame, self.asked)
