"""Views of experiments: validate, estimate, create, list, look at, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.catalogue.advice import advice
from webapp.core.models import Estimate, Experiment
from webapp.jobs import states
from webapp.jobs.estimates import request_estimate

from . import shapes
from .base import ApiView, OwnedView, data_dir
from .experiment_body import ExperimentBody, Plan, plan
from .idempotency import once
from .pagination import keyset_page
from .present import experiment_info, experiment_rows
from .problems import FieldProblem, ProblemDocument, from_bad_inputs
from .records import CURSOR
from .throttles import CreateRate, EstimateRate

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="a request that is repeated with the same key does its work once"
)


def _planned(data: Any) -> Plan:
    """Raises the Problem that lists everything wrong with the body."""
    planned, found = plan(data, data_dir())
    if planned is None:
        raise from_bad_inputs(found)
    return planned


def _stored(plan_: Plan, owner: Any) -> shapes.Experiment:
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
    for position, planned in enumerate(plan_.runs):
        states.create_run(experiment, planned.checked.config, position)
    return experiment_info(experiment_rows(Experiment.objects.filter(pk=experiment.pk)).get())


class ExperimentsView(OwnedView):
    """The experiments of whoever asks, newest first; POST makes one and queues its runs at once."""

    rows = Experiment.objects

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(operation_id="experiments_list", parameters=CURSOR, responses={200: shapes.ExperimentPage})
    def get(self, request: Request) -> Response:
        found, following = keyset_page(request, experiment_rows(self.owned()), ("-created", "-id"))
        return Response(shapes.ExperimentPage(results=[experiment_info(row) for row in found], next=following))

    @extend_schema(
        operation_id="experiments_create",
        parameters=[IDEMPOTENCY_KEY],
        request=ExperimentBody,
        responses={201: shapes.Experiment, 400: ProblemDocument, 422: ProblemDocument, 429: ProblemDocument},
    )
    def post(self, request: Request) -> Response:
        return once(request, 201, lambda: _stored(_planned(request.data), request.user))


class ExperimentView(OwnedView):
    """One experiment with its runs; DELETE ends them and removes everything that belongs to it."""

    rows = Experiment.objects

    @extend_schema(operation_id="experiment", responses={200: shapes.Experiment, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(experiment_info(self.find(pk, experiment_rows(self.owned()))))

    @extend_schema(operation_id="experiment_delete", responses={204: None, 404: ProblemDocument})
    def delete(self, request: Request, pk: UUID) -> Response:
        states.delete_experiment(self.find(pk))
        return Response(status=204)


class ValidateView(ApiView):
    """Says everything that speaks against a body; stores nothing."""

    @extend_schema(operation_id="experiments_validate", request=ExperimentBody, responses={200: shapes.Validation, 400: ProblemDocument})
    def post(self, request: Request) -> Response:
        planned, found = plan(request.data, data_dir())
        problems = [FieldProblem(field=item.field, message=item.message, code=item.code) for item in found]
        # Runs that differ by their seed alone are advised alike.
        checked = {run.algorithm: run.checked for run in planned.runs}.values() if planned is not None else ()
        said = [f"{item.algorithm.title}: {sentence}" for item in checked for sentence in advice(item)]
        return Response(shapes.Validation(valid=not problems, problems=problems, advice=said))


class EstimatesView(OwnedView):
    """POST asks a worker what a body would cost; an equal body is answered by the same estimate."""

    rows = Estimate.objects

    def get_throttles(self) -> list[Any]:
        return [EstimateRate()]

    @extend_schema(operation_id="estimates_create", request=ExperimentBody, responses={202: shapes.EstimateInfo, 400: ProblemDocument})
    def post(self, request: Request) -> Response:
        configs = [planned.checked.config for planned in _planned(request.data).runs]
        return Response(_estimate(request_estimate(request.user, configs)), status=202)


class EstimateView(OwnedView):
    """One estimate."""

    rows = Estimate.objects

    @extend_schema(operation_id="estimate", responses={200: shapes.EstimateInfo, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(_estimate(self.find(pk)))


def _estimate(row: Estimate) -> shapes.EstimateInfo:
    result = None if row.result is None else shapes.EstimateResult.model_validate(row.result)
    return shapes.EstimateInfo(id=row.pk, state=row.state, result=result, reason=row.reason)
