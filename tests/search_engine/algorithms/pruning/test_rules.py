"""Which weights go, how many, and what the survivors start from: each rule against numbers by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from search_engine.algorithms.pruning import criteria, selection
from search_engine.algorithms.pruning.lottery_ticket.search import LotteryTicketConfig
from search_engine.algorithms.pruning.rates import planned_shares
from search_engine.algorithms.pruning.restarts import frozen_at_first, glorot_deviation, restarted
from search_engine.spaces.plain_network import PlainNetworkConfig, PlainNetworkSpace
from tests.search_engine.algorithms.pruning.runs import digits, rounds_of, run, small_ticket

# ---- rates and criteria


def test_the_plan_follows_from_the_rates() -> None:
    space = PlainNetworkSpace(PlainNetworkConfig(), digits(0).shape)
    shares = planned_shares(space.layers, LotteryTicketConfig(), 0.075)
    assert len(shares) == 13 and shares[0] == 1.0 and shares[-1] <= 0.075 < shares[-2]
    assert shares[1] == (19200 * 0.8 + 30000 * 0.8 + 900) / 50200
    everywhere = planned_shares(space.layers, LotteryTicketConfig(scope="global", rate=0.5), 0.1)
    assert everywhere == [1.0, 0.5, 0.25, 0.125, 3137 / 50200]  # Of 6,275 go round(3137.5) = 3,138.
    assert small_ticket().horizon == 8 * len(small_ticket().planned)
    assert small_ticket(rewind_step=3).horizon == 8 + 5 * (len(small_ticket().planned) - 1)


def test_each_criterion_ranks_as_its_name_says() -> None:
    first, last = torch.tensor([0.1, -0.8, 0.5, -0.3]), torch.tensor([0.9, -0.9, 0.1, 0.3])
    generator = torch.Generator()
    order = {
        "large_final": [2, 3, 0, 1], "small_final": [0, 1, 3, 2], "large_init": [0, 3, 2, 1], "small_init": [1, 2, 3, 0],
        "magnitude_increase": [2, 3, 1, 0], "movement": [1, 2, 3, 0],
    }  # fmt: skip
    for name, expected in order.items():
        values = criteria.scores(name, first, last, 0.5, generator)  # type: ignore[arg-type]
        assert criteria.lowest(values, 4).tolist() == expected, name
    # Half of |first| lies below 0.5, half of |last| below 0.9: alpha = 0.5 / 0.9.
    both = criteria.scores("large_init_large_final", first, last, 0.5, generator)
    assert torch.allclose(both, torch.tensor([0.1, 0.5, 0.1 / 1.8, 0.3 / 1.8]))
    neither = criteria.scores("small_init_small_final", first, last, 0.5, generator)
    assert torch.allclose(neither, -torch.tensor([0.5, 0.8, 0.5, 0.3]))


def test_of_equal_scores_the_first_go() -> None:
    assert criteria.lowest(torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0]), 2).tolist() == [1, 3]


def _ones(space: PlainNetworkSpace) -> dict[str, Tensor]:
    return {layer.name: torch.ones(layer.shape, dtype=torch.bool) for layer in space.layers}


def test_global_pruning_removes_the_smallest_of_the_whole_network() -> None:
    space = PlainNetworkSpace(PlainNetworkConfig(widths=(20, 12)), digits(0).shape)
    torch.manual_seed(0)
    weights = {layer.name: torch.randn(layer.shape) * (3.0 if layer.name == "output" else 1.0) for layer in space.layers}
    options = LotteryTicketConfig(scope="global", rate=0.3)
    masks = selection.pruned(space.layers, _ones(space), weights, weights, options, "large_final", 0)
    every = torch.cat([value.flatten() for value in weights.values()])
    kept = torch.cat([value.flatten() for value in masks.values()])
    assert int((~kept).sum()) == round(0.3 * len(every))
    assert float(every[~kept].abs().max()) <= float(every[kept].abs().min())
    assert int((~masks["output"]).sum()) < 0.15 * masks["output"].numel(), "large weights stay, wherever they are"


def test_a_random_criterion_depends_on_the_round_and_not_on_the_weights() -> None:
    space = PlainNetworkSpace(PlainNetworkConfig(widths=(20, 12)), digits(0).shape)
    weights = {layer.name: torch.randn(layer.shape) for layer in space.layers}
    options = LotteryTicketConfig(criterion="random")

    def drawn(values: Mapping[str, Tensor], *seed: object) -> Tensor:
        return selection.pruned(space.layers, _ones(space), values, values, options, "random", *seed)["dense1"]

    other = {name: torch.randn(value.shape) for name, value in weights.items()}
    assert torch.equal(drawn(weights, 0, 1), drawn(other, 0, 1))
    assert not torch.equal(drawn(weights, 0, 1), drawn(weights, 0, 2))


# ---- what a round starts from


def test_survivors_start_from_what_the_option_says() -> None:
    torch.manual_seed(1)
    early, mask = torch.randn(200, 100), torch.rand(200, 100) < 0.3
    alive = early[mask]
    rewound = restarted(early, mask, "rewind", False, 0)
    assert torch.equal(rewound[mask], alive) and not rewound[~mask].any()
    shuffled = restarted(early, mask, "reshuffle", False, 0)
    assert torch.equal(shuffled[mask].sort().values, alive.sort().values) and not torch.equal(shuffled[mask], alive)
    fresh = restarted(early, mask, "reinitialise", False, 0)[mask]
    assert float(fresh.std()) == pytest.approx(glorot_deviation(early.shape), rel=0.05)
    constant = restarted(early, mask, "constant", False, 0)[mask]
    assert constant.abs().unique().tolist() == [pytest.approx(glorot_deviation((200, 100)))]
    assert 0.4 < float((constant > 0).float().mean()) < 0.6
    for kept in ("reinitialise", "reshuffle", "constant"):
        signed = restarted(early, mask, kept, True, 0)  # type: ignore[arg-type]
        assert torch.equal(signed[mask].sign(), alive.sign()) and not torch.equal(signed[mask], alive)
        assert not signed[~mask].any()
        unsigned = restarted(early, mask, kept, False, 0)  # type: ignore[arg-type]
        assert 0.4 < float((unsigned[mask].sign() == alive.sign()).float().mean()) < 0.6
        assert torch.equal(restarted(early, mask, kept, True, 0), signed)  # type: ignore[arg-type]


def test_removed_weights_stand_where_the_option_says() -> None:
    before, now = torch.tensor([True, True, True, False]), torch.tensor([True, False, False, False])
    frozen = torch.tensor([False, False, False, True])
    first, last = torch.tensor([1.0, 0.5, 0.5, 9.0]), torch.tensor([1.0, 0.4, -0.6, 0.0])
    assert frozen_at_first("zero", before, now, frozen, first, last).tolist() == [False] * 4
    assert frozen_at_first("initial", before, now, frozen, first, last).tolist() == [False, True, True, True]
    assert frozen_at_first("by_movement", before, now, frozen, first, last).tolist() == [False, False, True, True]


@pytest.mark.parametrize("removed", ["initial", "by_movement"])
def test_frozen_weights_compute_with_their_first_values_and_never_move(removed: str) -> None:
    search = small_ticket(removed_weights=removed, rewind_step=3)
    for number in rounds_of(search):
        if number:
            for name, layer in search.training.network.masked.items():
                frozen = search.frozen[name]
                initial = search.ticket.initial[f"{search.ticket.prefixes[name]}.weight"]
                assert torch.equal(layer.effective_weight[frozen], initial[frozen])
                assert not layer.effective_weight[~layer.mask & ~frozen].any()
                assert not (frozen & layer.mask).any()
                if removed == "initial":
                    assert torch.equal(frozen, ~layer.mask)
    (finalist, *_) = search.best()
    assert finalist.genome.content["removed"] == "constant" and "classifier.rest" in finalist.init["network"]
    _, dense = search.baselines()
    assert dense.genome.content["removed"] == "zero" and "classifier.rest" not in dense.init["network"]


def test_rewinding_to_step_k_takes_the_whole_state_of_that_step_and_goes_on_from_it() -> None:
    search = small_ticket(rewind_step=3, space={"widths": [20], "batch_norm": True})
    run(search, 3)
    early = {name: value.clone() for name, value in search.training.network.state_dict().items()}
    assert search.training.at == 3
    for number in rounds_of(search):
        if number:
            now, masks = search.training.network.state_dict(), search.training.network.masks()
            assert search.training.at == 3
            for name, value in now.items():
                if name.endswith("mask"):
                    continue
                layer = next((key for key, prefix in search.ticket.prefixes.items() if name == f"{prefix}.weight"), None)
                expected = early[name] if layer is None else early[name] * torch.from_numpy(masks[layer])
                assert torch.equal(value, expected), name
    assert search.done == search.horizon
