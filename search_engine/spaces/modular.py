"""The space of PathNet (C. Fernando et al., "PathNet: Evolution Channels Gradient Descent in Super Neural Networks", arXiv 1701.08734).

A super-network of L layers with M modules each. A path uses at most N modules of every layer; a layer's output is the sum of its active
modules' ReLU outputs. Every data set has a readout of its own, so that one super-network serves several tasks.

Genome content: `{"domain": 0, "path": [[1, 4], [0, 2, 7], [3]], "always": [[], [], []]}`: per layer the modules in ascending order.
`always` are modules that were frozen for earlier tasks and take part in every forward pass (they do not count towards N). Modules of
a layer differ in their weights only; as architectures, two genomes are the same network exactly if their layers are equally wide and
their readouts have equally many classes.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from ..base.errors import BadInput
from ..base.quoting import shown
from ..events import GraphData
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .genomes import Genome

if TYPE_CHECKING:
    import networkx as nx

Path = tuple[tuple[int, ...], ...]
"""Per layer the active modules, ascending, each once."""

_TEXT = re.compile(r"task (\d+): ([\d./]+)(?: \+ ([\d./-]+))?")


class ModularConfig(SpaceConfig):
    """Size of the super-network. The defaults are the paper's for MNIST."""

    layers: int = Field(default=3, ge=1, le=10, title="Layers", description="Columns of modules, one behind the other.")
    modules: int = Field(
        default=10, ge=2, le=64, title="Modules per layer", description="How many there are to choose from. Paper: 10 or 20."
    )
    active: int = Field(
        default=3, ge=1, le=16, title="Active modules", description="How many modules of a layer a path may use at most. Paper: 3 or 5."
    )
    units: int = Field(
        default=20, ge=1, le=512, title="Units per module", description="ReLU units of a linear module, channels of a convolutional one."
    )
    kind: Literal["linear", "convolutional"] = Field(
        default="linear", title="Kind of modules",
        description="linear: fully connected, images are flattened (as in the paper's image tasks). convolutional: 3x3 convolutions, for "
        "images; the resolution is halved between layers while it is at least 8.",
    )


