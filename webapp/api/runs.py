"""Views of runs: list, look at, pause, resume, cancel, clone, go on with, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.core.models import Run, RunCounter
from webapp.jobs import continuing, states

from . import best_so_far, shapes
from .base import OwnedView
from .experiments import planned_of, stored
from .pagination import keyset_page
from .present import run_detail, run_info, run_infos, run_rows
from .problems import Problem, ProblemDocument, need_space
from .queries import Id, Page, reads
from .throttles import CreateRate


class RunsQuery(Page):
    """Runs of one experiment, or of all."""

    experiment: Annotated[UUID | None, Id()] = None


class RunsView(OwnedView):
    """The runs of whoever asks, newest first."""

    rows = Run.objects

    @extend_schema(
        operation_id="runs_list",
        responses={200: shapes.RunPage, 400: ProblemDocument},
    )
    @reads(RunsQuery)
    def get(self, request: Request, query: RunsQuery) -> Response:
        rows = run_rows(self.owned())
        if query.experiment is not None:
            rows = rows.filter(experiment_id=query.experiment)
        found, following = keyset_page(query, rows, ("-created", "-id"))
        return Response(shapes.RunPage(results=run_infos(found), next=following))


class RunView(OwnedView):
    """One run; DELETE ends it and removes everything that belongs to it."""

    rows = Run.objects

    @extend_schema(operation_id="run", responses={200: shapes.RunDetail, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(run_detail(self.find(pk, run_rows(self.owned()))))

    @extend_schema(operation_id="run_delete", responses={204: None, 404: ProblemDocument})
    def delete(self, request: Request, pk: UUID) -> Response:
        _change(states.delete_run, self.find(pk).pk)
        return Response(status=204)


class _ActionView(OwnedView):
    """A POST that moves a run to another state; 409 with the present state where that is not possible."""

    rows = Run.objects
    change: Callable[[UUID], Run]

    def act(self, pk: UUID) -> Response:
        _change(type(self).change, self.find(pk).pk)
        return Response(run_info(self.find(pk, run_rows(self.owned()))), status=202)


class PauseView(_ActionView):
    """Stop after the slice under way."""

    change = staticmethod(states.pause)

    @extend_schema(operation_id="run_pause", request=None, responses={202: shapes.Run, 404: ProblemDocument, 409: ProblemDocument})
    def post(self, request: Request, pk: UUID) -> Response:
        return self.act(pk)


class ResumeView(_ActionView):
    """Go on from the last checkpoint."""

    change = staticmethod(states.resume)

    @extend_schema(
        operation_id="run_resume", request=None,
        responses={202: shapes.Run, 404: ProblemDocument, 409: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        self.find(pk)
        need_space()
        return self.act(pk)


class CancelView(_ActionView):
    """End the run without a finale."""

    change = staticmethod(states.cancel)

    @extend_schema(operation_id="run_cancel", request=None, responses={202: shapes.Run, 404: ProblemDocument, 409: ProblemDocument})
    def post(self, request: Request, pk: UUID) -> Response:
        return self.act(pk)


class FinishView(_ActionView):
    """End the search where it is and go on to the finale; a paused run resumes for it."""

    change = staticmethod(states.finish)

    @extend_schema(
        operation_id="run_finish", request=None,
        responses={202: shapes.Run, 404: ProblemDocument, 409: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        self.find(pk)
        need_space()
        return self.act(pk)


class CloneView(OwnedView):
    """The same config with another seed, in the same experiment, queued at once."""

    rows = Run.objects

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(
        operation_id="run_clone", request=shapes.CloneBody,
        responses={201: shapes.Run, 400: ProblemDocument, 404: ProblemDocument, 409: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        body = self.body(request, shapes.CloneBody)
        run = self.find(pk, self.owned().select_related("experiment"))
        need_space()
        clone = _change(lambda _: states.clone_run(run, body.seed), pk)
        return Response(run_info(self.find(clone.pk, run_rows(self.owned()))), status=201)


class MoreView(OwnedView):
    """A new run of the same experiment, queued at once, that goes on with the search of one that is over."""

    rows = Run.objects

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(
        operation_id="run_more", request=shapes.MoreBody,
        responses={201: shapes.Run, 400: ProblemDocument, 404: ProblemDocument, 409: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        self.find(pk)
        body = self.body(request, shapes.MoreBody)
        need_space()
        made = _change(lambda run: continuing.go_on(run, body.unit, body.more), pk)
        return Response(run_info(self.find(made.pk, run_rows(self.owned()))), status=201)


class BestView(OwnedView):
    """A new experiment whose one run trains and tests the best architecture that a run knows so far, whatever its state."""

    rows = Run.objects

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(
        operation_id="run_best", request=None,
        responses={201: shapes.Experiment, 400: ProblemDocument, 404: ProblemDocument, 507: ProblemDocument},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        run = self.find(pk, self.owned().select_related("experiment"))
        need_space()
        made = stored(planned_of(best_so_far.body(run), request.user), request.user, best_of=run.pk)
        return Response(made, status=201)


def _change(action: Callable[[UUID], Any], pk: UUID) -> Any:
    """What the action gives. Raises Problem 409 where the run's state does not allow it, Http404 where somebody deleted it meanwhile."""
    try:
        return action(pk)
    except states.StateConflict as conflict:
        raise Problem(409, "wrong_state", str(conflict), state=conflict.state) from None
    except RunCounter.DoesNotExist:
        raise Http404 from None
