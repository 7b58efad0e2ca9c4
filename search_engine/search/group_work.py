"""Several trials of equal shape as one piece of work: each as it would be alone, all in one stack of weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import TrialFailure
from ..base.lazy import load_object
from ..catalogue.config import CheckedRun
from ..events import Cost, Event, EventLog, Metrics
from .trial_work import GenomeWork, TrialWork, cut_outcome
from .work import Progress, WorkSpec

if TYPE_CHECKING:
    from torch import nn

    from ..training.group_trainer import GroupTrainer


class _Logs:
    """The event logs of the members, as one."""

    def __init__(self, sources: list[str]) -> None:
        self.own = [EventLog(source) for source in sources]

    def drain(self) -> list[Event]:
        return [event for log in self.own for event in log.drain()]

    def state_dict(self) -> dict[str, Any]:
        return {"own": [log.state_dict() for log in self.own]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for log, kept in zip(self.own, state["own"], strict=True):
            log.load_state_dict(kept)


class GroupWork(GenomeWork):
    """Arguments: `members`, the specs of its trials (`TrialWork`) in ask order; its index is the first one's.

    First every member's network is made, one a unit; then all are trained, one step of all a unit. What would end any trial alone and hangs
    on no member (memory, a layer that does not run) ends all that are not done. The outcome has `members`: each one's own under its source,
    with `said`, how many epochs' figures it said: who tries it again after a failure of the machine does not say them twice.
    """

    log: Any

    def __init__(self, spec: WorkSpec, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        specs = [WorkSpec.model_validate(member) for member in spec.arguments["members"]]
        self.trials = [TrialWork(member, checked, data_dir, run_dir) for member in specs]
        super().__init__(spec, self.trials[0].seed)
        self.log = _Logs([member.source for member in specs])
        self.checked = checked
        self.networks: list[nn.Module] = []
        """Those of the trials whose network could be made."""
        self.made = 0
        """How many trials were looked at for that."""
        self.initial_costs: list[Cost] = []
        self.stacked: list[int] = []
        """The places of the trials in the trainer."""
        self.trainer: GroupTrainer | None = None

    def _begin(self) -> None:
        from ..training import device

        self.device = device.resolve(self.checked.config.device)

    def _advance(self) -> None:
        if self.made < len(self.trials):
            self._make(self.trials[self.made])
            self.made += 1
            if self.made == len(self.trials) and self.stacked:
                self.trainer = self._trainer(self.networks)
                self.networks = []
            return
        assert self.trainer is not None
        self.trainer.advance()
        for row, place in enumerate(self.stacked):
            for report in self.trainer.epoch_reports(row):
                values = {name: value for name, value in report.items() if name != "epoch"}
                epoch = int(report["epoch"])
                self.log.own[place].add(Metrics(step=epoch, samples=self._cost(place).samples, values=values), epoch)

    def _make(self, trial: TrialWork) -> None:
        """The trial's network as it begins, under the generators that it would have alone."""
        cost = Cost()

        def build() -> None:
            nonlocal cost
            network = self._build(trial)
            if self.checked.space.initialiser:
                start = load_object(self.checked.space.initialiser)
                data = trial.resources.search_data
                space = trial.resources.space
                cost = start(network.to(self.device), trial.genome, space, data, trial.training, trial.seed, self.device) or cost
            self.networks.append(network)
            self.stacked.append(self.made)

        with trial.generators.active():
            trial._guarded(build)
        self.initial_costs.append(cost)

    def _build(self, trial: TrialWork) -> nn.Module:
        network: nn.Module = load_object(self.checked.space.builder)(trial.resources.space, trial.genome, "trial", trial.training)
        return network

    def _trainer(self, networks: list[nn.Module]) -> GroupTrainer:
        from ..training.group_trainer import GroupTrainer

        trials = [self.trials[place] for place in self.stacked]
        return GroupTrainer(
            networks, trials[0].resources.search_data, [trial.training for trial in trials], [trial.seed for trial in trials], self.device,
            objective=self.checked.objective,
        )

    def _done(self) -> bool:
        return self.made == len(self.trials) and (self.trainer is None or self.trainer.finished)

    def _cost(self, place: int) -> Cost:
        initial = self.initial_costs[place] if place < len(self.initial_costs) else Cost()
        if self.trainer is None or place not in self.stacked:
            return initial
        return self.trainer.cost(self.stacked.index(place)).plus(initial)

    @property
    def cost(self) -> Cost:
        total = Cost()
        for place in range(len(self.trials)):
            total = total.plus(self._cost(place))
        return total

    @property
    def machine_failed(self) -> bool:
        return super().machine_failed or any(trial.machine_failed for trial in self.trials)

    def outcome(self) -> dict[str, Any]:
        members = {trial.spec.source: self._outcome(place) for place, trial in enumerate(self.trials)}
        return group_outcome(members)

    def _outcome(self, place: int) -> dict[str, Any]:
        failure = self.trials[place].failure
        done = self.trainer is not None and place in self.stacked and self.trainer.members[self.stacked.index(place)].done
        if self.cut and failure is None and not done:
            return cut_outcome(self.cut, self._cost(place), self.seconds / len(self.trials))
        metrics: dict[str, float] = {}
        said = 0
        if failure is None and self.trainer is not None:
            row = self.stacked.index(place)
            failure = self.trainer.failure(row) or (None if self.trainer.members[row].done else self.failure)
            metrics = {} if failure else self.trainer.metrics(row)
            said = int(self.trainer.members[row].last.get("epoch", 0))
        elif failure is None:
            failure = self.failure
        return {
            "status": "failed" if failure else "completed",
            "reason": failure.reason if failure else "",
            "machine": failure.machine if failure else False,
            "metrics": metrics,
            "cost": self._cost(place).model_dump(),
            "seconds": self.seconds / len(self.trials),
            "said": said,
        }

    def progress(self) -> Progress:
        if self.trainer is None or self.failure is not None:
            return Progress(0, None, "starting")
        done, total = self.trainer.steps_done, self.trainer.steps_total
        return Progress(done, total, f"{len(self.stacked)} together at step {done} of {total}")

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "failures": [_failure_tree(trial.failure) for trial in self.trials]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict({name: value for name, value in state.items() if name != "failures"})
        for trial, kept in zip(self.trials, state["failures"], strict=True):
            trial.failure = None if kept is None else TrialFailure(kept[0], machine=kept[1])

    def _state(self) -> dict[str, Any]:
        return {
            "made": self.made,
            "stacked": list(self.stacked),
            "initial_costs": [cost.model_dump() for cost in self.initial_costs],
            "networks": [{name: value.clone() for name, value in network.state_dict().items()} for network in self.networks],
            "trainer": None if self.trainer is None else self.trainer.state_dict(),
        }

    def _load(self, state: dict[str, Any]) -> None:
        self.made, self.stacked = state["made"], list(state["stacked"])
        self.initial_costs = [Cost.model_validate(cost) for cost in state["initial_costs"]]
        networks = [self._build(self.trials[place]) for place in self.stacked]
        if state["trainer"] is not None:
            self.trainer = self._trainer(networks)
            self.trainer.load_state_dict(state["trainer"])
            return
        self.networks = networks
        for network, kept in zip(networks, state["networks"], strict=True):
            network.load_state_dict(kept)


def group_outcome(members: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The outcome of a group from those of its trials, by their sources."""
    broken = next((own for own in members.values() if own["machine"]), None)
    return {"status": "completed", "reason": broken["reason"] if broken else "", "machine": broken is not None, "members": members}


def _failure_tree(failure: TrialFailure | None) -> list[Any] | None:
    return None if failure is None else [failure.reason, failure.machine]
