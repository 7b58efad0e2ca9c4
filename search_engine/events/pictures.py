"""Pictures of a moment: what an algorithm believes now, and what they refer to (sent once).

Float arrays are base64 of little-endian float32 (`encode_floats`).

>>> from search_engine.events import GraphData, GraphNode, decode_floats, encode_floats
>>> nodes = [GraphNode(id="0", label="in", kind="input"), GraphNode(id="1", label="out", kind="output")]
>>> group = FamilyGroup(
...     name="cell", title="Cell", nodes=nodes, edges=[("0", "1")], operations=["conv", "pool"], layout={}, constraint="simplex"
... )
>>> FamilyDeclared(groups=[group]).kind
'family'
>>> decode_floats(StructureFrame(step=1, groups={"cell": encode_floats([0.25, 0.75])}).groups["cell"]).tolist()
[0.25, 0.75]
>>> size = DecisionInfo(key="size", title="Size", kind="size", choices=["small", "large"])
>>> len(DecisionsDeclared(decisions=[size]).decisions[0].choices)
2
>>> half = encode_floats([0.5, 0.5])
>>> frames = [
...     PolicyFrame(step=1, probabilities=half), MarginalsFrame(step=1, counts=half, means=half),
...     PlaneFrame(step=1, counts=half, means=half), ColonyFrame(step=1, depth=1, edges=[], ants=[]),
...     PathwaysFrame(step=1, task=0, layers=1, modules=2, population=[[[0]]], fitness=[None], metric="val_accuracy"),
...     DomainsFrame(step=1, layers=1, modules=["a"], domains=[]), SurrogateFrame(step=1, means=half, deviations=half, chosen=[0]),
...     ChartsFrame(step=1, charts=[]), MaskFrame(step=1, layers=[]),
...     DecodedFrame(step=1, rows=1, columns=1, low=0.0, high=1.0, examples="", decoded=""),
...     MotifsFrame(step=1, candidate=0, value=0.9, metric="val_accuracy", motifs=[], network=[]), SchemataFrame(step=1, parts=[]),
...     CoevolutionFrame(
...         step=1, candidate=0, value=0.9, metric="val_accuracy", blueprint=GraphData(nodes=[], edges=[]),
...         network=GraphData(nodes=[], edges=[]), species={"2": 0}, generations=[0], blueprints=SpeciesTable(species=[]),
...         modules=SpeciesTable(species=[SpeciesRow(number=0, living=True, members=half, used=half, credit=half)]),
...     ),
...     MorphismsFrame(step=1, metric="val_accuracy", current=None, networks=[]),
... ]
>>> MotifChange(candidate=3, parent=1, level=2, motif=1, source=1, target=2, old="none", new="skip_connect").level
2
>>> Motif(level=2, number=1, nodes=2, edges=[(1, 2, "skip_connect")], uses=4, mean_uses=2.5).uses
4
>>> SchemataPart(
...     name="population", title="", generation=1, population=2, births=2, schemata=["size = small"], orders=[1], count=half, fitness=half,
...     ratio=half, transform="as measured", mean_fitness=0.5, selected=half, lost=half, bound=half, following=half, expected=half,
...     redraws=50, redrawn=half, error=half, blind=half,
...     curves=[SchemataCurve(order=1, generations=half, ratios=half)],
... ).orders
[1]
>>> Morphed(candidate=1, parent=0, step=1, morphs=["wider: 3 to 32"], parameters=90, megaflops=0.1, state="open").value is None
True
>>> {frame.kind for frame in frames} <= FRAME_KINDS
True
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .charts import Chart
from .parts import FamilyGroup, GraphData, PayloadBase


class FamilyDeclared(PayloadBase):
    """The topology of the family, sent once; structure frames refer to it by group name."""

    kind: Literal["family"] = "family"
    groups: list[FamilyGroup]


class StructureFrame(PayloadBase):
    """Structure parameters at one step: per group a float array (edges x operations), base64 float32."""

    kind: Literal["structure"] = "structure"
    step: int
    groups: dict[str, str]
    samples: dict[str, str] = Field(
        default={}, description="per group a few draws of the weights (draws x edges x operations), where the structure is a distribution"
    )


class DecisionInfo(PayloadBase):
    """One decision of a space, as the browser draws it: a strip of its choices, or a cell of a matrix."""

    key: str
    title: str
    kind: str
    choices: list[str]
    row: int | None = Field(default=None, description="place in a matrix of layers x earlier layers, where it has one")
    column: int | None = None
    group: str | None = Field(default=None, description="family group, edge and operations that the decision stands for, where it does")
    edge: int | None = None


class DecisionsDeclared(PayloadBase):
    """The space's decisions, sent once; policy and marginals frames refer to them by order."""

    kind: Literal["decisions"] = "decisions"
    decisions: list[DecisionInfo]


