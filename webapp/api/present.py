"""Rows into what the API says about them.

Each `*_rows` function gives the query set whose relations its presenter reads, so that a list of any length takes the same number of
queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from pydantic import ValidationError

from search_engine.base.errors import BadInput
from search_engine.base.measures import measure_of, title_of
from search_engine.catalogue import registry
from search_engine.catalogue.config import BUDGET_KINDS, check
from search_engine.catalogue.recipes import overridden, sentences
from search_engine.events import Score
from webapp.core import room
from webapp.core.models import Experiment, Job, ModelArtefact, Run, TestVisit
from webapp.jobs import continuing
from webapp.jobs.states import NO_SPACE

from . import best_so_far, shapes


class _OfRun(TypedDict):
    leased_jobs: list[Job]
    model_rows: list[ModelArtefact]
    visits_run: int | None
    visits_experiment: int | None


class _OfExperiment(TypedDict):
    run_rows: list[ReadyRun]
    visits_experiment: int | None


if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    from search_engine.algorithms.base import AlgorithmEntry

    ReadyRun = WithAnnotations[Run, _OfRun]
    ReadyExperiment = WithAnnotations[Experiment, _OfExperiment]


_IN_BRIEF = ("run_id", "index", "role", "domains", "scores")
"""Of a run's models, what its scores are read from."""


def run_rows(rows: QuerySet[Run], *, brief: bool = False) -> QuerySet[ReadyRun]:
    """Runs with what `run_info` needs: three queries, however many runs. `brief`: for `run_infos(brief=True)`."""
    models = ModelArtefact.objects.order_by("index")
    if brief:
        models = models.filter(role="finalist").only(*_IN_BRIEF)
    leased = Job.objects.filter(state=Job.State.LEASED, worker__isnull=False).select_related("worker").order_by("pk")
    rows = rows.annotate(
        visits_run=_visits("run_id", run_id=OuterRef("pk")),
        visits_experiment=_visits("experiment_id", experiment_id=OuterRef("experiment_id")),
    )
    return rows.select_related("experiment", "counter").prefetch_related(
        Prefetch("jobs", queryset=leased, to_attr="leased_jobs"),
        Prefetch("models", queryset=models, to_attr="model_rows"),
    )


PartsVisited = dict[tuple[int, str], int]
"""(owner, test part) -> finished networks of all their runs that were scored on it."""


def parts_visited(runs: Sequence[ReadyRun]) -> PartsVisited:
    """Of all data sets of all these runs, in one query. Nearly all runs of a list share one: counted for each of them again it took a third
    of the list's time."""
    parts = {part for run in runs for part in (run.data, *(part for part, _ in _further_parts(run)))}
    asked = {"owner_id__in": {run.owner_id for run in runs}, "data__in": parts}
    found = TestVisit.objects.filter(**asked).order_by().values_list("owner_id", "data").annotate(Count("network", distinct=True))
    return {(owner, data): networks for owner, data, networks in found}


def visits_of_test_part(run: Run, place: int) -> tuple[str, int]:
    """The test part of the run's data set at `place` in words, and how many networks of all runs of its owner were scored on it."""
    name, words = _test_part(run, place)
    found = TestVisit.objects.filter(owner_id=run.owner_id, data=name).aggregate(networks=Count("network", distinct=True))
    return words, found["networks"]


def _visits(group: str, **of: Any) -> Subquery:
    """How many networks of these were scored on the test part; null for none."""
    networks = TestVisit.objects.filter(**of).order_by().values(group).annotate(networks=Count("network", distinct=True))
    return Subquery(networks.values("networks"), output_field=IntegerField())


def run_info(run: ReadyRun) -> shapes.Run:
    """A run made ready by `run_rows`."""
    return run_infos([run])[0]


def run_infos(runs: Sequence[ReadyRun], *, brief: bool = False) -> list[shapes.Run]:
    """Runs made ready by `run_rows`: one query more, however many they are. `brief`: without their models, of which a list of experiments
    would hold thousands."""
    visited = parts_visited(runs)
    return [shapes.Run(**_run_fields(run, visited), models=[] if brief else _models(run)) for run in runs]


def run_detail(run: ReadyRun) -> shapes.RunDetail:
    fields = _run_fields(run, parts_visited([run]))
    search, finale = continuing.took(run)
    return shapes.RunDetail(
        **fields, models=_models(run), config=run.config, finish=_finish(run.config), lineage=_lineage(run),
        continued_by=list(run.continued_by.order_by("created", "pk").values_list("pk", flat=True)),
        took=shapes.Took(search=search, finale=finale), best_of=run.best_of_id,
    )