class ModularSpace(SearchSpace[ModularConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "modular"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "paths", "domains"})

    def validate_shape(self, shape: DataShape) -> None:
        if self.config.kind == "convolutional" and not shape.is_image:
            raise BadInput("space_options.kind", "convolutional modules need images; use linear modules for vectors", code="incompatible")

    def validate_domains(self) -> None:
        for number, domain in enumerate(self.domains[1:], start=2):
            if domain.input != self.shape.input:
                raise BadInput(
                    "datasets",
                    f"all tasks share the first layer's modules, so their inputs must have one shape: data set 1 has {self.shape.input}, "
                    f"data set {number} has {domain.input}; choose data sets with inputs of shape {self.shape.input}",
                    code="incompatible",
                )

    # ---- admissible genomes

    def genome(self, path: Path, always: Path = (), domain: int = 0) -> Genome:
        """The genome of a path (modules in any order, repetitions allowed). Raises BadInput(field "genome")."""
        always = always or ((),) * self.config.layers
        content = {"domain": domain, "path": [sorted(set(layer)) for layer in path], "always": [sorted(set(layer)) for layer in always]}
        genome = Genome(self.id, content)
        self.validate(genome)
        return genome

    def path_of(self, genome: Genome) -> Path:
        """The modules that the path itself chose."""
        return tuple(tuple(layer) for layer in genome.content["path"])

    def modules_of(self, genome: Genome) -> Path:
        """All modules that compute: those of the path and those that are always active."""
        pairs = zip(genome.content["path"], genome.content["always"], strict=True)
        return tuple(tuple(sorted({*path, *always})) for path, always in pairs)

    def domain_of(self, genome: Genome) -> int:
        """Whose readout the genome uses."""
        return int(genome.content["domain"])

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        content = genome.content
        if not isinstance(content, dict) or set(content) != {"domain", "path", "always"}:
            raise BadInput("genome", "a modular genome has a domain, a path and the modules that are always active")
        domain = content["domain"]
        if not isinstance(domain, int) or not 0 <= domain < len(self.domains):
            raise BadInput("genome", f"there is no data set number {domain!r}; there are {len(self.domains)}, counted from 0")
        for name, least, most in (("path", 1, self.config.active), ("always", 0, self.config.modules)):
            layers = content[name]
            if not isinstance(layers, list) or len(layers) != self.config.layers:
                raise BadInput("genome", f"'{name}' needs one list of modules for each of the {self.config.layers} layers")
            for number, layer in enumerate(layers, start=1):
                if not isinstance(layer, list) or not least <= len(layer) <= most:
                    raise BadInput("genome", f"layer {number} of '{name}' must name {least} to {most} modules")
                if any(not isinstance(item, int) or not 0 <= item < self.config.modules for item in layer):
                    raise BadInput("genome", f"layer {number} of '{name}' names a module that is none of 0 to {self.config.modules - 1}")
                if layer != sorted(set(layer)):
                    raise BadInput("genome", f"layer {number} of '{name}' must name its modules once, in ascending order")

    def sample(self, rng: random.Random) -> Genome:
        """N draws with replacement per layer, as PathNet starts: a layer may use fewer than N modules."""
        draws = [[rng.randrange(self.config.modules) for _ in range(self.config.active)] for _ in range(self.config.layers)]
        return self.genome(tuple(tuple(layer) for layer in draws))

    # ---- identity

    def normal_form(self, genome: Genome) -> dict[str, Any]:
        """Width of each layer and number of classes (see the module's docstring)."""
        widths = [len(layer) for layer in self.modules_of(genome)]
        return {"widths": widths, "classes": self.domains[self.domain_of(genome)].classes}

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """`task 0: 1.4/0.2.7/3`, and what is always active behind a `+` (`-` = nothing in that layer)."""
        text = f"task {self.domain_of(genome)}: {_layers(genome.content['path'])}"
        return f"{text} + {_layers(genome.content['always'])}" if any(genome.content["always"]) else text

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise BadInput("genome", "a path is written 'task 0: 1.4/0.2.7/3', and with what is always active '... + 2.5/-/8'")
        domain, path, always = match.groups()
        return self.genome(_parsed(path), () if always is None else _parsed(always), int(domain))

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Input, a node per active module, a sum behind every layer, and the readout. Modules have the attributes `layer`, `module` and
        `always`."""
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph(space=self.id)
        classes = self.domains[self.domain_of(genome)].classes
        graph.add_node("input", label="input", kind="input", match="input")
        before = "input"
        operation = "linear_relu" if self.config.kind == "linear" else "conv_3x3_relu"
        for number, layer in enumerate(self.modules_of(genome)):
            total = f"sum{number}"
            graph.add_node(total, label="sum", kind="aggregation", aggregation="sum", match="sum")
            for module in layer:
                name, always = f"{number}.{module}", module in genome.content["always"][number]
                attributes = {"layer": number, "module": module, "always": always}
                graph.add_node(name, label=f"module {module}", kind="hidden", match="module", **attributes)
                graph.add_edge(before, name, key=operation, operation=operation)
                graph.add_edge(name, total, key="add", operation="skip_connect")
            before = total
        graph.add_node("output", label=f"readout, {classes} classes", kind="output", match=f"output/{classes}")
        graph.add_edge(before, "output", key="linear", operation="linear")
        return graph

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        """`network`: the architecture graph without the marks for comparing."""
        from .graphs import to_node_link

        graph = self.to_graph(genome)
        for _, data in graph.nodes(data=True):
            data.pop("match")
        return {"network": to_node_link(graph)}


def _layers(layers: list[list[int]]) -> str:
    return "/".join(".".join(str(module) for module in layer) or "-" for layer in layers)


def _parsed(text: str) -> Path:
    """Undo `_layers`. Raises BadInput(field "genome")."""
    try:
        return tuple(() if part == "-" else tuple(int(module) for module in part.split(".")) for part in text.split("/"))
    except ValueError:
        raise BadInput("genome", f"{shown(text)} is not a list of modules per layer, like 1.4/0.2.7/3") from None


ENTRY = SpaceEntry(
    id="modular",
    title="Columns of modules",
    description="Layers of equal modules whose outputs are summed; a path uses a few modules of each layer. Several tasks share the "
    "modules, each has its own readout.",
    source="Fernando et al. 2017, PathNet: Evolution Channels Gradient Descent in Super Neural Networks, arXiv 1701.08734",
    config=ModularConfig,
    space=ModularSpace,
    offers=ModularSpace.offers,
    inputs=frozenset({"image", "vector", "series"}),
    idle=dict.fromkeys(("channels", "layers"), "its networks are as wide and as deep as the space's options and the genome say"),
    builder="search_engine.supernets.modular_network:build",
)
