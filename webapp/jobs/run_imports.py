"""A run, or an experiment, that is brought from elsewhere becomes one of this database: an exported file, or a folder of the command line.

Its files are unpacked beside the upload and every event is read and checked; then one transaction writes all rows, and puts the runs'
folders in place as its last step, when nobody else can be at the same work any more. Before its commit nobody sees anything of it. The ids
are made of the upload's, so that whoever begins again after a kill finds the folders that the one before put in place, and replaces them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.db.models.signals import post_delete
from django.dispatch import receiver
from pydantic import BaseModel

from search_engine.archives.bounds import Bounds
from search_engine.archives.form import Manifest, RunRecord
from search_engine.archives.reading import Unpacked, unpack
from search_engine.archives.recorded_events import read_events
from search_engine.base.errors import BadInput
from search_engine.catalogue.config import CheckedRun, RunConfig, check
from search_engine.search.finale import model_folder
from search_engine.search.local_run import EVENTS

from ..core import room
from ..core.locks import lock_run
from ..core.models import Dataset, DatasetUse, Experiment, ModelArtefact, Run, RunCounter
from ..events.store import add_recorded, write_counter
from . import files, own_files, states

State = Dataset.State
Tell = Callable[[float, str], None]
"""How much is done, 0 to 1, and of what. May raise, to end it."""
READ, CHECKED = 0.3, 0.7
"""How much of the work is done when all is unpacked, and when every event was read."""
UNPACKED = "unpacked-"
"""Folders beside an upload, each of one attempt, begin with it."""
NOT_THERE = "its files were not in what was opened"
OTHER_FILES = "its files are not those that were recorded where it was exported"
_UNFIT = (IntegrityError, DataError, KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError)
"""What rows raise that cannot be made of the events, each well formed, of which they should be."""


class Origin(BaseModel):
    """Where an experiment came from, as its page says it."""

    at: datetime
    file: str
    origin: str
    version: str
    """Of the NAScope that computed it."""
    versions: dict[str, str] = {}
    machine: str = ""
    made: datetime | None = None
    """When it was exported."""
    digest: str = ""
    """That was found right; none where a folder was opened, which has none."""


@dataclass(frozen=True)
class Incoming:
    """One run on its way in."""

    id: UUID
    record: RunRecord
    checked: CheckedRun
    place: Path
    """Its unpacked files."""
    bundled: list[int]
    """Networks of which the events say that they have a download."""

    @property
    def events(self) -> Path:
        return self.place / EVENTS

    @property
    def name(self) -> str:
        return f"{self.record.folder}/{EVENTS}"


def bring_in(
    row: Dataset, source: Path, tell: Tell, last: Callable[[], None] = lambda: None, bounds: Bounds | None = None,
    knows: Callable[[str], bool] = lambda _: True,
) -> Experiment:
    """Make the experiment of what lies at `source`, for the owner of `row`, whose state is `examining`. `last` is called in the transaction
    before its end: what it raises undoes all. `knows`: whether they may use a data set. Raises BadInput naming the file that does not fit,
    and leaves nothing then."""
    for left in own_files.folder(row.pk).glob(f"{UNPACKED}*"):
        shutil.rmtree(left, ignore_errors=True)
    # No other attempt's: one that lost its lease may still be at work.
    unpacked_at = own_files.folder(row.pk) / f"{UNPACKED}{uuid4().hex}"
    try:
        unpacked = unpack(source, unpacked_at, bounds or limits(), lambda done, words: tell(READ * done, words))
        runs = _read(row, unpacked, tell, bounds or limits(), knows)
        Dataset.objects.filter(pk=row.pk).update(choices={"runs": len(runs)})
        bundles = [_pack(run) for run in runs]
        return _write(row, unpacked, runs, bundles, tell, last)
    finally:
        shutil.rmtree(unpacked_at, ignore_errors=True)


def limits() -> Bounds:
    """Of what is opened here."""
    return Bounds(
        bytes=min(settings.NASCOPE_OPEN_BYTES, max(0, room.free_bytes() - settings.NASCOPE_MIN_FREE_BYTES)),
        events=settings.NASCOPE_OPEN_EVENTS,
    )


def remove_what_is_nobodys(row: Dataset) -> None:
    """Folders of runs that were put in place for `row` and have no rows: their commit never came."""
    ids = [run_id(row.pk, place) for place in range(int(row.choices.get("runs", 0)))]
    known = set(Run.objects.filter(pk__in=ids).values_list("pk", flat=True))
    for run in ids:
        if run not in known:
            files.remove_run_files(run)


@receiver(post_delete, sender=Dataset)
def _remove_files(instance: Dataset, **_: object) -> None:
    if instance.purpose == Dataset.Purpose.RUN:
        remove_what_is_nobodys(instance)


def run_id(row_id: UUID, place: int = 0) -> UUID:
    """Of the run in that place among those that are opened as that row."""
    return uuid5(row_id, f"run {place}")


# ---------------------------------------------------------------- reading


def _read(row: Dataset, unpacked: Unpacked, tell: Tell, bounds: Bounds, knows: Callable[[str], bool]) -> list[Incoming]:
    """Every run with its config checked and its events read once, to the end."""
    manifest = unpacked.manifest
    total = max(1, sum(record.size for name, record in manifest.files.items() if name.endswith(EVENTS)))
    found: list[Incoming] = []
    done = 0
    for place, record in enumerate(manifest.runs):
        checked = checked_record(record, knows)
        run = Incoming(run_id(row.pk, place), record, checked, unpacked.folder / record.folder, [])
        version = record.versions.get("nascope") or manifest.versions.get("nascope", "")
        count = 0
        for chunk in read_events(run.events, run.name, version, bounds):
            count += len(chunk)
            for event in chunk:
                if event.data.kind == "model" and event.data.bundle:
                    run.bundled.append(event.data.index)
            tell(READ + (CHECKED - READ) * done / total, f"reading the events of run {place + 1} of {len(manifest.runs)}: {count:,}")
        if record.events not in (0, count):
            words = f"it has {count:,} events where the manifest says {record.events:,}: export the run again"
            raise BadInput(run.name, words, code="damaged")
        done += run.events.stat().st_size
        found.append(run)
    spaces = {run.checked.space.id for run in found}
    if len(spaces) > 1:
        raise BadInput("manifest.json", f"its runs search {len(spaces)} spaces: an experiment has one", code="damaged")
    return found


def checked_record(record: RunRecord, knows: Callable[[str], bool]) -> CheckedRun:
    """Raises BadInput where what the run is made of is not here."""
    where = f"{record.folder}: its configuration"
    try:
        for name in record.config.get("datasets") or []:
            if not knows(str(name)):
                words = f"you have no data set '{str(name)[:60]}' here: bring the same file with the same choices first, then open the run"
                raise BadInput("datasets", words, code="unknown_id")
        return check(record.config)
    except BadInput as error:
        raise BadInput(where, f"{error}", code=error.code) from None
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise BadInput(where, f"is not one of a run ({type(error).__name__})", code="damaged") from None


# ---------------------------------------------------------------- files

Bundles = dict[int, dict[str, Any]]
"""By the network's index: fields of its row."""


