"""The coordinator of a run: which phase, which trials, when it ends, what the finale is. Pure state and rules.

It never trains (tables and objectives aside, which answer at once), reads no clock for science, and knows no database: whoever drives
it feeds outcomes of finished work and receives events and new work. `state_dict` is everything; two drivers that feed equal outcomes
in any order get equal science.
"""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..algorithms.base import Compressed, Context, Finalist, Inherit, Phase, StepPhase, TrialPhase
from ..base import checkpoint
from ..base.compression import Compression
from ..base.errors import BadInput, TrialFailure
from ..base.generators import derive_seed, random_state, restore_random
from ..base.migrations import Steps, expecting, migrated
from ..catalogue.config import CheckedRun
from ..datasets.base import Objective, Samples, Table
from ..events import ControlScored, Cost, Event, EventLog, Fidelity, Notice, Ops, PhaseStarted, RunCompleted, SearchStopped
from ..spaces import populations
from ..spaces.genomes import Genome
from . import continuation, data_record, starting_weights
from .alike import signature
from .budget import Meter, counted
from .declared_flops import DeclaredFlops
from .doubts import absurd_losses
from .finale import Finale
from .fold_work import declared_trial_cost
from .forecast import TrialPlan
from .phase_work import finalist_tree, migrated_phase, phase_title
from .resources import Resources
from .scores import FORMULA, compressed_first, looked_up, of_trial
from .speed_up import SpeedUp
from .starting_weights import weights_file
from .stop_reasons import ENDED, Tried, of_steps
from .trial_rounds import OpenTrial, TrialRounds, inherit_tree
from .trial_work import genome_training
from .work import Progress, WorkSpec

STATE_VERSION = 5
"""Rises when the form of `Coordinator.state_dict` changes, or of what is part of it (rounds, finale, meter, log)."""
STATE_STEPS: Steps = {}
"""How a state of an earlier version becomes one of the next (`base.migrations`); with a phase's own state, which has its own steps."""


@dataclass
class Step:
    """What one call of `advance` gave."""

    events: list[Event]
    opened: list[WorkSpec]
    more: bool
    """Whether it stopped only because its time or its number of events was up: call again soon."""
    status: str
    reason: str
    charged: dict[str, float] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    """Files of the run (paths under its folder) that nothing needs any more once this step is committed."""


