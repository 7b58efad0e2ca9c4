"""Progressive shrinking, dropout on skips and the limit of skips: the rules by themselves, and in a search of any method."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms.simplex.config import BilevelConfig
from search_engine.algorithms.simplex.search import SimplexSearch
from search_engine.algorithms.simplex.shrinking import Shrinking
from search_engine.algorithms.simplex.skip_cap import capped
from search_engine.algorithms.simplex.stages import Kept, Stages, everything, kept_count, shrink
from search_engine.events import FamilyGroup, decode_floats
from search_engine.structures import SoftmaxStructure
from search_engine.supernets.skip_dropout import SkipDropout
from tests.search_engine.algorithms.simplex.simplex_searches import METHODS, of_kind, run, simplex_search
from tests.search_engine.searches import network_search

Array = np.ndarray[Any, Any]
OPERATIONS = ["none", "a", "b", "c", "d", "e", "f", "g"]
FAMILY = [FamilyGroup(name="g", title="G", nodes=[], edges=[("x", "y"), ("z", "y")], operations=OPERATIONS)]


def kept_by(search: SimplexSearch) -> Kept:
    """The operations that a search has left."""
    (shrinking,) = [listener for listener in search.listeners if isinstance(listener, Shrinking)]
    return shrinking.kept


# ---- which operations stay


def test_as_many_stay_as_in_the_papers() -> None:
    assert [kept_count(8, stage) for stage in range(4)] == [8, 5, 3, 2]  # P-DARTS: 8, 5, 3
    assert [kept_count(7, stage) for stage in range(2)] == [7, 4]  # DrNAS on the DARTS space without `none`
    assert [kept_count(5, stage) for stage in range(3)] == [5, 3, 2]  # DrNAS on NAS-Bench-201: 5, 3
    assert [kept_count(2, stage) for stage in range(4)] == [2] * 4 and kept_count(1, 3) == 1


WEIGHTS = {"g": np.array([[0.30, 0.02, 0.10, 0.15, 0.03, 0.20, 0.01, 0.19], [0.01, 0.15, 0.15, 0.14, 0.20, 0.05, 0.10, 0.20]])}


def names(mask: Array) -> list[str]:
    return [OPERATIONS[column] for column in np.flatnonzero(mask)]


def test_the_weakest_fall_edge_by_edge() -> None:
    kept = shrink(WEIGHTS, FAMILY, everything(FAMILY), 1, keep_none=False)
    assert [names(row) for row in kept["g"]] == [["none", "b", "c", "e", "g"], ["a", "b", "c", "d", "g"]]
    later = shrink({"g": WEIGHTS["g"] * kept["g"]}, FAMILY, kept, 2, keep_none=False)
    # The tie of a and b goes to the first.
    assert [names(row) for row in later["g"]] == [["none", "e", "g"], ["a", "d", "g"]]


def test_none_can_keep_its_place_to_the_end() -> None:
    kept = shrink(WEIGHTS, FAMILY, everything(FAMILY), 1, keep_none=True)
    assert [names(row) for row in kept["g"]] == [["none", "b", "c", "e", "g"], ["none", "a", "b", "d", "g"]]
    last = shrink({"g": WEIGHTS["g"] * kept["g"]}, FAMILY, shrink(WEIGHTS, FAMILY, kept, 2, keep_none=True), 3, keep_none=True)
    assert [names(row) for row in last["g"]] == [["none", "e"], ["none", "d"]]


def test_what_was_dropped_never_comes_back() -> None:
    kept = shrink(WEIGHTS, FAMILY, everything(FAMILY), 1, keep_none=False)
    turned = {"g": WEIGHTS["g"][:, ::-1].copy()}
    later = shrink(turned, FAMILY, kept, 2, keep_none=False)
    assert not (later["g"] & ~kept["g"]).any() and (later["g"].sum(axis=1) == 3).all()


# ---- when, and with what dropout


def stages(horizon: int = 75, per_epoch: int = 1, **options: Any) -> Stages:
    return Stages(BilevelConfig(**{"shrink_stages": 3, **options}), horizon, per_epoch)


def test_stages_are_equally_long_and_cover_the_horizon() -> None:
    plan = stages(100)
    assert [plan.start(stage) for stage in range(3)] == [0, 33, 67]
    assert sum(plan.length(stage) for stage in range(3)) == 100
    assert stages(2).count == 2, "no stage without a step"
    assert stages(shrink_stages=1).length(0) == 75


def test_skip_dropout_falls_as_in_the_authors_schedule() -> None:
    """25 epochs a stage, 10 of them warm-up: linear towards the stage's end, then from the full rate by exp(-0.2) an epoch."""
    plan = stages(skip_dropout=(0.0, 0.4, 0.7), warm_up_epochs=10)
    assert [plan.skip_dropout(0, step) for step in range(25)] == [0.0] * 25
    for stage, rate in ((1, 0.4), (2, 0.7)):
        found = [plan.skip_dropout(stage, step) for step in range(25)]
        warm = [rate * (25 - epoch - 1) / 25 for epoch in range(10)]
        assert found == pytest.approx(warm + [rate * math.exp(-0.2 * (epoch - 10)) for epoch in range(10, 25)])
    four_steps = stages(300, 4, skip_dropout=(0.0, 0.4, 0.7), warm_up_epochs=10)
    later = [0.4] + [0.4 * math.exp(-0.2)] * 4 + [0.4 * math.exp(-0.4)]
    assert [four_steps.skip_dropout(1, step) for step in range(43, 49)] == pytest.approx(later)


