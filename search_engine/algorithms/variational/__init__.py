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

from ..base import AlgorithmEntry, Phase
from .checks import options_fit
from .options import VariationalConfig
from .search import VariationalSearch


def _phases(options: VariationalConfig) -> list[Phase]:
    options_fit(options)
    return [VariationalSearch()]


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
    budgets=frozenset({"samples", "seconds"}),
    lives="a distribution on the simplex",
    structure=("family", "charts"),
    advice="search_engine.algorithms.simplex.advice:say_idle_options",
    check="search_engine.algorithms.variational.checks:space_fits",
    quick={
        "options": {"steps": 3, "batch_size": 16},
        "space_options": {"search_cells": 3, "search_channels": 2},
        "finale": {"training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}},
    },
)
