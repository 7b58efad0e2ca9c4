"""What the browser draws of a growing and shrinking set: the family of units, the network of the best set, the charts."""

from __future__ import annotations

import numpy as np

from search_engine.events import Chart, ChartMark, FamilyGroup, GraphData, GraphEdge, GraphNode, series

from .layout import Layout
from .records import Visit
from .rule import Units
from .stability import pareto_front

GROUP = "units"


def family(layout: Layout) -> FamilyGroup:
    """Every unit as one edge with the weight 1 (active) or 0."""
    if layout.unit == "feature":
        nodes = [GraphNode(id=f"x{i}", label=layout.names[i], kind="input") for i in range(layout.inputs)]
        nodes.append(GraphNode(id="y", label="y" if layout.regression else "classes", kind="output", aggregation="sum"))
        edges = [(f"x{i}", "y") for i in range(layout.inputs)]
    elif layout.unit == "neuron":
        nodes = [GraphNode(id="inputs", label=f"{layout.inputs} features", kind="input")]
        nodes += [GraphNode(id=f"h{j}", label=f"tanh {j}", kind="hidden") for j in range(layout.hidden)]
        edges = [("inputs", f"h{j}") for j in range(layout.hidden)]
    else:
        ends = list(dict.fromkeys(node for source, target, _ in layout.edges for node in (source, target)))
        kinds = {"x": "input", "h": "hidden", "y": "output"}
        nodes = [GraphNode(id=node, label=layout.node_title(node), kind=kinds[node[0]]) for node in ends]
        edges = [(source, target) for source, target, _ in layout.edges]
    fixed = []
    if layout.unit == "neuron":
        nodes.append(GraphNode(id="y", label="y" if layout.regression else "classes", kind="output", aggregation="sum"))
        fixed = [(f"h{j}", "y") for j in range(layout.hidden)]
    title = {"feature": "Features", "neuron": "Hidden neurons", "weight": "Weights"}[layout.unit]
    return FamilyGroup(
        name=GROUP, title=title, nodes=nodes, edges=edges, operations=["active"], fixed=fixed, constraint="cube_vertices",
        weight="activity",
    )


def activity(layout: Layout, active: Units) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(units, 1): 1 for active ones."""
    values = np.zeros((layout.units, 1), dtype=np.float32)
    values[list(active)] = 1.0
    return values


def network(layout: Layout, active: Units) -> GraphData:
    """The nodes and weights of a set; outputs are always there."""
    edges = layout.active_edges(active)
    kinds = {"x": "input", "h": "hidden", "y": "output"}
    outputs = [f"y{output}" for output in range(layout.free_outputs)]
    names = [*dict.fromkeys([node for edge in edges for node in edge if node[0] != "y"]), *outputs]
    nodes = [
        GraphNode(id=name, label=layout.node_title(name), kind=kinds[name[0]], aggregation=None if name[0] == "x" else "sum")
        for name in names
    ]
    return GraphData(nodes=nodes, edges=[GraphEdge(source=a, target=b, key="weight", operation="weight") for a, b in edges])


def changes(former: GraphData | None, now: GraphData) -> dict[str, list[str] | list[tuple[str, str]]]:
    """What a Champion event names of the difference; nothing for the first."""
    if former is None:
        return {}
    nodes = [{node.id for node in graph.nodes} for graph in (former, now)]
    edges = [{(edge.source, edge.target) for edge in graph.edges} for graph in (former, now)]
    return {
        "added_nodes": sorted(nodes[1] - nodes[0]), "added_edges": sorted(edges[1] - edges[0]),
        "removed_edges": sorted(edges[0] - edges[1]),
    }


def objective_chart(visits: list[Visit], title: str) -> Chart:
    """Q of every set on the way, and the best so far; lines stand where a stage begins."""
    marks = []
    for before, visit in zip([None, *visits], visits, strict=False):
        stage = (visit.stage, visit.cycle)
        if visit.stage != "start" and (before is None or stage != (before.stage, before.cycle)):
            marks.append(ChartMark(axis="x", value=visit.step - 0.5, title=f"{visit.stage.capitalize()} {visit.cycle}"))
    steps = [visit.step for visit in visits]
    return Chart(
        name="objective", title=f"{title} against the step", x_title="step", y_title=title,
        series=[
            series("now", steps, [visit.q for visit in visits]),
            series("best so far", steps, [visit.best_q for visit in visits], look="dashed"),
        ],
        marks=marks, note="Add goes beyond the best set on purpose, and Del starts from there: what became superfluous can leave.",
    )


def size_chart(visits: list[Visit]) -> Chart:
    """How many units are active."""
    steps = [visit.step for visit in visits]
    return Chart(
        name="size", title="Active units against the step", x_title="step", y_title="units",
        series=[series("now", steps, [visit.units for visit in visits])],
    )


def front_charts(visits: list[Visit]) -> list[Chart]:
    """Complexity against accuracy, and against stability; marked are the sets that none beats in all three."""
    points = np.array([[visit.parameters, visit.val_loss, visit.condition] for visit in visits])
    front = pareto_front(points)
    order = [place for place in np.argsort(points[:, 0], kind="stable") if front[place]]
    pictures = []
    for name, title, column, y_title, scale in (
        ("pareto_accuracy", "Complexity and accuracy", 1, "validation loss", "linear"),
        ("pareto_stability", "Complexity and stability", 2, "condition number of the weights' covariance", "log"),
    ):
        pictures.append(Chart(
            name=name, title=title, x_title="free weights", y_title=y_title, y_scale=scale,  # type: ignore[arg-type]
            series=[
                series("every set", points[:, 0], points[:, column], look="points"),
                series("Pareto front", points[order, 0], points[order, column], look="dashed"),
            ],
            note="The front are the sets that no other beats in weights, validation loss and condition number at once.",
        ))
    return pictures


def spread_chart(spreads: list[tuple[int, float]]) -> Chart | None:
    """How much the weights of the best sets vary over the bootstrap."""
    if not spreads:
        return None
    return Chart(
        name="bootstrap", title="Spread of the weights over the bootstrap", x_title="step", y_title="mean standard deviation of a weight",
        series=[series("best sets", [step for step, _ in spreads], [spread for _, spread in spreads])],
        note="Measured for every set that became the best; where a refit takes long, at the end of every cycle.",
    )
