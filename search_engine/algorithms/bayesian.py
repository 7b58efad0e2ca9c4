"""Bayesian optimisation: a surrogate predicts scores from the trials so far, and the next trial is where it promises most.

Sources: GP with expected improvement and TPE (Bergstra et al., NeurIPS 2011) as in Optuna (Akiba et al., KDD 2019), through its ask/tell
interface; the ensemble is BANANAS (White, Neiswanger and Savani, AAAI 2021, arXiv:1910.11858).

The first trials are random. A failed trial counts as the worst score seen. Nothing is evaluated twice up to isomorphism: where a surrogate
insists on known architectures, one decision of its proposal is changed. With several open trials the GP fantasises their scores, TPE
counts them as bad ones, and the ensemble proposes others.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ..events import SurrogateFrame, encode_floats
from ..generators import derive_seed
from ..lazy import lazy_module
from ..spaces.decision_infos import declare
from ..spaces.decisions import Choices
from ..surrogates.calibration import Calibration
from ..surrogates.observations import Observation, imputed
from ..surrogates.proposal import Suggestion
from ..trials.pace import FramePace
from ..trials.ranking import Ranking
from ..trials.trial_tally import Marginals, TrialTally
from .base import QUICK_TRIALS, AlgorithmEntry, Finalist, Phase, Proposal, Result, SteadyConfig, TrialPhase

if TYPE_CHECKING:
    from ..surrogates import ensemble, optuna_samplers
else:
    ensemble = lazy_module("search_engine.surrogates.ensemble")
    optuna_samplers = lazy_module("search_engine.surrogates.optuna_samplers")

DRAWS = 1000
"""Random draws in a row that find no new architecture: then there is none left."""
WALK = 20
"""Changes of one decision away from a known proposal before a random one is taken."""


class BayesianConfig(SteadyConfig):
    """Hyper-parameters of Bayesian optimisation."""

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


class BayesianSearch(TrialPhase):
    """Random trials first, then the surrogate's proposals, each new up to isomorphism."""

    title = "Bayesian optimisation"

    def begin(self, context: Any, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.history: list[Observation] = []
        self.open: deque[Open] = deque()
        """Asked and not told, in ask order."""
        self.queue: deque[Open] = deque()
        """Chosen and not asked yet: the rest of a round."""
        self.scores: dict[str, float | None] = {}
        """Canonical hash of everything ever chosen -> its score, None while there is none."""
        self.asked = 0
        self.rounds = 0
        """How often the surrogate was asked."""
        self.duplicates = 0
        self.calibration = Calibration()
        self.pace = FramePace()
        self.tally = TrialTally()
        self.marginals = Marginals(context.space, context.metric)
        self.ranking = Ranking(context.metric)
        context.emit(declare(context.space), 0)

    # ---------------------------------------------------------------- ask

    def ask(self) -> list[Proposal]:
        if not self.queue:
            self._fill()
        if not self.queue:
            return []
        chosen = self.queue.popleft()
        self.open.append(chosen)
        self.asked += 1
        return [Proposal(self.context.space.genome_of(chosen.choices), operator=chosen.operator)]

    def _fill(self) -> None:
        """Put the next architectures into the queue; none if no new one is left."""
        options = self.context.options
        observed = imputed(self.history, options.most_observations)
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
        for _ in range(DRAWS):
            choices: Choices = self.context.space.decisions.sample(self.context.rng)
            if not self._lookup(choices)[0]:
                return choices
        return None

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
        options, space, rng = self.context.options, self.context.space, self.context.rng
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
            self.ranking.add(result, told.hash)
            self.marginals.add(result)
            self.tally.add(result)
            if self.pace.due(self.tally.told):
                self.context.emit(self.tally.metrics({"duplicates": float(self.duplicates)}), self.tally.told)
                self.context.emit(self.marginals.frame(self.tally.told), self.tally.told)

    def _report(self, suggestion: Suggestion) -> None:
        """What the surrogate thought when it chose; `observed` and `predicted` are of earlier choices, made before they were scored."""
        if not self.pace.due(self.rounds):
            return
        shown, calibration = suggestion.candidates, self.calibration
        failures = sum(item.value is None for item in self.history)
        values = {**shown.values, "best": self.ranking.finalists()[0].value or 0.0, "duplicates": self.duplicates, "imputed": failures}
        if (spearman := calibration.spearman) is not None:
            values["spearman"] = spearman
        # A density ratio ranks architectures, but is no prediction of a score to be compared with one.
        pairs = calibration if self.context.options.sampler != "tpe" else Calibration()
        frame = SurrogateFrame(
            step=self.asked,
            means=encode_floats(shown.means),
            deviations=encode_floats(shown.deviations),
            chosen=shown.chosen,
            observed=encode_floats(pairs.observed),
            predicted=encode_floats(pairs.predicted),
            values={name: float(value) for name, value in values.items()},
        )
        self.context.emit(frame, self.asked)

    # ---------------------------------------------------------------- result and state

    def best(self) -> list[Finalist]:
        return self.ranking.finalists()

    def state_dict(self) -> dict[str, Any]:
        return {
            "history": [[list(item.choices), item.value] for item in self.history],
            "open": [item.to_tree() for item in self.open],
            "queue": [item.to_tree() for item in self.queue],
            "scores": self.scores,
            "asked": self.asked,
            "rounds": self.rounds,
            "duplicates": self.duplicates,
            "calibration": self.calibration.state_dict(),
            "tally": self.tally.state_dict(),
            "marginals": self.marginals.state_dict(),
            "ranking": self.ranking.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.history = [Observation(tuple(choices), value) for choices, value in state["history"]]
        self.open = deque(Open.from_tree(tree) for tree in state["open"])
        self.queue = deque(Open.from_tree(tree) for tree in state["queue"])
        self.scores = dict(state["scores"])
        self.asked, self.rounds, self.duplicates = state["asked"], state["rounds"], state["duplicates"]
        self.calibration.load_state_dict(state["calibration"])
        self.tally.load_state_dict(state["tally"])
        self.marginals.load_state_dict(state["marginals"])
        self.ranking.load_state_dict(state["ranking"])


def phases(config: BayesianConfig) -> list[Phase]:
    return [BayesianSearch()]


ENTRY = AlgorithmEntry(
    id="bayesian",
    title="Bayesian optimisation",
    family="sampling",
    summary="A surrogate learns to predict scores from the trials so far; the next trial is where it promises most. Gaussian process, "
    "Parzen estimators, or an ensemble of networks.",
    source="Akiba et al., KDD 2019 (Optuna); Bergstra et al., NeurIPS 2011 (TPE); White et al., AAAI 2021, arXiv:1910.11858 (BANANAS)",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"decisions"}),
    config=BayesianConfig,
    phases=phases,
    structure=("surrogate", "marginals"),
    quick={**QUICK_TRIALS, "options": {"initial": 2, "sampler": "tpe"}},
)
