"""Print short runs that hold every kind of event: what the browser's contract test draws each picture from.

Two are real searches of algorithms that compute the same on every machine (nothing is trained), so that what the search loop adds (the
sources, the order, what a trial search says of itself) is as it is. The others are events of the engine's own classes, two of each
kind, because a real search of theirs has other last digits on another processor.
"""

import base64
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from picture_fixtures import charts, mask_layer

from search_engine import events
from search_engine.algorithms.wann.records import Birth, encode_block
from search_engine.algorithms.wann.search import FITNESS
from search_engine.base.measures import MEASURES
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.events import Chart, encode_floats, shares_of_three
from search_engine.search.local_run import LocalRun
from search_engine.spaces.neuron_genes.genes import Genes

GENOME: dict[str, Any] = {"space": "plant", "content": {"operations": ["skip_connect"]}}


def real(algorithm: str, trials: int, **options: Any) -> dict[str, Any]:
    """A whole search for sequences that count: a formula scores them."""
    values = {"algorithm": algorithm, "seed": 5, "space": "sequence", "datasets": ["learn_to_count"], "budget": {"trials": trials}, "options": options,
              "finale": {"baselines": 0}}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        checked = check(values, out)
        LocalRun(checked, out, out).run()
        records = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    for record in records:
        record["time"] = float(record["seq"])
    return {"structure": list(registry.algorithm(algorithm).structure), "options": checked.options.model_dump(), "events": records}


def said(structure: list[str], *payloads: events.Payload, source: str = "phase:0") -> dict[str, Any]:
    """A run that says these payloads, with nothing else around them."""
    fixed = {"step": 0, "ordinal": 0}
    records = [
        events.EventRecord.model_validate(
            {**fixed, "seq": seq, "time": float(seq), "science": data.kind != "ops", "source": source, "kind": data.kind, "data": data}
        )
        for seq, data in enumerate(payloads, start=1)
    ]
    return {"structure": structure, "options": {}, "events": [record.model_dump(mode="json") for record in records]}


def graph(hidden: list[str], neurons: bool) -> events.GraphData:
    """A chain from an input to an output."""
    names = ["in", *hidden, "out"]
    kinds = {"in": "input", "out": "output"}
    nodes = [
        events.GraphNode(id=name, label=name, kind=kinds.get(name, "hidden"), attributes={"activation": "gauss"} if neurons and name in hidden else {})
        for name in names
    ]
    operation = None if neurons else "skip_connect"
    edges = [events.GraphEdge(source=a, target=b, key="skip_connect", operation=operation) for a, b in zip(names, names[1:], strict=False)]
    return events.GraphData(nodes=nodes, edges=edges)


def beside(accuracy: float) -> events.PartAssessment:
    """A network of two classes beside the majority class, on four examples."""
    models = [
        events.JudgedModel(
            name=name, title=title, figures=[events.JudgedFigure(metric="accuracy", name="accuracy", unit="share", direction="maximise", value=value)]
        )
        for name, title, value in (("network", "the network", accuracy), ("majority", "the majority class", 0.5))
    ]  # fmt: skip
    return events.PartAssessment(split="test", examples=4, models=models)


