"""Motifs of motifs: entries, steps, flattening, identity, texts, and the networks."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import networkx as nx
import pytest
import torch

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue.config import parse
from search_engine.primitives.names import MOTIFS
from search_engine.spaces import graphs
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.hierarchical import CELL, IDENTITY, HierarchicalConfig, HierarchicalSpace
from search_engine.spaces.motifs.flattening import contracted, flatten, live
from search_engine.spaces.motifs.hierarchy import Hierarchy, Level
from search_engine.spaces.motifs.steps import Walk
from search_engine.supernets.hierarchical_network import MotifCell, build
from search_engine.training.footprint import step_flops

DIGITS = DataShape((1, 8, 8), 10)
SMALL: dict[str, Any] = {"motifs": 2, "motif_nodes": 3, "nodes": 3}
EXAMPLE = "1-2 dw_conv_3x3, 2-3 skip_connect | 1-3 max_pool_3x3 / 1-2 motif_1, 1-3 motif_2, 2-3 motif_1"


def space(shape: DataShape = DIGITS, **options: Any) -> HierarchicalSpace:
    return HierarchicalSpace(HierarchicalConfig(**options), shape)


def entries(one: HierarchicalSpace, genome: Genome) -> tuple[int, ...]:
    return one.entries_of(genome)


# ---- entries and steps


def test_the_published_hierarchy_has_46_entries_and_the_flat_one_55() -> None:
    one = space()
    assert len(one.hierarchy.slots) == len(one.decisions) == 6 * 6 + 10 == 46
    assert [len(decision.choices) for decision in one.decisions] == [7] * 46
    assert one.decisions[0].key == "motif 1: 1-2" and one.decisions[45].key == "cell: 4-5" and one.size() == 7**46
    flat = space(levels=2)
    assert len(flat.decisions) == 55 and {decision.kind for decision in flat.decisions} == {"operation"}
    for number, slot in enumerate(one.hierarchy.slots):
        assert one.hierarchy.place(slot.level, slot.motif, slot.successor, slot.predecessor) == number


@pytest.mark.parametrize("options", [{}, {"levels": 2}, SMALL, {"motifs": 1, "motif_nodes": 2, "nodes": 2}])
def test_a_mutation_changes_exactly_one_entry_and_says_which(options: dict[str, Any]) -> None:
    one, rng = space(**options), random.Random(0)
    genome = one.sample(rng)
    for _ in range(300):
        child, mutation = one.mutation(genome, rng)
        changed = [place for place, (a, b) in enumerate(zip(entries(one, genome), entries(one, child), strict=True)) if a != b]
        assert [one.hierarchy.slots[place] for place in changed] == [mutation.slot]
        labels = one.choices_at(mutation.slot.level)
        before, after = (labels[entries(one, item)[changed[0]]] for item in (genome, child))
        assert (before, after) == (mutation.old, mutation.new) and f": {before} → {after}" in mutation.text
        assert one.has_path(child)
        genome = child


def test_entries_are_hit_as_the_operator_draws_them() -> None:
    """Level, motif, successor, predecessor one after the other, each evenly: the first entry of the cell with .125, its last row with
    .031 each, the last row of a motif with .0093."""
    hierarchy = Hierarchy((Level(6, 4), Level(1, 5)))
    walk, rng, draws = Walk(hierarchy, hierarchy.chain(IDENTITY), len(MOTIFS)), random.Random(0), 20_000
    counts = Counter(walk._draw(rng)[0] for _ in range(draws))
    for slot in hierarchy.slots:
        motifs, successors = (6, 3) if slot.level == 2 else (1, 4)
        expected = draws / (2 * motifs * successors * (slot.successor - 1))
        assert abs(counts[slot] - expected) < 5 * expected**0.5, slot


def test_what_would_cut_the_last_path_is_drawn_again_and_counted() -> None:
    one, rng = space(motifs=1, motif_nodes=2, nodes=2), random.Random(0)
    genome, rejected = one.chain(), 0
    for _ in range(200):
        genome, mutation = one.mutation(genome, rng)
        rejected += mutation.rejected
        assert one.has_path(genome)
    # The cell's one entry can only become none; the motif's one entry does so one time in six.
    assert 200 * 1.0 < rejected < 200 * 2.0


def test_a_cell_without_a_path_may_change_anywhere() -> None:
    one = space(motifs=1, motif_nodes=2, nodes=2)
    dead = one.genome_of((0, 0))
    child, mutation = one.mutation(dead, random.Random(0))
    assert mutation.rejected == 0 and sum(entries(one, child)) > 0


def test_random_genomes_start_from_a_chain_of_identities() -> None:
    one = space(initial_steps=0)
    assert one.sample(random.Random(0)) == one.chain()
    assert one.to_string(one.chain()).split(" / ")[0].split(" | ") == ["1-2 skip_connect, 2-3 skip_connect, 3-4 skip_connect"] * 6
    one = space(initial_steps=1)
    changed = zip(entries(one, one.sample(random.Random(0))), entries(one, one.chain()), strict=True)
    assert sum(a != b for a, b in changed) == 1


# ---- flattening


def product_formula(one: HierarchicalSpace, genome: Genome) -> int:
    """Of every edge of the cell the operations of its motif, counted from the genome's own text."""
    motifs, cell = (part.split(" | ") for part in one.to_string(genome).split(" / "))
    sizes = [0 if text == "nothing" else len(text.split(", ")) for text in motifs]
    return sum(sizes[int(edge.split("motif_")[1]) - 1] for edge in cell[0].split(", ") if edge != "nothing")


