"""A run's life: made, paused, resumed, finished early, cancelled, cloned, deleted. Each a guarded change under the run's mutex.

    queued -> running -> completed | failed
    queued | running -> pausing -> paused -> queued (never started) | running
    any but completed, failed, cancelled -> cancelled
    running | pausing | paused -> running, its search ending (`finish`)

Paused means that no lease is held: with a slice under way the run is `pausing` until the slice has written its checkpoint.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, UUIDField
from django.utils import timezone

from search_engine.catalogue.config import RunConfig, check
from search_engine.spaces.populations import Individuals

from ..core.locks import lock_run
from ..core.models import Event, Experiment, Job, Run, RunCounter, Trial
from ..core.statements import Given, Update
from ..events import wake
from ..events.store import append, ops
from . import endings, files
from .bell import ring
from .clock import after
from .given import given_weights, keep_population, kept_population, place_given, place_population
from .sharing import join_owner

NO_SPACE = "the disk is full: free some space; the run goes on by itself then"
"""Why a run is paused that could not write. Whatever its owner does meanwhile gives it another reason, or another state."""

BY_ITS_OWNER = "paused by its owner"

_WAITING = (Run.State.PAUSING, Run.State.PAUSED)


class StateConflict(Exception):
    """The run is in a state that does not allow the action; `state` says which. `elsewhere`: it is computed by another process, which alone
    moves it (`following`)."""

    def __init__(self, action: str, state: str, *, elsewhere: bool = False) -> None:
        what = "a search of another process, which is only shown here until it has ended," if elsewhere else f"a run that is {state}"
        super().__init__(f"{what} cannot be {action}")
        self.action = action
        self.state = state


def create_run(
    experiment: Experiment, config: RunConfig | dict[str, Any], position: int = 0, weights: Path | None = None,
    population: Path | None = None, individuals: Individuals | None = None,
) -> Run:
    """Check `config`, store the run with its first job, ring the bell. `weights`: the file of those of the network that it begins with;
    `population`: that of the initial population; `individuals`: its individuals, where they lie in no file yet.
    Raises BadInput or MissingData, and stores nothing then."""
    checked = check(config, Path(settings.NASCOPE_DATA))
    with transaction.atomic():
        run = Run.objects.create(
            experiment=experiment, owner_id=experiment.owner_id, position=position, algorithm=checked.algorithm.id,
            options=checked.options.model_dump(mode="json"), space=checked.space.id, datasets=[entry.id for entry in checked.datasets],
            data=checked.dataset.test_part(checked.dataset_options[0]), seed=checked.config.seed,
            config=checked.config.model_dump(mode="json"), metric=checked.metric,
            progress={"fraction": 0.0, "text": "queued", "eta_seconds": None},
        )
        counter = RunCounter.objects.create(run=run)
        _join(run, counter)
        append(counter, [ops("queued", "waiting for a worker")])
        Job.objects.create(owner_id=run.owner_id, run=run, kind=Job.Kind.ADVANCE, source="run")
        if weights is not None:
            place_given(run.pk, weights)
        if population is not None:
            place_population(run.pk, population)
        if individuals is not None and checked.config.population is not None:
            keep_population(run.pk, checked.config.population, individuals)
        ring()
    return run


def clone_run(run: Run, seed: int | None = None) -> Run:
    """A new run of the same experiment with the same config and another seed (random if None). Raises StateConflict where what it would
    begin with lies elsewhere as yet."""
    if run.config.get("model") or run.config.get("population"):
        refuse_elsewhere(run, "cloned: what it began with is there")
    seed = random.SystemRandom().randrange(2**31) if seed is None else seed
    weights = given_weights(run.pk) if run.config.get("model") else None
    population = kept_population(run.pk) if run.config.get("population") else None
    config = {**run.config, "seed": seed}
    return create_run(run.experiment, config, next_position(run.experiment_id), weights=weights, population=population)


def next_position(experiment_id: UUID) -> int:
    """After the last run of an experiment."""
    last = Run.objects.filter(experiment_id=experiment_id).order_by("-position").values_list("position", flat=True).first()
    return 0 if last is None else last + 1


def pause(run_id: UUID) -> Run:
    """Stop asks, tells and new claims; the run is paused as soon as no lease is held. One that waits for space stays paused when there is
    room again. Raises StateConflict."""
    with transaction.atomic():
        counter = lock_run(run_id)
        if Run.objects.filter(pk=run_id, state__in=_WAITING, reason=NO_SPACE).exists():
            _move(run_id, "paused", _WAITING, reason=BY_ITS_OWNER)
            append(counter, [ops("paused", "paused: it stays so when there is space again")])
            return Run.objects.get(pk=run_id)
        _move(run_id, "paused", Run.ACTIVE, state=Run.State.PAUSING, reason=BY_ITS_OWNER)
        append(counter, [ops("pausing", "pausing: the slice under way ends with a checkpoint")])
        settle_pause(counter)
    return Run.objects.get(pk=run_id)


_SETTLE = Update(
    lambda: (
        Run.objects.filter(pk=Given("run", UUIDField()), state=Run.State.PAUSING).exclude(
            Exists(Job.objects.filter(run_id=OuterRef("pk"), state=Job.State.LEASED))
        ),
        {"state": Run.State.PAUSED, "revision": F("revision") + 1},
    )
)


def settle_pause(counter: RunCounter) -> None:
    """Turn `pausing` into `paused` if no lease is held. Call with the run locked, after every change of a lease."""
    if _SETTLE.execute(run=counter.run_id):
        append(counter, [ops("paused", "paused")])


def pause_for(counter: RunCounter, what: str, reason: str) -> None:
    """Pause a run because the machine cannot go on (a full disk). Call with the run locked."""
    if Run.objects.filter(pk=counter.run_id, state__in=Run.ACTIVE).update(
        state=Run.State.PAUSING, reason=reason, revision=F("revision") + 1
    ):
        append(counter, [ops(what, reason)])
    settle_pause(counter)


def resume(run_id: UUID) -> Run:
    """Go on from the last checkpoints. Raises StateConflict."""
    with transaction.atomic():
        _go_on(lock_run(run_id), "resumed")
    return Run.objects.get(pk=run_id)


def resume_for_space(run_id: UUID) -> bool:
    """`resume`, if the run still waits for space and for nothing else. Returns whether it did."""
    with transaction.atomic():
        counter = lock_run(run_id)
        waits = Run.objects.filter(pk=run_id, state=Run.State.PAUSED, reason=NO_SPACE).exists()
        if waits:
            _go_on(counter, "resumed: there is space again")
        return waits


def _go_on(counter: RunCounter, message: str) -> None:
    run = Run.objects.get(pk=counter.run_id)
    state = Run.State.QUEUED if run.started is None else Run.State.RUNNING
    _move(run.pk, "resumed", _WAITING, state=state, reason="")
    _join(run, counter)
    append(counter, [ops("resumed", message)])
    ring()


def finish(run_id: UUID) -> Run:
    """End the search where it is, as if its budget were used up, and go on to the finale; asked for again it changes nothing. A search by
    trials tells those that are open, one by steps does not begin its next. Raises StateConflict where the run has not begun, is over or is
    in its finale."""
    with transaction.atomic():
        counter = lock_run(run_id)
        run = Run.objects.get(pk=run_id)
        refuse_elsewhere(run, "finished")
        begun = run.state in (Run.State.RUNNING, *_WAITING) and run.started is not None
        if begun and run.ending:
            return run
        if not begun or Event.objects.filter(run_id=run_id, kind="search_stopped").exists():
            raise StateConflict("finished now", "in its finale" if begun else run.state)
        Run.objects.filter(pk=run_id).update(ending=True, revision=F("revision") + 1)
        append(counter, [ops("finishing", "finishing: the search ends, its best network is trained")])
        endings.tell(run)
        if run.state != Run.State.RUNNING:
            _go_on(counter, "resumed to be finished")
        wake.announce(run_id)
        ring()
    return Run.objects.get(pk=run_id)


def cancel(run_id: UUID) -> Run:
    """End the run now. Open trials stay untold; what a worker still holds is discarded by its fence. Raises StateConflict."""
    with transaction.atomic():
        counter = lock_run(run_id)
        allowed = (*Run.ACTIVE, Run.State.PAUSING, Run.State.PAUSED)
        _move(run_id, "cancelled", allowed, state=Run.State.CANCELLED, reason="cancelled by its owner", finished=timezone.now())
        append(counter, [ops("cancelled", "cancelled by its owner")])
        close(counter)
    return Run.objects.get(pk=run_id)


def close(counter: RunCounter) -> None:
    """After a run reached its end: no job of it may run or write any more, its working files go. Call with the run locked."""
    still_open = (Job.State.READY, Job.State.LEASED, Job.State.FINISHED)
    Job.objects.filter(run_id=counter.run_id, state__in=still_open).update(
        state=Job.State.CANCELLED, runnable=False, fence=F("fence") + 1, lease_until=None
    )
    Trial.objects.filter(run_id=counter.run_id, state__in=(Trial.State.QUEUED, Trial.State.RUNNING)).update(
        state=Trial.State.CANCELLED, reason="the run ended before its result was told"
    )
    if settings.NASCOPE_RETENTION_DAYS:
        Run.objects.filter(pk=counter.run_id, keep_until=None).update(keep_until=after(86_400.0 * settings.NASCOPE_RETENTION_DAYS))
    run_id = counter.run_id
    transaction.on_commit(lambda: files.remove_work_files(run_id))


def fail(counter: RunCounter, reason: str) -> None:
    """The run failed. Call with the run locked."""
    Run.objects.filter(pk=counter.run_id).exclude(state__in=Run.TERMINAL).update(
        state=Run.State.FAILED, reason=reason, finished=timezone.now(), revision=F("revision") + 1
    )
    append(counter, [ops("failed", reason)])
    close(counter)


def delete_run(run_id: UUID) -> None:
    """Delete the run with everything that belongs to it, files too. A worker that still holds a lease finds its job gone."""
    with transaction.atomic():
        lock_run(run_id)
        # Unlike the ORM's cascade this does not load a hundred thousand events first; their table has no children.
        Event.objects.filter(run_id=run_id)._raw_delete(using="default")
        Run.objects.filter(pk=run_id).delete()
        transaction.on_commit(lambda: files.remove_run_files(run_id))


def delete_experiment(experiment: Experiment) -> None:
    """Delete the experiment and its runs."""
    for run_id in list(experiment.runs.values_list("pk", flat=True)):
        delete_run(run_id)
    experiment.delete()


def refuse_elsewhere(run: Run, action: str) -> None:
    """Raises StateConflict where another process computes the run."""
    if run.followed:
        raise StateConflict(action, run.state, elsewhere=True)


def _move(run_id: UUID, action: str, allowed: tuple[str, ...], **changes: Any) -> None:
    """The guarded UPDATE. Raises StateConflict with the present state."""
    if not Run.objects.filter(pk=run_id, state__in=allowed, followed="").update(revision=F("revision") + 1, **changes):
        state, followed = Run.objects.values_list("state", "followed").get(pk=run_id)
        raise StateConflict(action, state, elsewhere=bool(followed))
    wake.announce(run_id)


def _join(run: Run, counter: RunCounter) -> None:
    """Enter the queue without credit for the time away: start at the least service of the owner's other living runs."""
    join_owner(run.owner_id)
    living = RunCounter.objects.filter(run__owner_id=run.owner_id, run__state__in=Run.ACTIVE, run__followed="").exclude(run_id=run.pk)
    least = living.aggregate(least=Min("service"))["least"] or 0.0
    counter.service = max(counter.service, least)
    counter.save(update_fields=["service"])

