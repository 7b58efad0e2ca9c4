"""A run in this process, without any web application: what the command line drives.

A commit is one small file, `state.safetensors`, replaced atomically. What grows with every trial (what was told, what is known) lies in
`state.<number>.rows` and is only appended to. The state remembers how long that file and `events.jsonl` were, so that after a kill both are
cut back to the commit and the lost slice says its events again, identically.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from ..algorithms.given import place_weights
from ..base import checkpoint, disk
from ..base.errors import BadInput, CheckpointDamaged, CheckpointMismatch
from ..base.migrations import Steps, migrated
from ..base.quoting import shortened
from ..base.release import __version__
from ..base.row_log import SUFFIX, RowLog
from ..catalogue.config import CheckedRun
from ..catalogue.recipes import overridden
from ..events import Event, EventRecord, Ops
from ..spaces import populations
from ..spaces.genomes import Genome
from . import continuation, data_record
from .arithmetic import Arithmetic, Record
from .continuation import Beginning
from .coordinator import Coordinator
from .failures import Failures
from .finale import model_folder
from .forecast import Forecast, Known, Plan, Situation, forecast, share, work_left
from .open_work import open_work
from .phase_work import PhaseWork
from .starting_weights import ROOM as WEIGHTS
from .stop_reasons import Tried
from .stopwatch import Stopwatch
from .work import Progress, Work, WorkSpec, run_slice

STATE = "state.safetensors"
EVENTS = "events.jsonl"
RESULT = "result.json"
STATE_VERSION = 1
"""Rises when the form of the state changes, those of coordinator and work aside, which have versions of their own."""
STATE_STEPS: Steps = {}
"""How a state of an earlier version becomes one of the next (`base.migrations`)."""
READ_BYTES = 1 << 20
KINDS = ("search", "validation", "test")
"""The scores of an entrant (`events.Score`)."""


class Interrupted(Exception):
    """The run was asked to stop; its checkpoint is written."""


class LocalRun:
    """One run in one folder. Call `run()`; call it again after an interruption with `resume=True`.

    >>> import tempfile
    >>> from search_engine.catalogue.config import check
    >>> folder = Path(tempfile.mkdtemp())
    >>> run = LocalRun(check({"algorithm": "random", "space": "sequence", "budget": {"trials": 20}}), folder, folder / "run")
    >>> result = run.run()
    >>> result["status"], result["budget"]["trials"], (folder / "run" / "events.jsonl").is_file()
    ('completed', 20, True)
    """

    def __init__(
        self, checked: CheckedRun, data_dir: Path, out: Path, *, resume: bool = False, slice_seconds: float = 2.0,
        weights: bytes | None = None, population: Path | None = None, beginning: Beginning | None = None,
    ) -> None:
        """`weights`: of the network that a new run begins with, if it begins with one. `population`: the file of the initial population
        that it begins with. `beginning`: the shorter search that it goes on with. Raises BadInput if the folder holds a run and
        `resume` is false, or holds another run's config."""
        self.checked = checked
        self.data_dir = data_dir
        self.out = out
        self.slice_seconds = slice_seconds
        self.coordinator = Coordinator(checked, data_dir, out)
        self.queue: list[WorkSpec] = []
        self.work: Work | None = None
        self.seq = 0
        self.arithmetic = Arithmetic({}, checked.config.device)
        self.recorded: Record = {}
        """What computed the run, see `arithmetic`."""
        self.other_arithmetic = ""
        """Where it went on with another one: in which."""
        self.failures = Failures()
        self.stopwatch = Stopwatch()
        self._plan = Plan.of(checked)
        self.rows = RowLog(out, _rows_name(0))
        self._events_digest = sha256()
        """Of `events.jsonl`, as far as it is written."""
        self.continues: dict[str, Any] | None = None
        """Of the search that this one goes on with: its folder, and how many visits to the test split it and those before it made."""
        self.committed: Callable[[int], None] = lambda size: None
        """Called after every commit: so many bytes of `events.jsonl` are said for good. What lies behind them a kill takes back."""
        self.reloads = False
        """Rebuild the coordinator from its checkpoint after every step, and the work after every slice: a test that equal bits come out."""
        if beginning is not None and not (out / STATE).exists():
            # Before anything is written.
            _whole_events(beginning.source)
        _make_folder(out)
        existing = (out / STATE).exists() or (out / EVENTS).exists()
        if existing and not resume:
            raise BadInput("out", f"{out} already holds a run; go on with it (--resume, resume=True), or give another folder")
        if existing and (out / STATE).exists():
            self._restore()
        else:
            if weights is not None:
                place_weights(weights, out)
            if population is not None:
                populations.place(population, out)
            (out / EVENTS).write_bytes(b"")
        self._remove_other_rows()
        self._file = (out / EVENTS).open("ab")
        if beginning is not None and self.seq == 0:
            self._begin_with(beginning)

    def _begin_with(self, beginning: Beginning) -> None:
        """The files, the events and the state of the search that this one goes on with."""
        beginning.place(self.out)
        self.coordinator.take_up(beginning.coordinator, beginning.outcomes)
        with (beginning.source / EVENTS).open("rb") as lines:
            for record in beginning.events(map(EventRecord.model_validate_json, lines), self.coordinator.horizon):
                self._append(Event(source=record.source, step=record.step, ordinal=record.ordinal, payload=record.data), record.time)
        visits = _visits_of(beginning.source)
        self.continues = {"folder": str(beginning.source), "test_visits": visits}
        times = f"{visits} time{'' if visits == 1 else 's'}"
        what = f"goes on where the search in {shortened(str(beginning.source))} was cut, which opened the test split {times}"
        self._write([Event(source="run", step=0, payload=Ops(what="continues", message=what))])
        self.queue += self.coordinator.opened()
        self._commit()

    def finish_now(self) -> None:
        """End the search where it is and go on to the finale, when `run` goes on."""
        self.coordinator.finish_now()

    # ---------------------------------------------------------------- driving

    def run(
        self, stop: Callable[[], bool] = lambda: False, report: Callable[[Progress, Progress | None, LocalRun], None] | None = None
    ) -> dict[str, Any]:
        """Go to the end; returns what `result.json` holds. Raises Interrupted after a checkpoint when `stop()` turns true."""
        from_start = self.seq == 0
        self._write([Event(source="run", step=0, payload=Ops(what="started" if from_start else "resumed", message="in this process"))])
        outcomes: dict[str, dict[str, Any]] = {}
        while True:
            started = time.perf_counter()
            step = self.coordinator.advance(outcomes, seconds=0.5)
            self.stopwatch.step(time.perf_counter() - started)
            outcomes = {}
            self._write(step.events)
            self.queue += step.opened
            self._commit()
            for name in step.obsolete:
                (self.out / name).unlink(missing_ok=True)
            if step.status != "running":
                break
            if self.reloads:
                self._renew_coordinator()
            if step.more:
                self._tick(report, None, stop)
                continue
            outcomes = self._work_to_the_end(report, stop)
        self._file.close()
        shutil.rmtree(self.out / WEIGHTS, ignore_errors=True)
        return self._finish()

    def _work_to_the_end(self, report: Any, stop: Callable[[], bool]) -> dict[str, dict[str, Any]]:
        if self.work is None:
            if not self.queue:
                raise RuntimeError("the coordinator waits for work that was never opened")
            with self.arithmetic.active():
                self.work = open_work(self.checked, self.queue[0], self.data_dir, self.out)
                self.work.take_up()
        work = self.work
        if self.coordinator.ending and isinstance(work, PhaseWork) and not work.control:
            work.end()
        while not work.finished:
            # Phases watch the budget themselves, the finale is not part of it.
            work.allowance = self.coordinator.meter.seconds_left if work.spec.kind == "trial" else None
            before = time.process_time()
            with self.arithmetic.active():
                events = run_slice(work, self.slice_seconds, stop)
            self.stopwatch.slice(work, time.process_time() - before)
            self._write(self._computed() + events)
            if not work.finished:
                if work.to_place:
                    work.place()
                self._commit()
                self._tick(report, work, stop)
                if self.reloads:
                    work = self._reload(work)
        work.place()
        self.queue.pop(0)
        self.work = None
        return {work.spec.source: work.outcome()}

    def _computed(self) -> list[Event]:
        """Record what a slice computed with. Returns what is to be said where that is not what the run began with."""
        different = self.arithmetic.differs(self.recorded)
        self.recorded = {**self.arithmetic.here(), **self.recorded}
        if not different or self.other_arithmetic:
            return []
        self.other_arithmetic = different
        return [Event(source="run", step=0, payload=Ops(what="diverged", message=different, values=self.arithmetic.here()))]

    def _renew_coordinator(self) -> None:
        state, rows = checkpoint.read_with_log(self.out / STATE, sealed=True)
        self.rows = rows or self.rows
        self.coordinator = Coordinator(self.checked, self.data_dir, self.out)
        self.coordinator.load_state_dict(state["coordinator"])

    def _reload(self, work: Work) -> Work:
        return self._restored(work.spec, checkpoint.unpack(checkpoint.pack(work.state_dict())))

    def _restored(self, spec: WorkSpec, state: dict[str, Any]) -> Work:
        with self.arithmetic.active():
            self.work = open_work(self.checked, spec, self.data_dir, self.out)
            self.work.load_state_dict(state)
        return self.work

    def _tick(self, report: Any, work: Work | None, stop: Callable[[], bool]) -> None:
        if report is not None:
            report(self.coordinator.progress(), work.progress() if work else None, self)
        if stop():
            self._file.close()
            raise Interrupted

    def stage(self) -> Progress:
        """How far the present stage is, in the words of the work that is under way: the search where that has an end, otherwise (as in the
        finale) that work itself."""
        search, work = self.coordinator.progress(), self.work.progress() if self.work else None
        if work is None:
            return search
        now = work if search.total is None or self.coordinator.finale.started else search
        return Progress(now.done, now.total, work.text)

    def left(self) -> Forecast | None:
        """Seconds until the run is over in this process; None while nothing is known yet."""
        left = work_left(self._plan, self._situation(), Known(self._plan))
        return None if left is None else forecast(left)

    def share_done(self) -> float | None:
        """Of all work of the run, the finale included; None while nothing is known yet."""
        now = self._situation()
        left = work_left(self._plan, now, Known(self._plan))
        return None if left is None else share(now.done(self._plan), sum(stage.seconds for stage in left))

    def _situation(self) -> Situation:
        meter, phase = self.coordinator.meter, self.work if isinstance(self.work, PhaseWork) else None
        if phase is not None and not phase.control:
            # It counts on from the coordinator's meter, which stands still meanwhile.
            meter = phase.meter
        charged = meter.charged if meter.budget is not None else float(meter.trials)
        charged += phase.seconds if phase is not None and meter.in_seconds else 0.0
        return self.stopwatch.situation(
            [spec.source for spec in self.queue], charged, meter.cost.samples, self.coordinator.status != "running",
            self.coordinator.trial_plan,
        )

    # ---------------------------------------------------------------- writing

    def _write(self, events: list[Event]) -> None:
        now = time.time()
        for event in events:
            self._append(event, now)

    def _append(self, event: Event, when: float) -> None:
        self.seq += 1
        self.failures.see(event)
        record = EventRecord(
            seq=self.seq,
            time=when,
            science=event.science,
            source=event.source,
            step=event.step,
            ordinal=event.ordinal,
            kind=event.kind,
            data=event.payload,
        )
        line = record.model_dump_json().encode() + b"\n"
        self._events_digest.update(line)
        self._file.write(line)

    def _commit(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        state = {
            "version": STATE_VERSION,
            "config": self.checked.config.model_dump(mode="json"),
            "seq": self.seq,
            "events_bytes": self._file.tell(),
            "events_digest": self._events_digest.hexdigest(),
            "arithmetic": self.recorded,
            "other_arithmetic": self.other_arithmetic,
            "failures": self.failures.result(),
            "stopwatch": self.stopwatch.state_dict(),
            "coordinator": self.coordinator.state_dict(),
            "queue": [spec.model_dump() for spec in self.queue],
            "work": self.work.state_dict() if self.work is not None else None,
            **({} if self.continues is None else {"continues": self.continues}),
        }
        fresh = self.rows.wasteful
        if fresh:
            self.rows = RowLog(self.out, _rows_name(int(self.rows.name.split(".")[1]) + 1))
        checkpoint.write(self.out / STATE, state, self.rows, sealed=True)
        if fresh:
            self._remove_other_rows()
        self.committed(self._file.tell())

    def _remove_other_rows(self) -> None:
        """Those that the state no longer names, or that a kill left before it did."""
        for path in self.out.glob(_rows_name("*")):
            if path.name != self.rows.name:
                path.unlink(missing_ok=True)

    def _restore(self) -> None:
        with _its_files(self.out):
            self._restore_state()

    def _restore_state(self) -> None:
        state, rows = checkpoint.read_with_log(self.out / STATE, sealed=True)
        state = migrated("the folder", state, state.get("version"), STATE_VERSION, STATE_STEPS)
        self.rows = rows or self.rows
        if state["config"] != self.checked.config.model_dump(mode="json"):
            changed = [name for name, value in self.checked.config.model_dump(mode="json").items() if state["config"].get(name) != value]
            raise BadInput("resume", f"{self.out} holds a run with another configuration ({', '.join(changed)} differ); give the same one")
        self.seq = state["seq"]
        self.coordinator.load_state_dict(state["coordinator"])
        self.recorded, self.other_arithmetic = state["arithmetic"], state["other_arithmetic"]
        self.arithmetic = Arithmetic(self.recorded, self.checked.config.device)
        self.failures.load(state["failures"])
        self.stopwatch.load_state_dict(state["stopwatch"])
        self.continues = state.get("continues")
        self.queue = [WorkSpec.model_validate(spec) for spec in state["queue"]]
        if state["work"] is not None:
            self._restored(self.queue[0], state["work"])
        # Last: a folder that is refused stays as it was.
        with (self.out / EVENTS).open("r+b") as file:
            self._events_digest = _digest_as_recorded(file, state)
            file.truncate(state["events_bytes"])

    # ---------------------------------------------------------------- result

    def _finish(self) -> dict[str, Any]:
        result = {
            **result_of(self.coordinator, self.checked, self.recorded, self.other_arithmetic), "failures": self.failures.result(),
            "more": self._more(),
        }
        if self.continues is not None:
            result |= {"continues": self.continues, "test_visits": self.continues["test_visits"] + result["tested"]}
        if self._plan.instant:
            # Its trials are answered by the coordinator itself: that is what they cost.
            result["budget"]["seconds"] += self.stopwatch.search_seconds
        path = self.out / RESULT
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(result, indent=2) + "\n")
        os.replace(temporary, path)
        return result


    def _more(self) -> dict[str, Any]:
        """What a longer search can ask for, or why there can be none."""
        found = continuation.possible(self.out, self.checked, self.coordinator.stop_reason, self.coordinator.meter.charged)
        return {"unit": found.unit, "have": found.have} if found.unit else {"why_not": found.why_not}