def family() -> dict[str, Any]:
    group = events.FamilyGroup(
        name="cell", title="Cell", nodes=[events.GraphNode(id=name, label=name, kind="hidden") for name in "abc"],
        edges=[("a", "b"), ("a", "c"), ("b", "c")], operations=["none", "skip_connect", "sep_conv_3x3"], layout={"a": (0, 0.5), "b": (0.5, 0), "c": (1, 1)},
    )  # fmt: skip
    weights = [np.array([[0.1, 0.2, 0.7], [0.4, 0.3, 0.3], [0.2, 0.5, 0.3]]), np.array([[0.1, 0.8, 0.1], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1]])]

    def derived(step: int, operation: str) -> events.DerivedGenome:
        content = {"cell": {"edges": [["a", "b", operation], ["b", "c", "skip_connect"]]}}
        return events.DerivedGenome(step=step, genome={"space": "plant", "content": content}, genome_hash=operation, string=operation, changed_edges=1)

    return said(
        ["family"],
        events.PhaseStarted(phase=0, name="search", title="Search", language="steps", horizon=2),
        events.FamilyDeclared(groups=[group]),
        events.StructureFrame(step=1, groups={"cell": encode_floats(weights[0].ravel())}),
        derived(1, "sep_conv_3x3"),
        events.Metrics(step=1, samples=10, values={"val_loss": 2.0, "val_accuracy": 0.3}),
        events.StructureFrame(step=2, groups={"cell": encode_floats(weights[1].ravel())}),
        derived(2, "skip_connect"),
        events.Metrics(step=2, samples=20, values={"val_loss": 1.5, "val_accuracy": 0.5}),
        events.Notice(name="skip_counter", message="two skip connections", step=2),
        events.SearchStopped(reason="horizon", message="the planned number of steps is done", charged_samples=20, charged_trials=0),
        events.FinalistChosen(
            index=0, role="finalist", title="best architecture found", genome=GENOME, genome_hash="h", string="skip", graph={"cell": graph(["b"], False)}, finish="retrain"
        ),
        events.ModelScored(index=0, role="finalist", genome_hash="h", metrics={"test_accuracy": 0.5}, bundle=True),
        events.Assessment(index=0, role="finalist", parts=[beside(0.5)]),
        events.Report(name="redundancy", title="Redundancy", charts=charts(1.0)[:1], values={"share_removed": 0.6}, message="60 % may go."),
        events.ControlScored(name="untrained", title="Untrained weights", message="the same network, not trained", values={"val_accuracy": 0.1}),
        events.RunCompleted(reason="horizon", message="finished"),
        events.Ops(what="lease_lost", message="a worker went away"),
    )  # fmt: skip


def growth() -> dict[str, Any]:
    def block(generation: int, best: float) -> events.PopulationBlock:
        none = np.zeros(0, dtype=np.int64)
        edges = np.arange(2, dtype=np.int64)
        genes = Genes(1, 1, none, none, edges, edges, np.full(2, 2, dtype=np.int64), np.ones(2, dtype=np.bool_))
        mean = np.array([best, best / 2])
        text = encode_block(generation, [genes, genes], [Birth(-1, "initial")] * 2, mean, mean)
        return events.PopulationBlock(generation=generation, size=2, block=text, best=best, mean=0.75 * best, metric=FITNESS)

    def champion(generation: int, hidden: list[str]) -> events.Champion:
        return events.Champion(
            generation=generation, value=0.4 + 0.1 * generation, metric="val_accuracy", fidelity=events.Fidelity(text="shared weights"), selected_from=4 * generation,
            genome=GENOME, genome_hash="h", graph=graph(hidden, True), added_nodes=hidden[-1:],
        )

    def step(number: int, accepted: bool) -> events.GrowthStep:
        return events.GrowthStep(
            number=number, action="add", subject=f"neuron {number}", accepted=accepted, reason="the objective fell" if accepted else "it rose",
            objective="loss", before=None if number == 0 else 0.9, after=0.9 - 0.1 * number,
        )  # fmt: skip

    return said(["growth"], block(1, 0.5), champion(1, ["n1"]), step(0, True), block(2, 0.6), champion(2, ["n1", "n2"]), step(1, False))


def policy() -> dict[str, Any]:
    decisions = [events.DecisionInfo(key=f"d{n}", title=f"Number {n}", kind="number", choices=["1", "2", "3"]) for n in (1, 2)]
    frames = [
        events.PolicyFrame(
            step=step, probabilities=encode_floats([first, 1 - first, 0, 0.2, 0.3, 0.5]), sampled=[0, 2], parent=[0, 1], resampled=[1],
            values={"entropy": 1.2 - first, "baseline": first},
        )
        for step, first in ((1, 0.5), (2, 0.9))
    ]  # fmt: skip
    return said(["policy"], events.DecisionsDeclared(decisions=decisions), *frames)


def plane() -> dict[str, Any]:
    axes = [events.DecisionInfo(key=key, title=f"Filters {key}", kind=key, choices=["4", "8"]) for key in ("first", "second")]
    frames = [
        events.PlaneFrame(
            step=step, counts=encode_floats([1, step - 1, 1, 0]), means=encode_floats([0.5, 0.2 * step, 0, 0]), unscored=[2],
            deviations=encode_floats([0.02, 0.01 * step, 0, 0]),
        )
        for step in (1, 2)
    ]  # fmt: skip
    return said(["plane"], events.DecisionsDeclared(decisions=axes), *frames)