def _lineage(run: ReadyRun) -> list[shapes.Ancestor]:
    """The searches that it goes on with. Runs that were deleted are named no more; their visits to the test part stay."""
    ids = [UUID(entry["run"]) for entry in run.lineage]
    if not ids:
        return []
    there = set(Run.objects.filter(pk__in=ids, owner_id=run.owner_id).values_list("pk", flat=True))
    visits = TestVisit.objects.filter(run_id__in=ids, owner_id=run.owner_id).order_by().values_list("run_id")
    counted = dict(visits.annotate(Count("network", distinct=True)))
    return [
        shapes.Ancestor(
            run=pk if pk in there else None, unit=entry["unit"], have=entry["have"], test_visits=counted.get(pk, 0)
        )
        for pk, entry in zip(ids, run.lineage, strict=True)
    ]


def _models(run: ReadyRun) -> list[shapes.Model]:
    return [model_info(model, run) for model in run.model_rows]


def _finish(config: dict[str, Any]) -> shapes.Finish:
    """How a run is finished; nothing is known of what is no longer installed."""
    try:
        checked = check(config)
    except BadInput:
        return shapes.Finish(sentences=[], other_recipe=None)
    other = overridden(checked)
    return shapes.Finish(sentences=sentences(checked), other_recipe=None if other is None else shapes.OtherRecipe.model_validate(other))


def _run_fields(run: ReadyRun, visited: PartsVisited) -> dict[str, Any]:
    counter = run.counter
    best = None
    if run.search_score is not None:
        best = shapes.Best(candidate=run.best_candidate, genome_hash=run.best_genome_hash)
    return {
        "id": run.pk,
        "experiment": shapes.ExperimentName(id=run.experiment_id, name=run.experiment.name),
        "algorithm": algorithm_name(run.algorithm),
        "options": run.options,
        "seed": run.seed,
        "space": run.space,
        "datasets": run.datasets,
        **_state(run),
        "ending": run.ending,
        "budget": budget_info(run.config),
        "charged": shapes.Charged(
            samples=counter.charged_samples, trials=counter.charged_trials, seconds=counter.charged_seconds, flops=counter.charged_flops
        ),
        "progress": shapes.RunProgress(
            fraction=run.progress.get("fraction"), text=run.progress.get("text", ""), eta_seconds=run.progress.get("eta_seconds"),
            eta_low_seconds=run.progress.get("eta_low_seconds"), eta_high_seconds=run.progress.get("eta_high_seconds"),
        ),
        "phase": run.phase,
        "best": best,
        "search_measure": _measure(run),
        **_scores_of(run),
        "test_visits": shapes.TestVisits(
            run=run.visits_run or 0, experiment=run.visits_experiment or 0, data=visited.get((run.owner_id, run.data), 0),
            part=_test_part(run, 0)[1],
            further=[
                shapes.PartVisits(part=words, data=visited.get((run.owner_id, part), 0)) for part, words in _further_parts(run)
            ],
        ),
        "last_seq": counter.last_seq,
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "reproducible": run.reproducible,
        "reproducible_note": run.reproducible_note,
        "worker": _worker_of(run.leased_jobs),
        "more": _more(run),
        "continues": _continues(run),
        "no_best": best_so_far.refusal(run),
        "counts": shapes.Counts(
            candidates=counter.candidates, trials=counter.trials_told, failed=counter.trials_failed,
            repeated=counter.trials_repeated, architectures=counter.architectures,
        ),
    }


def _more(run: ReadyRun) -> shapes.More:
    found = continuing.possible(run)
    return shapes.More(unit=found.unit, have=found.have, why_not=found.why_not)


def _continues(run: ReadyRun) -> shapes.Continues | None:
    if not run.lineage:
        return None
    last = run.lineage[-1]
    return shapes.Continues(run=run.continues_id, unit=last["unit"], have=last["have"])


def _test_part(run: Run, place: int) -> tuple[str, str]:
    """The test part of the run's data set at `place`: the name under which visits to it are counted, and it in words; twice the data set's
    id where nobody knows its options any more."""
    name = run.datasets[place] if place < len(run.datasets) else ""
    entry = registry.known_dataset(name)
    given = run.config.get("dataset_options") or []
    try:
        if entry is not None:
            options = entry.config.model_validate(given[place] if place < len(given) else {})
            return entry.test_part(options), entry.test_part_in_words(options)
    except ValidationError:
        pass
    return name, name