def test_dropout_keeps_the_mean_and_repeats_with_its_generator() -> None:
    dropout, x = SkipDropout(), torch.ones(100, 100)
    assert dropout(x) is x
    dropout.rate = 0.4
    dropout.generator = torch.Generator().manual_seed(3)
    first = dropout(x)
    assert first.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    assert float((first == 0).float().mean()) == pytest.approx(0.4, abs=0.02) and float(first.mean()) == pytest.approx(1, abs=0.04)
    assert not torch.equal(dropout(x), first)
    dropout.generator.manual_seed(3)
    assert torch.equal(dropout(x), first)


def test_the_passes_of_one_loss_drop_the_same_values() -> None:
    """A finite difference of a loss with fresh noise in each pass would be noise divided by epsilon."""
    search = simplex_search("second", "nb201", steps=4, skip_dropout=(0.5,))
    run(search, 1)
    assert search.skip_dropouts and search.skip_dropouts[0].rate == 0.5
    loss = search._loss(search.train_part, search.train_order)
    with torch.no_grad():
        values = [float(loss(search.weights, search.alpha.parameters)) for _ in range(2)]
        assert values[0] == values[1]
        for dropout in search.skip_dropouts:
            dropout.rate = 0.0
        assert float(loss(search.weights, search.alpha.parameters)) != values[0], "dropout does nothing"


def test_only_unstrided_skips_drop_values() -> None:
    search = simplex_search("first", "cell", steps=1, skip_dropout=(0.5,))
    plain = simplex_search("first", "cell", steps=1)
    # Two nodes, five edges; three cells of which two are reductions, where the four edges from the inputs are strided.
    assert len(search.skip_dropouts) == 5 + 2 * 1
    assert [name for name, _ in search.network.named_parameters()] == [name for name, _ in plain.network.named_parameters()]


# ---- structures with fewer operations


