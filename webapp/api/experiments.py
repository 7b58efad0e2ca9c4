"""Views of experiments: validate, estimate, create, list, look at, delete."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.base.errors import BadInput
from search_engine.catalogue.advice import advice
from search_engine.catalogue.recipes import sentences
from webapp.core.models import DatasetUse, Estimate, Experiment, Run
from webapp.jobs import states
from webapp.jobs.estimates import known_refusal, request_estimate
from webapp.jobs.given import given, given_population
from webapp.jobs.retrained import check_retrained

from . import shapes
from .base import ApiView, OwnedView, data_dir
from .experiment_body import ExperimentBody, Given, Plan, path_in_body, plan
from .idempotency import once
from .mine import dataset_of
from .pagination import keyset_page
from .present import experiment_info, experiment_infos, experiment_rows
from .problems import ProblemDocument, from_bad_inputs, listed, need_space
from .queries import MAX_LIMIT, Page, Whole, reads
from .throttles import CreateRate, EstimateRate, ValidateRate

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="a request that is repeated with the same key does its work once"
)


class ExperimentsQuery(Page):
    """A page of experiments is short, since each comes with its runs."""

    limit: Annotated[int, Whole(1, MAX_LIMIT)] = Field(15, description="rows of a page")


def _refuse_what_was_estimated(owner: Any, planned: Plan) -> None:
    """Raises the Problem where a worker has found that one unit of these runs needs more than it may take. Who did not ask is told by the
    run itself, before its first step."""
    refusal = known_refusal(owner, [run.checked.config for run in planned.runs])
    if refusal is not None:
        place, error = refusal
        raise from_bad_inputs([BadInput(path_in_body(place, error.field), error.message, error.code)])


def planned_of(data: Any, owner: Any) -> Plan:
    """Raises the Problem that lists everything wrong with the body."""
    planned, found = _plan(data, owner)
    if planned is None:
        raise from_bad_inputs(found)
    return planned


def _plan(data: Any, owner: Any) -> tuple[Plan | None, list[BadInput]]:
    return plan(data, data_dir(), given_to(owner))


def given_to(owner: Any) -> Given:
    """What a model of theirs is, and the population of a run of theirs, as a body's check asks for them."""
    return Given(
        lambda model: given(owner, model)[0], lambda run: given_population(owner, run)[0], lambda name: dataset_of(owner, name),
        lambda model, options: check_retrained(owner, model, options),
    )  # fmt: skip