def _further_parts(run: ReadyRun) -> list[tuple[str, str]]:
    """The test parts of its further data sets that are others than that of its first, each once."""
    if len(run.datasets) < 2:
        return []
    parts = dict(_test_part(run, place) for place in range(len(run.datasets)))
    return list(parts.items())[1:]


def _state(run: ReadyRun) -> dict[str, Any]:
    """A run that could go on stands still without space, whether the database could write that down or not."""
    state, reason = run.state, run.reason
    if state in Run.ACTIVE and room.full() and not run.followed:
        state, reason = Run.State.PAUSED, NO_SPACE
    waits = state in (Run.State.PAUSING, Run.State.PAUSED) and reason == NO_SPACE
    return {"state": state, "reason": reason, "elsewhere": run.followed, "resumes_itself": waits}


def _measure(run: ReadyRun) -> shapes.SearchMeasure:
    """What the run ranks by. Where its algorithm or data set was uninstalled since, nobody says the unit of a measure of its own."""
    entries = (_algorithm(run.algorithm), registry.known_dataset(run.datasets[0] if run.datasets else ""))
    unit = next((entry.metric_unit for entry in entries if entry is not None and entry.metric == run.metric), "")
    try:
        measure, name = measure_of(run.metric, unit), title_of(run.metric, unit)
    except KeyError:
        return shapes.SearchMeasure(metric=run.metric, name=run.metric, unit="unknown unit", direction="maximise")
    return shapes.SearchMeasure(metric=run.metric, name=name, unit=measure.unit, direction=measure.direction)


def _scores_of(run: ReadyRun) -> dict[str, Score | None]:
    """The run's three scores. Until a finalist is finished the search's own stands alone."""
    finalists = [model for model in run.model_rows if model.role == "finalist"]
    # Of several networks for the same data the first is the one that the search chose: neither of its own scores chooses.
    first = list({tuple(model.domains): model for model in reversed(finalists)}.values())
    search = None if run.search_score is None else Score.model_validate(run.search_score)
    if search is not None and run.best_candidate is not None:
        # What took an earlier trial's result was not one more to choose from.
        told = run.counter.trials_told - run.counter.trials_failed - run.counter.trials_repeated
        search = search.model_copy(update={"selected_from": max(search.selected_from, told)})
    return {
        "search_score": _mean(first, "search") or search,
        "validation_score": _mean(first, "validation"),
        "test_score": _mean(first, "test"),
    }


def _mean(models: list[ModelArtefact], kind: str) -> Score | None:
    """The score of one network, or the mean over several that are each for data of their own, where they are scored alike."""
    scores = [Score.model_validate(model.scores[kind]) for model in models if model.scores.get(kind)]
    if not scores or len(scores) < len(models) or len({(score.metric, score.unit) for score in scores}) > 1:
        return None
    if len(scores) == 1:
        return scores[0]
    value = sum(score.value for score in scores) / len(scores)
    return scores[0].model_copy(
        update={"value": value, "data_sets": len(scores), "name": f"{scores[0].name}, mean of {len(scores)} data sets"}
    )


def _worker_of(jobs: list[Job]) -> shapes.RunWorker | None:
    """Who works for the run: its training rather than its coordinator's step, where both are at work."""
    for job in sorted(jobs, key=lambda job: job.kind == Job.Kind.ADVANCE):
        worker = job.worker
        if worker is not None:
            return shapes.RunWorker(name=worker.name, device=worker.device, threads=worker.threads)
    return None


def algorithm_name(name: str) -> shapes.AlgorithmName:
    """What an algorithm is called and how it is drawn; a run keeps its id where the algorithm was uninstalled since."""
    entry = _algorithm(name)
    if entry is None:
        return shapes.AlgorithmName(id=name, title=name, structure=[], metric_note="")
    return shapes.AlgorithmName(id=name, title=entry.title, structure=list(entry.structure), metric_note=entry.metric_note)


def _algorithm(name: str) -> AlgorithmEntry | None:
    """Also one that is no search, and that no list offers."""
    return registry.unlisted().get(name) or registry.algorithms().get(name)