def test_a_restricted_softmax_is_the_softmax_of_what_is_left() -> None:
    structure = SoftmaxStructure({"g": (2, 4)}, torch.Generator().manual_seed(0))
    with torch.no_grad():
        structure.parameters[0].copy_(torch.tensor([[0.0, 1.0, 2.0, 3.0], [1.0, 1.0, 5.0, 0.0]]))
    mask = np.array([[True, True, False, False], [True, False, True, True]])
    structure.restrict({"g": mask})
    weights = structure.sample()["g"]
    expected = np.zeros((2, 4))
    expected[0, :2] = np.exp([0, 1]) / np.exp([0, 1]).sum()
    expected[1, [0, 2, 3]] = np.exp([1, 5, 0]) / np.exp([1, 5, 0]).sum()
    assert np.allclose(weights.detach().numpy(), expected, atol=1e-6) and (weights.detach().numpy()[~mask] == 0).all()
    (gradient,) = torch.autograd.grad((weights * torch.arange(8.0).view(2, 4)).sum(), structure.parameters)
    assert (gradient.numpy()[~mask] == 0).all() and (gradient.numpy()[mask] != 0).all()
    shares = [-np.sum(p * np.log(p)) / np.log(len(p)) for p in (expected[0, :2], expected[1, [0, 2, 3]])]
    assert structure.normalised_entropy() == pytest.approx(np.mean(shares), abs=1e-5)
    with pytest.raises(ValueError, match="an operation on every edge"):
        structure.restrict({"g": np.zeros((2, 4), dtype=bool)})


# ---- in a search


