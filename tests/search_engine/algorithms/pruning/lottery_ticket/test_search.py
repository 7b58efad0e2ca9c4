"""Lottery tickets: the rule exactly, Zhou's criteria and starts, the hypothesis on digits, and wrong variants of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from search_engine.algorithms.pruning import mask_bits, selection
from search_engine.algorithms.pruning.lottery_ticket import check
from search_engine.algorithms.pruning.lottery_ticket.controls import TicketControls, _spread
from search_engine.algorithms.pruning.lottery_ticket.masked_training import MaskedTraining, early_stop, score_at, step_reaching
from search_engine.algorithms.pruning.lottery_ticket.rounds import Ticket
from search_engine.algorithms.pruning.lottery_ticket.search import LotteryTicket, LotteryTicketConfig
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue import config
from search_engine.spaces.plain_masks import mask_of_bits
from search_engine.spaces.plain_network import PlainNetworkConfig, PlainNetworkSpace
from search_engine.supernets.masked_layers import MaskedLinear
from tests.search_engine.algorithms.pruning.runs import SMALL_TICKET, begin, digits, of_kind, rounds_of, run, small_ticket

GATE: dict[str, Any] = {"steps": 150, "rate": 0.5, "output_rate": 0.3, "target_share": 0.075, "compared_rounds": 1}
"""Four rounds to 6.6 % of the weights of 64-300-100-10, instead of the acceptance's twelve of 300 steps."""


def controls(search: Any, seed: int, **options: Any) -> Any:
    return begin(TicketControls(), "lottery_ticket", seed, search.handover(), **options)


# ---- the rule, checked wherever a round begins or ends


def violations(search: Any) -> set[str]:
    """Run a search and name every rule of iterative magnitude pruning that it broke."""
    found: set[str] = set()
    network, layers = search.training.network, search.space.layers
    initial = {name: value.clone() for name, value in search.ticket.initial.items()}
    before = {name: torch.ones(layer.shape, dtype=torch.bool) for name, layer in zip(network.layer_names, layers, strict=True)}
    magnitudes: dict[str, Tensor] = {}
    for number in rounds_of(search):
        if number:
            for layer in layers:
                mask, weight = network.masked[layer.name].mask, network.masked[layer.name].weight.detach()
                survivors = int(before[layer.name].sum())
                rate = search.options.output_rate if layer.name == "output" else search.options.rate
                if int(mask.sum()) != survivors - round(rate * survivors):
                    found.add("count")
                if bool((mask & ~before[layer.name]).any()):
                    found.add("came back")
                start = initial[f"{search.ticket.prefixes[layer.name]}.weight"]
                if not torch.equal(weight[mask], start[mask]):
                    found.add("survivors are not their first values")
                if not _lowest_went(magnitudes[layer.name], before[layer.name], mask):
                    found.add("others than the smallest went")
                before[layer.name] = mask.clone()
            biases = [name for name in initial if name.endswith("bias")]
            if not all(torch.equal(network.state_dict()[name], initial[name]) for name in biases):
                found.add("biases are not their first values")
            if search.training.optimizer.state_dict()["state"]:
                found.add("the optimiser remembers")
        while search.training.at < search.options.steps - 1:
            search.step()
            if any(bool(layer.weight.detach()[~layer.mask].any()) for layer in network.masked.values()):
                found.add("removed weights move")
        magnitudes = _after_the_last_step(search)
    return found


def _after_the_last_step(search: Any) -> dict[str, Tensor]:
    """|w| as the round's last step will leave it: the state is put back afterwards."""
    state = search.training.state_dict()
    rng = torch.get_rng_state()
    search.training.step()
    found = {name: layer.weight.detach().abs().clone() for name, layer in search.training.network.masked.items()}
    search.training.load_state_dict(state)
    torch.set_rng_state(rng)
    return found


def _lowest_went(magnitude: Tensor, before: Tensor, after: Tensor) -> bool:
    gone, kept = magnitude[before & ~after], magnitude[after]
    return not len(gone) or not len(kept) or float(gone.max()) <= float(kept.min())


@pytest.mark.parametrize("options", [{}, {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-3}])
def test_every_round_keeps_the_rule(options: dict[str, Any]) -> None:
    assert violations(small_ticket(**options)) == set()