def colony() -> dict[str, Any]:
    def frame(step: int, pheromone: float) -> events.ColonyFrame:
        return events.ColonyFrame(
            step=step, depth=2, best=["input", "conv", "pool"],
            edges=[
                events.ColonyEdge(depth=0, source="input", target="conv", pheromone=pheromone, heuristic=1, probability=1),
                events.ColonyEdge(depth=1, source="conv", target="pool", pheromone=0.2, heuristic=1, probability=1),
            ],
            ants=[events.Ant(number=step, path=["input", "conv", "pool"])], values={"pheromone_mean": pheromone},
        )  # fmt: skip

    return said(["colony"], frame(1, 0.1), frame(2, 0.6), source="run")


def pathways() -> dict[str, Any]:
    def frame(step: int, population: list[list[list[int]]]) -> events.PathwaysFrame:
        return events.PathwaysFrame(
            step=step, task=0, layers=2, modules=3, population=population, fitness=[0.4, 0.3 + 0.1 * step], metric="val_accuracy", best=population[0], tournament=[0, 1], values={"overlap": step}
        )

    return said(["pathways"], frame(1, [[[0], [1]], [[1], [2]]]), frame(2, [[[0], [1]], [[0, 1], [2]]]))


def domains() -> dict[str, Any]:
    def frame(step: int, share: float) -> events.DomainsFrame:
        parts = [
            events.DomainPolicy(name=name, probabilities=encode_floats([share, 1 - share, 0.5, 0.5]), path=[int(share < 0.5), place], values={"reward": share})
            for place, name in enumerate(("digits", "wine"))
        ]
        return events.DomainsFrame(step=step, layers=2, modules=["skip_connect", "nor_conv_3x3"], domains=parts, values={"sharing": share})

    return said(["domains"], frame(1, 0.4), frame(2, 0.8))


def motifs() -> dict[str, Any]:
    def frame(step: int, operation: str) -> events.MotifsFrame:
        parts = [
            events.Motif(level=2, number=1, nodes=3, edges=[(1, 2, "skip_connect"), (2, 3, operation)], uses=2, mean_uses=1.25 + 0.5 * step),
            events.Motif(level=2, number=2, nodes=3, edges=[(1, 3, "nor_conv_1x1")], uses=0, mean_uses=0.25),
            events.Motif(level=3, number=1, nodes=3, edges=[(1, 2, "motif_1"), (2, 3, "motif_1")], uses=1, mean_uses=1.0),
        ]
        network = [
            edge for within, source, target in (("1-2", "1", "2"), ("2-3", "2", "3"))
            for edge in ((source, f"{within}.2", "skip_connect"), (f"{within}.2", f"{within}.3", operation), (f"{within}.3", target, ""))
        ]
        change = events.MotifChange(candidate=step + 3, parent=step, level=2, motif=1, source=2, target=3, old="none", new=operation)
        return events.MotifsFrame(
            step=step, candidate=step + 3, value=0.4 + 0.1 * step, metric="val_accuracy", motifs=parts, network=network, change=change,
            latest=None if step == 1 else change, values={"population": step},
        )

    return said(["motifs"], frame(1, "dw_conv_3x3"), frame(2, "max_pool_3x3"))


def schemata() -> dict[str, Any]:
    def frame(step: int) -> events.SchemataFrame:
        def array(*values: float) -> str:
            return encode_floats([value + 0.01 * step for value in values])

        part = events.SchemataPart(
            name="population", title="Population", generation=step, population=40, births=40, schemata=["layer 1 = conv", "layer 1 = conv, layer 2 = pool"],
            orders=[1, 2], count=array(12, 5), fitness=array(0.7, 0.8), ratio=array(1.1, 1.3), transform="as measured", mean_fitness=0.6 + 0.01 * step,
            selected=array(0.4, 0.2), lost=array(0.1, 0.2), bound=array(14.4, 6.4), following=array(13, 8), expected=array(14.2, 6.5), redraws=50,
            redrawn=array(14.9, 6.6), error=array(0.2, 0.1), blind=array(11.8, 4.4),
            curves=[
                events.SchemataCurve(order=order, generations=encode_floats(range(1, step + 1)), ratios=encode_floats([0.01 * order * number for number in range(1, step + 1)]))
                for order in (1, 2)
            ],
        )  # fmt: skip
        return events.SchemataFrame(step=step, parts=[part])

    return said(["schemata"], frame(1), frame(2))