@pytest.mark.parametrize(
    ("method", "space"), [*((method, "nb201") for method in METHODS), pytest.param("first", "cell", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("restart", [True, False])
def test_any_method_shrinks_in_stages(method: str, space: str, restart: bool) -> None:
    search = simplex_search(method, space, epochs=3, shrink_stages=3, shrink_restart=restart, shrink_keeps_none=True)
    assert search.horizon % 3 == 0
    third = search.horizon // 3
    events = run(search)
    notices = [notice for notice in of_kind(events, "notice") if notice.name == "shrinking"]
    assert [(notice.step, notice.values["stage"]) for notice in notices] == [(third, 2.0), (2 * third, 3.0)]
    operations = len(search.report.family[0].operations)
    present: dict[str, Array] = {}
    for frame in of_kind(events, "structure"):
        stage = 0 if frame.step <= third else 1 if frame.step <= 2 * third else 2
        for group in search.report.family:
            weights = decode_floats(frame.groups[group.name]).reshape(len(group.edges), len(group.operations))
            assert ((weights > 0).sum(axis=1) == kept_count(operations, stage)).all()
            assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
            # What stays is a part of what was there, and `none` stays to the end.
            before = present.get(group.name, np.ones_like(weights, dtype=bool))
            assert not ((weights > 0) & ~before).any() and (weights[:, 0] > 0).all()
            present[group.name] = weights > 0
    assert [payload.values["stage"] for payload in of_kind(events, "metrics")][-1] == 3
    (finalist,) = search.best()
    space_object: Any = search.context.space
    space_object.validate(finalist.genome)
    for group in search.report.family:
        rows = {edge: row for row, edge in enumerate(group.edges)}
        for edge in space_object.drawings(finalist.genome)[group.name].edges:
            if edge.operation is not None:
                assert kept_by(search)[group.name][rows[edge.source, edge.target], group.operations.index(edge.operation)]


def test_what_falls_is_what_was_weakest() -> None:
    search = simplex_search("first", "nb201", epochs=2, shrink_stages=2, shrink_keeps_none=False)
    third = search.horizon // 2
    run(search, third)
    weights = search.structure()["cell"]
    run(search, 1)
    strongest = np.argsort(-weights, axis=1)[:, :3]
    for row, columns in enumerate(strongest):
        assert sorted(columns) == np.flatnonzero(kept_by(search)["cell"][row]).tolist()


def test_a_stage_starts_afresh_or_goes_on() -> None:
    afresh, onward = (simplex_search("first", "nb201", epochs=2, shrink_stages=2, shrink_restart=restart) for restart in (True, False))
    rates = []
    for search in (afresh, onward):
        half = search.horizon // 2
        events = run(search, half)
        old, alpha = search.weights, search.alpha
        events += run(search, 1)
        assert (search.weights is old, search.alpha is alpha) == ((False, False) if search is afresh else (True, True))
        rates.append([payload.values["learning_rate"] for payload in of_kind(events, "metrics") if payload.step > 0])
    assert rates[0][0] == rates[0][-1] == 0.025 and rates[0][-2] == pytest.approx(0.001)
    assert rates[1] == sorted(rates[1], reverse=True) and rates[1][-1] < 0.025


def test_the_super_network_grows_from_stage_to_stage() -> None:
    search: Any = simplex_search("first", "cell", epochs=3, shrink_stages=3, shrink_cells=(1, 2, 3), shrink_partial_channels=(2, 1, 1))
    depths = []
    while not search.finished:
        search.step()
        depths.append(len(search.network.cells))
    third = len(depths) // 3
    assert depths == [1] * third + [2] * third + [3] * third
    # Each stage's network is charged for itself.
    assert search.flops["weights"] > 0


def test_operations_widen_and_keep_what_they_learned() -> None:
    """DrNAS: K falls while weights, their momentum and the structure go on. Every new channel is a copy of one of the same operation."""
    changes: dict[str, Any] = {"shrink_stages": 2, "shrink_restart": False, "shrink_partial_channels": (2, 1)}
    search = simplex_search("first", "nb201", epochs=2, **changes)
    half = search.horizon // 2
    run(search, half)
    network, alpha, alphas = search.network, search.alpha, [value.detach().clone() for value in search.alpha.parameters]
    momentum = [search.weight_optimizer.state[weight]["momentum_buffer"].clone() for weight in search.weights]
    before = {name: value.clone() for name, value in network.named_parameters()}
    for listener in search.listeners:
        listener.before_step()
    assert search.network is not network and search.alpha is alpha
    assert all(torch.equal(one, other) for one, other in zip(alphas, search.alpha.parameters, strict=True))
    name = "blocks.4.operations.0-1.nor_conv_3x3.1.weight"
    after = dict(search.network.named_parameters())
    old, new = before[name], after[name]
    assert (old.shape[:2], new.shape[:2]) == ((4, 4), (8, 8))
    assert torch.equal(new[:4, :4], old)
    copies = [[int(torch.equal(row, other)) for other in old] for row in new[:, :4]]
    assert all(sum(row) == 1 for row in copies), "each is one of the old channels"
    index = [row.index(1) for row in copies]
    assert torch.equal(new, old[index][:, index])
    moved = [search.weight_optimizer.state[weight]["momentum_buffer"] for weight in search.weights]
    place = list(before).index(name)
    assert torch.equal(moved[place], momentum[place][index][:, index])
    run(search, search.horizon - half)
    assert search.finished


def test_dropped_operations_are_neither_computed_nor_moved() -> None:
    search = simplex_search("first", "cell", epochs=2, shrink_stages=2, shrink_restart=False)
    half = search.horizon // 2
    run(search, half)
    whole = search.flops["weights"]
    run(search, 1)
    assert search.flops["weights"] < 0.8 * whole
    dropped, kept = [], []
    for group, cell in (("normal", search.network.cells[0]), ("reduction", search.network.cells[1])):  # type: ignore[index, union-attr]
        for row, edge in enumerate(cell.mixing.plan.edges):
            for name, module in cell.mixing.operations[cell.mixing.key(edge)].items():
                column = cell.mixing.columns[name]
                (kept if kept_by(search)[group][row, column] else dropped).extend(module.parameters())
    frozen, moving = ([parameter.detach().clone() for parameter in own] for own in (dropped, kept))
    run(search, 2)
    assert frozen and all(torch.equal(old, new) for old, new in zip(frozen, dropped, strict=True))
    assert not any(torch.equal(old, new) for old, new in zip(moving, kept, strict=True))


def test_the_warm_up_begins_anew_in_every_stage() -> None:
    search = simplex_search("first", "nb201", epochs=6, shrink_stages=2, warm_up_epochs=1)
    per_epoch = search.train_order.per_epoch
    held = []
    while not search.finished:
        cost = search.step()
        held.append(cost.forward_backward == 8)
    assert held == ([True] * per_epoch + [False] * 2 * per_epoch) * 2
    notices = [notice.name for notice in of_kind(search.context.log.drain(), "notice") if notice.name in ("warm_up", "shrinking")]
    assert notices == ["warm_up", "shrinking", "warm_up"]


# ---- the limit of skips


def cell_weights(skips: list[float]) -> tuple[Any, dict[str, Array]]:
    """Weights of the five edges of a two-node normal cell: skip connections of these weights, separable convolutions of 0.1 below."""
    search = network_search("cell")
    space: Any = search.context.space
    names = space.family()[0].operations
    table = np.full((5, 8), 0.01)
    table[:, names.index("skip_connect")] = skips
    table[:, names.index("sep_conv_3x3")] = 0.1
    table[:, 0] = 0.9
    return space, {"normal": table, "reduction": table.copy()}


def count(genome: Any, cell: str = "normal") -> int:
    return sum(operation == "skip_connect" for _, _, operation in genome.content[cell]["edges"])


def test_the_weakest_skips_give_way() -> None:
    space, weights = cell_weights([0.5, 0.3, 0.4, 0.6, 0.2])
    assert count(space.derive(weights)) == 4
    before = {group: table.copy() for group, table in weights.items()}
    genome, taken = capped(weights, 2, space.family(), space, space.derive)
    # The edges of weight 0.3 and 0.4 fall; edge 2 leaves node 1, where 0.2 comes in from edge 4 and must fall too.
    assert taken == 3 and count(genome) == 2
    assert ["c_{k-2}", "0", "skip_connect"] in genome.content["normal"]["edges"]
    assert ["c_{k-1}", "1", "skip_connect"] in genome.content["normal"]["edges"]
    assert count(genome, "reduction") == 4, "the limit is the normal cell's"
    assert all(np.array_equal(weights[group], before[group]) for group in weights), "the given weights are not changed"
    assert capped(weights, 4, space.family(), space, space.derive) == (space.derive(weights), 0)


def test_a_dropped_operation_does_not_come_back_for_a_skip() -> None:
    space, weights = cell_weights([0.5, 0.3, 0.4, 0.6, 0.2])
    table = weights["normal"]
    names = space.family()[0].operations
    others = [column for column, name in enumerate(names) if name not in ("none", "skip_connect")]
    table[:2, others] = 0.0
    genome, _ = capped(weights, 1, space.family(), space, space.derive)
    # Node 0 has two edges and both have nothing but the skip: they stay.
    assert [edge[2] for edge in genome.content["normal"]["edges"] if edge[1] == "0"] == ["skip_connect"] * 2
    assert [edge[2] for edge in genome.content["normal"]["edges"] if edge[1] == "1"] == ["sep_conv_3x3"] * 2


@pytest.mark.parametrize("method", ["first", pytest.param("dirichlet", marks=pytest.mark.slow)])
def test_a_search_with_a_limit_derives_within_it_and_says_so(method: str) -> None:
    search = simplex_search(method, "cell", steps=1, skip_cap=1)
    index = search.report.family[0].operations.index("skip_connect")
    with torch.no_grad():
        for alpha in search.alpha.parameters:
            if alpha.dim() == 2:
                alpha[:, index] += 3.0
    events = run(search)
    genome = search.best()[0].genome
    assert count(genome) == 1
    assert of_kind(events, "derived")[-1].genome == genome.to_json()
    (notice,) = [notice for notice in of_kind(events, "notice") if notice.name == "skip_cap"]
    assert notice.step == 1 and notice.values["limit"] == 1.0 and notice.values["taken"] >= 3
