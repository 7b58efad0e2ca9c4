"""Estimating what an experiment would cost: needs torch and the data, so it is a job."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from search_engine.base.errors import BadInput
from search_engine.base.release import __version__
from search_engine.catalogue import registry
from search_engine.catalogue.config import CheckedRun, RunConfig, check
from search_engine.datasets.data_files import looks
from search_engine.search.bounds import RULE, Bounds, flops_bound, may_be_large, refuse_too_large
from search_engine.search.estimate import estimate
from search_engine.search.resources import Resources
from search_engine.spaces.genomes import canonical_json, digest

from ..core.models import Estimate, Job, Worker
from ..events.store import StaleFence
from . import memory
from .bell import ring
from .forecasts import newest_profiles
from .session import Session
from .sharing import charge_service, join_owner


def request_estimate(owner: Any, configs: Sequence[RunConfig]) -> Estimate:
    """Store the question and ring. An equal question of the same owner that is open, or answered by a worker that is still there, is not
    asked twice."""
    dumped, key = _question(configs)
    known = _newest(owner, key)
    if known is not None and (known.state != "done" or _holds(known)):
        return known
    with transaction.atomic():
        join_owner(owner.pk)
        row = Estimate.objects.create(owner=owner, config_digest=key, configs=dumped)
        Job.objects.create(owner=owner, estimate=row, kind=Job.Kind.ESTIMATE, source="estimate")
        ring()
    return row


def known_refusal(owner: Any, configs: Sequence[RunConfig]) -> tuple[int, BadInput] | None:
    """What speaks against beginning runs that were estimated: a unit needs more than a worker may take. With the algorithm's place."""
    asked = _newest(owner, _question(configs)[1])
    runs = asked.result["runs"] if asked is not None and asked.result is not None and _holds(asked) else []
    places = list(dict.fromkeys(run["algorithm"] for run in runs))
    return next(((places.index(run["algorithm"]), BadInput(**run["problem"])) for run in runs if run.get("problem")), None)


def _question(configs: Sequence[RunConfig]) -> tuple[list[dict[str, Any]], str]:
    """What is asked, and the digest of all that the answer hangs on and the one who asks knows: the configs, the data files as they are
    now, and the rule."""
    dumped = [config.model_dump(mode="json") for config in configs]
    datasets = sorted({name for config in configs for name in config.datasets})
    files = {name: looks(registry.dataset(name), Path(settings.NASCOPE_DATA)) for name in datasets}
    return dumped, digest(canonical_json({"configs": dumped, "files": files, "rule": RULE, "release": __version__}))


def _newest(owner: Any, key: str) -> Estimate | None:
    """The newest answer, or open question, of that digest."""
    return Estimate.objects.filter(owner=owner, config_digest=key).exclude(state="failed").order_by("-created").first()


def _holds(answered: Estimate) -> bool:
    """Whether whoever answered would answer the same today. The rest of what an answer hangs on (the machine, its device, the ceiling of
    its memory) is fixed in a worker process as long as it lives, and known to nobody else."""
    worker = (answered.result or {}).get("worker")
    return worker is not None and Worker.objects.filter(pk=worker).exists()


def bounds(checked: CheckedRun) -> Bounds:
    """What one unit of a run may need on this worker: of the GPU's memory, where that is what computes."""
    from search_engine.training import device

    on_gpu = None if checked.config.device == "cpu" else device.memory_limit("cuda")
    if on_gpu is not None:
        return Bounds(on_gpu, flops_bound(checked), "a worker may take, of the GPU's memory,")
    return Bounds(memory.ceiling(), flops_bound(checked), "a worker has")


def refuse_too_large_a_unit(checked: CheckedRun) -> None:
    """Before a run's first step. Raises BadInput where one unit of it needs more than a worker may take: whoever starts it without asking
    for an estimate is told by the run."""
    if checked.dataset.provides == "samples" and may_be_large(checked):
        refuse_too_large(checked, Path(settings.NASCOPE_DATA), bounds(checked))


def _measure(checked: CheckedRun) -> dict[str, Any]:
    try:
        return estimate(checked, Path(settings.NASCOPE_DATA), newest_profiles(checked.algorithm.id), bounds(checked))
    except BadInput as error:
        if error.code != "too_large":
            raise
        nothing = dict.fromkeys(("samples", "seconds", "steps", "trials", "unit"))
        problem = {"field": error.field, "message": error.message, "code": error.code}
        return {**nothing, "note": "", "advice": [], "problem": problem}


def _data_warnings(raw: dict[str, Any]) -> list[str]:
    """What there is to know of the data: those of the first run, which all runs of an experiment share but for the seed of the split."""
    data_dir = Path(settings.NASCOPE_DATA)
    return Resources(check(RunConfig.model_validate(raw), data_dir), data_dir).data_warnings


def run_estimate(session: Session, job: Job) -> None:
    """Work out the answer. Runs that differ only by their seed cost the same and are measured once.

    Raises StaleFence if the lease was lost meanwhile."""
    from search_engine.training import device

    assert job.estimate is not None
    started = time.perf_counter()
    measured: dict[str, dict[str, Any]] = {}
    runs, data, reason = [], [], ""
    try:
        data = _data_warnings(job.estimate.configs[0])
        for raw in job.estimate.configs:
            config = RunConfig.model_validate(raw)
            key = canonical_json({**raw, "seed": 0})
            if key not in measured:
                device.configure(config.threads)
                measured[key] = _measure(check(config, Path(settings.NASCOPE_DATA)))
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
        total = sum(run["seconds"] or 0.0 for run in runs)
        answer = {"runs": runs, "data": data, "total_seconds": total, "worker": str(session.worker.pk)}
        job.estimate.result = None if reason else answer
        job.estimate.save()