def morphisms() -> dict[str, Any]:
    def frame(step: int) -> events.MorphismsFrame:
        networks = [
            events.Morphed(
                candidate=0, parent=None, step=0, morphs=[], parameters=5498, megaflops=0.11, state="trained", before=None, grown=None, value=0.9,
                chosen=True,
            ),
            events.Morphed(
                candidate=1, parent=0, step=1, morphs=["wider: 3 to 32", "deeper: 5x5 behind 1"], parameters=9000, megaflops=0.25,
                state="trained", before=0.9, grown=0.9, value=0.91 + 0.01 * step, chosen=step == 2,
            ),
            events.Morphed(candidate=2, parent=0, step=1, morphs=[], parameters=5498, megaflops=0.11, state="open", before=0.9, grown=None, value=None),
        ]
        values = {"largest_change_by_morphs": 0.001 * step}
        return events.MorphismsFrame(step=step, metric="val_accuracy", current=step - 1, networks=networks, values=values)

    return said(["morphisms"], frame(1), frame(2))


def coevolution() -> dict[str, Any]:
    def row(number: int, living: bool, members: list[float], credit: float) -> events.SpeciesRow:
        lives = [members_now > 0 for members_now in members]
        return events.SpeciesRow(
            number=number, living=living, members=encode_floats(members), used=encode_floats([2.0 * count for count in members]),
            credit=encode_floats([credit if alive else float("nan") for alive in lives]),
        )

    def frame(step: int, share: float) -> events.CoevolutionFrame:
        names = [("input", "input"), ("2", "hidden"), ("2.2", "hidden"), ("3.2", "hidden"), ("3.3", "hidden"), ("output", "output")]
        pairs = [("input", "2", "join"), ("2", "2.2", "conv_3x3"), ("2.2", "3.2", "conv_5x5"), ("3.2", "3.3", "conv_3x3"), ("3.3", "output", None)]
        network = events.GraphData(
            nodes=[events.GraphNode(id=name, label=name, kind=kind) for name, kind in names],
            edges=[
                events.GraphEdge(source=a, target=b, key="e", operation=operation, attributes={"does": f"conv {16 + step}"}) for a, b, operation in pairs
            ],
        )
        blueprint = events.GraphData(
            nodes=[events.GraphNode(id=name, label=name, kind=kind) for name, kind in (("0", "input"), ("2", "hidden"), ("3", "hidden"), ("1", "output"))],
            edges=[events.GraphEdge(source=a, target=b, key="edge") for a, b in (("0", "2"), ("2", "3"), ("3", "1"))],
        )
        now = 1.0 + step
        modules = events.SpeciesTable(
            species=[row(0, True, [3.0, 2.0, now], share), row(1, False, [2.0, 3.0, 0.0], 0.3), row(4, True, [0.0, 1.0, 2.0], 0.45)],
            others=2, members_of_others=encode_floats([2.0, 1.0, 0.0]),
        )
        blueprints = events.SpeciesTable(species=[row(0, True, [4.0, 4.0, 4.0], 0.5 * share)])
        return events.CoevolutionFrame(
            step=step, candidate=step, value=0.3 + 0.1 * step, metric="val_accuracy", blueprint=blueprint, network=network,
            species={"2": 0, "3": 4 - step}, generations=[0, 2, 2 + step], modules=modules, blueprints=blueprints, values={"networks": 8.0 * step},
        )  # fmt: skip

    return said(["coevolution"], frame(1, 0.4), frame(2, 0.65))


def widths() -> dict[str, Any]:
    def frame(step: int) -> events.WidthsFrame:
        def layer(name: str, before: int, after: int, held: bool = False) -> events.NarrowedLayer:
            return events.NarrowedLayer(name=name, before=before, after=after, counts=[1, before - after - 1, step, after - step], held=held)

        networks = [
            events.NarrowedNetwork(title="the best so far", candidate=3, value=0.7 + 0.1 * step, plain=0.75, cost=0.4 / step, layers=[layer("2.2", 16, 9), layer("2.3", 8, 3, True)]),
            events.NarrowedNetwork(title="the fittest of the generation", candidate=3 + step, value=0.65, cost=0.55, layers=[layer("2.2", 12, 8)], others=2),
        ]  # fmt: skip
        ends = [0.001, 0.01, 0.1, 1.0, 10.0]
        return events.WidthsFrame(step=step, measure="|γ|", unit="filters", metric="val_accuracy", threshold=0.1, ends=ends, networks=networks, values={"generation": step - 1.0})

    return said(["widths"], frame(1), frame(2))