class NotRewound(Ticket):
    """Wrong: survivors keep what they learned."""

    network: Any = None

    def start(self, number: int, masks: selection.Masks, frozen: selection.Masks) -> dict[str, Tensor]:
        state = super().start(number, masks, frozen)
        for name, layer in self.network.masked.items():
            state[f"{self.prefixes[name]}.weight"] = layer.weight.detach() * masks[name]
        return state


class RemembersMomentum(MaskedTraining):
    """Wrong: one optimiser for all rounds."""

    def _fresh_optimizer(self) -> None:
        if not hasattr(self, "optimizer"):
            super()._fresh_optimizer()


def _not_rewound(search: Any) -> None:
    search.ticket.__class__ = NotRewound
    search.ticket.network = search.training.network


def _remembers(search: Any) -> None:
    search.training.__class__ = RemembersMomentum


def _removes_one_more(values: Tensor, count: int) -> Tensor:
    """Wrong, as in published code: everything up to and including the value at the cut-off goes."""
    return (values <= torch.sort(values).values[count]).nonzero().flatten()


def _only_the_weights(layer: MaskedLinear) -> Tensor:
    """Wrong: removed weights compute nothing, but their gradient is that of a weight that does."""
    return layer.weight - (layer.weight * ~layer.mask).detach()


def test_without_rewinding_the_survivors_are_not_their_first_values() -> None:
    search = small_ticket()
    _not_rewound(search)
    assert violations(search) == {"survivors are not their first values"}


def test_an_optimiser_that_remembers_moves_removed_weights() -> None:
    search = small_ticket()
    _remembers(search)
    assert violations(search) == {"the optimiser remembers", "removed weights move"}


def test_an_inclusive_cut_off_removes_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    search = small_ticket()
    monkeypatch.setattr(selection, "lowest", _removes_one_more)
    assert violations(search) == {"count"}


def test_a_mask_on_the_weights_alone_lets_removed_ones_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaskedLinear, "effective_weight", property(_only_the_weights))
    assert "removed weights move" in violations(small_ticket())


# ---- results


def test_the_winner_is_the_sparsest_within_the_tolerance() -> None:
    search = small_ticket()
    run(search)
    scores = [0.9, 0.88, 0.91, 0.86]
    for one, score in zip(search.trained, scores, strict=False):
        one.curve[-1][1] = score
    del search.trained[4:]

    def order() -> list[int]:
        return [one.number for one in search._ranked()]

    assert order() == [2, 1, 3]
    search.context.options.__dict__["tolerance"] = 0.05
    assert order() == [3, 2, 1]
    search.context.options.__dict__["tolerance"] = 0.0
    search.trained[2].curve[-1][1] = 0.87
    assert order() == [1, 2, 3], "none is near: the best-scored first"


def test_a_finalist_starts_from_its_first_weights_under_its_mask() -> None:
    search = small_ticket()
    run(search)
    (best, *others), (again, dense) = search.best(), search.baselines()
    one = search._ranked()[0]
    masks = mask_bits.unpacked(one.masks, search.space.layers)
    for name, prefix in search.ticket.prefixes.items():
        start = best.init["network"]
        assert torch.equal(start[f"{prefix}.mask"], masks[name])
        assert torch.equal(start[f"{prefix}.weight"], search.ticket.initial[f"{prefix}.weight"] * masks[name])
        fresh = again.init["network"]
        assert torch.equal(fresh[f"{prefix}.mask"], masks[name])
        assert not (fresh[f"{prefix}.weight"][masks[name]] == start[f"{prefix}.weight"][masks[name]]).any()
        assert torch.equal(dense.init["network"][f"{prefix}.weight"], search.ticket.initial[f"{prefix}.weight"])
    assert best.genome == again.genome and dense.genome == search.space.dense()
    assert best.value == one.score and {item.genome.key for item in others}.isdisjoint({best.genome.key})
    for finalist in (best, again):
        search.space.validate(finalist.genome)


def test_before_the_first_ticket_the_dense_network_is_the_finalist() -> None:
    search = small_ticket()
    run(search, 3)
    (only,) = search.best()
    assert only.genome == search.space.dense() and only.value is None and search.baselines() == []


def test_it_stops_where_the_score_falls() -> None:
    search = small_ticket(stop_drop=1e-9, learning_rate=1e-9, criterion="large_final")
    # Nothing is learned, so a round's score is that of its masks; the first that lies below the dense network's ends the search.
    payloads = run(search)
    below = [one.score < search.trained[0].score for one in search.trained]
    assert below.index(True) == len(below) - 1 and len(below) <= len(search.planned)
    assert [payload.name for payload in of_kind(payloads, "notice")] == ["score_fell"]


