"""Structure selection by variational inference: Gridasov's free energy and Bakhteev's general problem.

    options.py         the hyper-parameters
    lambdas.py         the weights of the objectives' terms, and how they rise and fall during a run
    objective.py       the terms, and the objectives L and Q made of them
    model.py           a super-network whose weights have a distribution; which operation each weight belongs to
    estimate.py        Monte Carlo estimates of the terms at one point of all parameters
    levels.py          one optimiser for everything, or two levels with an unrolled gradient
    real_structure.py  structure weights that are any real numbers
    charts.py          what is drawn
    checks.py          what is refused before the start

Importing this room imports no torch; `model`, `estimate` and `levels` do, and are imported where a search begins.
"""
