"""Which open runs this version of NAScope would end: asked before the database is migrated, when one can still go back."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from search_engine.base import checkpoint
from search_engine.base.errors import BadInput, CheckpointDamaged
from search_engine.catalogue.config import check

from ..core import commands
from ..core.models import Job, Run
from . import files

OPEN = (*Run.ACTIVE, Run.State.PAUSING, Run.State.PAUSED)
_GOES_ON_FROM = (Job.Kind.ADVANCE, Job.Kind.PHASE)


@dataclass(frozen=True)
class Ending:
    """A run that would end, and why."""

    run: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.run}): {self.reason}"


def endings() -> list[Ending]:
    """The open runs that would end. The database may be that of an earlier version: only columns that were there from the beginning are
    read, and a database without tables has no runs."""
    if not {Run._meta.db_table, Job._meta.db_table} <= set(connection.introspection.table_names()):
        return []
    found = []
    runs = Run.objects.filter(state__in=OPEN).order_by("created").values_list("pk", "experiment__name", "algorithm", "seed", "config")
    for run_id, experiment, algorithm, seed, config in runs:
        reason = _why(run_id, config)
        if reason:
            found.append(Ending(str(run_id), f"{experiment}, {algorithm}, seed {seed}", reason))
    return found


def _why(run_id: UUID, config: dict[str, Any]) -> str:
    # The coordinator brings the engine with it: only where there is something to look at.
    from search_engine.search.upgrade import why_it_ends

    going = Job.objects.filter(run_id=run_id, kind__in=_GOES_ON_FROM, state__in=(Job.State.READY, Job.State.LEASED))
    kept = going.exclude(checkpoint_path="")
    for source, path, digest in kept.values_list("source", "checkpoint_path", "checkpoint_digest"):
        try:
            outline = checkpoint.outline(files.run_dir(run_id) / path, digest)
            reason = why_it_ends(check(config), source, outline)
        except CheckpointDamaged as damaged:
            # A phase begins again then.
            reason = str(damaged) if source == "run" else ""
        except BadInput as error:
            reason = str(error)
        except OSError as error:
            reason = f"its checkpoint cannot be read: {error.strerror}"
        if reason:
            return reason
    return ""


def endings_by_another_process() -> list[Ending]:
    """`endings`, by a process of its own: it may load torch, which the one that asks has no use for. Raises RuntimeError where it fails."""
    if not _anything_open():
        return []
    done = subprocess.run(  # nosec B603 # our own words, no shell
        commands.process("check_runs", "--json"), cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode not in (0, 1) or not done.stdout.strip():
        said = done.stderr.strip().splitlines() or ["no message"]
        raise RuntimeError(f"the open runs could not be looked at: {said[-1]}")
    return [Ending(**row) for row in json.loads(done.stdout.strip().splitlines()[-1])]


def _anything_open() -> bool:
    if Run._meta.db_table not in connection.introspection.table_names():
        return False
    return Run.objects.filter(state__in=OPEN).exists()


def as_json(found: list[Ending]) -> str:
    """`found` as one line."""
    return json.dumps([asdict(item) for item in found])