def budget_info(config: dict[str, Any]) -> shapes.BudgetInfo | None:
    """Of a run's config, or of an experiment's body."""
    budget = config.get("budget")
    for kind in BUDGET_KINDS:
        if budget is not None and budget.get(kind) is not None:
            return shapes.BudgetInfo(kind=kind, limit=budget[kind], count_repeats=config.get("count_repeats", True))
    return None


def model_rows(rows: QuerySet[ModelArtefact]) -> QuerySet[ModelArtefact]:
    return rows.select_related("run__experiment")


def model_info(model: ModelArtefact, run: Run) -> shapes.Model:
    """A model of `run`, whose experiment is loaded."""
    bundle = None
    if model.bundle_path:
        bundle = shapes.Bundle(
            size=model.bundle_size or 0, sha256=model.bundle_sha256, checked=model.bundle_checked, damage=model.bundle_damage,
            repair=repair_text(model) if model.bundle_damage else "", rebuild=_rebuild(model, run),
        )
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
        search_score=model.scores.get("search"),
        validation_score=model.scores.get("validation"),
        test_score=model.scores.get("test"),
        by_class=model.by_class,
        warnings=model.warnings,
        parameters=model.parameters,
        flops=model.flops,
        bundle=bundle,
        begins=_begins(model, run),
        reason=model.reason,
        created=model.created,
    )


def _begins(model: ModelArtefact, run: Run) -> list[shapes.Begins]:
    """What can be begun with it, as far as its data say: whether its layers allow it is checked with the whole config."""
    finale = run.config.get("finale", {})
    ensemble = finale.get("ensemble", False) and finale.get("seeds", 1) > 1
    if not model.bundle_sha256 or model.bundle_damage or len(model.domains) > 1 or ensemble:
        return []
    dataset = run.datasets[model.domains[0] if model.domains else 0]
    able = registry.beginning_with_models(dataset)
    return [shapes.Begins(algorithm=entry.id, title=entry.title, label=entry.begins_with_label) for entry in able]


def _rebuild(model: ModelArtefact, run: Run) -> Literal["no", "possible", "waiting"]:
    if model.rebuild == ModelArtefact.Rebuild.WAITING:
        return "waiting"
    return "possible" if model.bundle_damage and run.state in Run.TERMINAL else "no"


def repair_text(model: ModelArtefact) -> str:
    """What there is to do, or is being done, about a damaged download."""
    if model.rebuild == ModelArtefact.Rebuild.WAITING:
        return "the network is made again from the record"
    again = "it can be made again from the record: the same training, from the same seed, put in place only if it gives the same bytes"
    return f"the last attempt failed: {model.rebuild_reason}; {again}" if model.rebuild else again


def experiment_rows(rows: QuerySet[Experiment], *, brief: bool = False) -> QuerySet[ReadyExperiment]:
    """Experiments with their runs: four queries, however many of either. `brief` as in `run_rows`."""
    runs = run_rows(Run.objects.all(), brief=brief).order_by("position", "pk")
    rows = rows.annotate(visits_experiment=_visits("experiment_id", experiment_id=OuterRef("pk")))
    return rows.prefetch_related(Prefetch("runs", queryset=runs, to_attr="run_rows"))


def experiment_info(experiment: ReadyExperiment) -> shapes.Experiment:
    """An experiment made ready by `experiment_rows`."""
    return experiment_infos([experiment])[0]


def experiment_infos(experiments: Sequence[ReadyExperiment], *, brief: bool = False) -> list[shapes.Experiment]:
    """Experiments made ready by `experiment_rows`: one query more, however many they are. `brief` as in `run_infos`."""
    runs = iter(run_infos([run for experiment in experiments for run in experiment.run_rows], brief=brief))
    return [_experiment(experiment, [next(runs) for _ in experiment.run_rows]) for experiment in experiments]


def _experiment(experiment: ReadyExperiment, runs: list[shapes.Run]) -> shapes.Experiment:
    return shapes.Experiment(
        id=experiment.pk,
        name=experiment.name,
        created=experiment.created,
        space=experiment.space,
        datasets=experiment.datasets,
        budget=budget_info({**experiment.config, "budget": experiment.budget}),
        seeds=experiment.config.get("seeds", []),
        config=experiment.config,
        states=dict(Counter(run.state for run in runs)),
        test_visits=experiment.visits_experiment or 0,
        runs=runs,
        imported=None if experiment.imported is None else shapes.Imported.model_validate(experiment.imported),
    )