# ---- what is said and what it costs


def test_masks_charts_and_metrics_are_said() -> None:
    search = small_ticket()
    payloads = run(search)
    masks, derived, charts = (of_kind(payloads, kind) for kind in ("mask", "derived", "charts"))
    rounds = len(search.trained)
    assert len(masks) == len(derived) == rounds == len(search.planned)
    assert [frame.values["share_kept"] for frame in masks] == [one.share for one in search.trained] == search.planned
    bits = mask_bits.unpacked(search.trained[-1].masks, search.space.layers)["dense1"]
    frame = masks[-1].layers[0]
    assert np.array_equal(mask_of_bits(frame.bits, (20, 64)), bits.numpy()) and (frame.rows, frame.columns) == (20, 64)
    names = [chart.name for chart in charts[-1].charts]
    turned = any(one.early_stop is not None for one in search.trained)
    assert names == ["accuracy_by_step", "final", "early", "speed", *["early_stop"] * turned, "untrained"]
    assert not any(layer.before for layer in masks[0].layers)
    assert [layer.before for layer in masks[-1].layers] == [layer.bits for layer in masks[-2].layers], "what has just gone can be marked"
    assert {payload.unit for payload in derived} == {"weight"}
    curves = charts[-1].charts[0].series
    assert curves[0].name == "100 %" and len(curves) == rounds
    metrics = of_kind(payloads, "metrics")
    assert len(metrics) == 3 * rounds  # Two checkpoints and the end.
    assert {"val_accuracy", "val_loss", "train_loss", "train_accuracy", "round", "share_kept"} == set(metrics[-1].values)


def test_every_pass_is_charged() -> None:
    search = small_ticket(batch_size=40)
    costs = [search.step() for _ in range(8)]
    validation = len(digits(0).validation)
    # The start, two checkpoints, the end; the order has 26 batches of 38 or 39.
    assert [cost.forward for cost in costs] == [validation, validation, 0, validation, 0, 0, 0, validation]
    assert sum(cost.forward_backward for cost in costs) == sum(search.training.order.size(step) for step in range(8))
    assert all(cost.flops > 0 for cost in costs)


def test_the_controls_repeat_rounds_from_other_starts() -> None:
    search = small_ticket()
    run(search)
    control = controls(search, 0, **SMALL_TICKET)
    payloads = run(control)
    assert control.done == control.horizon == 2 * 2 * 8 and control.best() == []
    scored = of_kind(payloads, "control")
    assert [payload.name for payload in scored] == ["reinitialised", "random_mask"]
    assert scored[0].values["ticket"] == search.trained[-1].score and scored[0].values["share"] == search.trained[-1].share
    (report,) = of_kind(payloads, "report")
    final = next(chart for chart in report.charts if chart.name == "final")
    assert [line.name for line in final.series] == ["ticket", "re-initialised", "random mask"]
    one = search.trained[-1]
    masks, packed = mask_bits.unpacked(one.masks, search.space.layers), search.ticket.random_mask(one)
    for name, prefix in search.ticket.prefixes.items():
        mask = packed[f"{prefix}.mask"]
        assert int(mask.sum()) == one.kept[name]
        assert not torch.equal(mask, masks[name])
        assert torch.equal(packed[f"{prefix}.weight"], search.ticket.initial[f"{prefix}.weight"] * mask)


def test_a_search_cut_in_its_first_round_leaves_nothing_to_compare() -> None:
    search = small_ticket()
    run(search, 2)
    control = controls(search, 0, **SMALL_TICKET)
    assert control.horizon == 0 and control.finished


def test_small_helpers() -> None:
    curve = [[0.0, 0.1, 2.0], [20.0, 0.8, 0.5], [60.0, 0.9, 0.4], [100.0, 0.9, 0.6]]
    assert early_stop(curve) == 60 and [step_reaching(curve, loss) for loss in (2.0, 0.45, 0.3)] == [0, pytest.approx(40), None]
    assert early_stop(curve[:3]) is None, "lowest at the last point: nothing was turned"
    assert score_at(curve, 20) == 0.8 and score_at(curve, 21) == 0.9 and score_at(curve, 500) == 0.9
    assert _spread([1, 2, 3, 4, 5], 2) == [2, 5] and _spread([1, 2], 8) == [1, 2] and _spread([1, 2, 3], 1) == [3]  # type: ignore[list-item]