def _unused(planned: Plan | None) -> list[str]:
    """Which algorithms leave which shared settings unused, and why: one sentence for each reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for run in planned.runs if planned is not None else ():
        for name, why in run.unused.items():
            groups.setdefault((run.checked.algorithm.title, why), []).append(name)
    return [f"{title}: not used there: {', '.join(dict.fromkeys(names))} ({why})." for (title, why), names in groups.items()]


def stored(plan_: Plan, owner: Any, best_of: UUID | None = None) -> shapes.Experiment:
    """Make the experiment and its runs. `best_of`: the run whose best so far they train."""
    first = plan_.runs[0].checked
    experiment = Experiment.objects.create(
        owner=owner,
        name=plan_.name,
        config=plan_.normalised(),
        space=first.space.id,
        datasets=[entry.id for entry in first.datasets],
        budget=None if plan_.body.budget is None else plan_.body.budget.model_dump(exclude_none=True),
        objectives=[
            {"metric": first.algorithm.metric or entry.metric, "direction": "maximise", "split": "validation", "domain": index}
            for index, entry in enumerate(first.datasets)
        ],
    )
    names = dict.fromkeys(entry.id for entry in first.datasets)
    DatasetUse.objects.bulk_create(
        DatasetUse(owner=owner, dataset=name, experiment=experiment, created=experiment.created) for name in names
    )
    weights = None if plan_.body.model is None else given(owner, plan_.body.model)[1]
    population = None if plan_.body.population is None else given_population(owner, plan_.body.population)[1]
    for position, planned in enumerate(plan_.runs):
        config, individuals = planned.begun()
        made = states.create_run(experiment, config, position, weights, population, individuals)
        if best_of is not None:
            Run.objects.filter(pk=made.pk).update(best_of=best_of)
    return _with_unused(experiment_info(experiment_rows(Experiment.objects.filter(pk=experiment.pk)).get()), owner)


def _with_unused(info: shapes.Experiment, owner: Any) -> shapes.Experiment:
    """What its runs leave aside follows from its body and from what is installed."""
    planned, _ = plan(info.config, None, given_to(owner))
    return info.model_copy(update={"unused": _unused(planned)})


class ExperimentsView(OwnedView):
    """The experiments of whoever asks, newest first, their runs without their models; POST makes one and queues its runs at once."""

    rows = Experiment.objects

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(operation_id="experiments_list", responses={200: shapes.ExperimentPage})
    @reads(ExperimentsQuery)
    def get(self, request: Request, query: ExperimentsQuery) -> Response:
        found, following = keyset_page(query, experiment_rows(self.owned(), brief=True), ("-created", "-id"))
        return Response(shapes.ExperimentPage(results=experiment_infos(found, brief=True), next=following))

    @extend_schema(
        operation_id="experiments_create",
        parameters=[IDEMPOTENCY_KEY],
        request=ExperimentBody,
        responses={201: shapes.Experiment, 400: ProblemDocument, 422: ProblemDocument, 429: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request) -> Response:
        def begin() -> shapes.Experiment:
            need_space()
            planned = planned_of(request.data, request.user)
            _refuse_what_was_estimated(request.user, planned)
            return stored(planned, request.user)

        return once(request, 201, begin)


class ExperimentView(OwnedView):
    """One experiment with its runs; DELETE ends them and removes everything that belongs to it."""

    rows = Experiment.objects

    @extend_schema(operation_id="experiment", responses={200: shapes.Experiment, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(_with_unused(experiment_info(self.find(pk, experiment_rows(self.owned()))), request.user))

    @extend_schema(operation_id="experiment_delete", responses={204: None, 404: ProblemDocument})
    def delete(self, request: Request, pk: UUID) -> Response:
        states.delete_experiment(self.find(pk))
        return Response(status=204)


class ValidateView(ApiView):
    """Says what speaks against a body; stores nothing. Of many problems the first hundred are listed, and how many more there are."""

    largest_body = 100_000
    """The form asks again and again: a body that nobody fills in by hand is refused before it is read."""

    def get_throttles(self) -> list[Any]:
        return [ValidateRate()]

    @extend_schema(
        operation_id="experiments_validate", request=ExperimentBody,
        responses={200: shapes.Validation, 400: ProblemDocument, 429: ProblemDocument},
    )
    def post(self, request: Request) -> Response:
        planned, found = _plan(request.data, request.user)
        problems = listed(found)
        # Runs that differ by their seed alone are advised alike.
        checked = list({run.algorithm: run.checked for run in planned.runs}.values()) if planned is not None else []
        said = [f"{item.algorithm.title}: {sentence}" for item in checked for sentence in advice(item)]
        said += _unused(planned)
        finish = [f"{item.algorithm.title}: {' '.join(words)}" for item in checked if (words := sentences(item))]
        return Response(shapes.Validation(valid=not problems, problems=problems, advice=said, finish=list(dict.fromkeys(finish))))


class EstimatesView(OwnedView):
    """POST asks a worker what a body would cost; an equal body is answered by the same estimate."""

    rows = Estimate.objects

    def get_throttles(self) -> list[Any]:
        return [EstimateRate()]

    @extend_schema(
        operation_id="estimates_create", request=ExperimentBody,
        responses={202: shapes.EstimateInfo, 400: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request) -> Response:
        need_space()
        configs = [planned.checked.config for planned in planned_of(request.data, request.user).runs]
        return Response(_estimate(request_estimate(request.user, configs)), status=202)


class EstimateView(OwnedView):
    """One estimate."""

    rows = Estimate.objects

    @extend_schema(operation_id="estimate", responses={200: shapes.EstimateInfo, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(_estimate(self.find(pk)))


def _estimate(row: Estimate) -> shapes.EstimateInfo:
    result = None if row.result is None else shapes.EstimateResult.model_validate(row.result)
    if result is not None:
        places = {algorithm: place for place, algorithm in enumerate(dict.fromkeys(run.algorithm for run in result.runs))}
        for run in result.runs:
            if run.problem is not None:
                run.problem = run.problem.model_copy(update={"field": path_in_body(places[run.algorithm], run.problem.field)})
    return shapes.EstimateInfo(id=row.pk, state=row.state, result=result, reason=row.reason)