def surrogate() -> dict[str, Any]:
    frames = [
        events.SurrogateFrame(
            step=step, means=encode_floats([0.5, 0.6 + 0.1 * step]), deviations=encode_floats([0.1, 0.2]), chosen=[1], observed=encode_floats([0.4]),
            predicted=encode_floats([0.3]), values={"correlation": 0.5},
        )
        for step in (1, 2)
    ]  # fmt: skip
    return said(["surrogate"], *frames, source="run")


def decoded() -> dict[str, Any]:
    def images(count: int, step: int) -> str:
        return base64.b64encode(bytes((16 * pixel * step) % 256 for pixel in range(12 * count))).decode()

    frames = [
        events.DecodedFrame(
            step=step, rows=4, columns=3, low=0.0, high=16.0, examples=images(2, 1), decoded=images(2, 1 + step), across="z1", down="z3",
            values=[-2.0, 0.0, 2.0], space=images(9, 2 + step),
        )
        for step in (1, 2)
    ]  # fmt: skip
    return said(["decoded"], *frames)


def triangle(share: float) -> Chart:
    way = np.array([[1 / 3, 1 / 3, 1 / 3], [0.2 + 0.5 * share, 0.3 - 0.2 * share, 0.5 - 0.3 * share]])
    draws = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    return Chart(
        name="simplex", title="The structure's laws", form="triangle", x_title="skip_connect", y_title="nor_conv_3x3",
        categories=["skip_connect", "nor_conv_3x3", "none"],
        series=[
            shares_of_three("draws of q(Γ)", draws, look="points"), shares_of_three("q(Γ)", way), shares_of_three("p(Γ)", way[:, [1, 0, 2]]),
            shares_of_three("p′₁", draws[:1], look="points"),
        ],
    )  # fmt: skip


def main() -> None:
    masks = [
        events.MaskFrame(step=step, layers=[mask_layer("1", 6, 8, 1 - 0.3 * step, before=1 - 0.3 * (step - 1))], values={"round": step})
        for step in (1, 2)
    ]
    drawn = [events.ChartsFrame(step=step, charts=[*charts(share), triangle(share)]) for step, share in ((1, 0.3), (2, 1.0))]
    runs = {
        "an ageing population": real("regularized_evolution", 14, population=6, sample=2),
        "random search": real("random", 8),
        "a family of networks": family(),
        "a growing graph": growth(),
        "a policy": policy(),
        "a plane": plane(),
        "a colony": colony(),
        "paths": pathways(),
        "several data sets": domains(),
        "a surrogate": surrogate(),
        "motifs of motifs": motifs(),
        "schemata of a population": schemata(),
        "morphisms": morphisms(),
        "two populations": coevolution(),
        "shrunk networks": widths(),
        "masks": said(["mask"], *masks),
        "decoded images": decoded(),
        "charts": said(["charts"], *drawn),
    }
    measures = {name: asdict(measure) for name, measure in MEASURES.items()}
    kinds = sorted(events.json_schema()["properties"]["data"]["discriminator"]["mapping"])
    # One event a line: a change can be read.
    parts = []
    for name, run in runs.items():
        lines = ",\n".join(f"   {json.dumps(record)}" for record in run.pop("events"))
        parts.append(f'  {json.dumps(name)}: {{{json.dumps(run)[1:-1]}, "events": [\n{lines}\n  ]}}')
    head = f' "kinds": {json.dumps(kinds)},\n "frames": {json.dumps(sorted(events.FRAME_KINDS))},\n "pictures": {json.dumps(events.PICTURES)},\n "measures": {json.dumps(measures)},\n "runs": {{\n'
    sys.stdout.write("{\n" + head + ",\n".join(parts) + "\n }\n}\n")


if __name__ == "__main__":
    main()
