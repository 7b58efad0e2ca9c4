"""The space of module columns: admissible genomes, identity, texts, pictures, several data sets; its networks."""

from __future__ import annotations

import random

import pytest
import torch

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue.config import check
from search_engine.spaces import graphs
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.modular import ModularConfig, ModularSpace
from search_engine.supernets.modular_network import build, build_supernet

SHAPE = DataShape((1, 8, 8), 5)


def space(*classes: int, shape: tuple[int, ...] = (1, 8, 8), **options: object) -> ModularSpace:
    domains = tuple(DataShape(shape, count) for count in classes or (5,))
    return ModularSpace(ModularConfig.model_validate(options), domains[0], domains)


def random_genomes(where: ModularSpace, count: int, rng: random.Random) -> list[Genome]:
    found = []
    for _ in range(count):
        always = where.path_of(where.sample(rng)) if rng.random() < 0.5 else ()
        found.append(where.genome(where.path_of(where.sample(rng)), always, rng.randrange(len(where.domains))))
    return found


def test_the_hash_is_equal_exactly_for_isomorphic_networks() -> None:
    """Also for genomes with frozen modules, and for readouts of equal and of different sizes."""
    where = space(5, 3, 5, layers=2, modules=6, active=3)
    genomes = random_genomes(where, 24, random.Random(0))
    equal = 0
    for first in genomes:
        for second in genomes:
            same = where.hash(first) == where.hash(second)
            assert same == graphs.isomorphic(where.normal_graph(first), where.normal_graph(second))
            equal += same
    assert len(genomes) < equal < len(genomes) ** 2 / 2


def test_texts_lead_back_to_the_genome() -> None:
    where = space(5, 3)
    for genome in random_genomes(where, 50, random.Random(1)):
        assert where.from_string(where.to_string(genome)) == genome
    assert where.to_string(where.genome(((4, 1), (0, 7, 2), (3, 3)), ((5,), (), (8,)), 1)) == "task 1: 1.4/0.2.7/3 + 5/-/8"
    for text in ("1.4/0.2.7/3", "task 0: 1.4/0.2.7", "task 0: 1..4/0/3", "task 2: 1/2/3", "task 0: 1/2/10", "task 0: 1/2/-"):
        with pytest.raises(BadInput) as raised:
            where.from_string(text)
        assert raised.value.field == "genome"


def test_a_genome_names_its_modules_once_in_order_and_not_too_many() -> None:
    where = space(layers=1, modules=4, active=2)
    assert where.genome(((3, 1, 1),)).content["path"] == [[1, 3]]
    for path in ([[]], [[0, 1, 2]], [[1, 0]], [[1, 1]], [[4]], [[0], [1]], [["0"]]):
        with pytest.raises(BadInput):
            where.validate(Genome("modular", {"domain": 0, "path": path, "always": [[]]}))


def test_samples_use_any_number_of_modules_up_to_the_most() -> None:
    where, rng = space(), random.Random(0)
    paths = [where.path_of(where.sample(rng)) for _ in range(300)]
    assert {len(layer) for path in paths for layer in path} == {1, 2, 3}
    assert {module for path in paths for layer in path for module in layer} == set(range(10))


def test_data_sets_of_different_shapes_are_refused_by_number() -> None:
    with pytest.raises(BadInput, match=r"data set 1 has \(1, 8, 8\), data set 3 has \(1, 28, 28\)") as raised:
        ModularSpace(ModularConfig(), SHAPE, (SHAPE, DataShape((1, 8, 8), 2), DataShape((1, 28, 28), 5)))
    assert raised.value.field == "datasets"
    with pytest.raises(BadInput, match=r"data set 2 has \(1, 28, 28\)"):
        check({"algorithm": "pathnet", "datasets": ["digits", "mnist"]})


def test_convolutional_modules_need_images() -> None:
    with pytest.raises(BadInput, match="images"):
        space(shape=(13,), kind="convolutional")
    assert space(shape=(13,)).shape.input == (13,)


def test_the_picture_shows_the_sums_and_what_is_always_active() -> None:
    where = space(5, 3, layers=2)
    genome = where.genome(((1, 2), (0,)), ((4,), ()), 1)
    graph = where.to_graph(genome)
    graphs.validate(graph)
    assert [name for name, data in graph.nodes(data=True) if data.get("always")] == ["0.4"]
    assert set(graph.predecessors("sum0")) == {"0.1", "0.2", "0.4"} and set(graph.successors("sum0")) == {"1.0"}
    assert "3 classes" in graph.nodes["output"]["label"]
    (drawing,) = where.drawings(genome).values()
    assert len(drawing.nodes) == graph.number_of_nodes() and len(drawing.edges) == graph.number_of_edges()


@pytest.mark.parametrize(
    ("kind", "shape"), [("linear", (1, 8, 8)), ("linear", (13,)), ("convolutional", (3, 16, 12)), ("convolutional", (1, 28, 28))]
)
def test_a_path_alone_computes_what_it_computes_in_the_super_network(kind: str, shape: tuple[int, ...]) -> None:
    where = space(5, 3, shape=shape, kind=kind, units=6)
    torch.manual_seed(0)
    supernet = build_supernet(where)
    inputs = torch.randn(4, *shape)
    for genome in random_genomes(where, 6, random.Random(2)):
        network = build(where, genome, "final", TrainingConfig())
        network.load_state_dict(supernet.path_state(genome))
        logits = supernet.forward_path(inputs, genome)
        assert logits.shape == (4, where.domains[where.domain_of(genome)].classes)
        assert torch.equal(network(inputs), logits)


def test_a_layer_is_the_sum_of_its_modules_relu_outputs() -> None:
    where = space(layers=1, modules=4, units=7)
    supernet = build_supernet(where)
    x = torch.randn(3, 1, 8, 8)
    parts = [(x.flatten(1) @ supernet.columns[0][k].weight.T + supernet.columns[0][k].bias).clamp(min=0) for k in (1, 3)]  # type: ignore[index]
    expected = supernet.readouts[0](parts[0] + parts[1])
    assert torch.allclose(supernet.forward_path(x, where.genome(((1,),), ((3,),))), expected, atol=1e-6)


def test_modules_off_the_path_get_no_gradient() -> None:
    where = space(5, 3)
    supernet = build_supernet(where)
    genome = where.genome(((1, 2), (0,), (9,)), ((4,), (), ()), 1)
    supernet.forward_path(torch.randn(2, 1, 8, 8), genome).sum().backward()
    touched = {name.rpartition(".")[0] for name, parameter in supernet.named_parameters() if parameter.grad is not None}
    assert touched == {"columns.0.1", "columns.0.2", "columns.0.4", "columns.1.0", "columns.2.9", "readouts.1"}


@pytest.mark.parametrize("kind", ["linear", "convolutional"])
def test_flops_are_those_that_torch_counts(kind: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    where = space(5, 3, kind=kind, units=6)
    supernet = build_supernet(where)
    genome = where.genome(((1, 2), (0,), (3, 4, 9)), (), 1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        supernet.forward_path(torch.randn(2, 1, 8, 8), genome)
    assert counter.get_total_flops() == 2 * supernet.flops(where.modules_of(genome), 1)
