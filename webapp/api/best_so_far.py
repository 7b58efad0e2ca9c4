"""A model of the best that a run knows so far, whatever becomes of the run: the body of an experiment that trains that architecture, on the
same data and as the run's own finale would."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from search_engine.algorithms.base import AlgorithmEntry
from search_engine.algorithms.given_architecture import ENTRY as GIVEN
from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import CheckedRun, check
from webapp.core.models import Event, Run

FOUND = ("incumbent", "derived")
"""Events that name the best of a search by trials, and what a search by steps would derive."""
NOTHING_YET = "it has found no architecture yet"
WEIGHTS = "what this method finds is a network with its weights: its architecture trained anew would be another result"
NO_TRAINING = "nothing is trained here: its data are a table or a formula, which answers at once"
SEVERAL = "it searches one network for several data sets, which only its own finale can finish"
GIVEN_ALREADY = "it trains a given architecture already"


def refusal(run: Run) -> str:
    """Why the best of such a run is not trained as an architecture, whatever it has found; empty where it can be. By the catalogue."""
    if run.algorithm == GIVEN.id:
        return GIVEN_ALREADY
    entry = registry.algorithms().get(run.algorithm)
    if entry is None:
        return "its algorithm is no longer installed"
    dataset = registry.known_dataset(run.datasets[0] if run.datasets else "")
    if dataset is not None and dataset.provides != "samples":
        return NO_TRAINING
    if _keeps_weights(entry, run.options):
        return WEIGHTS
    return SEVERAL if len(run.datasets) > 1 else ""


def _keeps_weights(entry: AlgorithmEntry, options: dict[str, Any]) -> bool:
    # A mask is one over certain first weights.
    if entry.finisher or "masks" in entry.space_needs:
        return True
    if "trials" not in entry.needs:
        return False
    try:
        phases = entry.phases(entry.config.model_validate(options))
    except ValidationError:
        # Another version's options.
        return False
    return any(getattr(phase, "goes_on", False) for phase in phases)


def body(run: Run) -> dict[str, Any]:
    """That of POST experiments. Raises BadInput (field "run") where there is no best of it to be trained."""
    if why := refusal(run):
        raise BadInput("run", f"the best of this run cannot be trained so: {why}", code="incompatible")
    found = Event.objects.filter(run=run, kind__in=FOUND).order_by("-seq").values_list("data", flat=True).first()
    if found is None:
        raise BadInput("run", f"the best of this run cannot be trained: {NOTHING_YET}", code="nothing_found")
    checked = check(run.config)
    config = checked.config
    return {
        "name": f"Best so far of {run.experiment.name}"[:200],
        "algorithms": [{"id": GIVEN.id, "options": {"architecture": json.dumps(found["genome"])}}],
        "space": config.space, "space_options": config.space_options, "datasets": config.datasets,
        "dataset_options": config.dataset_options, "seeds": [config.seed], "objective": config.objective, "finale": _finale(checked),
        "runtime": {"threads": config.threads, "device": config.device, "amp": config.amp},
    }  # fmt: skip


def _finale(checked: CheckedRun) -> dict[str, Any]:
    """As the run's own, with one finalist and its training written out: another algorithm's recipe would be another one."""
    finale = checked.config.finale.model_dump(mode="json", exclude={"finalists", "training"})
    return {**finale, "training": checked.finale_training.model_dump(mode="json")}