def _digest_as_recorded(file: IO[bytes], state: dict[str, Any]) -> Any:
    """The SHA-256 of the events that `state` counts, from their file. Raises CheckpointDamaged where they are not there, or others."""
    if (there := file.seek(0, os.SEEK_END)) < state["events_bytes"]:
        raise CheckpointDamaged(f"{EVENTS} has {there:,} bytes where {state['events_bytes']:,} were recorded")
    file.seek(0)
    digest = sha256()
    for first in range(0, state["events_bytes"], READ_BYTES):
        digest.update(file.read(min(READ_BYTES, state["events_bytes"] - first)))
    if digest.hexdigest() != state["events_digest"]:
        raise CheckpointDamaged(f"{EVENTS} does not hold what was recorded")
    return digest


def _whole_events(folder: Path) -> None:
    """Raises BadInput(field "resume") where the events of a finished run are not those that it said."""
    with _its_files(folder), (folder / EVENTS).open("rb") as file:
        _digest_as_recorded(file, checkpoint.read(folder / STATE, sealed=True))


def _visits_of(folder: Path) -> int:
    """How many visits to the test split a finished run has made, with those of the searches that it goes on with."""
    with contextlib.suppress(OSError, ValueError, AttributeError, LookupError, TypeError, RecursionError):
        result = json.loads((folder / RESULT).read_bytes())
        return int(result.get("test_visits", result["tested"]))
    return 0


