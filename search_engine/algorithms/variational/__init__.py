"""Structure selection by variational inference: Gridasov's free energy and Bakhteev's general problem.

    search.py          the search
    options.py         the hyper-parameters
    lambdas.py         the weights of the objectives' terms, and how they rise and fall during a run
    objective.py       the terms, and the objectives L and Q made of them
    model.py           a super-network whose weights have a distribution; which operation each weight belongs to
    estimate.py        Monte Carlo estimates of the terms at one point of all parameters
    levels.py          one optimiser for everything, or two levels with an unrolled gradient
    real_structure.py  structure weights that are any real numbers
    charts.py          what is drawn
    checks.py          what is refused before the start

Importing this package imports no torch; `model`, `estimate` and `levels` do, and are imported where a search begins.
"""

from __future__ import annotations

from typing import Any

from search_engine.spaces.base import SearchSpace, SpaceEntry

from ..base import ONE_FINALIST, AlgorithmEntry, Idle, Phase
from .checks import options_fit
from .options import VariationalConfig
from .search import VariationalSearch


def _phases(options: VariationalConfig) -> list[Phase]:
    options_fit(options)
    return [VariationalSearch()]


def recipe(options: VariationalConfig, space: SpaceEntry) -> dict[str, Any]:
    """Where the finale starts from the mean weights: the search's own moves, as many as it made. Else the house's recipe."""
    if not getattr(space.space, "keeps_weights", False):
        return {}
    length = {"steps": options.steps} if options.steps else {"epochs": options.epochs}
    return length | {
        "batch_size": options.batch_size, "optimizer": options.optimizer, "learning_rate": options.learning_rate,
        "final_learning_rate": options.learning_rate, "momentum": 0.0, "weight_decay": 0.0, "gradient_clip": options.gradient_clip,
        "augment": "none",
    }


def company(options: VariationalConfig, space: SearchSpace[Any]) -> dict[str, str]:
    """What a schedule of the lambdas moves: those that have another end."""
    moves = options.lambda_prior_q_end is not None or options.lambda_prior_l_end is not None
    return {} if moves else {"lambda_schedule": "lambda_prior_q_end or lambda_prior_l_end"}


ENTRY = AlgorithmEntry(
    id="variational",
    title="Variational inference",
    family="probabilistic",
    summary="Fits distributions of weights and structure, and weighs the likelihood against the cost of describing the model; from maximum "
    "likelihood to evidence to given structures.",
    source="Bakhteev: lecture slides 2019 and PhD thesis 2020 (the general problem); Gridasov 2019 (free energy); Graves, NIPS 2011",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"supernet"}),
    config=VariationalConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    lives="a distribution on the simplex",
    structure=("family", "charts"),
    finale="In a family of functions the chosen ones go on from the search's mean weights by the search's own moves, for as long as the "
    "search took; no random choice of functions is set beside them, since it would begin with new weights. Elsewhere the chosen "
    "architecture is trained from scratch by the house's recipe, beside a random one.",
    recipe="search_engine.algorithms.variational:recipe",
    company="search_engine.algorithms.variational:company",
    idle=(
        ONE_FINALIST,
        Idle(("options.noise", "options.learn_noise"), "classes have no noise of a normal law", ("cell", "nb201")),
        Idle(("finale.baselines",), "its finalist goes on from the search's weights, and a random one has none", ("primitives_sum",)),
        Idle(("finale.seeds", "finale.ensemble"), "its finalist goes on from the search's weights, and there are no others to begin with",
             ("primitives_sum",)),
        Idle(("options.real_start",), "its structure weights are shares", ("cell", "nb201", "cell_1d", "tabular_cell")),
    ),
    check="search_engine.algorithms.variational.checks:space_fits",
    quick={
        "options": {"steps": 3, "batch_size": 16},
        "space_options": {"search_cells": 3, "search_channels": 2},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}},
    },
)