class Coordinator:
    """One run's search, from its first ask to its last model."""

    def __init__(self, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        self.checked = checked
        self.run_dir = run_dir
        self.resources = Resources(checked, data_dir, run_dir)
        self.meter = Meter(checked.budget)
        self.declared_flops = DeclaredFlops(checked, self.resources)
        self.log = EventLog("run")
        self.status = "running"
        self.reason = ""
        self.stop_reason = ""
        self.stop_message = ""
        """The same in words, with its figures."""
        self.tried: Tried | None = None
        """What the search by trials proposed; None where there was none."""
        self.phase_index = -1
        self.phase: Phase | None = None
        self.rounds: TrialRounds | None = None
        self.phase_outcome: dict[str, Any] | None = None
        self.handover: dict[str, Any] | None = None
        self.numbers = 0
        self.machine_failures = 0
        """Outcomes spoilt by the machine rather than by a genome: with any, another run may go another way."""
        self.finalists: list[dict[str, Any]] = []
        self.baselines: list[dict[str, Any]] = []
        self.apart = Cost()
        """What the controls used: reported, not charged."""
        self.data_warnings: list[str] = []
        """What there is to know of the data before a score on them is believed."""
        self.finale = Finale(self)
        self.speed_up = SpeedUp()
        """Of the trials that were compressed; of seconds, never science."""
        self.ending = False
        """Whether the search is to end now, whatever its budget has left."""
        self.awaited: list[int] = []
        """Trials that were open where the search was cut, and whose results a longer search takes (`continuation`)."""
        self.late: dict[str, dict[str, Any]] = {}
        """What those gave since."""
        self._data_recorded = False
        """Whether this process has seen to it."""
        self._opened: list[WorkSpec] = []
        self._obsolete: list[str] = []

    # ---------------------------------------------------------------- driving

    def advance(
        self, outcomes: dict[str, dict[str, Any]] | None = None, seconds: float = 1.0, events: int | None = None
    ) -> Step:
        """Take outcomes of finished work (keyed by source, for example "trial:3") and go as far as possible, for about `seconds`
        or `events` (None: any number): what a step says is written in one commit. Where it stops never changes what comes.

        Outcomes of unknown or already taken work are ignored, so delivering one twice changes nothing.
        """
        started = time.perf_counter()
        if not self._data_recorded:
            self._record_data()
        for source, outcome in (outcomes or {}).items():
            self._deliver(source, outcome)
        more = False
        while self.status == "running" and self._progress():
            if time.perf_counter() - started >= seconds or (events is not None and self.log.pending >= events):
                more = self.status == "running"
                break
        obsolete, self._obsolete = self._obsolete, []
        return Step(self.log.drain(), self.opened(), more, self.status, self.reason, self.meter.totals(), obsolete)

    def _record_data(self) -> None:
        """With which data the run begins. What lies there of a beginning that was never committed is replaced; a run that an earlier
        version began, without a record, is held to what its files are now."""
        begins = self.phase_index < 0
        if begins or data_record.read(self.run_dir) is None:
            data_record.write(self.run_dir, self.resources.all_files())
            self.resources.look_again()
        self._data_recorded = True

    def _deliver(self, source: str, outcome: dict[str, Any]) -> None:
        if "members" in outcome:
            for member, own in outcome["members"].items():
                self.machine_failures += bool(own["machine"])
                if self.rounds is not None:
                    number = int(member.partition(":")[2])
                    self._keep_late(number, own)
                    self.rounds.deliver_of_group(number, own)
            return
        self.machine_failures += bool(outcome.get("machine"))
        kind, _, index = source.partition(":")
        if kind == "trial" and self.rounds is not None:
            self._keep_late(int(index), outcome)
            self.rounds.deliver(int(index), outcome)
        elif kind == "phase" and int(index) == self.phase_index and self.phase_outcome is None:
            self.phase_outcome = outcome
        elif kind == "final":
            self.finale.deliver(int(index), outcome)

    # ---------------------------------------------------------------- more, or enough

    def finish_now(self) -> None:
        """End the search where it is, as if its budget were used up, and go on to the finale. A search by steps is ended by whoever drives
        its phase (`PhaseWork.end`)."""
        self.ending = True

    def turn(self, reason: str) -> None:
        """Keep what a longer search goes on with; called before anything says that this one is over."""
        if not isinstance(self.phase, TrialPhase) or self.phase.keeps_weights or self.rounds is None:
            return
        if reason not in ("budget", "ended") and not (reason == "horizon" and self.phase.lengthened_by):
            return
        self._keep(self.phase.lengthened_by if reason == "horizon" else "")
        self.awaited = [trial.number for trial in self.rounds.awaited]

    def _keep(self, option: str) -> None:
        continuation.forget(self.run_dir, phase=self.rounds is not None)
        # A longer search is not to end where its owner ended this one.
        state = {name: value for name, value in self.state_dict().items() if name != "ending"}
        continuation.keep_search(self.run_dir, state, option, self.meter.charged)
        self.say(Ops(what=continuation.TURNED, message="nothing new is asked for from here on: a longer search begins here"), 0)

    def _keep_late(self, number: int, outcome: dict[str, Any]) -> None:
        if number in self.awaited and outcome["status"] != "cancelled" and not outcome["machine"]:
            self.late[str(number)] = outcome

    def opened(self) -> list[WorkSpec]:
        """Work that was opened since the last step."""
        opened, self._opened = self._opened, []
        return opened

    def take_up(self, state: dict[str, Any], outcomes: dict[str, dict[str, Any]]) -> None:
        """Begin where a shorter search was cut: with its state there, and with what its open trials gave since."""
        self.load_state_dict(state)
        if self.rounds is not None:
            for number, outcome in outcomes.items():
                self.rounds.deliver(int(number), outcome)
            self.rounds.open_again()
        else:
            self._open_phase(self.phase_index, taken_up=continuation.PHASE)

    def _progress(self) -> bool:
        if self.finale.started:
            return self._finish_finale()
        if self.phase is None:
            following = self._following()
            if following is None:
                return self._start_finale()
            return self._start_phase(following)
        if self.rounds is not None:
            return self._trial_phase(self.rounds)
        return self._step_phase()

    # ---------------------------------------------------------------- phases

    def _following(self) -> int | None:
        """The phase that comes next: after the search has stopped only controls; None = the finale."""
        phases = self.checked.phases()
        later = range(self.phase_index + 1, len(phases))
        return next((index for index in later if phases[index].control or not self.stop_reason), None)

    def _start_phase(self, index: int) -> bool:
        phase = self._make_phase(index)
        self.phase_index = index
        self.phase_outcome = None
        self.phase = phase
        if index == 0:
            self._review_data()
        self.say(PhaseStarted(phase=index, name=phase.name, title=phase.title, language=phase.language, horizon=self.horizon), index)
        if isinstance(phase, StepPhase):
            self._open_phase(index)
        return True

    def _open_phase(self, index: int, **arguments: Any) -> None:
        self.open(WorkSpec(kind="phase", index=index, arguments={"charged": self.meter.state_dict(), **arguments}), self.handover)

    def _review_data(self) -> None:
        self.data_warnings = self.resources.data_warnings
        for sentence in self.data_warnings:
            self.say(Notice(name="data", message=sentence), 0)

    def _make_phase(self, index: int) -> Phase:
        """The phase, begun where the coordinator itself drives it (trial phases)."""
        phase = self.checked.phases()[index]
        self.rounds = None
        if isinstance(phase, TrialPhase):
            seed = derive_seed(self.checked.config.seed, "phase", index)
            context = Context(
                space=self.resources.space,
                options=self.checked.options,
                seed=seed,
                rng=random.Random(derive_seed(seed, "decisions")),
                metric=self.checked.metric,
                log=self.log,
                given=self.resources.given,
                population=self.resources.population,
                keep_population=lambda config, individuals: populations.keep(config, individuals, self.run_dir),
            )
            phase.begin(context, self.handover)
            self.rounds = TrialRounds(
                host=self,
                phase=phase,
                metric=self.checked.metric,
                simulated=self.checked.dataset.provides != "samples",
                max_failures=self.checked.config.max_failures,
                first_number=self.numbers,
                together=1 if phase.keeps_weights else self.checked.config.together,
                count_repeats=self.checked.config.count_repeats,
            )
        return phase  # type: ignore[no-any-return]

    def _trial_phase(self, rounds: TrialRounds) -> bool:
        if rounds.failed_reason:
            return self._fail(rounds.failed_reason)
        if self.ending:
            rounds.end()
        if not rounds.finished:
            return rounds.round()
        continuation.keep_outcomes(self.run_dir, self.late)
        self.awaited, self.late = [], {}
        assert self.phase is not None
        self.numbers = rounds.first_number + rounds.asked
        finalists = [self._trial_finalist(item, rounds) for item in rounds.finalists()]
        if not finalists and rounds.asked == 0:
            return self._fail("the budget does not allow a single trial")
        baselines = [self._with_weights(finalist_tree(item)) for item in self.phase.baselines()]
        self.tried = rounds.tried
        self._end_phase(rounds.draining, rounds.drained, finalists, baselines, self.phase.handover())
        return True

    def _trial_finalist(self, finalist: Finalist, rounds: TrialRounds) -> dict[str, Any]:
        """With what its value was measured at, and of how many trials it was chosen."""
        asked = rounds.asked_at.get(finalist.candidate, {}) if finalist.candidate is not None else {}
        so = rounds.compressed_so.get(finalist.candidate) if finalist.candidate is not None else None
        fidelity = self.fidelity(finalist.genome, asked, None, None if so is None else Compression.from_json(so))
        tree = self._with_weights(finalist_tree(finalist))
        return {**tree, "selected_from": max(1, rounds.judged), "fidelity": fidelity.model_dump()}

    def _with_weights(self, entrant: dict[str, Any]) -> dict[str, Any]:
        """The entrant of a phase whose finale goes on, with what its trial left: its file may go before the finale ends."""
        if not isinstance(self.phase, TrialPhase) or not self.phase.goes_on or entrant["candidate"] is None:
            return entrant
        return {**entrant, "init": {"network": starting_weights.read(self.run_dir, entrant["candidate"])["weights"]}}

    def _step_phase(self) -> bool:
        outcome = self.phase_outcome
        if outcome is None:
            return False
        self.phase_outcome = None
        cost = Cost.model_validate({**outcome["cost"], "seconds": outcome["seconds"]})
        if self.phase is not None and self.phase.control:
            return self._end_control(self.phase, outcome, cost)
        if outcome["status"] == "completed" and (option := outcome.get("turned")) is not None:
            self._keep(option)
        self.meter.charge(cost)
        if outcome["status"] != "completed":
            return self._fail(outcome["reason"])
        self._end_phase(outcome["reason"], of_steps(outcome["reason"]), outcome["finalists"], outcome["baselines"], outcome["handover"])
        return True

    def _end_control(self, phase: Phase, outcome: dict[str, Any], cost: Cost) -> bool:
        """A control that fails is a result like another: the search stands without it."""
        self.apart = self.apart.plus(cost)
        if outcome["status"] != "completed":
            message = f"the control could not be finished: {outcome['reason']}"
            self.say(ControlScored(name=phase.name, title=phase.title, message=message, values={}), self.phase_index)
        self.phase = None
        return True

    def _end_phase(
        self, stop_reason: str, message: str, finalists: list[dict[str, Any]], baselines: list[dict[str, Any]],
        handover: dict[str, Any] | None,
    ) -> None:
        self.handover = handover
        self.finalists = finalists or self.finalists
        self.baselines = baselines or self.baselines
        self.phase, self.rounds = None, None
        phases = self.checked.phases()
        last = self.phase_index + 1 >= len(phases) or phases[self.phase_index + 1].control
        if not last and stop_reason not in ("budget", "ended"):
            return
        self.stop_reason, self.stop_message = stop_reason, message
        tried = self.tried
        self.say(
            SearchStopped(
                reason=stop_reason,
                message=message,
                charged_samples=self.meter.cost.samples,
                charged_trials=self.meter.trials,
                charged_flops=self.meter.cost.flops,
                architectures=None if tried is None else tried.architectures,
                repeated=None if tried is None else tried.repeated,
                overshoot=0.0 if self._in_seconds else self.meter.overshoot,
            ),
            0,
        )

    def _start_finale(self) -> bool:
        if not self.finalists:
            why = f" within the budget of {self.checked.budget.limit:g} s" if self._in_seconds and self.checked.budget else ""
            return self._fail(f"no trial gave a result{why}")
        self.finale.start(self.finalists, self.baselines)
        return True

    @property
    def _in_seconds(self) -> bool:
        return self.checked.budget is not None and self.checked.budget.kind == "seconds"

    # ---------------------------------------------------------------- the end

    @property
    def ended_early(self) -> str:
        """What ended the search or a final training at a point that another run would not meet; empty where nothing did."""
        return ENDED if self.stop_reason == "ended" else self.finale.ended_early

    def _finish_finale(self) -> bool:
        if not self.finale.finished:
            return False
        if self.finale.failed_reason:
            return self._fail(self.finale.failed_reason)
        message = f"finished: {self.stop_message}"
        self.say(RunCompleted(reason=self.stop_reason, message=message), 0)
        self.status, self.reason = "completed", message
        return True

    def _fail(self, reason: str) -> bool:
        self.status, self.reason = "failed", reason
        return True

    @property
    def horizon(self) -> int | None:
        """Trials that the present phase plans; None where it plans none, or is one by steps, which says so itself."""
        return self.phase.horizon if isinstance(self.phase, TrialPhase) else None

    # ---------------------------------------------------------------- what rounds and finale use

    def say(self, payload: Any, step: int) -> None:
        self.log.add(payload, step)

    def open(self, spec: WorkSpec, arrays: dict[str, Any] | None = None) -> None:
        """Open work; `arrays` (a checkpoint tree) goes into a file of the run that the spec names."""
        if arrays is not None:
            name = f"artefacts/{spec.kind}-{spec.index}.safetensors"
            digest = checkpoint.write(self.run_dir / name, arrays)
            spec = spec.model_copy(update={"artefact": name, "arguments": {**spec.arguments, "artefact_digest": digest}})
        self._opened.append(spec)

    def open_trial(self, trial: OpenTrial) -> None:
        self.open(self._trial_spec(trial))

    def open_trials(self, trials: list[OpenTrial], together: int) -> None:
        """Open trials that were asked one after the other: those of equal shape as one piece of work, at most `together` in each, the
        others each for itself."""
        groups: dict[str, list[OpenTrial]] = {}
        for trial in trials:
            # A signature is no number: what cannot be trained together stands alone under one.
            groups.setdefault(self._alike(trial) or str(trial.number), []).append(trial)
        # By their first trial, so that what is told first is begun first.
        pieces = [group[first : first + together] for group in groups.values() for first in range(0, len(group), together)]
        for piece in sorted(pieces, key=lambda piece: piece[0].number):
            specs = [self._trial_spec(trial) for trial in piece]
            members = {"members": [spec.model_dump(mode="json") for spec in specs]}
            self.open(specs[0] if len(specs) == 1 else specs[0].model_copy(update={"arguments": members}))

    def _alike(self, trial: OpenTrial) -> str | None:
        if trial.inherit is not None or trial.compress is not None:
            return None
        try:
            training = genome_training(self.checked.config.training, self.resources.space, trial.genome, trial.fidelity)
        except BadInput:
            # Whoever works on the trial says so.
            return None
        return signature(self.checked, self.resources.space, trial.genome, training)

    def _trial_spec(self, trial: OpenTrial) -> WorkSpec:
        arguments: dict[str, Any] = {"genome": trial.genome.to_json(), "hash": trial.hash, "fidelity": trial.fidelity}
        if trial.inherit is not None:
            arguments["inherit"] = inherit_tree(trial.inherit)
        if trial.compress is not None:
            arguments["compress"] = trial.compress.to_json()
        if isinstance(self.phase, TrialPhase) and self.phase.keeps_weights:
            arguments["keep"] = True
        if trial.said is not None:
            arguments["said"] = trial.said
        return WorkSpec(kind="trial", index=trial.number, arguments=arguments)

    def forget(self, trials: list[int]) -> None:
        """No later trial inherits from these."""
        self._obsolete += [weights_file(trial) for trial in trials]

    def timed(self, outcome: dict[str, Any], compressed: Compressed | None) -> None:
        """Say what compressing has taken and saved so far, where it was done; what was trained for comparison is not charged."""
        if "apart" in outcome:
            self.apart = self.apart.plus(Cost.model_validate(outcome["apart"]))
        timing = outcome.get("timing")
        if timing is None or compressed is None:
            return
        self.speed_up.add(compressed.flops, timing["epochs"], timing["phase_epochs"], timing["seconds"], timing["plain"])
        self.say(Ops(what="timing", message=self.speed_up.message(), values=self.speed_up.figures()), self.speed_up.trials)

    def declared_cost(
        self, genome: Genome, fidelity: dict[str, Any], inherit: Inherit | None = None, compress: Compression | None = None
    ) -> Cost:
        """What a trial will use, as far as that is known beforehand. Its FLOPs are counted only where they are the budget."""
        dataset = self.resources.dataset
        if isinstance(dataset, Samples):
            data = self.resources.search_data
            training = genome_training(self.checked.config.training, self.resources.space, genome, fidelity)
            cost = declared_trial_cost(training, data, self.checked.config.folds, compress)
            if inherit is not None and inherit.morphs is not None:
                # It is scored once before it is trained.
                cost = cost.plus(Cost(forward=len(data.validation)))
            if self.checked.budget is None or self.checked.budget.kind != "flops":
                return cost
            flops = self.declared_flops.of(genome, self.resources.space.hash(genome), training, cost)
            return cost.model_copy(update={"flops": flops})
        if isinstance(dataset, Table):
            string = self.resources.space.to_string(genome)
            return Cost(forward_backward=dataset.charge(genome, string, fidelity), flops=dataset.flops(genome, string, fidelity))
        return Cost(forward_backward=dataset.declared_samples)

    def instant(self, trial: OpenTrial) -> dict[str, Any] | None:
        """The outcome of a trial that needs no training, or None."""
        dataset = self.resources.dataset
        try:
            if isinstance(dataset, Table):
                answer = dataset.lookup(trial.genome, trial.string, trial.fidelity)
                return _instant_outcome(answer.metrics, Cost(forward_backward=answer.samples, flops=answer.flops))
            if isinstance(dataset, Objective):
                reward = dataset.reward(trial.genome)
                return _instant_outcome({self.checked.metric: reward}, Cost(forward_backward=dataset.declared_samples))
        except TrialFailure as failure:
            outcome = _instant_outcome({}, trial.declared)
            return {**outcome, "status": "failed", "reason": failure.reason, "machine": failure.machine}
        return None

    def fidelity(
        self, genome: Genome, asked: dict[str, Any], samples: float | None, compress: Compression | None = None
    ) -> Fidelity:
        """What a trial of `genome` at the fidelity that was asked for gives its network."""
        dataset = self.resources.dataset
        if isinstance(dataset, Table):
            return looked_up(dict(dataset.trial_at(asked)), samples)
        if isinstance(dataset, Objective):
            return FORMULA
        training = genome_training(self.checked.config.training, self.resources.space, genome, asked)
        found = of_trial(training, self.resources.space, genome, samples, self.checked.config.folds)
        return found if compress is None else compressed_first(found)

    def doubts(self, metrics: dict[str, float]) -> list[str]:
        """What makes the metrics of a trained trial say less than they seem to; nothing where a table or a formula answered."""
        if self.checked.dataset.provides != "samples":
            return []
        return absurd_losses(self.resources.space.task, metrics, [shape.classes for shape in self.resources.shapes])

    def describe(self, genome: Genome) -> tuple[str, str]:
        """(canonical hash, the space's own text)."""
        return self.resources.space.hash(genome), self.resources.space.to_string(genome)

    # ---------------------------------------------------------------- state

    @property
    def trial_plan(self) -> TrialPlan | None:
        """How far the search by trials is, and what it plans; None where there is none."""
        if self.rounds is not None:
            return TrialPlan.of(self.rounds.told_trials, self.rounds.planned, self.rounds.at_once)
        # Over: it was what it was.
        return None if self.tried is None else TrialPlan.of(self.tried.trials, self.tried.trials, 1)

    def progress(self) -> Progress:
        """How far the search is, in the budget's unit, or in trials where its own plan ends it first."""
        if self.finale.started:
            return Progress(1, 1, "training the best architecture" if self.status == "running" else self.reason)
        budget, planned = self.checked.budget, self.rounds.planned if self.rounds is not None else None
        if self.rounds is not None and planned is not None and (budget is None or (budget.kind == "trials" and planned < budget.limit)):
            told = self.rounds.told_trials
            return Progress(told, planned, f"{told:,} of {planned:,} planned trials")
        if budget is None:
            return Progress(0, None, "searching")
        return Progress(self.meter.charged, budget.limit, counted(self.meter.charged, budget))

    def state_dict(self) -> dict[str, Any]:
        trial_phase = self.phase if self.rounds is not None else None
        return {
            "version": STATE_VERSION,
            "status": self.status,
            "reason": self.reason,
            "stop_reason": self.stop_reason,
            "stop_message": self.stop_message,
            "tried": None if self.tried is None else asdict(self.tried),
            "phase_index": self.phase_index,
            "in_phase": self.phase is not None,
            "phase_version": trial_phase.state_version if trial_phase else None,
            "phase": trial_phase.state_dict() if trial_phase else None,
            "rng": random_state(trial_phase.context.rng) if trial_phase else None,
            "rounds": self.rounds.state_dict() if self.rounds else None,
            "phase_outcome": self.phase_outcome,
            "handover": self.handover,
            "numbers": self.numbers,
            "machine_failures": self.machine_failures,
            "finalists": self.finalists,
            "baselines": self.baselines,
            "apart": self.apart.model_dump(),
            "data_warnings": list(self.data_warnings),
            "meter": self.meter.state_dict(),
            "log": self.log.state_dict(),
            "finale": self.finale.state_dict(),
            # Only where it is so: the state of a search that compresses nothing has the same form as before.
            **({"speed_up": self.speed_up.state_dict()} if self.speed_up.trials else {}),
            **({"ending": True} if self.ending else {}),
            **({"awaited": self.awaited, "late": self.late} if self.awaited else {}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises CheckpointOutdated where another version wrote it from which no migration leads here."""
        state = migrated("the run", state, state["version"], STATE_VERSION, STATE_STEPS)
        for name in (
            "status",
            "reason",
            "stop_reason",
            "stop_message",
            "phase_index",
            "handover",
            "numbers",
            "machine_failures",
            "finalists",
            "baselines",
            "data_warnings",
            "phase_outcome",
        ):
            setattr(self, name, state[name])
        if "speed_up" in state:
            self.speed_up.load_state_dict(state["speed_up"])
        self.ending = state.get("ending", False)
        self.awaited, self.late = state.get("awaited", []), state.get("late", {})
        self.meter.load_state_dict(state["meter"])
        self.apart = Cost.model_validate(state["apart"])
        self.tried = None if state["tried"] is None else Tried(**state["tried"])
        self.phase = self._make_phase(self.phase_index) if state["in_phase"] else None
        if self.rounds is not None and isinstance(self.phase, TrialPhase):
            of_phase = migrated_phase(self.checked, self.phase, state["phase"], state["phase_version"])
            with expecting(phase_title(self.checked, self.phase)):
                self.phase.load_state_dict(of_phase)
            restore_random(self.phase.context.rng, state["rng"])
            self.rounds.load_state_dict(state["rounds"])
        self.finale.load_state_dict(state["finale"])
        # Last: what a phase said when it was built just now was said before.
        self.log.load_state_dict(state["log"])


def _instant_outcome(metrics: dict[str, float], cost: Cost) -> dict[str, Any]:
    return {"status": "completed", "reason": "", "machine": False, "metrics": metrics, "cost": cost.model_dump(), "seconds": 0.0}
