"""Print events of the engine's own classes (charts, masks, draws, steps of growth, a report): what the browser decodes."""

import base64
import json
import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from search_engine import events
from search_engine.events.charts import Chart, ChartMark, series
from search_engine.events.facts import GrowthStep, PhaseStarted, Report
from search_engine.events.floats import encode_floats
from search_engine.events.parts import FamilyGroup, GraphNode
from search_engine.events.pictures import ChartsFrame, FamilyDeclared, MaskFrame, MaskLayer, StructureFrame

NODES = ("a", "b", "c")


def mask_layer(name: str, rows: int, columns: int, keep: float, bits: bool = True, before: float | None = None) -> MaskLayer:
    drawn = np.random.default_rng(7).random((rows, columns))
    kept = drawn < keep
    return MaskLayer(
        name=name, title=f"layer {name}", rows=rows, columns=columns, kept=int(kept.sum()), total=rows * columns,
        bits=base64.b64encode(np.packbits(kept).tobytes()).decode() if bits else "",
        before=base64.b64encode(np.packbits(drawn < before).tobytes()).decode() if before is not None else "",
    )  # fmt: skip


def charts(share: float) -> list[Chart]:
    """Every form, look and scale; `share` of the way is known."""
    steps = np.arange(1, 2 + int(10 * share), dtype=float)
    loss = 2.0 / steps
    turns = np.linspace(0, 2 * math.pi * share, 24)
    return [
        Chart(
            name="accuracy", title="Accuracy against iteration", x_title="iteration", y_title="validation accuracy",
            series=[
                series("all weights", steps, 1 - 0.5 / steps, low=0.97 - 0.5 / steps, high=1.03 - 0.5 / steps),
                series("20 % kept", steps, np.where(steps == 3, np.nan, 1 - 0.6 / steps), look="dashed"),
            ],
            marks=[ChartMark(axis="y", value=0.9, title="best known"), ChartMark(axis="x", value=2.5, title="early stop")],
            note="Each line is one share of kept weights.",
        ),
        Chart(
            name="loss", title="Loss", x_title="iteration", y_title="loss, nats", x_scale="log", y_scale="log",
            series=[series("training", steps, loss), series("validation", steps, 1.4 * loss, low=loss, high=2 * loss, look="points")],
        ),
        Chart(
            name="evidence", title="Fit, Occam factor and evidence", form="bars", x_title="degree", y_title="nats",
            categories=["1", "2", "3"],
            series=[series("fit", [0, 1, 2], [-30.0, -12.0, -11.5]), series("Occam factor", [0, 1, 2], [-2.0, -4.0, -7.0], look="dashed")],
        ),
        Chart(
            name="path", title="Path of the structure", form="trajectory", x_title="α0", y_title="α1",
            series=[
                series("ξ 0.1", 1 - 0.9 * np.cos(turns) * turns / 6, 0.9 * np.sin(turns) * turns / 6),
                series("ξ 0", 1 - 0.4 * turns / 6, 0.8 * turns / 6, look="dashed"),
            ],
            marks=[ChartMark(axis="x", value=1.0, title="true α0"), ChartMark(axis="y", value=0.5, title="true α1")],
            note="The older a part of a path, the paler.",
        ),
    ]  # fmt: skip


def payloads() -> list[tuple[str, events.Payload]]:
    generator = np.random.default_rng(3)
    group = FamilyGroup(
        name="cell", title="Cell", nodes=[GraphNode(id=name, label=name, kind="hidden") for name in NODES],
        edges=[("a", "b"), ("a", "c"), ("b", "c")], operations=["none", "skip_connect", "sep_conv_3x3", "max_pool_3x3"],
        fixed=[], layout={"a": (0, 0.5), "b": (0.5, 0), "c": (1, 1)},
    )  # fmt: skip
    mean = np.array([[0.1, 0.2, 0.6, 0.1], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]])
    draws = np.stack([generator.dirichlet(4 * row, 16) for row in mean], axis=1)
    found: list[tuple[str, events.Payload]] = [
        ("run", PhaseStarted(phase=0, name="search", title="Search", language="steps", horizon=10)),
        ("phase:0", FamilyDeclared(groups=[group])),
        ("phase:0", StructureFrame(step=1, groups={"cell": encode_floats(mean.ravel())}, samples={"cell": encode_floats(draws.ravel())})),
    ]
    for step, share in ((1, 0.3), (2, 1.0)):
        found.append(("phase:0", ChartsFrame(step=step, charts=charts(share))))
        keep = 1.2 - 0.5 * step
        layers = [mask_layer("1", 12, 20, keep), mask_layer("2", 6, 12, keep), mask_layer("3", 400, 900, 0.5, bits=False)]
        found.append(("phase:0", MaskFrame(step=step, layers=layers, values={"round": step, "share_kept": keep})))
    for number, (accepted, before, after) in enumerate([(True, None, 0.9), (False, 0.9, 0.93), (True, 0.9, 0.7)]):
        found.append(
            ("phase:0", GrowthStep(
                number=number, action="add", subject=f"subnetwork of depth {number}", accepted=accepted, objective="regularised loss",
                reason="the objective fell" if accepted else "the objective rose", before=before, after=after, values={"loss": after - 0.1},
            ))
        )  # fmt: skip
    found.append(
        ("final:0", Report(
            name="redundancy", title="Redundancy and robustness", charts=charts(1.0)[:2], values={"share_removed_at_one_point": 0.62},
            message="62 % of the weights may go before one point of accuracy is lost.",
        ))
    )  # fmt: skip
    return found


def main() -> None:
    fixed = {"science": True, "step": 0, "ordinal": 0}
    records = [
        events.EventRecord.model_validate({**fixed, "seq": seq, "time": float(seq), "source": source, "kind": data.kind, "data": data})
        for seq, (source, data) in enumerate(payloads(), start=1)
    ]
    json.dump([record.model_dump(mode="json") for record in records], sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