def _pack(run: Incoming) -> Bundles:
    """Pack the run's downloads, beside what they are made of."""
    found: Bundles = {}
    for index in run.bundled:
        name = model_folder(run.checked, index)
        if not (run.place / name).is_dir():
            found[index] = {"bundle_path": "", "reason": NOT_THERE}
            continue
        path, sha256 = files.pack(run.place, run.place / name)
        recorded = run.record.bundles.get(name, sha256)
        damage = "" if recorded == sha256 else OTHER_FILES
        found[index] = {
            "bundle_path": f"runs/{run.id}/{name}", "reason": "", "bundle_sha256": sha256, "bundle_size": path.stat().st_size,
            "bundle_damage": damage,
        }  # fmt: skip
    return found


def _put_in_place(run: Incoming) -> None:
    """The run's folder to where runs lie, without its events, which are rows now. Nobody else may be at the same work."""
    home = files.run_dir(run.id)
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    run.events.unlink()
    run.place.rename(home)


# ---------------------------------------------------------------- rows


def _write(
    row: Dataset, unpacked: Unpacked, runs: Sequence[Incoming], bundles: Sequence[Bundles], tell: Tell, last: Callable[[], None]
) -> Experiment:
    total = max(1, sum(run.events.stat().st_size for run in runs))
    with transaction.atomic():
        experiment, rows = make_rows(row, unpacked.manifest, unpacked.origin, runs)
        done = 0
        for made, run, of_run in zip(rows, runs, bundles, strict=True):
            try:
                _events(run, lambda words, done=done: tell(CHECKED + (1 - CHECKED) * done / total, words))  # type: ignore[misc]
            except BadInput:
                raise
            except _UNFIT as error:
                words = f"its events do not fit together ({type(error).__name__}: {str(error)[:200]}): the file was changed or damaged"
                raise BadInput(run.name, words, code="damaged") from error
            for index, fields in of_run.items():
                ModelArtefact.objects.filter(run=made, index=index).update(**fields)
            done += run.events.stat().st_size
        Dataset.objects.filter(pk=row.pk).update(
            state=State.READY, experiment=experiment, reason="", progress={}, touched=Now(), choices={"runs": len(runs)},
        )
        last()
        for run in runs:
            _put_in_place(run)
    return experiment


