"""The space of domain paths: genomes, identity, pictures; its networks share modules and nothing else."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
import torch
from torch import nn

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.spaces import graphs
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.domain_paths import DomainPathsConfig, DomainPathsSpace
from search_engine.supernets.domain_paths_network import build, build_supernet
from search_engine.supernets.path_costs import measure
from search_engine.training.footprint import forward_flops, parameters

SMALL, LARGE = DataShape((1, 8, 8), 5), DataShape((3, 28, 28), 7)
TWINS = ("nor_conv_3x3", "nor_conv_3x3", "max_pool_3x3", "skip_connect")


def space(*shapes: DataShape, **options: Any) -> DomainPathsSpace:
    shapes = shapes or (SMALL, LARGE)
    return DomainPathsSpace(DomainPathsConfig(**{"channels": 4, "modules": TWINS, **options}), shapes[0], shapes)


# ---------------------------------------------------------------- genomes


def test_genomes_survive_their_text_and_are_checked() -> None:
    two, rng = space(), random.Random(0)
    assert two.modules == ("nor_conv_3x3", "nor_conv_3x3#2", "max_pool_3x3", "skip_connect")
    for _ in range(20):
        genome = two.sample(rng)
        assert two.from_string(two.to_string(genome)) == genome
        graphs.validate(two.to_graph(genome))
    for text, message in (
        ("skip_connect > skip_connect > skip_connect > skip_connect", "one path for each of 2 data sets"),
        ("skip_connect | skip_connect", "one module for each of 4 layers"),
        ("conv > conv > conv > conv | conv > conv > conv > conv", "no module 'conv'"),
    ):
        with pytest.raises(BadInput, match=message):
            two.from_string(text)


def test_a_mutation_changes_one_layer_of_one_path() -> None:
    two, rng = space(), random.Random(1)
    places = set()
    for _ in range(200):
        before = two.sample(rng)
        after, operator = two.mutate(before, rng)
        changed = [
            (domain, layer)
            for domain, (old, new) in enumerate(zip(two.paths(before), two.paths(after), strict=True))
            for layer in range(4)
            if old[layer] != new[layer]
        ]
        assert len(changed) == 1 and operator == "module_mutation"
        places |= set(changed)
    assert len(places) == 8


def test_copies_are_told_apart_only_against_each_other() -> None:
    """Which copy a path takes is nothing by itself; whether two paths take the same one is everything."""
    two = space(layers=1)
    first, second, skip = "nor_conv_3x3", "nor_conv_3x3#2", "skip_connect"
    pairs = itertools.product((first, second), repeat=2)
    hashes = {pair: two.hash(two.genome([[pair[0]], [pair[1]]])) for pair in pairs}
    assert hashes[first, first] == hashes[second, second] != hashes[first, second] == hashes[second, first]
    assert two.hash(two.genome([[skip], [second]])) == two.hash(two.genome([[skip], [first]]))
    assert two.hash(two.genome([[skip], [first]])) != two.hash(two.genome([[first], [skip]])), "the data sets differ"


def test_equal_hashes_are_isomorphic_graphs() -> None:
    three, rng = space(SMALL, SMALL, LARGE, layers=2, modules=("nor_conv_3x3", "nor_conv_3x3", "skip_connect")), random.Random(2)
    outcomes = set()
    for _ in range(400):
        first = three.sample(rng)
        second = three.mutate(first, rng)[0] if rng.random() < 0.7 else three.sample(rng)
        if rng.random() < 0.5:
            swap = {"nor_conv_3x3": "nor_conv_3x3#2", "nor_conv_3x3#2": "nor_conv_3x3"}
            second = three.genome([[swap.get(path[0], path[0]), *path[1:]] for path in three.paths(first)])
        equal = three.hash(first) == three.hash(second)
        assert equal == graphs.isomorphic(three.normal_graph(first), three.normal_graph(second))
        outcomes.add(equal)
    assert outcomes == {True, False}


def test_the_drawing_says_who_goes_where() -> None:
    two = space(layers=2)
    drawing = two.drawings(two.genome([["nor_conv_3x3", "skip_connect"], ["max_pool_3x3", "skip_connect"]]))["network"]
    domains = {(edge.source, edge.target): edge.attributes["domains"] for edge in drawing.edges}
    assert domains == {
        ("input0", "0/nor_conv_3x3"): [0], ("0/nor_conv_3x3", "1/skip_connect"): [0], ("1/skip_connect", "output0"): [0],
        ("input1", "0/max_pool_3x3"): [1], ("0/max_pool_3x3", "1/skip_connect"): [1], ("1/skip_connect", "output1"): [1],
    }  # fmt: skip
    nodes = {node.id: node.attributes for node in drawing.nodes}
    assert nodes["1/skip_connect"]["domains"] == [0, 1] and nodes["0/max_pool_3x3"]["domains"] == [1]
    assert set(drawing.attributes["layout"]) == set(nodes)


def test_shared_stretches_are_one_edge() -> None:
    two = space(layers=2)
    graph = two.to_graph(two.genome([["skip_connect"] * 2] * 2))
    assert graph.edges["0/skip_connect", "1/skip_connect", "skip_connect"]["domains"] == [0, 1]


def test_one_path_for_all_is_a_list_of_choices() -> None:
    two = space()
    assert len(two.decisions) == 4 and two.size() == 4**8
    genome = two.genome_of((0, 1, 2, 3))
    assert two.paths(genome) == [["nor_conv_3x3", "nor_conv_3x3#2", "max_pool_3x3", "skip_connect"]] * 2
    assert two.choices_of(genome) == (0, 1, 2, 3)
    mixed = two.genome_of_paths([(0, 1, 2, 3), (0, 1, 2, 2)])
    with pytest.raises(BadInput, match="different paths"):
        two.choices_of(mixed)


def test_alone_a_data_set_needs_no_copies() -> None:
    one = space(SMALL)
    assert one.modules == ("nor_conv_3x3", "max_pool_3x3", "skip_connect")
    assert len({one.hash(genome) for genome in one.enumerate()}) == one.size() == 3**4
    network = build(one, one.sample(random.Random(0)), "trial", TrainingConfig())
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 5)


def test_data_sets_must_be_images() -> None:
    with pytest.raises(BadInput, match=r"data set 2 gives vectors of 13 features; .* at least 4x4 pixels from every data set") as caught:
        space(SMALL, DataShape((13,), 3))
    assert caught.value.field == "datasets"
    with pytest.raises(BadInput, match="data set 1 gives 1x3x3 images"):
        space(DataShape((1, 3, 3), 2), SMALL)
    with pytest.raises(BadInput, match="needs images") as alone:
        space(DataShape((13,), 3))
    assert alone.value.field == "dataset"


def test_the_number_of_data_sets_is_checked_before_the_start() -> None:
    with pytest.raises(BadInput, match="2 to 8 data sets") as caught:
        check({"algorithm": "multipath", "datasets": ["digits"]})
    assert caught.value.field == "datasets"


# ---------------------------------------------------------------- networks


def test_forward_path_touches_nothing_off_the_path() -> None:
    two = space()
    torch.manual_seed(0)
    network = build_supernet(two)
    genome = two.genome_of_paths([(0, 1, 2, 3), (2, 2, 0, 0)])
    network.forward_path(torch.randn(4, 3, 28, 28), genome, 1).sum().backward()
    touched = {name for name, item in network.named_parameters() if item.grad is not None}
    on_path = {f"layers.{layer}.{label}" for layer, label in enumerate(two.paths(genome)[1])}
    for name, _ in network.named_parameters():
        module = ".".join(name.split(".")[:3])
        expected = name.startswith(("stems.1.", "heads.1.")) or (module in on_path and _norm_domain(network, name) in (None, 1))
        assert (name in touched) == expected, name


def _norm_domain(network: nn.Module, parameter: str) -> int | None:
    """Whose batch normalisation a parameter of a shared module belongs to."""
    from search_engine.supernets.domain_norms import DomainNorms

    parts = parameter.split(".")
    for end in range(len(parts) - 1, 0, -1):
        if isinstance(network.get_submodule(".".join(parts[:end])), DomainNorms):
            return int(parts[end])
    return None


@pytest.mark.parametrize("shapes", [(SMALL, LARGE), (SMALL, SMALL, DataShape((1, 33, 20), 2))])
def test_derived_networks_are_the_super_network_along_the_paths(shapes: tuple[DataShape, ...]) -> None:
    """With its weights they compute what it computes, for every data set; and they have nothing that is on no path."""
    grid, rng = space(*shapes), random.Random(3)
    torch.manual_seed(0)
    supernet = build_supernet(grid)
    given = supernet.state_dict()
    for _ in range(3):
        genome = grid.sample(rng)
        derived = build(grid, genome, "trial", TrainingConfig(channels=4))
        state = derived.state_dict()
        missing = derived.load_state_dict({name: given[name] for name in state if name in given}, strict=False)
        assert all("running" in name or "num_batches" in name for name in missing.missing_keys)
        for domain, shape in enumerate(shapes):
            x = torch.randn(5, *shape.input)
            torch.testing.assert_close(derived.train().for_domain(domain)(x), supernet.forward_path(x, genome, domain))
            assert derived.for_domain(domain)(x).shape == (5, shape.classes)
        reached = {id(item) for domain in range(len(shapes)) for item in derived.for_domain(domain).parameters()}
        assert reached == {id(item) for item in derived.parameters()}


def test_views_share_modules_and_keep_their_own_normalisation() -> None:
    two = space()
    network = build(two, two.genome_of((0, 0, 0, 0)), "trial", TrainingConfig()).train()
    first, second = network.for_domain(0), network.for_domain(1)
    before = {name: item.clone() for name, item in second.state_dict().items()}
    first(torch.randn(6, 1, 8, 8))
    assert all(torch.equal(item, before[name]) for name, item in second.state_dict().items()), "statistics of the other data set moved"
    common = {id(item) for item in first.parameters()} & {id(item) for item in second.parameters()}
    assert sum(item.numel() for item in network.parameters() if id(item) in common) > 0.8 * parameters(network)
    first.eval()
    assert not any(item.training for item in first.modules()) and all(item.training for item in network.stems[1].modules())


def test_a_depth_that_the_space_does_not_have_is_refused() -> None:
    two = space()
    with pytest.raises(BadInput, match=r"4 layers: set space_options\.layers"):
        build(two, two.sample(random.Random(0)), "final", TrainingConfig(layers=6))


def test_costs_are_those_of_the_networks() -> None:
    """Looked-up figures against networks built for real: the union, each alone, FLOPs at each data set's resolution."""
    two, rng = space(layers=3), random.Random(4)
    costs = measure(build_supernet(two), [shape.input for shape in two.domains])
    for _ in range(5):
        genome = two.sample(rng)
        paths = [tuple(two.modules.index(label) for label in path) for path in two.paths(genome)]
        network = build(two, genome, "trial", TrainingConfig(channels=4))
        assert costs.union_parameters(paths) == parameters(network)
        for domain, shape in enumerate(two.domains):
            view = network.for_domain(domain)
            assert costs.path_parameters(domain, paths[domain]) == parameters(view)
            assert costs.path_flops(domain, paths[domain]) == forward_flops(view, shape.input)
    everything = [(a, b, c) for a in range(4) for b in range(4) for c in range(4)]
    for domain in (0, 1):
        assert costs.largest("flops", domain) == max(costs.path_flops(domain, path) for path in everything)
        assert costs.largest("parameters", domain) == max(costs.path_parameters(domain, path) for path in everything)


def test_other_searches_run_on_it_with_one_data_set() -> None:
    names = {row["algorithm"] for row in registry.compatibility() if row["space"] == "domain_paths"}
    assert {"random", "regularized_evolution", "multipath"} <= names
