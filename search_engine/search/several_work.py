"""A finalist that is trained several times from as many seeds: each network is tested once, and one of them, or all of them as an ensemble,
is the model.

Which one is settled before any test part is opened: that with the best validation score, of equals the first; where nothing is left to
validate on, the first. Network number k of n is the same whatever n is, and the first is the one that a single training would give.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..base.checkpoint import copied
from ..base.errors import TrialFailure
from ..base.generators import derive_seed
from ..base.measures import of_seed, over_seeds_mean, over_seeds_se, split_of
from ..events import Cost, Fidelity, Score
from ..spaces.tasks import SCORES
from .final_work import FinalWork
from .judging import Judging, Look

if TYPE_CHECKING:
    import torch

    from ..training.joint import JointTrainer
    from ..training.trainer import Trainer


def over_seeds(metric: str, values: Sequence[float]) -> dict[str, float]:
    """A figure of each of n >= 1 networks, their mean, and the standard error of that (sample standard deviation, n - 1, over the root
    of n), which one network does not have. Means are exact sums divided once.

    >>> found = over_seeds("test_accuracy", [0.5, 0.7])
    >>> {name: round(value, 4) for name, value in found.items()}
    {'test_accuracy_seed_1': 0.5, 'test_accuracy_seed_2': 0.7, 'test_accuracy_seeds_mean': 0.6, 'test_accuracy_seeds_se': 0.1}
    """
    found = {of_seed(metric, place): value for place, value in enumerate(values)}
    found[over_seeds_mean(metric)] = statistics.fmean(values)
    if len(values) > 1:
        found[over_seeds_se(metric)] = statistics.stdev(values) / math.sqrt(len(values))
    return found


def chosen_by(metric: str, members: Sequence[dict[str, float]]) -> int:
    """The place of the network with the largest `metric`, of equals the first; the first where one lacks it. `metric` is of the validation
    part: nothing else chooses.

    >>> chosen_by("val_accuracy", [{"val_accuracy": 0.7}, {"val_accuracy": 0.9}, {"val_accuracy": 0.9}])
    1
    """
    if split_of(metric) != "val":
        raise ValueError(f"{metric} is no figure of the validation part")
    if any(metric not in figures for figures in members):
        return 0
    return max(range(len(members)), key=lambda place: (members[place][metric], -place))


class SeveralWork(FinalWork):
    """Arguments as of `FinalWork`, of a finalist on one data set that is retrained (the check refuses others). One training after the
    other, then one test after the other: that of the model last, since what stands beside its scores is made of its answers. One that
    fails ends the work with that reason."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        finale = self.checked.config.finale
        self.count: int = finale.seeds
        self.as_ensemble: bool = finale.ensemble
        self.members: list[dict[str, Any]] = []
        """The trainings that are done: `weights`, `metrics`, `cost`, `epochs`, `ended_early`."""
        self.tested: list[dict[str, float]] = []
        """Figures of the networks that were tested, in the order of `_subjects`."""
        self._since = 0.0
        """Seconds of the work before the training that is under way."""

    # ---------------------------------------------------------------- training

    @property
    def _training_now(self) -> bool:
        return len(self.members) < self.count

    @property
    def network_seed(self) -> int:
        return self._seed_of(len(self.members) if self._training_now else 0)

    def _seed_of(self, place: int) -> int:
        """Of a training; the first has the seed that a single one would have."""
        seed: int = self.seed
        return derive_seed(seed, "training", place) if place else seed

    @property
    def _seconds_of_training(self) -> float:
        return self.seconds - self._since

    def _epoch(self, epoch: int) -> int:
        return epoch + sum(int(member["epochs"]) for member in self.members)

    def _finish(self) -> None:
        try:
            super()._finish()
        except TrialFailure as failure:
            raise TrialFailure(
                f"training {len(self.members) + 1} of {self.count}: {failure.reason}", machine=failure.machine
            ) from failure

    def _trained(self, trainer: Trainer | JointTrainer) -> None:
        self.members.append({
            "weights": copied(trainer.network.state_dict()), "metrics": dict(trainer.metrics()),
            "cost": self._finisher_cost.plus(trainer.cost).model_dump(), "epochs": trainer.epochs_done, "ended_early": self.ended_early,
        })  # fmt: skip
        self._finisher_cost, self._since = Cost(), self.seconds
        if self._training_now:
            self.ended_early = ""
            self._next_training()
            return
        ended = [(place, member["ended_early"]) for place, member in enumerate(self.members, start=1) if member["ended_early"]]
        self.ended_early = "; ".join(f"{said} (training {place} of {self.count})" for place, said in ended)
        self.stage = "test"

    def _next_training(self) -> None:
        """The next network, under generators of its own: it is the same however many come before it."""
        self.generators.restart(derive_seed(self.network_seed, "global"))
        self.initialised = not self.checked.space.initialiser
        self.network, training = self._fresh()
        self.trainer = self._make_trainer(self.network, training)

    # ---------------------------------------------------------------- which is the model

    @property
    def chosen(self) -> int:
        """The place of the network that is the model where that is one of them."""
        metrics = [member["metrics"] for member in self.members]
        # The run's own measure where the training took it, else the task's.
        own, of_task = self.checked.metric, f"val_{SCORES[self.resources.space.task]}"
        return chosen_by(own if split_of(own) == "val" and own in metrics[0] else of_task, metrics)

    @property
    def _subjects(self) -> list[int | None]:
        """What is tested, in this order: places of networks, and None for the ensemble of all. The last one is the model."""
        places: list[int | None] = [place for place in range(self.count) if self.as_ensemble or place != self.chosen]
        return [*places, None if self.as_ensemble else self.chosen]

    def _network_of(self, subject: int | None) -> torch.nn.Module:
        if subject is not None:
            network, _ = self._fresh()
            network.load_state_dict(self.members[subject]["weights"])
            return network.eval()
        from ..bundle.ensemble import Ensemble

        return Ensemble([self._network_of(place) for place in range(self.count)], self.resources.space.task).eval()

    # ---------------------------------------------------------------- tests

    def _test(self) -> None:
        if self.judging is None:
            self._take_up()
        super()._test()

    def _take_up(self) -> None:
        """The next network to be tested."""
        subject = self._subjects[len(self.tested)]
        self.network = self._network_of(subject)
        self.metrics = {} if subject is None else dict(self.members[subject]["metrics"])

    def _open_judging(self) -> Judging:
        judging = super()._open_judging()
        self.visits = len(self.tested) + 1
        return judging

    def _judged_by(self, judging: Judging) -> None:
        if self._subjects[len(self.tested)] is None:
            self.metrics |= _of_validation(judging.looks, judging.figures)
        if len(self.tested) + 1 < len(self._subjects):
            self._score_retrained(judging)
            self.tested.append(self._finished_figures())
            self.scores = [Score.model_validate(item) for item in self.spec.arguments["search"]]
            self.by_class, self.metrics, self._tests = [], {}, {}
            return
        super()._judged_by(judging)
        self.tested.append(self._finished_figures())
        of_member = {place: figures for place, figures in zip(self._subjects, self.tested, strict=True) if place is not None}
        for name in self.tested[-1]:
            self.metrics |= over_seeds(name, [of_member[place][name] for place in range(self.count)])

    def _finished_figures(self) -> dict[str, float]:
        """The validation and the test score of the network that was just scored, by their names."""
        return {score.metric: score.value for score in self.scores if score.kind != "search"}

    def _fidelity(self, trainer: Trainer | JointTrainer) -> Fidelity:
        found = super()._fidelity(trainer)
        subject = self._subjects[len(self.tested)]
        if subject is None:
            text = f"the mean of {self.count} networks, each {found.text}"
        elif self.members[subject]["metrics"].keys().isdisjoint(_VALIDATION):
            text = f"{found.text}, number {subject + 1} of {self.count} trainings from different seeds"
        else:
            text = f"{found.text}, the best by validation of {self.count} trainings from different seeds"
        own = self.members if subject is None else [self.members[subject]]
        samples = sum(Cost.model_validate(member["cost"]).samples for member in own)
        return found.model_copy(update={"text": text, "samples": samples})

    def _kept_best_of(self, trainer: Trainer | JointTrainer) -> int:
        epochs = [member["epochs"] if trainer.config.early_stop else 1 for member in self.members]
        # An ensemble is not one of several, but each of its networks may be the best of its own epochs.
        return max(epochs) if self.as_ensemble else sum(epochs)

    # ---------------------------------------------------------------- for whoever looks

    @property
    def cost(self) -> Cost:
        total = super().cost if self._training_now else Cost() if self.study is None else self.study.cost
        for member in self.members:
            total = total.plus(Cost.model_validate(member["cost"]))
        return total

    @property
    def _steps(self) -> tuple[int, int]:
        """A training that ended early counts as a whole one."""
        if self.trainer is None:
            return 1, 0
        each = self.trainer.steps_total
        return self.count * each, len(self.members) * each + (self.trainer.steps_done if self._training_now else 0)

    def _training_in_words(self) -> str:
        each, done = (0, 0) if self.trainer is None else (self.trainer.steps_total, self.trainer.steps_done)
        return f"training {min(len(self.members) + 1, self.count)} of {self.count}, step {done} of {each}"

    # ---------------------------------------------------------------- state

    def _state(self) -> dict[str, Any]:
        # Their weights are never changed, so they need no copy.
        members, tested = [dict(member) for member in self.members], [dict(figures) for figures in self.tested]
        return {**super()._state(), "members": members, "tested": tested, "since": self._since}

    def _load(self, state: dict[str, Any]) -> None:
        self.members = [dict(member) for member in state["members"]]
        self.tested = [dict(figures) for figures in state["tested"]]
        self._since = state["since"]
        if self.members:
            # `_begin` has made the first one's; the state holds that of the last that was begun.
            last = self.members if self._training_now else self.members[:-1]
            self.trainer = self._trainer_after(len(last))
            self.network = self.trainer.network
        if not self._training_now:
            place = min(len(self.tested), len(self._subjects) - 1)
            self.network = self._network_of(self._subjects[place])
        super()._load(state)

    def _trainer_after(self, trainings: int) -> Trainer | JointTrainer:
        """That of training number `trainings` (from 0), to be filled from a state."""
        network, training = self._fresh()
        return self._make_trainer(network, training, self._seed_of(trainings))


_VALIDATION = frozenset(f"val_{name}" for name in SCORES.values())


def _of_validation(looks: Sequence[Look], figures: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Score and loss on the validation part, of answers that no training has measured."""
    return {
        f"val_{name}": value for look, own in zip(looks, figures, strict=True) if look.split == "val" for name, value in own.items()
    }
