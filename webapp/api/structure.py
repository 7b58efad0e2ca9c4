"""The history of one edge's weights: what the inspector draws for a pinned edge."""

from __future__ import annotations

import numpy as np
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from search_engine.base.errors import BadInput
from search_engine.base.quoting import shown
from search_engine.events import encode_floats
from webapp.core.models import Event, Run, StructureFrame

from . import shapes

MAX_STEPS = 5_000


def structure_series(run: Run, group: str, edge: int, first: int, last: int | None, every: int) -> shapes.StructureSeries:
    """Weights of edge number `edge` of family group `group` at steps first..last.

    `every` keeps only steps divisible by it; 0 thins evenly to at most MAX_STEPS, the newest always among them. Of several phases
    the newest that declared a family counts. Raises BadInput for a group or an edge that the family does not have.
    """
    declared = Event.objects.filter(run_id=run.pk, kind="family").order_by("-seq").first()
    if declared is None:
        raise BadInput("group", "this run has no family graph with weights (or has not begun yet)", code="no_structure")
    groups = {item["name"]: item for item in declared.data["groups"]}
    if group not in groups:
        raise BadInput("group", f"there is no group {shown(group)}; choose one of: {', '.join(groups)}", code="unknown_id")
    edges, operations = len(groups[group]["edges"]), groups[group]["operations"]
    if not 0 <= edge < edges:
        raise BadInput("edge", f"give an edge number from 0 to {edges - 1}, not {edge}")
    frames = StructureFrame.objects.filter(run_id=run.pk, group=group, source=declared.source, step__gte=first)
    if last is not None:
        frames = frames.filter(step__lte=last)
    if every:
        frames = frames.annotate(rest=F("step") % every).filter(rest=0)
    else:
        stride = max(1, -(-frames.count() // MAX_STEPS))
        frames = frames.annotate(rest=(Window(RowNumber(), order_by="-step") - 1) % stride).filter(rest=0)
    rows = frames.order_by("step").values_list("step", "values")
    steps: list[int] = []
    weights = []
    size = 4 * len(operations)
    for step, values in rows[:MAX_STEPS]:
        steps.append(step)
        weights.append(bytes(values)[edge * size : (edge + 1) * size])
    return shapes.StructureSeries(
        group=group, edge=edge, operations=operations, steps=steps, values=encode_floats(np.frombuffer(b"".join(weights), dtype="<f4"))
    )