class PolicyFrame(PayloadBase):
    """What a controller believes: per decision a probability vector, given the greedy choices before it.

    `probabilities` is base64 float32: all decisions' vectors one behind the other (an inactive decision's is all zeros).
    """

    kind: Literal["policy"] = "policy"
    step: int
    domain: int | None = Field(default=None, description="whose controller, where every data set has its own")
    probabilities: str
    sampled: list[int | None] = Field(default=[], description="choices of the latest sample")
    parent: list[int | None] = Field(default=[], description="choices of its parent, where it has one (Evo-NAS)")
    resampled: list[int] = Field(default=[], description="places that were drawn anew rather than copied from the parent")
    values: dict[str, float] = Field(default={}, description="entropy, entropy_share, baseline, reward, ...")


class MarginalsFrame(PayloadBase):
    """What was tried so far, per decision and choice: how often, and with which mean score. Base64 float32 in the decisions' order."""

    kind: Literal["marginals"] = "marginals"
    step: int
    counts: str
    means: str = Field(description="0 also where a choice was never scored: where `counts` has 0, and at the places of `unscored`")
    unscored: list[int] = Field(
        default=[], exclude_if=lambda places: not places, json_schema_extra={"x-left-out-when-empty": True},
        description="places of choices that were tried, and whose trials all failed; left out where there are none",
    )


class PlaneFrame(PayloadBase):
    """What was tried so far of a space of two decisions, point by point: rows are the first one's choices, columns the second one's, row
    by row. Base64 float32."""

    kind: Literal["plane"] = "plane"
    step: int
    counts: str = Field(description="how often each point was tried")
    means: str = Field(description="mean score of each; 0 also where there is none: where `counts` has 0, and at the places of `unscored`")
    unscored: list[int] = Field(default=[], description="places of points that were tried, and whose trials all failed")
    deviations: str = Field(
        default="", description="standard deviation of each point's score over the folds of a cross-validation; '' where there are none"
    )


class ColonyEdge(PayloadBase):
    depth: int
    source: str
    target: str
    pheromone: float
    heuristic: float
    probability: float = Field(description="pheromone x heuristic, normalised over the source's edges")


class Ant(PayloadBase):
    number: int | None = Field(description="its candidate")
    path: list[str] = Field(description="node types by depth, the input first")
    inherited: int = Field(default=0, description="layers whose weights came from an earlier ant")


class ColonyFrame(PayloadBase):
    """The pheromone graph at one moment: a column of nodes per depth, edges between neighbouring columns, the ants of the generation."""

    kind: Literal["colony"] = "colony"
    step: int
    depth: int
    edges: list[ColonyEdge]
    attributes: dict[str, dict[str, float]] = Field(
        default={}, description="'depth/node/attribute' -> share of each value (pheromone, normalised)"
    )
    ants: list[Ant]
    best: list[str] = Field(default=[], description="the best path so far")
    values: dict[str, float] = Field(default={})


class PathwaysFrame(PayloadBase):
    """A population of paths through columns of modules (PathNet). A path is, per layer, the list of its modules."""

    kind: Literal["pathways"] = "pathways"
    step: int
    task: int
    layers: int
    modules: int
    population: list[list[list[int]]]
    fitness: list[float | None] = Field(description="of each path by place, `metric`; null for one that never competed")
    metric: str = Field(default="", description="what that is, a share of examples: val_accuracy or train_accuracy; higher is better")
    frozen: list[list[int]] = Field(default=[], description="per layer the modules that earlier tasks froze")
    earlier: list[list[list[int]]] = Field(default=[], description="the path that each earlier task kept")
    best: list[list[int]] = Field(default=[])
    tournament: list[int] = Field(default=[], description="winner and loser of the latest tournament, as places in the population")
    values: dict[str, float] = Field(default={})


class DomainPolicy(PayloadBase):
    name: str
    probabilities: str = Field(description="base64 float32 (layers x modules)")
    path: list[int] = Field(description="the most probable module of each layer")
    values: dict[str, float] = Field(default={})


class DomainsFrame(PayloadBase):
    """One super-network searched for several data sets: each one's probabilities and path (multi-path NAS)."""

    kind: Literal["domains"] = "domains"
    step: int
    layers: int
    modules: list[str]
    domains: list[DomainPolicy]
    values: dict[str, float] = Field(default={})


class SurrogateFrame(PayloadBase):
    """What a surrogate predicts. Base64 float32 throughout; `chosen` are places among the candidates."""

    kind: Literal["surrogate"] = "surrogate"
    step: int
    means: str
    deviations: str
    chosen: list[int]
    scale: str = Field(default="predicted score", description="what the means are")
    observed: str = Field(default="", description="scores of evaluated genomes")
    predicted: str = Field(default="", description="what a surrogate that did not see them predicted for the same genomes")
    values: dict[str, float] = Field(default={})


