"""Where a run's files lie, and their end.

    runs/<run id>/checkpoints/<source>.<fence>.safetensors   one per job: the row points to the last good one
    runs/<run id>/checkpoints/run.<fence>.rows               what the coordinator's checkpoint refers to, see `log_name`
    runs/<run id>/outcomes/<source>.<fence>.safetensors      until the coordinator has taken it
    runs/<run id>/staging/<finalist>/<unique>/               a bundle until the commit of its outcome
    runs/<run id>/weights/trial-<number>.safetensors         what later trials inherit, until the algorithm forgets it
    runs/<run id>/artefacts/, runs/<run id>/model/           written by the engine
    runs/<run id>/continue/                                  what a longer search goes on with (search_engine.search.continuation)
    runs/<run id>/taken/                                     that of another run, until it is taken up (webapp.jobs.continuing)
    runs/<run id>/bundles/<sha-256>.zip                      a model's download, under the digest of its bytes; made of `model/`

A file's name carries the fence of its writer (raised by every claim), so a process that lost its lease can never overwrite its
successor's file.
"""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from search_engine.base.row_log import SUFFIX
from search_engine.bundle.archive import write_archive

from ..core.models import DeletedRun, Job, Run

TAKEN = "taken"


def run_dir(run_id: UUID) -> Path:
    """The run's folder."""
    return Path(settings.NASCOPE_HOME) / "runs" / str(run_id)


def file_name(job: Job, room: str) -> str:
    """A new file's path under the run's folder; `room` is checkpoints or outcomes."""
    return f"{room}/{job.source.replace(':', '-')}.{job.fence}.safetensors"


def fence_of(name: str) -> int:
    """The fence in a file's name."""
    return int(name.split(".")[-2])


def follows_its_commit(job: Job) -> bool:
    """Whether nobody held the job between the commit that its row names (or its beginning) and this lease."""
    return job.fence == (fence_of(job.checkpoint_path) if job.checkpoint_path else 0) + 1


def log_name(job: Job) -> str:
    """The name of a new log of rows. A log is written on under one fence after another as long as every holder of the lease committed and
    so writes no more; where one lost it, and may wake up and write, the next begins a new log."""
    return Path(file_name(job, "checkpoints")).with_suffix(SUFFIX).name


def remove(run_id: UUID, *names: str) -> None:
    """Remove files of the run, by their paths under its folder; empty names are skipped."""
    for name in names:
        if name:
            (run_dir(run_id) / name).unlink(missing_ok=True)


def remove_older(job: Job, *also: str, sweep: bool, keep: str = "") -> None:
    """After a commit under `job.fence`: remove the job's checkpoint before it, and the files named in `also`.

    With `sweep` all that earlier holders of the job wrote goes, whether it was committed once or a kill came between the file and its
    commit, except the log named `keep`, which is still in use. A holder that itself committed the fence before, or is the first, needs
    none: a listing of folders for each commit is not free.
    """
    remove(job.its_run, job.checkpoint_path, *also)
    if not sweep:
        return
    name = re.compile(rf"\.?{re.escape(job.source.replace(':', '-'))}\.(\d+)\.(safetensors.*|rows)")
    for room in ("checkpoints", "outcomes"):
        for path in (run_dir(job.its_run) / room).glob("*"):
            found = name.fullmatch(path.name)
            if found and int(found.group(1)) < job.fence and path.name != keep:
                path.unlink(missing_ok=True)


def remove_work_files(run_id: UUID) -> None:
    """Remove what only a living run needs. Its models and artefacts stay."""
    for room in ("checkpoints", "outcomes", "staging", "weights", TAKEN):
        shutil.rmtree(run_dir(run_id) / room, ignore_errors=True)


def remove_run_files(run_id: UUID) -> None:
    """Remove the run's folder."""
    shutil.rmtree(run_dir(run_id), ignore_errors=True)


@receiver(post_delete, sender=Run)
def _remember_deletion(instance: Run, **_: object) -> None:
    """However a run is deleted (also with its owner), in the same transaction."""
    DeletedRun.objects.get_or_create(pk=instance.pk)


def collect_garbage() -> int:
    """Remove the folders of deleted runs that are there (again): a worker may have written after the deletion. Returns how many."""
    gone = [path for path in map(run_dir, DeletedRun.objects.values_list("pk", flat=True)) if path.exists()]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    # A worker notices within a slice that its run is gone; after a day nobody writes any more.
    DeletedRun.objects.filter(deleted__lt=timezone.now() - timedelta(days=1)).delete()
    return len(gone)


def bundle_file(run_id: UUID, sha256: str) -> Path:
    """Where the download with that digest lies. No other bytes are ever written there."""
    return run_dir(run_id) / "bundles" / f"{sha256}.zip"


def pack_bundle(run_id: UUID, folder: Path) -> tuple[Path, str]:
    """Zip a model's folder into the run's `bundles`, atomically. Returns the zip and its SHA-256; equal folders give equal bytes."""
    return pack(run_dir(run_id), folder)


def pack(home: Path, folder: Path) -> tuple[Path, str]:
    """The same for a run whose folder, `home`, lies elsewhere."""
    unnamed = home / "bundles" / f".{uuid4().hex}"
    sha256 = write_archive(folder, unnamed)
    path = unnamed.with_name(f"{sha256}.zip")
    unnamed.replace(path)
    return path, sha256
