"""Lottery tickets: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from typing import Any

from search_engine.algorithms.base import AlgorithmEntry, Idle, Phase
from search_engine.base.errors import BadInput
from search_engine.spaces.base import SpaceEntry
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


def recipe(options: LotteryTicketConfig, space: SpaceEntry) -> dict[str, Any]:
    """The training of a round, as long as one that starts from the rewound weights: no schedule, no augmentation, no clipping."""
    return {
        "steps": options.steps - options.rewind_step, "batch_size": options.batch_size, "optimizer": options.optimizer,
        "learning_rate": options.learning_rate, "final_learning_rate": options.learning_rate, "momentum": options.momentum,
        "weight_decay": options.weight_decay, "gradient_clip": 0.0, "augment": "none",
    }


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
    summary="Trains, removes the smallest weights, sets the survivors back to where they started, and again; says how what remains learns "
    "beside the whole network.",
    source="Frankle & Carbin: The Lottery Ticket Hypothesis, ICLR 2019 (arXiv 1803.03635); Zhou et al. 2019 (arXiv 1905.01067)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"masks"}),
    weighs_classes=True,
    config=LotteryTicketConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    spaces=("plain",),
    lives="vertices of the cube, their number fixed in each round",
    idle=(
        Idle(("structure_every",), "the mask is recorded once for each round"),
        Idle(("finale.seeds", "finale.ensemble"), "its ticket is a mask over its own first weights, and there are no others to begin with"),
    ),
    structure=("mask", "charts"),
    finale="The ticket is trained from its own early weights, beside the same mask over weights drawn anew and beside the dense network, "
    "all as a round of the search trains: the claim is that these weights learn well by that training.",
    recipe="search_engine.algorithms.pruning.lottery_ticket:recipe",
    other_recipe="Ticket and mask were found by that training. By another one the difference to the re-initialised mask measures how well "
    "each copes with the other recipe: on the digits, with 7.3 % of the weights, SGD at 0.05 makes it .46 where the search's own makes it "
    ".01, and leaves the ticket 3.5 points worse.",
    check="search_engine.algorithms.pruning.lottery_ticket:check",
    quick={
        "options": {
            "steps": 6, "checkpoints": [3], "early_step": 3, "rate": 0.5, "output_rate": 0.4, "target_share": 0.3, "rewind_step": 1,
            "compared_rounds": 1,
        },
        "space_options": {"widths": [16]},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128}},
    },
)