def test_the_flattened_cell_is_acyclic_and_has_the_product_formulas_edges() -> None:
    one, rng = space(), random.Random(3)
    for _ in range(40):
        genome = one.sample(rng)
        flat = flatten(one.hierarchy, entries(one, genome))
        operations = [edge for edge in flat.edges if edge.operation is not None]
        assert len(operations) == product_formula(one, genome) == one.hierarchy.operations(entries(one, genome))
        order = {node: place for place, node in enumerate(flat.nodes)}
        assert len(order) == len(flat.nodes) and all(order[edge.source] < order[edge.target] for edge in flat.edges)
        assert nx.is_directed_acyclic_graph(one.to_graph(genome))
        graphs.validate(one.to_graph(genome))


def test_uses_of_motifs_are_counted() -> None:
    one = space(**SMALL)
    assert one.hierarchy.uses(entries(one, one.from_string(EXAMPLE))) == [[2, 1], [1]]


def test_dead_parts_go_and_identities_are_folded() -> None:
    one = space(**SMALL)
    flat = flatten(one.hierarchy, entries(one, one.from_string(EXAMPLE)))
    assert flat.nodes == ("1", "1-2.2", "1-2.3", "2", "1-3.2", "1-3.3", "2-3.2", "2-3.3", "3")
    kept = live(flat)
    assert "1-3.2" not in kept.nodes, "nothing arrives there"
    folded = contracted(kept, IDENTITY)
    assert folded.nodes == ("1", "1-2.2", "1-3.3", "2-3.2", "3")
    assert [(edge.source, edge.target, MOTIFS[edge.operation or 0]) for edge in folded.edges] == [
        ("1", "1-2.2", "dw_conv_3x3"), ("1", "1-3.3", "max_pool_3x3"), ("1-2.2", "2-3.2", "dw_conv_3x3"),
        ("1-3.3", "3", "skip_connect"), ("2-3.2", "3", "skip_connect"),
    ]


# ---- identity


def test_equal_hashes_are_isomorphic_graphs() -> None:
    """Renamed motifs, motifs that nobody uses, and dead edges make no other architecture; another operation does."""
    one, rng, equal = space(**SMALL, initial_steps=60), random.Random(1), 0
    for _ in range(400):
        first = one.sample(rng)
        if rng.random() < 0.5:
            lower, cell = one.to_string(first).split(" / ")
            swapped = " | ".join(reversed(lower.split(" | ")))
            renamed = cell.replace("motif_1", "motif_x").replace("motif_2", "motif_1").replace("motif_x", "motif_2")
            other = one.from_string(f"{swapped} / {renamed}")
            assert one.hash(first) == one.hash(other)
        else:
            other = one.mutation(first, rng)[0]
        same = one.hash(first) == one.hash(other)
        equal += same
        assert same == graphs.isomorphic(one.normal_graph(first), one.normal_graph(other))
        if same:
            assert one.parameters(first) == one.parameters(other)
    assert 200 < equal < 380


def test_all_cells_without_a_path_are_one_architecture() -> None:
    one = space(**SMALL)
    nothing = one.genome_of([0] * 9)
    other = one.from_string("1-2 dw_conv_3x3 | nothing / 1-3 motif_1")
    assert one.hash(nothing) == one.hash(other) != one.hash(one.chain())
    assert one.hash(one.from_string("1-3 skip_connect | nothing / 1-3 motif_1")) == one.hash(one.chain())
    network = build(one, nothing, "trial", TrainingConfig())
    outputs = network.eval()(torch.randn(4, 1, 8, 8))
    assert torch.equal(outputs, outputs[:1].expand(4, -1))