def test_a_loss_that_is_not_a_number_fails_with_its_reason() -> None:
    search = small_ticket()
    run(search, 3)
    with torch.no_grad():
        search.training.network.classifier.weight.fill_(float("nan"))
    with pytest.raises(TrialFailure, match="not a number at step 4 of 8"):
        search.step()


# ---- bad input


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"rate": 0.0}, "rate"),
        ({"rate": 1.0}, "rate"),
        ({"output_rate": 1.2}, "output_rate"),
        ({"convolution_rate": -0.1}, "convolution_rate"),
        ({"rewind_step": 300}, "rewind_step"),
        ({"steps": 10, "rewind_step": 11}, "rewind_step"),
        ({"keep_sign": True}, "keep_sign"),
        ({"checkpoints": [40, 20]}, "checkpoints"),
        ({"target_share": 0.0}, "target_share"),
        ({"controls": ["random_mask"] * 2}, "controls"),
        ({"criterion": "largest"}, "criterion"),
        ({"removed_weights": "mean"}, "removed_weights"),
    ],
)
def test_bad_options_are_refused_by_name(options: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        config.check({"algorithm": "lottery_ticket", "datasets": ["digits"], "options": options})
    assert caught.value.field == f"options.{field}"


def test_a_target_that_rounding_never_reaches_is_refused() -> None:
    options = {"rate": 0.05, "output_rate": 0.05, "target_share": 0.01}
    with pytest.raises(BadInput, match="at least") as caught:
        config.check({"algorithm": "lottery_ticket", "datasets": ["digits"], "options": options, "space_options": {"widths": [2]}})
    assert caught.value.field == "options.target_share"
    check(LotteryTicketConfig(), PlainNetworkSpace(PlainNetworkConfig(), digits(0).shape))


# ---- the hypothesis, on digits


def outcome(seed: int, **options: Any) -> dict[str, float]:
    """Ticket, re-initialised ticket and random mask at the sparsest round, early and at the end, and the dense network."""
    search = begin(LotteryTicket(), "lottery_ticket", seed, **options)
    run(search)
    scored = of_kind(run(controls(search, seed, **options)), "control")
    values = {f"{payload.name}_early": payload.values["control_early"] for payload in scored}
    return {**scored[0].values, **values, "dense": search.trained[0].score, "untrained": search.trained[1].untrained,
            "dense_untrained": search.trained[0].untrained}  # fmt: skip


def test_a_ticket_learns_faster_than_its_mask_over_new_weights() -> None:
    """The gate: measured at seeds 0, 1, 2: ticket - reinitialised .42, .28, .47; ticket - dense at the end -.018, .003, -.012."""
    found = outcome(0, **GATE, controls=("reinitialised", "random_mask"))
    assert found["share"] <= 0.075
    assert found["ticket_early"] - found["reinitialised_early"] >= 0.15
    assert found["ticket_early"] - found["random_mask_early"] >= 0.15
    assert found["ticket"] >= found["dense"] - 0.03
    # A mask alone teaches: measured .94 after one round, at first .11.
    assert found["untrained"] >= 0.5 > 0.2 >= found["dense_untrained"]


@pytest.mark.slow
def test_acceptance_of_the_lottery_ticket() -> None:
    """64-300-100-10 on digits, Adam 0.0012, 300 steps of 60, 20/20/10 % a round until at most 7.5 % is left; seeds 0, 1, 2.

    One draw of new weights may be lucky (seed 2: .84 after 60 steps, where a round earlier it was .69), so the gap is that of the mean.
    """
    options: dict[str, Any] = {"target_share": 0.075, "compared_rounds": 1, "controls": ("reinitialised",)}
    gaps = []
    for seed in (0, 1, 2):
        search = begin(LotteryTicket(), "lottery_ticket", seed, **options)
        initial = {name: value.clone() for name, value in search.ticket.initial.items()}
        for _ in rounds_of(search):
            for name, layer in search.training.network.masked.items():
                start = initial[f"{search.ticket.prefixes[name]}.weight"]
                assert torch.equal(layer.weight.detach(), start * layer.mask)
        (scored,) = of_kind(run(controls(search, seed, **options)), "control")
        found = scored.values
        assert found["share"] <= 0.075
        assert found["ticket"] >= search.trained[0].score - 0.03
        gaps.append(found["ticket_early"] - found["control_early"])
    assert min(gaps) >= 0.08 and sum(gaps) / 3 >= 0.15, gaps