def _rows_name(number: int | str) -> str:
    return f"{Path(STATE).stem}.{number}{SUFFIX}"


def kept_config(out: Path) -> dict[str, Any] | None:
    """The config of the run in that folder, as it was begun; None where there is none. Raises BadInput where its files are damaged."""
    with _its_files(out):
        return checkpoint.read(out / STATE, sealed=True)["config"] if (out / STATE).exists() else None  # type: ignore[no-any-return]
    raise AssertionError


@contextlib.contextmanager
def _its_files(out: Path) -> Iterator[None]:
    """Whatever is wrong with the files of a run that is to go on is told as one sentence about `resume`."""
    try:
        yield
    except CheckpointMismatch as error:
        raise _refused(out, str(error)) from error
    except OSError as error:
        if disk.is_full(error):
            raise
        named = f"{Path(str(error.filename)).name}: " if error.filename else ""
        raise _refused(out, f"{named}{error.strerror or error}") from error
    except (KeyError, TypeError) as error:
        raise _refused(out, f"{STATE} is the checkpoint of something else") from error


def _refused(out: Path, reason: str) -> BadInput:
    return BadInput("resume", f"{shortened(str(out))} cannot be gone on with: {reason}")


def _make_folder(out: Path) -> None:
    """Raises BadInput where there can be no folder of that name (a full disk is not the name's fault)."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        if disk.is_full(error):
            raise
        reason = "there is a file of that name" if isinstance(error, FileExistsError) else getattr(error, "strerror", None) or str(error)
        raise BadInput("out", f"{shortened(str(out))} cannot be made a folder: {reason}") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise BadInput("out", f"{shortened(str(out))} is a folder that may not be written to")


def versions() -> dict[str, str]:
    """Versions that the promise of equal bits depends on, of what is installed; imports nothing heavy."""
    from importlib.metadata import version

    names = ("torch", "numpy", "networkx", "pydantic", "safetensors")
    return {"nascope": __version__, "python": platform.python_version(), **{name: version(name) for name in names}}


def tried_of(tried: Tried) -> dict[str, float]:
    """What `result.json` says of the trials."""
    return {
        "trials": tried.trials,
        "architectures": tried.architectures,
        "repeated": tried.repeated,
        "repeated_share": tried.repeated / max(tried.trials, 1),
    }


def result_of(coordinator: Coordinator, checked: CheckedRun, arithmetic: Record, other_arithmetic: str) -> dict[str, Any]:
    """The content of `result.json`. `arithmetic`: what computed the run; `other_arithmetic`: where it went on with another one, in
    which."""
    config = checked.config
    entrants = []
    for index, entrant in enumerate(coordinator.finale.entrants):
        outcome = coordinator.finale.outcomes.get(index)
        if outcome is None:
            continue
        genome = Genome.from_json(entrant["genome"])
        hash_, string = coordinator.describe(genome)
        entrants.append(
            {
                "role": entrant["role"],
                "title": entrant["title"] or "best",
                "hash": hash_,
                "genome": entrant["genome"],
                "string": string,
                "scores": {kind: next((item for item in outcome["scores"] if item["kind"] == kind), None) for kind in KINDS},
                "by_class": outcome["by_class"],
                "warnings": outcome["warnings"],
                "assessment": outcome.get("assessment"),
                "metrics": outcome["metrics"],
                "model": model_folder(checked, index) + "/" if outcome["bundle"] else None,
                "model_reason": outcome["bundle_reason"],
                "samples": outcome["cost"]["forward_backward"] + outcome["cost"]["forward"] / 3,
            }
        )
    best = [{name: value for name, value in item.items() if name != "role"} for item in entrants if item["role"] == "finalist"]
    baseline = [{name: value for name, value in item.items() if name != "role"} for item in entrants if item["role"] == "baseline"]
    offered = next((item["model"] for item in best if item["model"]), None)
    return {
        "algorithm": config.algorithm,
        "options": checked.options.model_dump(mode="json"),
        "space": config.space,
        "datasets": config.datasets,
        "data_files": data_record.read(coordinator.run_dir) or {},
        "seed": config.seed,
        "threads": config.threads,
        "together": config.together,
        "folds": config.folds,
        "count_repeats": config.count_repeats,
        "versions": versions(),
        "arithmetic": arithmetic,
        "status": coordinator.status,
        "reason": coordinator.reason,
        "stop_reason": coordinator.stop_reason,
        "reproducible": coordinator.machine_failures == 0 and not other_arithmetic and not coordinator.ended_early,
        "reproducible_note": other_arithmetic
        or ("work failed because of the machine" if coordinator.machine_failures else coordinator.ended_early),
        "budget": coordinator.meter.totals(),
        "tried": None if coordinator.tried is None else tried_of(coordinator.tried),
        "data_warnings": coordinator.data_warnings,
        "other_recipe": overridden(checked),
        "tested": sum(outcome["visits"] > 0 for outcome in coordinator.finale.outcomes.values()),
        "best": best,
        "baseline": baseline,
        "model": ("model/" if offered else None),
        "model_reason": "" if offered else (best[0]["model_reason"] if best else coordinator.reason),
    }
