"""Views of the workers, of plug-ins that were left out, and of the server's own health."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.catalogue import registry
from webapp.accounts.authentication import person
from webapp.core.models import Job, Run, Worker
from webapp.jobs.files import free_bytes

from . import shapes
from .base import ApiView

ALIVE = timedelta(seconds=30)
REMEMBERED = timedelta(hours=1)


class WorkersView(ApiView):
    """The workers heard of within the hour, whoever's work they do; what they do is told to its owner only."""

    @extend_schema(operation_id="workers_list", responses={200: shapes.WorkerInfos})
    def get(self, request: Request) -> Response:
        now = timezone.now()
        rows = Worker.objects.filter(last_seen__gt=now - REMEMBERED).select_related("job__run").order_by("name", "pk")
        return Response(shapes.WorkerInfos([_worker(row, request.user, now) for row in rows]))


def _worker(row: Worker, user: Any, now: Any) -> shapes.WorkerInfo:
    job = None
    if row.job is not None and row.job.state == Job.State.LEASED:
        mine = row.job.owner_id == user.pk
        job = shapes.WorkerJob(id=row.job.pk if mine else None, kind=row.job.kind, run=row.job.run_id if mine else None)
    return shapes.WorkerInfo(
        id=row.pk,
        name=row.name,
        device=row.device,
        threads=row.threads,
        host=row.host,
        pid=row.pid,
        alive=now - row.last_seen < ALIVE,
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
    """The process can serve: 503 where the database cannot be asked or lacks its tables. The other checks only inform."""

    @extend_schema(operation_id="health_ready", responses={200: shapes.Health, 503: shapes.Health}, auth=[])
    def get(self, request: Request) -> Response:
        checks = {"database": _database()}
        if checks["database"] == "ok":
            alive = Worker.objects.filter(last_seen__gt=timezone.now() - ALIVE).count()
            checks["workers"] = str(alive)
            checks["open_runs"] = str(Run.objects.filter(Q(state="queued") | Q(state="running")).count())
        checks["free_megabytes"] = str(free_bytes() // 1_000_000)
        ready = checks["database"] == "ok"
        return Response(shapes.Health(status="ok" if ready else "unavailable", checks=checks), status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM core_run LIMIT 1")
            cursor.fetchone()
    except DatabaseError:
        return "not available or not migrated"
    return "ok"
