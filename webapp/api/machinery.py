"""Views of the workers, of plug-ins that were left out, and of the server's own health."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.catalogue import registry
from webapp.accounts.authentication import person
from webapp.core import redis, room
from webapp.core.models import Job, Run, Worker
from webapp.jobs import bell
from webapp.jobs.clock import after
from webapp.jobs.states import NO_SPACE

from . import shapes
from .base import ApiView

ALIVE_SECONDS = 30.0
REMEMBERED_SECONDS = 3600.0


class WorkersView(ApiView):
    """The workers heard of within the hour, whoever's work they do; what they do is told to its owner only."""

    @extend_schema(operation_id="workers_list", responses={200: shapes.WorkerInfos})
    def get(self, request: Request) -> Response:
        # By the database's clock, which wrote these times: this process's may be wrong.
        rows = Worker.objects.filter(last_seen__gt=after(-REMEMBERED_SECONDS)).order_by("name", "pk")
        alive = set(_alive().values_list("pk", flat=True))
        # The newest last: one that the database left in the middle of a commit may hold a lease that is about to run out.
        held = Job.objects.filter(state=Job.State.LEASED, worker__isnull=False).order_by("lease_until")
        jobs = {job.worker_id: job for job in held}
        return Response(shapes.WorkerInfos([_worker(row, jobs.get(row.pk), request.user, row.pk in alive) for row in rows]))


def _alive() -> QuerySet[Worker]:
    return Worker.objects.filter(last_seen__gt=after(-ALIVE_SECONDS))


def _worker(row: Worker, held: Job | None, user: Any, alive: bool) -> shapes.WorkerInfo:
    job = None
    if held is not None:
        mine = held.owner_id == user.pk
        job = shapes.WorkerJob(id=held.pk if mine else None, kind=held.kind, run=held.run_id if mine else None)
    return shapes.WorkerInfo(
        id=row.pk,
        name=row.name,
        device=row.device,
        threads=row.threads,
        host=row.host,
        pid=row.pid,
        alive=alive,
        last_seen=row.last_seen,
        job=job,
    )


class PluginsView(ApiView):
    """What installed packages would have brought (algorithms, spaces, data sets) if it could be loaded. A repaired package is seen after a
    restart: a process loads its plug-ins once."""

    @extend_schema(operation_id="plugins_list", responses={200: shapes.PluginInfos})
    def get(self, request: Request) -> Response:
        shown = [shapes.PluginInfo(**asdict(plugin)) for plugin in registry.broken_plugins()]
        if not person(request).is_staff:
            # What a stranger's module says of itself may hold paths and passwords: the kind of error is enough to ask with.
            shown = [row.model_copy(update={"reason": f"{row.reason.partition(':')[0]}; administrators see more"}) for row in shown]
        return Response(shapes.PluginInfos(shown))


class _HealthView(ApiView):
    """For load balancers and supervisors: no login, nothing about anybody."""

    authentication_classes = ()
    permission_classes = ()


class LiveView(_HealthView):
    """The process answers."""

    @extend_schema(operation_id="health_live", responses={200: shapes.Health}, auth=[])
    def get(self, request: Request) -> Response:
        return Response(shapes.Health(status="ok", checks={}))


class ReadyView(_HealthView):
    """The process can serve: 503 where the database cannot be asked or lacks its tables. Status `degraded`, still with 200, where something
    is missing without which pages are answered nevertheless. `checks.work` says why work stands still (no space, runs paused for want of
    it, no worker for the open runs, a worker that claims nothing); `checks.broker` and `checks.redis` say what helps otherwise is away, and
    what happens instead."""

    @extend_schema(operation_id="health_ready", responses={200: shapes.Health, 503: shapes.Health}, auth=[])
    def get(self, request: Request) -> Response:
        checks = {"database": _database(), "free_megabytes": str(room.free_bytes() // 1_000_000), **_helpers()}
        if checks["database"] != "ok":
            return Response(shapes.Health(status="unavailable", checks=checks), status=503)
        alive, called = _alive().count(), _alive().filter(called_at__isnull=False).count()
        active = Run.objects.filter(state__in=Run.ACTIVE, followed="").count()
        waiting = Run.objects.filter(state__in=(Run.State.PAUSING, Run.State.PAUSED), reason=NO_SPACE).count()
        checks |= {"workers": str(alive), "open_runs": str(active), "work": _work(alive, called, active, waiting)}
        well = all(checks[name] == "ok" for name in ("work", "broker", "redis"))
        return Response(shapes.Health(status="ok" if well else "degraded", checks=checks))


def _work(alive: int, called: int, active: int, waiting: int) -> str:
    """Why runs do not move, or ok."""
    if room.full():
        return "the disk is full: runs are paused, and go on by themselves once there is space"
    if waiting:
        return f"{waiting} {'run is' if waiting == 1 else 'runs are'} paused because the disk was full, and about to go on"
    if active and not alive:
        return "no worker is alive: runs wait"
    if called:
        return f"{called} {'worker lives and claims' if called == 1 else 'workers live and claim'} nothing although there is work"
    return "ok"


def _helpers() -> dict[str, str]:
    return {
        "broker": "ok" if bell.answers() else f"does not answer: {bell.helper.instead}",
        "redis": "ok" if redis.answers() else f"does not answer: {redis.helper.instead}",
    }


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM core_run LIMIT 1")
            cursor.fetchone()
    except (DatabaseError, InterfaceError):
        return "not available or not migrated"
    return "ok"