class ChartsFrame(PayloadBase):
    """All charts of a phase as they stand at one step: a later frame replaces an earlier one whole."""

    kind: Literal["charts"] = "charts"
    step: int
    charts: list[Chart]


class MaskLayer(PayloadBase):
    """Which weights of one layer remain. A convolution's weights are (out, in x kernel)."""

    name: str
    title: str
    rows: int = Field(description="outputs")
    columns: int = Field(description="inputs (of a convolution: input channels x kernel)")
    kept: int
    total: int
    bits: str = Field(default="", description="base64 of the mask, row-major, packed with the first weight in the highest bit; '' if large")
    before: str = Field(default="", description="the same bits in the frame before: what was removed since; '' where there was none")


class MaskFrame(PayloadBase):
    """The mask over a plain network's weights at one step, layer by layer in the order of computation."""

    kind: Literal["mask"] = "mask"
    step: int
    layers: list[MaskLayer]
    values: dict[str, float] = Field(default={}, description="round, share kept, ...")


class DecodedFrame(PayloadBase):
    """What an auto-encoder makes of images now. Grey values are bytes, base64, image by image, row by row: 0 = `low`, 255 = `high`."""

    kind: Literal["decoded"] = "decoded"
    step: int
    rows: int = Field(description="height of an image in pixels")
    columns: int = Field(description="width of an image in pixels")
    low: float = Field(description="what the darkest byte means, in the units of the data")
    high: float
    examples: str = Field(description="a few images of the validation part, the same in every frame")
    decoded: str = Field(description="what comes back of each, by the mean code")
    across: str = Field(default="", description="name of the latent that rises from left to right in the code space; '' = none is drawn")
    down: str = Field(default="", description="that of the latent that rises from top to bottom; '' = one row")
    values: list[float] = Field(default=[], description="their values, deviations of the prior N(0, 1); all other latents are 0")
    space: str = Field(default="", description="decoded images of the code space, row by row")


class Motif(PayloadBase):
    """One motif of a genome. Its nodes count from 1, the input; the last is the output."""

    level: int
    number: int = Field(description="of its level, from 1")
    nodes: int
    edges: list[tuple[int, int, str]] = Field(description="from, to, and what lies between: an operation, or 'motif_3' of the level below")
    uses: int = Field(description="how often it stands in the flattened cell")
    mean_uses: float = Field(description="the same of the motif of this number, mean over the population")


class MotifChange(PayloadBase):
    """The one entry in which a child differs from its parent: what lies between two nodes of a motif."""

    candidate: int
    parent: int
    level: int
    motif: int
    source: int
    target: int
    old: str
    new: str


class MotifsFrame(PayloadBase):
    """The best genome so far, level by level, and the graph that it stands for."""

    kind: Literal["motifs"] = "motifs"
    step: int
    candidate: int = Field(description="whose genome it is")
    value: float
    metric: str = Field(description="what the value is, higher is better")
    motifs: list[Motif] = Field(description="level 2 first; the last one is the cell")
    network: list[tuple[str, str, str]] = Field(
        description="the flattened cell: from, to, operation ('' = the value goes on as it is); '1-3.2' is node 2 of the motif on edge 1-3"
    )
    change: MotifChange | None = Field(default=None, description="that made this genome; null for a random one")
    latest: MotifChange | None = Field(default=None, description="of the child that was told last; null for a random one")
    values: dict[str, float] = Field(default={})


class SchemataCurve(PayloadBase):
    """What came of the schemata of one order, over the generations. Base64 float32."""

    order: int
    generations: str
    ratios: str = Field(description="log of the sum of N(h, t + 1) over the sum of bounds, over all schemata and generations so far")


class SchemataPart(PayloadBase):
    """The schemata of one population over one generation. Base64 float32 of all schemata, in order; NaN where there is nothing."""

    name: str
    title: str = Field(description="of the population, where there are several; '' = there is one")
    generation: int = Field(description="counted from 1 since schemata were followed")
    population: int = Field(description="individuals at its beginning")
    births: int = Field(description="of the generation")
    schemata: list[str] = Field(description="what each fixes, in words")
    orders: list[int] = Field(description="how many loci each fixes")
    count: str = Field(description="who matched at the beginning, N(h, t)")
    fitness: str = Field(description="mean fitness of these")
    ratio: str = Field(description="their mean fitness over the population's, both after `transform`: above 1 is fit")
    transform: str = Field(description="what makes fitness positive: 'as measured', 'exp of the log-likelihood', or why there is no ratio")
    mean_fitness: float | None = Field(description="of the population at the beginning")
    selected: str = Field(description="probability that a parent matches, S(h), mean over the births")
    lost: str = Field(description="probability that the operators take it from the child of one that matches, p")
    bound: str = Field(description="N(h, t) - those removed + births S(h) (1 - p), by the selections that happened")
    following: str = Field(description="who matched at the end, N(h, t + 1): one draw of what the bound says of the mean")
    expected: str = Field(description="the bound, had all births been drawn from the population as it was at the beginning")
    redraws: int = Field(description="how often the generation was drawn so")
    redrawn: str = Field(description="mean over these of N(h, t + 1)")
    error: str = Field(description="standard error of that mean")
    blind: str = Field(description="the same mean where parents are drawn blind to fitness")
    curves: list[SchemataCurve] = Field(description="by order")


