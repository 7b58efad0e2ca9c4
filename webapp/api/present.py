"""Rows into what the API says about them.

Each `*_rows` function gives the query set whose relations its presenter reads, so that a list of any length takes the same number of
queries.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypedDict

from django.db.models import Prefetch, QuerySet

from search_engine.catalogue import registry
from webapp.core.models import Experiment, Job, ModelArtefact, Run

from . import shapes


class _OfRun(TypedDict):
    leased_jobs: list[Job]
    model_rows: list[ModelArtefact]


class _OfExperiment(TypedDict):
    run_rows: list[ReadyRun]


if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    ReadyRun = WithAnnotations[Run, _OfRun]
    ReadyExperiment = WithAnnotations[Experiment, _OfExperiment]


def run_rows(rows: QuerySet[Run]) -> QuerySet[ReadyRun]:
    """Runs with what `run_info` needs: three queries, however many runs."""
    leased = Job.objects.filter(state=Job.State.LEASED, worker__isnull=False).select_related("worker").order_by("pk")
    return rows.select_related("experiment", "counter").prefetch_related(
        Prefetch("jobs", queryset=leased, to_attr="leased_jobs"),
        Prefetch("models", queryset=ModelArtefact.objects.order_by("index"), to_attr="model_rows"),
    )


def run_info(run: ReadyRun) -> shapes.Run:
    """A run made ready by `run_rows`."""
    return shapes.Run(**_run_fields(run))


def run_detail(run: ReadyRun) -> shapes.RunDetail:
    return shapes.RunDetail(**_run_fields(run), config=run.config)


def _run_fields(run: ReadyRun) -> dict[str, Any]:
    counter = run.counter
    best = None
    if run.best_value is not None:
        best = shapes.Best(value=run.best_value, metric=run.best_metric, candidate=run.best_candidate, genome_hash=run.best_genome_hash)
    return {
        "id": run.pk,
        "experiment": shapes.ExperimentName(id=run.experiment_id, name=run.experiment.name),
        "algorithm": algorithm_name(run.algorithm),
        "options": run.options,
        "seed": run.seed,
        "space": run.space,
        "datasets": run.datasets,
        "state": run.state,
        "reason": run.reason,
        "budget": budget_info(run.config.get("budget")),
        "charged": shapes.Charged(
            samples=counter.charged_samples, trials=counter.charged_trials, seconds=counter.charged_seconds, flops=counter.charged_flops
        ),
        "progress": shapes.RunProgress(
            fraction=run.progress.get("fraction"), text=run.progress.get("text", ""), eta_seconds=run.progress.get("eta_seconds")
        ),
        "phase": run.phase,
        "best": best,
        "last_seq": counter.last_seq,
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "reproducible": run.reproducible,
        "reproducible_note": run.reproducible_note,
        "worker": _worker_of(run.leased_jobs),
        "counts": shapes.Counts(candidates=counter.candidates, trials=counter.trials_told, failed=counter.trials_failed),
        "models": [model_info(model, run) for model in run.model_rows],
    }


def _worker_of(jobs: list[Job]) -> shapes.RunWorker | None:
    """Who works for the run: its training rather than its coordinator's step, where both are at work."""
    for job in sorted(jobs, key=lambda job: job.kind == Job.Kind.ADVANCE):
        worker = job.worker
        if worker is not None:
            return shapes.RunWorker(name=worker.name, device=worker.device, threads=worker.threads)
    return None


def algorithm_name(name: str) -> shapes.AlgorithmName:
    """What an algorithm is called and how it is drawn; a run keeps its id where the algorithm was uninstalled since."""
    entry = registry.algorithms().get(name)
    if entry is None:
        return shapes.AlgorithmName(id=name, title=name, structure=[], metric_note="")
    return shapes.AlgorithmName(id=name, title=entry.title, structure=list(entry.structure), metric_note=entry.metric_note)


def budget_info(budget: dict[str, Any] | None) -> shapes.BudgetInfo | None:
    for kind in ("trials", "samples", "seconds"):
        if budget is not None and budget.get(kind) is not None:
            return shapes.BudgetInfo(kind=kind, limit=budget[kind])
    return None


def model_rows(rows: QuerySet[ModelArtefact]) -> QuerySet[ModelArtefact]:
    return rows.select_related("run__experiment")


def model_info(model: ModelArtefact, run: Run) -> shapes.Model:
    """A model of `run`, whose experiment is loaded."""
    bundle = None
    if model.bundle_path:
        bundle = shapes.Bundle(size=model.bundle_size or 0, sha256=model.bundle_sha256)
    return shapes.Model(
        id=model.pk,
        run=run.pk,
        experiment=shapes.ExperimentName(id=run.experiment_id, name=run.experiment.name),
        algorithm=algorithm_name(run.algorithm),
        space=run.space,
        datasets=[run.datasets[place] for place in model.domains] or run.datasets,
        seed=run.seed,
        index=model.index,
        role=model.role,
        title=model.title,
        genome_hash=model.genome_hash,
        metrics=model.metrics,
        parameters=model.parameters,
        flops=model.flops,
        bundle=bundle,
        reason=model.reason,
        created=model.created,
    )


def experiment_rows(rows: QuerySet[Experiment]) -> QuerySet[ReadyExperiment]:
    """Experiments with their runs: four queries, however many of either."""
    runs = run_rows(Run.objects.all()).order_by("position", "pk")
    return rows.prefetch_related(Prefetch("runs", queryset=runs, to_attr="run_rows"))


def experiment_info(experiment: ReadyExperiment) -> shapes.Experiment:
    """An experiment made ready by `experiment_rows`."""
    runs = [run_info(run) for run in experiment.run_rows]
    return shapes.Experiment(
        id=experiment.pk,
        name=experiment.name,
        created=experiment.created,
        space=experiment.space,
        datasets=experiment.datasets,
        budget=budget_info(experiment.budget),
        seeds=experiment.config.get("seeds", []),
        config=experiment.config,
        states=dict(Counter(run.state for run in runs)),
        runs=runs,
    )
