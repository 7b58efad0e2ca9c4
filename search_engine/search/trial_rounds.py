"""Trial phases under the coordinator: who is asked when, what is told when, what is reused.

Steady-state: ask number k happens after exactly the tells 1 .. k - W, in ask order, one tell then one ask; W is the phase's window.
Generational: a generation is asked proposal by proposal under the budget, and told as a whole. Nothing here reads a worker count, the
clock, or the order in which trials finish (docs/architecture.md, "How a search flows").
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from ..algorithms.base import Compressed, Finalist, Inherit, Proposal, Result, TrialPhase
from ..algorithms.trials.ranking import Ranking
from ..algorithms.trials.unseen import complete
from ..base.compression import Compression, Narrowed
from ..base.growing import GrowingDict, GrowingSet, Records
from ..events import CandidateBorn, Cost, Fidelity, Incumbent, TrialTold
from ..spaces.genomes import Genome, canonical_json
from .budget import Meter
from .stop_reasons import Tried, of_trials
from .trial_work import cut_outcome
from .work import OUT_OF_SECONDS

REUSED_IN_A_ROW = 1000
"""So many reused trials one after another end a search: it is exhausted, has settled on few, or finds nothing new any more."""

TOLD = ("status", "reason", "metrics", "machine")
"""What is kept of an outcome."""


@dataclass
class OpenTrial:
    """A proposal with its number, waiting to be told. `copy_of`: the earlier trial whose result it takes."""

    number: int
    genome: Genome
    hash: str
    string: str
    parents: list[int]
    operator: str
    fidelity: dict[str, Any]
    declared: Cost
    key: str
    """What must be equal for a result to be reused."""
    copy_of: int | None = None
    generation: int = 0
    inherit: Inherit | None = None
    compress: Compression | None = None
    said: int | None = None
    """Set where the machine failed a group that it was in, and it is tried for itself: of how many epochs the group said the figures."""

    def to_tree(self) -> dict[str, Any]:
        declared, inherit = self.declared.model_dump(), inherit_tree(self.inherit)
        return _brief({**asdict(self), "genome": self.genome.to_json(), "declared": declared, "inherit": inherit}, "compress")

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> OpenTrial:
        genome, declared = Genome.from_json(tree["genome"]), Cost.model_validate(tree["declared"])
        given = {"genome": genome, "declared": declared, "inherit": _inherit(tree["inherit"]), "compress": _compress(tree.get("compress"))}
        return cls(**{**tree, **given})


def _brief(tree: dict[str, Any], name: str) -> dict[str, Any]:
    """What was never asked for is not written: a tree from before it could be has the same form."""
    return {key: value for key, value in tree.items() if key != name or value is not None}


def _inherit(tree: dict[str, Any] | None) -> Inherit | None:
    if tree is None:
        return None
    return Inherit(trial=tree["trial"], parts=tuple(tree["parts"]), morphs=tuple(tree["morphs"]) if "morphs" in tree else None)


def inherit_tree(inherit: Inherit | None) -> dict[str, Any] | None:
    """Morphs stand there only where weights are morphed."""
    if inherit is None:
        return None
    tree = {"trial": inherit.trial, "parts": list(inherit.parts)}
    return tree if inherit.morphs is None else {**tree, "morphs": list(inherit.morphs)}


def _compress(tree: dict[str, Any] | None) -> Compression | None:
    return None if tree is None else Compression.from_json(tree)


def compressed_of(tree: dict[str, Any] | None) -> Compressed | None:
    """What an outcome says of a network that was compressed."""
    if tree is None:
        return None
    before, after = tree["flops"]
    narrowed = tuple(map(Narrowed.from_json, tree.get("narrowed", ())))
    return Compressed(Genome.from_json(tree["genome"]), (before, after), dict(tree["widths"]), tree["plain"], narrowed)


def _compressed_tree(compressed: Compressed | None) -> dict[str, Any] | None:
    if compressed is None:
        return None
    given = {"genome": compressed.genome.to_json(), "flops": list(compressed.flops)}
    return {**asdict(compressed), **given, "narrowed": [layer.to_json() for layer in compressed.narrowed]}


def _result_tree(result: Result) -> dict[str, Any]:
    given = {"genome": result.genome.to_json(), "cost": result.cost.model_dump(), "compressed": _compressed_tree(result.compressed)}
    return _brief({**asdict(result), **given}, "compressed")


def _result(tree: dict[str, Any]) -> Result:
    given = {"genome": Genome.from_json(tree["genome"]), "cost": Cost.model_validate(tree["cost"])}
    return Result(**{**tree, **given, "compressed": compressed_of(tree.get("compressed"))})


def _proposal_tree(proposal: Proposal) -> dict[str, Any]:
    return _brief({**asdict(proposal), "genome": proposal.genome.to_json(), "inherit": inherit_tree(proposal.inherit)}, "compress")


def _proposal(tree: dict[str, Any]) -> Proposal:
    genome, parents, inherit = Genome.from_json(tree["genome"]), tuple(tree["parents"]), _inherit(tree["inherit"])
    return Proposal(**{**tree, "genome": genome, "parents": parents, "inherit": inherit, "compress": _compress(tree.get("compress"))})


def _told_tree(outcome: dict[str, Any]) -> list[Any]:
    # Only where it is so: a row from before networks were compressed has the same form.
    return [*(outcome[name] for name in TOLD), *([outcome["compressed"]] if outcome.get("compressed") else [])]


def _told(tree: list[Any]) -> dict[str, Any]:
    return dict(zip((*TOLD, "compressed"), tree, strict=False))


class Host(Protocol):
    """What the rounds need of the coordinator."""

    meter: Meter

    def declared_cost(
        self, genome: Genome, fidelity: dict[str, Any], inherit: Inherit | None, compress: Compression | None
    ) -> Cost: ...
    def turn(self, reason: str) -> None: ...
    def timed(self, outcome: dict[str, Any], compressed: Compressed | None) -> None: ...
    def forget(self, trials: list[int]) -> None: ...
    def instant(self, trial: OpenTrial) -> dict[str, Any] | None: ...
    def open_trial(self, trial: OpenTrial) -> None: ...
    def open_trials(self, trials: list[OpenTrial], together: int) -> None: ...
    def say(self, payload: Any, step: int) -> None: ...
    def describe(self, genome: Genome) -> tuple[str, str]: ...
    def fidelity(
        self, genome: Genome, asked: dict[str, Any], samples: float | None, compress: Compression | None = None
    ) -> Fidelity: ...
    def doubts(self, metrics: dict[str, float]) -> list[str]: ...


@dataclass
class TrialRounds:
    """The bookkeeping of one trial phase."""

    host: Host
    phase: TrialPhase
    metric: str
    simulated: bool
    max_failures: int
    first_number: int = 0
    together: int = 1
    """At most so many trials are trained together. Where a new one may be asked after every tell, so many, asked one after the other, are
    opened at once, those of equal shape as one piece of work; of a generation, which is asked as a whole, all are."""
    count_repeats: bool = True
    """Whether a trial that takes an earlier result counts as one of a budget in trials."""
    asked: int = 0
    open: list[OpenTrial] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    """Open trials that wait for others to be opened with."""
    results: dict[int, dict[str, Any]] = field(default_factory=dict)
    known: GrowingDict[str, int] = field(default_factory=GrowingDict)
    """Reuse key -> number of the trial that has (or will have) the result."""
    told: GrowingDict[int, dict[str, Any]] = field(default_factory=lambda: GrowingDict(_told_tree, _told))
    """Outcomes of told originals, for reuse: what `TOLD` names of them."""
    draining: str = ""
    """Why no more trials are asked (`stop_reasons.REASONS`); empty while asking."""
    drained: str = ""
    """The same in words, with its figures."""
    architectures: GrowingSet[str] = field(default_factory=GrowingSet)
    """Canonical hashes of what was asked."""
    repeated: int = 0
    """Told trials that took the result of an earlier one."""
    failures_in_row: int = 0
    reused_in_row: int = 0
    row_of: set[str] = field(default_factory=set)
    """Canonical hashes of those."""
    generation: int = 0
    generation_results: Records[Result] = field(default_factory=lambda: Records(_result_tree, _result))
    queue: Records[Proposal] = field(default_factory=lambda: Records(_proposal_tree, _proposal))
    best: float | None = None
    judged: int = 0
    """Trials that gave a result of their own: of so many the best is the best."""
    asked_at: GrowingDict[int, dict[str, Any]] = field(default_factory=GrowingDict)
    """Fidelities of the trials that asked for one."""
    compressed_so: GrowingDict[int, dict[str, Any]] = field(default_factory=GrowingDict)
    """How those were compressed that were."""
    failed_reason: str = ""
    cut_trials: int = 0
    """Trials that were asked and cut before they gave anything."""
    cut_architectures: int = 0
    """Architectures among them that were not told otherwise."""
    deaf: bool = False
    """Whether a trial was cut, so that the phase is told nothing more."""
    unheard: Ranking = field(init=False)
    """Results of a generation that the budget cut: never told, but they still count for the best."""

    def __post_init__(self) -> None:
        self.unheard = Ranking(self.metric)

    # ---------------------------------------------------------------- driving

    def deliver(self, number: int, outcome: dict[str, Any]) -> None:
        """Keep a finished trial's outcome until its tell; a second one for the same trial is ignored."""
        if number not in self.results and any(trial.number == number for trial in self.open):
            self.results[number] = outcome

    def deliver_of_group(self, number: int, outcome: dict[str, Any]) -> None:
        """`deliver` for a trial that was trained together with others. What the machine failed is tried for itself, since a group needs
        more memory than any of its trials; and from then on all are, or the next group would fail as well."""
        if not outcome["machine"]:
            self.deliver(number, outcome)
            return
        trial = next((trial for trial in self.open if trial.number == number), None)
        if trial is not None and number not in self.results and trial.said is None:
            self.together = 1
            trial.said = outcome["said"]
            self.host.open_trial(trial)

    def round(self) -> bool:
        """One tell or one ask. Returns False when nothing can be done now."""
        if self.finished:
            return False
        if self.held and self._opens_held:
            self._open_held()
            return True
        return self._generational() if self.phase.scheduling == "generational" else self._steady()

    @property
    def finished(self) -> bool:
        return bool(self.failed_reason) or (bool(self.draining) and not self.open and not self.generation_results)

    @property
    def told_trials(self) -> int:
        """Repeated ones included, and those of an open generation whose outcome is there."""
        return self.asked - len(self.open)

    @property
    def planned(self) -> int | None:
        """How many trials the phase asks, where a plan of its own ends it."""
        return self.phase.planned if self.phase.finite else None

    @property
    def at_once(self) -> int:
        """How many trials can be worked on at the same time: those of the window, or of the generation that is under way."""
        if self.phase.scheduling == "steady":
            return self.phase.window
        return max(1, len(self.queue) + len(self.open) + len(self.generation_results))

    def finalists(self) -> list[Finalist]:
        """The phase's best and those of a cut generation, best first; the earlier candidate wins a tie."""
        merged = [*self.phase.best(), *self.unheard.finalists()]
        if not self.unheard.finalists():
            return merged
        return sorted(merged, key=lambda item: (-(item.value if item.value is not None else -math.inf), item.candidate or 0))

    def _steady(self) -> bool:
        if not self.draining and len(self.open) < self.phase.window:
            self._ask_steady()
            return True
        return self._tell_head()

    @property
    def _opens_held(self) -> bool:
        """Whether no more trials come to those that are held back before one of them must be told. Follows from asks and tells alone (and
        from the machine where that failed a group)."""
        if self.draining or self.together == 1:
            return True
        if self.phase.scheduling == "generational":
            return not self.queue
        return len(self.open) >= self.phase.window and self.open[0].number in self.held

    def _open_held(self) -> None:
        self.host.open_trials([trial for trial in self.open if trial.number in self.held], self.together)
        self.held = []

    def _ask_steady(self) -> None:
        if not self._budget_allows():
            self._drain("budget")
            return
        proposals = self.phase.ask()
        if not proposals:
            self._drain(self.phase.stop_reason)
            return
        self._open(proposals[0])

    def _generational(self) -> bool:
        if self.queue:
            # A generation is cut proposal by proposal by the budget's test; the cut one is never told.
            if not self._budget_allows():
                self._cut("budget")
            else:
                self._open(self.queue.popleft())
            return True
        if self.open:
            return self._tell_head()
        if self.generation_results:
            results = list(self.generation_results)
            self.generation_results.clear()
            if not self.draining:
                self.phase.tell(results)
                self.host.forget(self.phase.forgotten())
            else:
                for result in results:
                    self.unheard.add(result, self.host.describe(result.genome)[0])
            return True
        if self.draining:
            return False
        if not self._budget_allows():
            self._drain("budget")
            return True
        self.queue.extend(self.phase.ask())
        if not self.queue:
            self._drain(self.phase.stop_reason)
            return True
        self.generation += 1
        return True

    @property
    def tried(self) -> Tried:
        trials, architectures = self.asked - self.cut_trials, len(self.architectures) - self.cut_architectures
        return Tried(trials, architectures, self.repeated, self.reused_in_row, len(self.row_of))

    def end(self) -> None:
        """Ask no more, because whoever owns the run wants it finished now."""
        if not self.draining:
            self._cut("ended")

    def _cut(self, reason: str) -> None:
        """Ask no more; what is left of the present generation goes."""
        self.host.turn(reason)
        self.queue.clear()
        self._drain(reason, turned=True)

    def _drain(self, reason: str, *, turned: bool = False) -> None:
        """Ask no more. `turned`: whether the host kept already what a longer search goes on with."""
        if not self.draining:
            if not turned:
                self.host.turn(reason)
            self.draining, self.drained = reason, of_trials(reason, self.tried)

    def open_again(self) -> None:
        """Open the work of the trials that are waited for, in a run that begins where another one was cut."""
        for trial in self.awaited:
            self.host.open_trial(trial)

    @property
    def awaited(self) -> list[OpenTrial]:
        """Trials whose work is open."""
        given = {*self.results, *self.held}
        return [trial for trial in self.open if trial.copy_of is None and trial.number not in given]

    def _budget_allows(self) -> bool:
        declared = Cost()
        for trial in self.open:
            declared = declared.plus(trial.declared)
        counted = sum(self.count_repeats or trial.copy_of is None for trial in self.open)
        return self.host.meter.allows(declared, counted)

    # ---------------------------------------------------------------- ask

    def _declared(self, asked: Proposal | OpenTrial) -> Cost:
        return self.host.declared_cost(asked.genome, asked.fidelity, asked.inherit, asked.compress)

    def _open(self, proposal: Proposal) -> None:
        hash_, string = self.host.describe(proposal.genome)
        compress = [] if proposal.compress is None else [proposal.compress.key]
        key = canonical_json([hash_, proposal.fidelity, inherit_tree(proposal.inherit), *compress])
        original = self.known.get(key) if self.phase.repeatable else None
        number = self.first_number + self.asked
        self.asked += 1
        if hash_ not in self.architectures:
            self.architectures.add(hash_)
        trial = OpenTrial(
            number=number,
            genome=proposal.genome,
            hash=hash_,
            string=string,
            parents=list(proposal.parents),
            operator=proposal.operator,
            fidelity=proposal.fidelity,
            declared=Cost() if original is not None else self._declared(proposal),
            key=key,
            copy_of=original,
            generation=self.generation,
            inherit=proposal.inherit,
            compress=proposal.compress,
        )
        self.host.say(
            CandidateBorn(
                number=number,
                parents=trial.parents,
                operator=trial.operator,
                genome=trial.genome.to_json(),
                genome_hash=hash_,
                string=string,
                fidelity=proposal.fidelity,
                inherited_from=proposal.inherit.trial if proposal.inherit else None,
                inherited_parts=list(proposal.inherit.parts) if proposal.inherit else [],
                architectures=len(self.architectures),
            ),
            number,
        )
        self.open.append(trial)
        if original is None:
            if self.phase.repeatable:
                self.known[key] = number
            instant = self.host.instant(trial)
            if instant is not None:
                self.results[number] = instant
            elif self.together > 1:
                self.held.append(number)
                # A generation is asked as a whole before anything of it is told: it is looked through as a whole for equal shapes.
                if len(self.held) >= self.together and self.phase.scheduling == "steady":
                    self._open_held()
            else:
                self.host.open_trial(trial)

    # ---------------------------------------------------------------- tell

    def _tell_head(self) -> bool:
        if not self.open:
            return False
        trial = self.open[0]
        if trial.copy_of is not None:
            # What was cut left no result to take.
            outcome = self.told.get(trial.copy_of) or cut_outcome(OUT_OF_SECONDS, Cost(), 0.0)
            cost = Cost()
            if outcome.get("machine"):
                # A failure of the machine says nothing about the genome: the copy is tried for itself.
                trial.copy_of = None
                self.known[trial.key] = trial.number
                trial.declared = self._declared(trial)
                self.host.open_trial(trial)
                return True
        elif trial.number in self.results:
            outcome = self.results.pop(trial.number)
            if outcome["status"] == "cancelled" and not self.draining:
                # Before it is told: in a longer search it is done.
                self.host.turn("budget")
            cost = Cost.model_validate({**outcome["cost"], "seconds": outcome.get("seconds", 0.0)})
            if self.phase.repeatable and outcome["status"] != "cancelled":
                self.told[trial.number] = {"machine": False} | {name: outcome[name] for name in (*TOLD, "compressed") if name in outcome}
        else:
            return False
        self.open.pop(0)
        self._tell(trial, outcome, cost)
        return True

    def _tell(self, trial: OpenTrial, outcome: dict[str, Any], cost: Cost) -> None:
        status, metrics = outcome["status"], {name: value for name, value in outcome["metrics"].items() if math.isfinite(value)}
        if status == "completed" and self.metric not in metrics:
            what = "is not a number" if self.metric in outcome["metrics"] else "is missing"
            status, outcome = "failed", {**outcome, "reason": f"{self.metric} {what} in the evaluation's result"}
        cut = status == "cancelled"
        self.host.meter.charge(cost, trials=int(not cut and (self.count_repeats or trial.copy_of is None)))
        result = Result(
            number=trial.number,
            genome=trial.genome,
            status=status,
            metrics=metrics,
            cost=cost,
            reason=outcome["reason"],
            reused_from=None if cut else trial.copy_of,
            compressed=compressed_of(outcome.get("compressed")),
        )
        self.host.timed(outcome, result.compressed)
        self.host.say(
            TrialTold(
                number=trial.number,
                candidate=trial.number,
                status=status,
                reason=outcome["reason"],
                metrics=metrics,
                # Seconds are not science: two equal runs differ in them.
                cost=cost.model_copy(update={"seconds": 0.0}),
                reused_from=result.reused_from,
                simulated=self.simulated,
                warnings=self.host.doubts(metrics) if result.ok else [],
                charged_samples=self.host.meter.cost.samples,
                charged_trials=self.host.meter.trials,
            ),
            trial.number,
        )
        if cut:
            # The budget in seconds ended it. The algorithm hears neither of it nor of what was asked later: an update without it would be
            # another algorithm. Later results still count for the best.
            self._drain("budget", turned=True)
            self.deaf = True
            self.cut_trials += 1
            self.cut_architectures += trial.copy_of is None
            return
        self._count(result, trial.hash)
        if trial.fidelity:
            self.asked_at[trial.number] = trial.fidelity
        if trial.compress is not None:
            self.compressed_so[trial.number] = trial.compress.to_json()
        self.judged += result.ok and result.reused_from is None
        if result.ok and (self.best is None or metrics[self.metric] > self.best):
            self.best = metrics[self.metric]
            # What has that score: the compressed network where it was compressed, though the search goes on from its genome.
            hash_, string = (trial.hash, trial.string) if result.compressed is None else self.host.describe(result.scored)
            self.host.say(
                Incumbent(
                    candidate=trial.number,
                    metric=self.metric,
                    value=self.best,
                    fidelity=self.host.fidelity(
                        trial.genome, trial.fidelity, cost.samples if result.reused_from is None else None, trial.compress
                    ),
                    selected_from=self.judged,
                    genome=result.scored.to_json(),
                    genome_hash=hash_,
                    string=string,
                ),
                trial.number,
            )
        if self.phase.scheduling == "generational":
            self.generation_results.append(result)
        elif self.deaf:
            self.unheard.add(result, trial.hash)
        else:
            self.phase.tell([result])
            self.host.forget(self.phase.forgotten())

    def _count(self, result: Result, hash_: str) -> None:
        if result.reused_from is not None:
            self.repeated += 1
            self.reused_in_row += 1
            self.row_of.add(hash_)
        else:
            self.reused_in_row = 0
            self.row_of.clear()
        if self.reused_in_row >= REUSED_IN_A_ROW and not self.phase.finite and not self.draining:
            self._drain("exhausted" if complete(self.phase.context.space, self.architectures) else self.tried.row_reason)
        # A reused failure is the same failure again, not one more.
        if result.status == "failed" and result.reused_from is None:
            self.failures_in_row += 1
            if self.failures_in_row >= self.max_failures:
                self.failed_reason = f"{self.failures_in_row} trials failed in a row; the last one: {result.reason}"
        elif result.ok:
            self.failures_in_row = 0

    # ---------------------------------------------------------------- state

    def state_dict(self) -> dict[str, Any]:
        return {
            "first_number": self.first_number,
            "asked": self.asked,
            "open": [trial.to_tree() for trial in self.open],
            "held": list(self.held),
            "together": self.together,
            "results": {str(number): outcome for number, outcome in self.results.items()},
            "known": self.known.state_dict(),
            "told": self.told.state_dict(),
            "draining": self.draining,
            "drained": self.drained,
            "deaf": self.deaf,
            "cut_trials": self.cut_trials,
            "cut_architectures": self.cut_architectures,
            "architectures": self.architectures.state_dict(),
            "repeated": self.repeated,
            "row_of": sorted(self.row_of),
            "failures_in_row": self.failures_in_row,
            "reused_in_row": self.reused_in_row,
            "generation": self.generation,
            "generation_results": self.generation_results.state_dict(),
            "queue": self.queue.state_dict(),
            "best": self.best,
            "judged": self.judged,
            "asked_at": self.asked_at.state_dict(),
            "unheard": self.unheard.state_dict(),
            "failed_reason": self.failed_reason,
            **({"compressed_so": self.compressed_so.state_dict()} if len(self.compressed_so) else {}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in (
            "first_number",
            "asked",
            "draining",
            "drained",
            "deaf",
            "cut_trials",
            "cut_architectures",
            "repeated",
            "failures_in_row",
            "reused_in_row",
            "generation",
            "best",
            "judged",
            "failed_reason",
        ):
            setattr(self, name, state[name])
        for name in ("architectures", "unheard", "known", "told", "asked_at", "generation_results", "queue"):
            getattr(self, name).load_state_dict(state[name])
        if "compressed_so" in state:
            self.compressed_so.load_state_dict(state["compressed_so"])
        self.open = [OpenTrial.from_tree(tree) for tree in state["open"]]
        self.held = list(state["held"])
        self.row_of = set(state["row_of"])
        self.together = state.get("together", self.together)
        self.results = {int(number): outcome for number, outcome in state["results"].items()}