class SchemataFrame(PayloadBase):
    """How many individuals match each schema, beside the bound of the schema theorem."""

    kind: Literal["schemata"] = "schemata"
    step: int
    parts: list[SchemataPart] = Field(description="one for each population")


class SpeciesRow(PayloadBase):
    """One species of a population over the generations of a CoevolutionFrame: base64 float32, a number for each of them."""

    number: int
    living: bool
    members: str = Field(description="0 where it does not live")
    used: str = Field(description="networks of the generation that have one of its members in them, each counted once")
    credit: str = Field(description="mean over its members of the mean over the networks that each was part of; NaN where it does not live")


class SpeciesTable(PayloadBase):
    """One population by species. Those that died out longest ago have no row where there are too many."""

    species: list[SpeciesRow]
    others: int = Field(default=0, description="species without a row")
    members_of_others: str = Field(default="", description="of all of them together, base64 float32 by generation")


class CoevolutionFrame(PayloadBase):
    """Blueprints and modules evolving side by side: the best network so far with the blueprint that it was assembled from, and both
    populations by species over some generations, at equal distances, and the newest."""

    kind: Literal["coevolution"] = "coevolution"
    step: int
    candidate: int = Field(description="whose network it is")
    value: float
    metric: str = Field(description="what the value is, higher is better")
    blueprint: GraphData
    network: GraphData = Field(description="the assembled network; '3.2' is layer 2 of the module at node 3 of the blueprint")
    species: dict[str, int] = Field(description="by node of the blueprint, the species of modules that it named then")
    generations: list[int] = Field(description="counted from 0")
    modules: SpeciesTable
    blueprints: SpeciesTable
    values: dict[str, float] = Field(default={})


class Morphed(PayloadBase):
    """One network of a search by morphisms."""

    candidate: int
    parent: int | None = Field(description="whose weights it started from; null for the one that began with weights of its own")
    step: int = Field(description="0 = the seed")
    morphs: list[str] = Field(description="what made it of its parent, in words; empty = the parent itself, trained on")
    parameters: int
    megaflops: float
    state: Literal["open", "trained", "failed"]
    before: float | None = Field(default=None, description="the parent's value, when it was trained")
    grown: float | None = Field(default=None, description="right after the morphs, before any training")
    value: float | None = Field(default=None, description="after its training")
    chosen: bool = Field(default=False, description="whether the search went on from it")


class MorphismsFrame(PayloadBase):
    """The tree of networks that grew from one another, by their numbers; of a long search the ways that led on, and the newest."""

    kind: Literal["morphisms"] = "morphisms"
    step: int
    metric: str = Field(description="what the values are, higher is better")
    current: int | None = Field(description="the network from which the search goes on; null before there is one")
    networks: list[Morphed]
    values: dict[str, float] = Field(default={})


FRAME_KINDS = frozenset(
    {
        "structure", "policy", "marginals", "plane", "colony", "pathways", "domains", "surrogate", "charts", "mask", "decoded", "motifs",
        "schemata", "coevolution", "morphisms", "widths",
    }
)
"""Pictures of a moment: of several only the latest matters to somebody who watches, so a live view may leave out older ones."""

PICTURES: dict[str, tuple[str, ...]] = {
    "family": ("family", "structure"),
    "growth": ("champion", "growth_step"),
    "population": ("candidate_born", "trial_told", "population"),
    "queue": ("candidate_born", "trial_told"),
    "policy": ("decisions", "policy"),
    "marginals": ("decisions", "marginals"),
    "plane": ("decisions", "plane"),
    "colony": ("colony",),
    "pathways": ("pathways",),
    "domains": ("domains",),
    "surrogate": ("surrogate",),
    "mask": ("mask",),
    "decoded": ("decoded",),
    "motifs": ("motifs",),
    "schemata": ("schemata",),
    "coevolution": ("coevolution",),
    "morphisms": ("morphisms",),
    "widths": ("widths",),
    "charts": ("charts",),
}
"""The kinds of picture that an algorithm declares (`AlgorithmEntry.structure`), each with the events that it is drawn from."""