# ---- texts


def test_text_and_choices_there_and_back() -> None:
    one, rng = space(), random.Random(0)
    assert space(**SMALL).to_string(space(**SMALL).from_string(EXAMPLE)) == EXAMPLE
    for _ in range(30):
        genome = one.sample(rng)
        assert one.from_string(one.to_string(genome)) == genome == one.genome_of(one.choices_of(genome))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1-2 skip_connect / 1-2 motif_1", "2 levels divided by / with 2 and 1 motifs"),
        (EXAMPLE.replace("1-2 dw_conv_3x3", "2-1 dw_conv_3x3"), "no edge of level 2"),
        (EXAMPLE.replace("1-2 dw_conv_3x3", "1-4 dw_conv_3x3"), "to a later one of 1 to 3"),
        (EXAMPLE.replace("1-2 dw_conv_3x3", "1-2 sep_conv_3x3"), "names nothing that can lie on an edge of level 2"),
        (EXAMPLE.replace("1-2 motif_1", "1-2 motif_3"), "choose one of motif_1, motif_2"),
        (EXAMPLE.replace("2-3 motif_1", "1-2 motif_2"), "twice"),
    ],
)
def test_a_wrong_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        space(**SMALL).from_string(text)


def test_wrong_options_and_foreign_data_are_refused() -> None:
    with pytest.raises(BadInput, match="2 nodes at least") as problem:
        parse("space_options", HierarchicalConfig, {"nodes": 1})
    assert problem.value.field == "space_options.nodes"
    for shape in (DataShape((64,), 10), DataShape((1, 3, 8), 10)):
        with pytest.raises(BadInput):
            space(shape)


def test_drawings_are_the_cell_its_motifs_and_the_flattened_graph() -> None:
    one = space(**SMALL)
    assert list(one.drawings(one.from_string(EXAMPLE))) == [CELL, "Motif 1", "Motif 2", "network"]
    assert list(one.drawings(one.from_string("nothing | 1-3 skip_connect / 1-3 motif_2"))) == [CELL, "Motif 2", "network"]
    assert list(space(levels=2).drawings(space(levels=2).chain())) == ["network"]


def test_a_crossover_keeps_a_path() -> None:
    one, rng = space(**SMALL, initial_steps=100), random.Random(0)
    for _ in range(200):
        assert one.has_path(one.crossover(one.sample(rng), one.sample(rng), rng))


# ---- networks


@pytest.mark.parametrize("options", [{}, {"levels": 2}, SMALL])
def test_the_trivial_genome_is_the_identity(options: dict[str, Any]) -> None:
    one = space(**options)
    cell, x = MotifCell(one.computed(one.chain()), 4), torch.randn(3, 4, 8, 8)
    assert (cell(x) - x).abs().max() == 0 and not list(cell.parameters())


def test_a_cell_is_what_its_graph_says() -> None:
    """The forward pass against the formula, written out: the same motif at two places has weights of its own at each."""
    one = space(**SMALL)
    torch.manual_seed(0)
    cell, x = MotifCell(one.computed(one.from_string(EXAMPLE)), 4).eval(), torch.randn(2, 4, 8, 8)
    first, pool, second = cell.operations["0"], cell.operations["1"], cell.operations["2"]
    both = torch.cat([pool(x), second(first(x))], dim=1)
    assert torch.equal(cell(x), cell.merges["4"](both))
    assert not torch.equal(first[1].weight, second[1].weight)


def test_parameters_in_closed_form_and_sizes() -> None:
    one, rng = space(DataShape((3, 9, 11), 7)), random.Random(0)
    for layers, channels in ((1, 4), (2, 6), (3, 8), (6, 4)):
        genome = one.sample(rng)
        network = build(one, genome, "trial", TrainingConfig(layers=layers, channels=channels))
        counted = sum(value.numel() for value in network.parameters())
        assert counted == one.parameters(genome, layers, channels)
        assert network(torch.randn(2, 3, 9, 11)).shape == (2, 7)


def test_flops_are_those_of_the_operations() -> None:
    """Against a count by hand: a 1x1 convolution takes 2 C C H W, an identity nothing."""
    one = space(**SMALL)
    flops = []
    for text in ("1-3 skip_connect | nothing / 1-3 motif_1", "1-3 nor_conv_1x1 | nothing / 1-3 motif_1"):
        network = build(one, one.from_string(text), "trial", TrainingConfig(layers=1, channels=4))
        flops.append(step_flops(network, (1, 8, 8))[0])
    assert flops[1] - flops[0] == 2 * 4 * 4 * 8 * 8