def make_rows(row: Dataset, manifest: Manifest, origin: str, runs: Sequence[Incoming]) -> tuple[Experiment, list[Run]]:
    """The experiment and its runs. Where they are there already, because they were followed while they ran, they say from now on what is
    known at their end. Inside a transaction."""
    first = runs[0].checked
    key = uuid5(row.pk, "experiment")
    imported = _origin(row, manifest, origin).model_dump(mode="json")
    if Experiment.objects.filter(pk=key).update(imported=imported):
        experiment = Experiment.objects.get(pk=key)
    else:
        experiment = Experiment.objects.create(
            pk=key, owner_id=row.owner_id, name=manifest.name or row.title, config=body_of(manifest.name, runs),
            space=first.space.id, datasets=[entry.id for entry in first.datasets],
            budget=None if first.config.budget is None else first.config.budget.model_dump(exclude_none=True),
            objectives=[
                {"metric": first.algorithm.metric or entry.metric, "direction": "maximise", "split": "validation", "domain": index}
                for index, entry in enumerate(first.datasets)
            ],
            imported=imported,
        )
        names = dict.fromkeys(entry.id for run in runs for entry in run.checked.datasets)
        DatasetUse.objects.bulk_create(
            DatasetUse(owner_id=row.owner_id, dataset=name, experiment=experiment, created=experiment.created) for name in names
        )
    return experiment, [_run_row(experiment, run, place) for place, run in enumerate(runs)]


def _origin(row: Dataset, manifest: Manifest, origin: str) -> Origin:
    record = manifest.runs[0]
    archive = origin == "archive"
    versions = record.versions or (manifest.versions if archive else {})
    computed = [record.arithmetic[name] for name in ("cpu_capability",) if name in record.arithmetic]
    computed += [f"torch {record.arithmetic['torch']}"] if "torch" in record.arithmetic else []
    return Origin(
        at=datetime.now(UTC), file=row.file_name, origin=origin, version=versions.get("nascope", ""), versions=versions,
        machine=", ".join([manifest.machine, *computed] if archive and manifest.machine else computed),
        made=datetime.fromtimestamp(manifest.made, UTC) if archive else None, digest=manifest.digest if archive else "",
    )


def body_of(name: str, runs: Sequence[Any]) -> dict[str, Any]:
    """The body of a POST that would make these runs (webapp.api.experiment_body): what the next one like it starts from. `runs`: each with
    its `checked` config. What an own network or population began is not in it: those are somebody's elsewhere."""
    configs = [run.checked.config for run in runs]
    # What stands at its default is left out of a config's dump.
    first = {key: _dumped(getattr(configs[0], key)) for key in RunConfig.model_fields}
    algorithms: list[dict[str, Any]] = []
    for config in configs:
        choice = {"id": config.algorithm, "options": dict(config.options)}
        if choice not in algorithms:
            algorithms.append(choice)
    shared = ("space", "space_options", "datasets", "dataset_options", "budget", "count_repeats", "training", "folds", "objective",
              "finale")
    runtime = ("threads", "together", "device", "amp", "structure_every", "max_failures")
    return {
        "name": name, "algorithms": algorithms[:20], "model": None, "population": None, "start": [],
        "seeds": list(dict.fromkeys(config.seed for config in configs))[:100], **{key: first[key] for key in shared},
        "runtime": {key: first[key] for key in runtime},
    }  # fmt: skip


def _dumped(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _run_row(experiment: Experiment, run: Incoming, place: int) -> Run:
    record, checked = run.record, run.checked
    over = record.state == "completed"
    at_its_end = {
        "state": record.state, "reason": record.reason, "started": _time(record.started), "finished": _time(record.finished),
        "device": record.device, "arithmetic": record.arithmetic, "reproducible": record.reproducible,
        "reproducible_note": record.reproducible_note, "followed": "", "followed_seen": None,
        "progress": {"fraction": 1.0 if over else None, "text": record.reason, "eta_seconds": 0.0 if over else None},
    }  # fmt: skip
    if Run.objects.filter(pk=run.id).update(**at_its_end):
        return Run.objects.get(pk=run.id)
    made = Run.objects.create(
        pk=run.id, experiment=experiment, owner_id=experiment.owner_id, position=place, algorithm=checked.algorithm.id,
        options=checked.options.model_dump(mode="json"), space=checked.space.id, datasets=[entry.id for entry in checked.datasets],
        data=checked.dataset.test_part(checked.dataset_options[0]), seed=checked.config.seed,
        config=checked.config.model_dump(mode="json"), metric=checked.metric, **at_its_end,
    )
    RunCounter.objects.create(run=made)
    return made


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _events(run: Incoming, tell: Callable[[str], None]) -> None:
    counter = lock_run(run.id)
    for chunk in read_events(run.events, run.name):
        fresh = [record for record in chunk if record.seq > counter.last_seq]
        if fresh:
            add_recorded(counter, fresh)
        tell(f"writing events: {counter.last_seq:,}")
    charged = run.record.charged
    counter.charged_samples, counter.charged_trials = charged.samples, charged.trials
    counter.charged_seconds, counter.charged_flops = charged.seconds, charged.flops
    counter.spent_samples, counter.spent_seconds = run.record.spent_samples, run.record.spent_seconds
    write_counter(counter)
    states.close(counter)
    Run.objects.filter(pk=run.id).update(revision=F("revision") + 1)
