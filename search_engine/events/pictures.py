"""Pictures of a moment: what an algorithm believes now, and what they refer to (sent once).

Float arrays are base64 of little-endian float32 (`encode_floats`).

>>> from search_engine.events import GraphNode, decode_floats, encode_floats
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
...     ColonyFrame(step=1, depth=1, edges=[], ants=[]),
...     PathwaysFrame(step=1, task=0, layers=1, modules=2, population=[[[0]]], fitness=[None]),
...     DomainsFrame(step=1, layers=1, modules=["a"], domains=[]), SurrogateFrame(step=1, means=half, deviations=half, chosen=[0]),
...     ChartsFrame(step=1, charts=[]), MaskFrame(step=1, layers=[]),
... ]
>>> {frame.kind for frame in frames} <= FRAME_KINDS
True
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .charts import Chart
from .parts import FamilyGroup, PayloadBase


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
    means: str = Field(description="0 where a choice was never scored")


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
    fitness: list[float | None]
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


class MaskFrame(PayloadBase):
    """The mask over a plain network's weights at one step, layer by layer in the order of computation."""

    kind: Literal["mask"] = "mask"
    step: int
    layers: list[MaskLayer]
    values: dict[str, float] = Field(default={}, description="round, share kept, ...")


FRAME_KINDS = frozenset({"structure", "policy", "marginals", "colony", "pathways", "domains", "surrogate", "charts", "mask"})
"""Pictures of a moment: of several only the latest matters to somebody who watches, so a live view may leave out older ones."""

PICTURES: dict[str, tuple[str, ...]] = {
    "family": ("family", "structure"),
    "growth": ("champion", "growth_step"),
    "population": ("candidate_born", "trial_told", "population"),
    "queue": ("candidate_born", "trial_told"),
    "policy": ("decisions", "policy"),
    "marginals": ("decisions", "marginals"),
    "colony": ("colony",),
    "pathways": ("pathways",),
    "domains": ("domains",),
    "surrogate": ("surrogate",),
    "mask": ("mask",),
    "charts": ("charts",),
}
"""The kinds of picture that an algorithm declares (`AlgorithmEntry.structure`), each with the events that it is drawn from."""
