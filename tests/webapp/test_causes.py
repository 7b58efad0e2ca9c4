"""What fails for good is not tried again, and nothing is blamed on the machine that it did not do; a damaged file is noticed where it is
read, and what can be done again is."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from search_engine.base.errors import BadInput, CheckpointDamaged, CheckpointOutdated, MissingData, TrialFailure
from search_engine.search import coordinator as coordinator_module
from search_engine.search.trial_work import TrialWork
from tests.damage import DAMAGE, missing
from tests.production.searches import GRADIENT
from tests.search_engine import toys
from tests.small_mnist import write_labelled
from webapp.core.models import Event, Job, Run, Trial
from webapp.jobs import advance, files, outcomes, slices
from webapp.jobs.causes import Cause, cause_of, sentence
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import make_run
from .searches import Science, science, science_of_command_line, serve_all
from .test_advance import INSTANT

SMALL: dict[str, Any] = {
    "algorithm": "random", "space": "mlp", "space_options": {"max_layers": 1, "epochs_divisor": 5}, "datasets": ["digits"],
    "seed": 3, "budget": {"trials": 2},
    "training": {"train_examples": 64},
    "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"train_examples": 64}},
}
STEPS: dict[str, Any] = {**GRADIENT, "options": {"steps": 4, "batch_size": 8}, "finale": SMALL["finale"]}


@pytest.mark.parametrize(
    ("error", "cause", "said"),
    [
        (OSError(errno.EIO, "Input/output error"), Cause.MACHINE, "OSError: [Errno 5] Input/output error"),
        (PermissionError(errno.EACCES, "Not permitted", "/srv/runs/7/x.rows"), Cause.FILE, "PermissionError: Not permitted (x.rows)"),
        (OSError(errno.EIO, "Input/output error", "/srv/x.gz"), Cause.FILE, "OSError: Input/output error (x.gz)"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/srv/x"), Cause.MACHINE, "FileNotFoundError: No such file (x)"),
        (OSError(errno.EMFILE, "Too many open files", "/srv/x"), Cause.MACHINE, "OSError: Too many open files (x)"),
        (MemoryError("no room"), Cause.MACHINE, "MemoryError: no room"),
        (OperationalError("gone away"), Cause.MACHINE, "OperationalError: gone away"),
        (RuntimeError("CUDA error: an illegal memory access"), Cause.MACHINE, "RuntimeError: CUDA error: an illegal memory access"),
        (RuntimeError("CUDA out of memory"), Cause.MACHINE, "RuntimeError: CUDA out of memory"),
        (BadInput("device", "there is none", code="no_cuda"), Cause.MACHINE, "device: there is none"),
        (TrialFailure("the device ran out of memory", machine=True), Cause.MACHINE, "the device ran out of memory"),
        (RuntimeError("the cable was pulled"), Cause.UNKNOWN, "RuntimeError: the cable was pulled"),
        (CheckpointDamaged("checkpoint x is missing"), Cause.STATE, "checkpoint x is missing"),
        (CheckpointOutdated("the run was saved with state version 2"), Cause.STATE, "the run was saved with state version 2"),
        (TrialFailure("the loss is not a number"), Cause.WORK, "the loss is not a number"),
        (BadInput("genome", "it has a cycle"), Cause.WORK, "genome: it has a cycle"),
        (BadInput("fidelity.epochs", "give at least 1"), Cause.WORK, "fidelity.epochs: give at least 1"),
        (ZeroDivisionError("division by zero"), Cause.WORK, "ZeroDivisionError: division by zero"),
        (KeyError("weights"), Cause.WORK, "KeyError: 'weights'"),
        (MissingData("dataset", "put it there"), Cause.RUN, "dataset: put it there"),
        (BadInput("dataset", "it is damaged", code="damaged_data"), Cause.RUN, "dataset: it is damaged"),
        (BadInput("algorithm", "there is no 'mine'"), Cause.RUN, "algorithm: there is no 'mine'"),
    ],
)
def test_an_error_says_whether_to_try_again_and_whose_fault_it_is(error: Exception, cause: Cause, said: str) -> None:
    assert (cause_of(error), sentence(error)) == (cause, said)


def messages(run: Run) -> list[str]:
    rows = Event.objects.filter(run=run, kind="ops", data__what__in=("waiting", "failed", "begun_again")).order_by("seq")
    return [row.data["message"] for row in rows]


def raising(monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str) -> list[str]:
    """Every slice of the kind raises; returns the sources of those that did."""
    real, tried = slices.run_slice, []

    def broken(work: Any, *rest: Any) -> Any:
        if work.spec.kind == kind:
            tried.append(work.spec.source)
            raise error
        return real(work, *rest)

    monkeypatch.setattr(slices, "run_slice", broken)
    return tried


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error", [MissingData("dataset", "put mnist.gz into the folder"), BadInput("dataset", "it is damaged", code="damaged_data")],
    ids=["missing", "damaged"],
)
def test_a_run_without_its_data_ends_at_once_with_that_reason(monkeypatch: pytest.MonkeyPatch, error: BadInput) -> None:
    run = make_run(SMALL)
    tried = raising(monkeypatch, error, "trial")
    serve_all(run)
    assert (run.state, run.reason, run.reproducible) == ("failed", str(error), True)
    assert len(tried) == 1 and messages(run) == [str(error)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [BadInput("genome", "it has a cycle"), KeyError("no layer")], ids=["bad input", "a fault"])
def test_a_trial_that_fails_of_itself_is_a_result_and_is_tried_once(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    run = make_run(SMALL)
    tried = raising(monkeypatch, error, "trial")
    serve_all(run)
    assert tried == ["trial:0", "trial:1"]
    assert list(Trial.objects.filter(run=run).values_list("state", "reason")) == [("failed", sentence(error))] * 2
    assert run.reproducible and not any("machine" in message for message in messages(run))


@pytest.mark.django_db(transaction=True)
def test_a_phase_whose_program_is_at_fault_ends_its_run_at_once_and_blames_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(STEPS)
    tried = raising(monkeypatch, ZeroDivisionError("division by zero"), "phase")
    serve_all(run)
    assert tried == ["phase:0"]
    assert (run.state, run.reason, run.reproducible) == ("failed", "ZeroDivisionError: division by zero", True)


@pytest.mark.django_db(transaction=True)
def test_what_may_be_a_hiccup_is_tried_again_and_named_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(STEPS)
    tried = raising(monkeypatch, RuntimeError("the cable was pulled"), "phase")
    serve_all(run)
    reason = "RuntimeError: the cable was pulled (3 failures without progress)"
    assert len(tried) == 3 and (run.state, run.reason) == ("failed", reason)
    assert run.reproducible_note == f"phase 1 of the search failed: {reason}"


# ---- another version's state


ServeUntil = Callable[..., Job]


@pytest.fixture
def serve_until(settings: Any) -> ServeUntil:
    """Serve in slices of one unit, each from its checkpoint, until the run has such a job; it is not worked on further. What comes after
    that is in whole slices."""

    def serve(run: Run, **job: Any) -> Job:
        settings.NASCOPE_SLICE_SECONDS, settings.NASCOPE_RESIDENT_JOBS = 0.0, 0
        session = Session("cpu")
        while not (found := Job.objects.filter(run=run, state__in=("ready", "finished"), **job).first()):
            assert serve_one(session), Run.objects.get(pk=run.pk).reason
        session.end()
        settings.NASCOPE_SLICE_SECONDS = 60.0
        return found

    return serve


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Science:
    """The science of SMALL, undisturbed."""
    return science_of_command_line(SMALL, tmp_path_factory.mktemp("whole"))


@pytest.mark.django_db(transaction=True)
def test_a_run_of_another_version_ends_with_that_reason(serve_until: ServeUntil, monkeypatch: pytest.MonkeyPatch) -> None:
    with toys.registered():
        run = make_run(INSTANT)
        monkeypatch.setattr(advance, "EVENTS", 10)
        serve_until(run, kind="advance", checkpoint_path__gt="")
        monkeypatch.setattr(coordinator_module, "STATE_VERSION", 99)
        serve_all(run)
    now = coordinator_module.STATE_VERSION
    assert run.state == "failed" and run.reason.endswith(f"and this version of NAScope goes on from {now}")
    assert messages(run) == [run.reason] and run.reproducible


@pytest.mark.django_db(transaction=True)
def test_a_run_goes_on_where_steps_lead_from_its_version(serve_until: ServeUntil, monkeypatch: pytest.MonkeyPatch) -> None:
    version = coordinator_module.STATE_VERSION
    with toys.registered():
        monkeypatch.setattr(advance, "EVENTS", 10)
        whole = make_run(INSTANT)
        serve_all(whole)
        run = make_run(INSTANT)
        serve_until(run, kind="advance", checkpoint_path__gt="")
        monkeypatch.setattr(coordinator_module, "STATE_VERSION", version + 2)
        steps = {version: dict, version + 1: lambda state: {**state, "version": version + 2}}
        monkeypatch.setattr(coordinator_module, "STATE_STEPS", steps)
        serve_all(run)
    assert run.state == "completed" and science(run) == science(whole)


@pytest.mark.django_db(transaction=True)
def test_a_phase_of_another_version_ends_its_run_and_not_because_of_the_machine(
    serve_until: ServeUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(STEPS)
    serve_until(run, kind="phase", checkpoint_path__gt="")
    monkeypatch.setattr("search_engine.algorithms.simplex.loop.BilevelLoop.state_version", 99)
    serve_all(run)
    assert run.state == "failed" and "was saved with state version" in run.reason and "goes on from 99" in run.reason
    assert run.reproducible_note == f"phase 1 of the search failed: {run.reason}"
    assert not any("machine" in message or "failures" in message for message in messages(run))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["its version", "its form"])
def test_a_trial_of_another_version_begins_again(
    serve_until: ServeUntil, whole: Science, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    run = make_run(SMALL)
    serve_until(run, kind="trial", checkpoint_path__gt="")
    if change == "its version":
        monkeypatch.setattr(TrialWork, "state_version", 99)
    else:
        real, loads = TrialWork._load, itertools.count()
        monkeypatch.setattr(TrialWork, "_load", lambda self, state: real(self, state if next(loads) else {"new": state["new"]}))
    serve_all(run)
    assert run.state == "completed" and science(run) == whole and run.reproducible
    [said] = [message for message in messages(run) if "done again" in message]
    expected = {
        "its version": "was saved with state version 1, and this version of NAScope goes on from 99",
        "its form": "was saved in another form than this version of NAScope expects (KeyError: 'new')",
    }
    assert said == f"trial 0: trial 0 {expected[change]}; it is done again from its beginning"


# ---- damaged files


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("damage", [item for item in DAMAGE if item is not missing], ids=lambda damage: damage.__name__)
def test_a_run_whose_data_changed_ends_at_once_and_names_the_file(
    serve_until: ServeUntil, settings: Any, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    settings.NASCOPE_DATA = str(write_labelled(tmp_path, [0, 1] * 40, [0, 1] * 10))
    run = make_run({**SMALL, "datasets": ["mnist"], "dataset_options": [{"labels": [0, 1]}]})
    job = serve_until(run, kind="trial", checkpoint_path__gt="")
    damage(tmp_path / "mnist" / "train-labels-idx1-ubyte.gz")
    serve_all(run)
    assert run.state == "failed" and run.reason.startswith("dataset: the file mnist/train-labels-idx1-ubyte.gz of the data set 'mnist' ")
    assert str(tmp_path) not in run.reason and messages(run) == [run.reason]
    assert Job.objects.get(pk=job.pk).failures == 1 and run.reproducible


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("file", ["checkpoint", "outcome"])
def test_work_whose_file_is_damaged_is_done_again(
    serve_until: ServeUntil, whole: Science, monkeypatch: pytest.MonkeyPatch, file: str, damage: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(outcomes, "LONGEST", 0)
    run = make_run(SMALL)
    job = serve_until(run, kind="trial", **({"checkpoint_path__gt": ""} if file == "checkpoint" else {"outcome_path__gt": ""}))
    damage(files.run_dir(run.pk) / (job.checkpoint_path if file == "checkpoint" else job.outcome_path))
    serve_all(run)
    assert (run.state, run.reproducible) == ("completed", True) and science(run) == whole
    [said] = messages(run)
    assert said.startswith("trial 0: checkpoint trial-0.") and said.endswith("it is done again from its beginning")


@pytest.mark.django_db(transaction=True)
def test_an_outcome_that_stands_is_told_though_the_rest_of_the_work_is_lost(serve_until: ServeUntil) -> None:
    run = make_run({**SMALL, "finale": {**SMALL["finale"], "redundancy": True}})
    job = serve_until(run, kind="final", outcome_path__gt="", checkpoint_path__gt="")
    (files.run_dir(run.pk) / job.checkpoint_path).write_bytes(b"")
    serve_all(run)
    assert run.state == "completed" and run.models.get().metrics["test_accuracy"] > 0
    assert run.reproducible_note.startswith("entrant 1 of the finale failed: checkpoint final-0.")


@pytest.mark.django_db(transaction=True)
def test_work_that_is_done_again_in_vain_fails_in_the_end(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that never gives back what was written."""
    real = slices.checkpoint.read

    def nothing(path: Path, digest: str | None = None, **how: Any) -> Any:
        if path.parent.name != "checkpoints":
            return real(path, digest, **how)
        raise CheckpointDamaged(f"checkpoint {path.name} does not have the digest that was recorded")

    monkeypatch.setattr(slices.checkpoint, "read", nothing)
    settings.NASCOPE_SLICE_SECONDS, settings.NASCOPE_RESIDENT_JOBS = 0.0, 0
    run = make_run(STEPS)
    serve_all(run)
    assert run.state == "failed" and "does not have the digest that was recorded" in run.reason
    assert sum("done again" in message for message in messages(run)) == 3
    assert "machine" not in run.reproducible_note and not run.reproducible


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("suffix", [".safetensors", ".rows"])
def test_a_run_whose_own_state_is_damaged_ends_with_that_reason_at_once(
    serve_until: ServeUntil, monkeypatch: pytest.MonkeyPatch, suffix: str, damage: Callable[[Path], None]
) -> None:
    with toys.registered():
        run = make_run(INSTANT)
        monkeypatch.setattr(advance, "EVENTS", 10)
        job = serve_until(run, kind="advance", checkpoint_path__gt="")
        [path] = (files.run_dir(run.pk) / "checkpoints").glob(f"*{suffix}")
        damage(path)
        serve_all(run)
    assert run.state == "failed" and path.name in run.reason and "machine" not in run.reason
    assert messages(run) == [run.reason]
    assert Job.objects.get(pk=job.pk).failures == 1, "it was tried once"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_phase_whose_handover_is_damaged_ends_its_run_with_that_reason(
    serve_until: ServeUntil, settings: Any, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    """The file that a piece of work is opened with, whose digest is in its spec."""
    run = make_run(STEPS)
    job = serve_until(run, kind="phase")
    path = files.run_dir(run.pk) / "artefacts" / "phase-0.safetensors"
    digest = slices.checkpoint.write(path, {"weights": [1, 2, 3]})
    spec = {**job.spec, "artefact": "artefacts/phase-0.safetensors"}
    Job.objects.filter(pk=job.pk).update(spec={**spec, "arguments": {**spec["arguments"], "artefact_digest": digest}})
    damage(path)
    serve_all(run)
    assert run.state == "failed" and run.reason.startswith("checkpoint phase-0.safetensors ")
    assert run.reproducible_note == f"phase 1 of the search failed: {run.reason}" and len(messages(run)) == 2
