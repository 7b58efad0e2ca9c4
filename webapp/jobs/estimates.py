"""Estimating what an experiment would cost: needs torch and the data, so it is a job."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import RunConfig, check
from search_engine.search.estimate import estimate
from search_engine.spaces.genomes import canonical_json, digest

from ..core.models import Estimate, Job
from ..events.store import StaleFence
from .bell import ring
from .session import Session
from .sharing import charge_service, join_owner


def request_estimate(owner: Any, configs: Sequence[RunConfig]) -> Estimate:
    """Store the question and ring. An equal question of the same owner that is open or answered is not asked twice."""
    dumped = [config.model_dump(mode="json") for config in configs]
    key = digest(canonical_json(dumped))
    known = Estimate.objects.filter(owner=owner, config_digest=key).exclude(state="failed").order_by("-created").first()
    if known is not None:
        return known
    with transaction.atomic():
        join_owner(owner.pk)
        row = Estimate.objects.create(owner=owner, config_digest=key, configs=dumped)
        Job.objects.create(owner=owner, estimate=row, kind=Job.Kind.ESTIMATE, source="estimate")
        ring()
    return row


def run_estimate(session: Session, job: Job) -> None:
    """Work out the answer. Runs that differ only by their seed cost the same and are measured once.

    Raises StaleFence if the lease was lost meanwhile."""
    from search_engine.training import device

    assert job.estimate is not None
    started = time.perf_counter()
    measured: dict[str, dict[str, Any]] = {}
    runs, reason = [], ""
    try:
        for raw in job.estimate.configs:
            config = RunConfig.model_validate(raw)
            key = canonical_json({**raw, "seed": 0})
            if key not in measured:
                device.configure(config.threads)
                measured[key] = estimate(check(config, Path(settings.NASCOPE_DATA)), Path(settings.NASCOPE_DATA))
                session.progressed()
            runs.append({"algorithm": config.algorithm, "seed": config.seed, **measured[key]})
    except BadInput as error:
        reason = str(error)
    with transaction.atomic():
        held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
        if not held.update(state=Job.State.FAILED if reason else Job.State.TAKEN, runnable=False, lease_until=None, reason=reason):
            raise StaleFence("the lease was lost")
        charge_service(job, time.perf_counter() - started, None)
        job.estimate.state = "failed" if reason else "done"
        job.estimate.reason = reason
        job.estimate.result = None if reason else {"runs": runs, "total_seconds": sum(run["seconds"] for run in runs)}
        job.estimate.save()
