"""Training a finished model's architecture again: the body of the experiment that does it, to be changed and posted."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.algorithms.given_architecture import ENTRY
from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import CheckedRun, check
from search_engine.catalogue.idle import idle
from webapp.core.models import Genome, ModelArtefact
from webapp.jobs.retrained import architecture_of

from . import shapes
from .base import OwnedView, data_dir
from .experiment_body import Given, plan
from .experiments import given_to
from .present import model_rows, visits_of_test_part
from .problems import ProblemDocument

AS_IT_WAS = ("threads", "device", "amp")
"""Of the machine: what the new run takes over from the model's."""
LONGEST_NAME = 200


class ModelRetrainingView(OwnedView):
    """What it takes to train a model's architecture again, from new weights, on the data that it is for."""

    rows = ModelArtefact.objects

    @extend_schema(operation_id="model_retraining", responses={200: shapes.Retraining, 404: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        model = self.find(pk, model_rows(self.owned()))
        try:
            return Response(_retraining(model, given_to(request.user)))
        except BadInput as error:
            return Response(shapes.Retraining(reason=error.message))


def _retraining(model: ModelArtefact, given: Given) -> shapes.Retraining:
    """Raises BadInput saying why it cannot be trained again."""
    run = model.run
    if len(model.domains) > 1:
        raise BadInput("model", "it is one network for several data sets, which a search of its own trains together", code="incompatible")
    was = check(run.config)
    place = model.domains[0] if model.domains else 0
    dataset = was.datasets[place]
    if dataset.provides != "samples":
        raise BadInput("model", "a table or a formula answered: nothing was trained", code="incompatible")
    if was.space.id not in [entry.id for entry in registry.spaces_for(ENTRY)]:
        raise BadInput("model", f"its weights are the result: a network of '{was.space.id}' cannot be trained apart from them",
                       code="incompatible")
    genome = architecture_of(model)
    body = _body(model, was, place, genome)
    planned, problems = plan(body, data_dir(), given)
    if planned is None:
        raise problems[0]
    checked = planned.runs[0].checked
    nothing = idle(ENTRY, checked.space, dataset)
    training = checked.finale_training
    fixed = nothing.get("finale.training.epochs", "")
    part, visits = visits_of_test_part(run, place)
    return shapes.Retraining(
        body=body,
        length=None if fixed else shapes.TrainingLength(unit="steps", count=training.steps) if training.steps
        else shapes.TrainingLength(unit="epochs", count=training.epochs),
        length_note=fixed and f"How long it is trained cannot be changed: {fixed}.",
        weights_note=_weights_note(was, model),
        visits=shapes.PartVisits(part=part, data=visits),
    )


def _weights_note(was: CheckedRun, model: ModelArtefact) -> str:
    """What becomes of the weights that it has."""
    if was.finishes:
        return "It begins from new weights: those that the model has are not used."
    return (
        f"{was.algorithm.title} left this model its weights. They are not used: the architecture is trained from new ones, by the "
        "house's recipe."
    )


def _body(model: ModelArtefact, was: CheckedRun, place: int, genome: Genome) -> dict[str, Any]:
    """The experiment that trains it as it was trained: the same data, the same division of them, the same recipe."""
    run, finale = model.run, was.config.finale
    training = was.finale_training.model_dump(mode="json") if was.finishes else {}
    architecture = {"space": genome.space, "content": genome.content}
    return {
        "name": f"{run.experiment.name}, trained again"[-LONGEST_NAME:],
        "algorithms": [{"id": ENTRY.id, "options": {"architecture": json.dumps(architecture, sort_keys=True)}}],
        "space": was.space.id,
        "space_options": was.space_options.model_dump(mode="json"),
        "datasets": [was.datasets[place].id],
        "dataset_options": [was.dataset_options[place].model_dump(mode="json")],
        "seeds": [run.seed],
        "objective": was.config.objective,
        "finale": {"baselines": 0, "export": True, "onnx": finale.onnx, "redundancy": finale.redundancy, "training": training},
        "runtime": {name: getattr(was.config, name) for name in AS_IT_WAS},
        "retrains": str(model.pk),
    }
