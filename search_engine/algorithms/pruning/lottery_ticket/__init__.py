"""Lottery tickets: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from search_engine.algorithms.base import AlgorithmEntry, Phase
from search_engine.base.errors import BadInput
from search_engine.spaces.plain_network import PlainNetworkSpace

from ..rates import planned_shares
from .controls import TicketControls
from .search import LotteryTicket, LotteryTicketConfig


def _phases(options: LotteryTicketConfig) -> list[Phase]:
    if options.rewind_step >= options.steps:
        raise BadInput(
            "options.rewind_step", f"a round has {options.steps} steps: rewind to one before its end, not to step {options.rewind_step}"
        )
    if options.keep_sign and options.kept_weights == "rewind":
        raise BadInput("options.keep_sign", "rewound weights have their own signs: choose another start of the surviving weights")
    return [LotteryTicket(), *([TicketControls()] if options.controls else [])]


def check(options: LotteryTicketConfig, space: PlainNetworkSpace) -> None:
    """Raise BadInput(field "options.target_share") where the rates never come down to the target: rounding leaves small layers as they
    are."""
    shares = planned_shares(space.layers, options, options.target_share)
    if shares[-1] > options.target_share:
        raise BadInput(
            "options.target_share",
            f"with these rates the network keeps {shares[-1]:.1%} of its weights at least (after {len(shares) - 1} rounds); "
            "raise the target or the rates",
        )


ENTRY = AlgorithmEntry(
    id="lottery_ticket",
    title="Lottery ticket (iterative magnitude pruning)",
    family="gradient",
    summary="Trains, removes the smallest weights, sets the survivors back to where they started, and again: what remains learns as well "
    "as the whole network.",
    source="Frankle & Carbin: The Lottery Ticket Hypothesis, ICLR 2019 (arXiv 1803.03635); Zhou et al. 2019 (arXiv 1905.01067)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"masks"}),
    config=LotteryTicketConfig,
    phases=_phases,
    budgets=frozenset({"samples", "seconds"}),
    spaces=("plain",),
    lives="vertices of the cube, their number fixed in each round",
    structure=("mask", "charts"),
    check="search_engine.algorithms.pruning.lottery_ticket:check",
    quick={
        "options": {
            "steps": 6, "checkpoints": [3], "early_step": 3, "rate": 0.5, "output_rate": 0.4, "target_share": 0.3, "rewind_step": 1,
            "compared_rounds": 1,
        },
        "space_options": {"widths": [16]},
        "finale": {"training": {"epochs": 1, "train_examples": 128}},
    },
)
