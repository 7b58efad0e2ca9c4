"""The space of blueprints and modules."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from search_engine.base.errors import BadInput

from ...events import GraphData
from ..base import SearchSpace
from ..data_shape import DataShape
from ..genes.graph import FIRST_HIDDEN, INPUT, OUTPUT, Allele, GeneGraph, Link
from ..genes.growing import add_link, add_node, chain, new_innovations, toggle
from ..genes.innovations import Innovations
from ..genomes import Genome, canonical_json
from ..graphs import canonical_form, to_node_link
from ..input_kinds import require_images
from .assembly import SOURCE, Plan, Size, assemble, flops_by_node, flows, labels, live_part, pictured, size, step_label
from .layers import (
    BlueprintConfig,
    changed_head,
    changed_layer,
    head_problem,
    join_problem,
    layer_problem,
    random_head,
    random_layer,
    refuse,
)

if TYPE_CHECKING:
    import networkx as nx

REDRAWS = 200
"""Random networks drawn to find one within the bounds of size."""


class BlueprintSpace(SearchSpace[BlueprintConfig]):
    """See the package's docstring."""

    id: ClassVar[str] = "blueprint"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "modules"})

    def validate_shape(self, shape: DataShape) -> None:
        require_images(self.id, shape, least=4)

    # ---- genomes

    def genome(self, blueprint: GeneGraph, modules: Sequence[GeneGraph]) -> Genome:
        """A network: the alleles of `blueprint` name modules by their place in `modules` ({"module": 0, "join": "sum"}). Only what is
        alive is written down. Raises BadInput(field "genome")."""
        used = list(dict.fromkeys(blueprint.allele[node]["module"] for node in blueprint.live))
        place = {number: at for at, number in enumerate(used)}
        renamed = blueprint.with_alleles(
            {node: {**blueprint.allele[node], "module": place[blueprint.allele[node]["module"]]} for node in blueprint.live}
        )
        content = {"blueprint": live_part(renamed), "modules": [live_part(modules[number]) for number in used]}
        genome = Genome(self.id, content)
        self.validate(genome)
        return genome

    def parts(self, genome: Genome) -> tuple[GeneGraph, tuple[GeneGraph, ...]]:
        """Undo `genome`: the blueprint and the modules, with innovation numbers of their own."""
        self.validate(genome)
        return _parts(canonical_json(genome.content))

    def plan(self, genome: Genome) -> Plan:
        """Its layers in order."""
        return assemble(*self.parts(genome))

    def size_of(self, genome: Genome) -> Size:
        """Parameters and FLOPs, without building it."""
        return size(self.plan(genome), self.image, self.shape.classes)

    @property
    def image(self) -> tuple[int, ...]:
        """(channels, height, width) of the pictures as the first layer sees them."""
        return pictured(self.shape.input, self.config.picture_side)

    def module_flops(self, genome: Genome) -> dict[int, float]:
        """By node of the blueprint: FLOPs of the module that stands there, over one example."""
        return flops_by_node(self.plan(genome), self.image)

    def layer_paths(self, genome: Genome) -> dict[str, str]:
        """By name of a layer (`assembly.Step`): where its convolution stands in the network that is built (`BlueprintNetwork.steps`)."""
        return {step.name: f"steps.{place}.0" for place, step in enumerate(self.plan(genome).steps) if step.layer is not None}

    def resized(self, genome: Genome, widths: Mapping[str, int]) -> Genome:
        """The network with other filters: `widths` by the names of its layers (`assembly.Step`), those not named as they are. A module at
        two nodes becomes two modules where its layers differ there. Raises BadInput(field "genome")."""
        blueprint, modules = self.parts(genome)
        kept: dict[str, int] = {}
        own: list[GeneGraph] = []
        places = {}
        for node in blueprint.live:
            number = blueprint.allele[node]["module"]
            module = modules[number]
            alleles = {
                layer: {**module.allele[layer], "filters": widths.get(f"{node}.{layer}", module.allele[layer]["filters"])}
                for layer in module.live
            }
            changed = module.with_alleles(alleles)
            key = canonical_json([number, changed.to_tree()])
            if key not in kept:
                kept[key] = len(own)
                own.append(changed)
            places[node] = {**blueprint.allele[node], "module": kept[key]}
        return self.genome(blueprint.with_alleles(places), own)

    def too_large(self, genome: Genome) -> str:
        """Why its network is not built; empty if it is."""
        found, config = self.size_of(genome), self.config
        if found.parameters > config.max_parameters:
            return f"it has {found.parameters:,} parameters, at most {config.max_parameters:,} are allowed (space option max_parameters)"
        if found.flops > 1e6 * config.max_megaflops:
            return (
                f"a forward pass takes {found.flops / 1e6:,.1f} MFLOPs, at most {config.max_megaflops:g} are allowed (space option "
                "max_megaflops)"
            )
        return ""

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        content = genome.content
        if not isinstance(content, dict) or set(content) != {"blueprint", "modules"} or not isinstance(content["modules"], list):
            raise BadInput("genome", "a network here is {'blueprint': graph, 'modules': [graph, ...]}")
        config, modules = self.config, content["modules"]

        def node_problem(allele: Any) -> str:
            if not isinstance(allele, dict) or set(allele) != {"module", "join"}:
                return "a node has module and join"
            if type(allele["module"]) is not int or not 0 <= allele["module"] < len(modules):
                return f"module is a place in the list of {len(modules)} modules, not {allele['module']!r}"
            return join_problem(config, allele["join"])

        def end_problem(allele: Any) -> str:
            return join_problem(config, allele["join"]) if isinstance(allele, dict) and set(allele) == {"join"} else "the output has join"

        most = config.blueprint_nodes
        blueprint = _checked(content["blueprint"], "blueprint", most, node_problem, lambda head: head_problem(config, head))
        for number, module in enumerate(modules):
            _checked(module, f"module {number}", config.module_nodes, lambda layer: layer_problem(config, layer), end_problem)
        used = {blueprint.allele[node]["module"] for node in blueprint.live}
        if used != set(range(len(modules))):
            raise BadInput("genome", "every module in the list stands at a node of the blueprint")

    def random_module(self, rng: random.Random, table: Innovations) -> GeneGraph:
        """A chain of one or two layers."""
        layers = [random_layer(self.config, rng) for _ in range(min(rng.choice((1, 2)), self.config.module_nodes))]
        return chain(layers, {"join": rng.choice(self.config.joins)}, table)

    def sample(self, rng: random.Random) -> Genome:
        """A chain of one to three nodes, each with one of as many random modules; within the bounds of size, where one is found."""
        for _ in range(REDRAWS):
            nodes = min(rng.randint(1, 3), self.config.blueprint_nodes)
            modules = [self.random_module(rng, new_innovations()) for _ in range(nodes)]
            alleles = [{"module": rng.randrange(nodes), "join": rng.choice(self.config.joins)} for _ in range(nodes)]
            genome = self.genome(chain(alleles, random_head(self.config, rng), new_innovations()), modules)
            if not self.too_large(genome):
                break
        return genome

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """One change that shows: of a layer's settings, of the head, of a module's graph or the blueprint's, or of which module stands at a
        node: another one, or a random new one. A changed module changes wherever it stands. A node of the blueprint that is new repeats one
        of the modules."""
        blueprint, modules = self.parts(genome)
        for _ in range(REDRAWS):
            operator = rng.choice(OPERATORS)
            changed = self._changed(operator, blueprint, modules, rng)
            if changed is not None and changed.content != genome.content and self.hash(changed) != self.hash(genome):
                return changed, operator
        raise BadInput("genome", "nothing in this network can be changed within the space's options")

    def _changed(
        self, operator: str, blueprint: GeneGraph, modules: tuple[GeneGraph, ...], rng: random.Random
    ) -> Genome | None:
        config = self.config
        if operator == "change_head":
            return self.genome(blueprint.with_alleles({OUTPUT: changed_head(blueprint.allele[OUTPUT], config, rng)}), modules)
        if not modules:
            return None
        if operator == "switch_module":
            node = rng.choice(blueprint.live)
            allele = {**blueprint.allele[node], "module": rng.randrange(len(modules) + 1)}
            return self._within(blueprint.with_alleles({node: allele}), [*modules, self.random_module(rng, new_innovations())])
        if operator == "grow_blueprint":
            allele = {"module": rng.randrange(len(modules)), "join": rng.choice(config.joins)}
            grown = self.reshaped(blueprint, allele, config.blueprint_nodes, rng)
            return None if grown is None else self._within(grown, modules)
        number = rng.randrange(len(modules))
        module = modules[number]
        if operator == "change_layer":
            if not module.live:
                return None
            layer = rng.choice(module.live)
            other: GeneGraph | None = module.with_alleles({layer: changed_layer(module.allele[layer], config, rng)})
        else:
            other = self.reshaped(module, random_layer(config, rng), config.module_nodes, rng)
        return None if other is None else self._within(blueprint, [*modules[:number], other, *modules[number + 1 :]])

    def _within(self, blueprint: GeneGraph, modules: Sequence[GeneGraph]) -> Genome | None:
        """The genome, where it is admissible."""
        try:
            return self.genome(blueprint, modules)
        except BadInput:
            return None

    @staticmethod
    def reshaped(genes: GeneGraph, allele: Allele, most: int, rng: random.Random) -> GeneGraph | None:
        """A node into an edge (below `most` live ones), a new edge, or an edge off or on."""
        table = new_innovations()
        table.go_on_after(genes.allele.keys(), [link.innovation for link in genes.links])
        kind = rng.randrange(3)
        if kind == 0:
            return add_node(genes, allele, table, rng) if len(genes.live) < most else None
        return add_link(genes, table, rng) if kind == 1 else toggle(genes, rng)

    # ---- identity, texts and pictures

    def normal_form(self, genome: Genome) -> Any:
        """The assembled network: which module a layer came from does not count."""
        nodes, edges = canonical_form(*labels(self.plan(genome), self.image))
        return {"nodes": list(nodes), "edges": [list(edge) for edge in edges]}

    def to_string(self, genome: Genome) -> str:
        """Its content as compact JSON."""
        self.validate(genome)
        return canonical_json(genome.content)

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        try:
            content = json.loads(text)
        except ValueError as error:
            form = '{"blueprint": ..., "modules": [...]}'
            raise BadInput("genome", f"this is no JSON ({error}); a network here is written as {form}") from None
        genome = Genome(self.id, content)
        self.validate(genome)
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The assembled network: nodes are what flows, edges the layers and joins that make it."""
        import networkx as nx

        plan = self.plan(genome)
        found = flows(plan, self.image)
        graph: nx.MultiDiGraph = nx.MultiDiGraph(name="network")
        graph.add_node(SOURCE, label="input", kind="input", shape=list(self.image), match="image")
        for step in plan.steps:
            flow = found[step.name]
            optional = {} if step.layer is not None else {"aggregation": step.join}
            label = step_label(step, found[step.sources[0]])
            graph.add_node(
                step.name, label=f"{flow.channels}×{flow.height}×{flow.width}", kind="hidden", match=label, module=step.module, **optional
            )
            for source in step.sources:
                operation = "join" if step.layer is None else f"conv_{step.layer['kernel']}x{step.layer['kernel']}"
                graph.add_edge(source, step.name, key=operation, operation=None if step.layer is None else operation, match="", does=label)
        head = f"head {'-'.join(map(str, plan.dense))}"
        graph.add_node("output", label="output", kind="output", match=head, shape=[self.shape.classes])
        graph.add_edge(plan.last, "output", key="head", operation=None, match="", does=head)
        return graph

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        """`network` (assembled, nodes coloured by module), `blueprint`, and each module."""
        blueprint, modules = self.parts(genome)
        network = self.to_graph(genome)
        for _, data in network.nodes(data=True):
            data.pop("match")
        for _, _, data in network.edges(data=True):
            data.pop("match")
        found = {"network": to_node_link(network), "blueprint": to_node_link(_drawn("blueprint", blueprint))}
        for number, module in enumerate(modules):
            found[f"module {number}"] = to_node_link(_drawn(f"module {number}", module))
        return found


OPERATORS = ("change_layer", "change_layer", "change_head", "grow_module", "grow_blueprint", "switch_module")
"""What a mutation of the space alone draws from; a search with populations has rates of its own."""


def _drawn(name: str, genes: GeneGraph) -> nx.MultiDiGraph:
    """The live part of a gene graph. Nodes of a blueprint carry `module`, those of a module their layer."""
    import networkx as nx

    graph: nx.MultiDiGraph = nx.MultiDiGraph(name=name)
    graph.add_node(str(INPUT), label="input", kind="input")
    for node in genes.live:
        allele = genes.allele[node]
        module = allele.get("module")
        label = f"module {module}" if module is not None else f"{allele['filters']} {allele['kernel']}×{allele['kernel']}"
        graph.add_node(str(node), label=label, kind="hidden", aggregation=allele["join"], **({} if module is None else {"module": module}))
    graph.add_node(str(OUTPUT), label="output", kind="output", aggregation=genes.allele[OUTPUT]["join"])
    for node, sources in genes.sources.items():
        for source in sources:
            graph.add_edge(str(source), str(node), key="edge", operation=None)
    return graph


@lru_cache(maxsize=4096)
def _parts(content: str) -> tuple[GeneGraph, tuple[GeneGraph, ...]]:
    data = json.loads(content)
    return _graph(data["blueprint"]), tuple(_graph(module) for module in data["modules"])


def _graph(data: dict[str, Any]) -> GeneGraph:
    links = [Link(number, source, target) for number, (source, target) in enumerate(data["edges"])]
    return GeneGraph.of({node: allele for node, allele in data["nodes"]}, links)


def _checked(data: Any, name: str, most: int, node_problem: Any, end_problem: Any) -> GeneGraph:
    """The graph. Raises BadInput(field "genome") for anything that is no live graph of at most so many hidden nodes with such alleles."""
    form = "a graph is {'nodes': [[number, settings], ...], 'edges': [[source, target], ...]}"
    try:
        nodes = [(node, allele) for node, allele in data["nodes"]]
        edges = [(source, target) for source, target in data["edges"]]
    except (TypeError, KeyError, ValueError):
        raise BadInput("genome", f"{name}: {form}") from None
    numbers = [node for node, _ in nodes]
    if any(type(node) is not int or node < OUTPUT for node in numbers) or len(set(numbers)) != len(numbers) or OUTPUT not in numbers:
        raise BadInput("genome", f"{name}: {form}; each number once, {OUTPUT} is the output, hidden nodes are {FIRST_HIDDEN} and above")
    if len(nodes) - 1 > most:
        raise BadInput("genome", f"{name}: it has {len(nodes) - 1} nodes, at most {most}")
    for node, allele in nodes:
        refuse(end_problem(allele) if node == OUTPUT else node_problem(allele), f"{name}, node {node}")
    known = {INPUT, *numbers}
    for source, target in edges:
        if source not in known or target not in known or source == OUTPUT or target == INPUT or edges.count((source, target)) > 1:
            raise BadInput("genome", f"{name}: {source!r} -> {target!r} is no edge between these nodes, or it stands there twice")
    genes = _graph({"nodes": nodes, "edges": edges})
    try:
        alive = genes.live
    except ValueError:
        raise BadInput("genome", f"{name}: its edges close a cycle", code="cyclic") from None
    if set(alive) != set(numbers) - {OUTPUT} or not genes.connected:
        raise BadInput("genome", f"{name}: every node stands on a path from the input (0) to the output (1)", code="disconnected")
    return genes
