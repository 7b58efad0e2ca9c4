"""Models whose architecture is trained again by a run of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from search_engine.base.errors import BadInput

from ..core.models import Genome, ModelArtefact


def architecture_of(model: ModelArtefact) -> Genome:
    """Raises BadInput (field "model") where its run has kept none."""
    genome = Genome.objects.filter(run_id=model.run_id, hash=model.genome_hash).order_by("id").first()
    if genome is None:
        raise BadInput("model", "its run has kept no architecture of it", code="incompatible")
    return genome


def check_retrained(owner: Any, model_id: UUID, options: Mapping[str, Any]) -> None:
    """Whether a run with these options trains the architecture of that model of `owner`. Raises BadInput (field "retrains")."""
    model = ModelArtefact.objects.filter(owner=owner, pk=model_id).first()
    if model is None:
        raise BadInput("retrains", f"you have no model {model_id}", code="unknown")
    try:
        genome = architecture_of(model)
        given = json.loads(options.get("architecture", ""))
    except BadInput as error:
        raise BadInput("retrains", error.message, error.code) from None
    except (TypeError, ValueError, RecursionError):
        given = None
    if given != {"space": genome.space, "content": genome.content}:
        raise BadInput(
            "retrains", "the only algorithm must be given_architecture with that model's architecture: take the body that "
            "models/{id}/retraining gives", code="incompatible",
        )  # fmt: skip
