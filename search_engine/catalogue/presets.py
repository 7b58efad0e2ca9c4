"""Ready-made searches: each is a body for POST experiments that one click starts."""

from __future__ import annotations

from typing import Any

from . import thesis
from .measured import promise


def _experiment(name: str, algorithms: list[tuple[str, dict[str, Any]]], space: str, dataset: str, **more: Any) -> dict[str, Any]:
    """A body with every part named; `more` replaces parts."""
    return {
        "name": name,
        "algorithms": [{"id": algorithm, "options": options} for algorithm, options in algorithms],
        "space": space,
        "space_options": {},
        "datasets": [dataset],
        "dataset_options": [{}],
        "seeds": [0],
        "budget": None,
        "training": {},
        "folds": 1,
        "finale": {},
        "runtime": {},
        **more,
    }


REGIMES = {"prior": (0.01, 1.0, 100.0), "evidence": (1.0, 1.0, 1.0), "likelihood": (100.0, 1.0, 0.01)}
"""(lambda likelihood of Q, lambda prior of Q, lambda prior of L): what outweighs the rest. Bakhteev, PhD thesis 2020."""
TOY: dict[str, Any] = {
    "steps": 1000, "batch_size": 1000, "samples": 3, "init_log_sigma": 0.0, "structure_learning_rate": 0.01,
}
"""The thesis's example: 1000 steps on all data with three draws each."""
PATH: dict[str, Any] = {
    "problem": "free_energy", "weights": "point", "structure_data": "validation", "steps": 300, "batch_size": 1000,
    "learn_noise": False, "noise": 0.5**0.5, "estimator": "exact", "optimizer": "sgd", "learning_rate": 0.05,
    "structure_learning_rate": 0.05, "gradient_clip": 0.0, "warm_up_share": 0.0,
}
"""Gridasov 2019: plain gradient steps on all data, so that the path depends on the look-ahead alone."""

_TWO_CONVOLUTIONS: dict[str, Any] = {
    "space_options": {"first_filters": [4, 8, 16, 32], "second_filters": [4, 8, 16, 32]}, "training": {"epochs": 2},
}
"""A plane of 16 points: figures 1 and 2 of Nikulenkov, master's thesis, Moscow State University 2022, which names no numbers."""


def _regime(name: str, temperature: float) -> dict[str, Any]:
    likelihood, prior_q, prior_l = REGIMES[name]
    lambdas = {"lambda_likelihood_q": likelihood, "lambda_prior_q": prior_q, "lambda_prior_l": prior_l}
    return {**TOY, **lambdas, "lambda_temp": temperature}


_CARDS: list[dict[str, Any]] = [
    {
        "id": "darts-digits",
        "title": "DARTS on handwritten digits",
        "description": "A super-network of cells learns which operations to keep. The architecture that it leads to is then retrained, "
        "tested once, and offered for download where its score is repeated; three random ones of about its size follow for comparison.",
        "experiment": _experiment("DARTS on handwritten digits", [("darts", {})], "cell", "digits"),
    },
    {
        "id": "learn-to-count",
        "title": "Evo-NAS learns to count",
        "description": "Four searches of 2,000 trials each look for the sequence 1, 2, 3, ... 20, of which they only hear a score. "
        "Nothing is trained but controllers: see how far their probabilities gather on the diagonal, beside evolution and chance.",
        "experiment": _experiment(
            "Learning to count",
            [
                ("evo_nas", {}),
                ("regularized_evolution", {"population": 100, "sample": 20, "mutation_probability": 0.15}),
                ("nas_rl", {}),
                ("random", {}),
            ],
            "sequence", "learn_to_count", space_options={"n": 20}, budget={"trials": 2000},
        ),
    },
    {
        "id": "two-convolutions-grid",
        "title": "Grid search over two convolutions",
        "description": "A network of two convolutions, of which only the numbers of filters are searched: 16 points of a plane, each "
        "trained and scored by 5 folds, drawn in the colour of its score.",
        "experiment": _experiment(
            "Grid search over two convolutions", [("grid", {})], "two_convolutions", "digits", folds=5, **_TWO_CONVOLUTIONS,
        ),
    },
    {
        "id": "two-convolutions-random",
        "title": "Random search over two convolutions",
        "description": "The same plane of 16 networks, of which chance picks 6: see what they miss of it. Each is scored by 5 folds.",
        "experiment": _experiment(
            "Random search over two convolutions", [("random", {})], "two_convolutions", "digits", folds=5, budget={"trials": 6},
            **_TWO_CONVOLUTIONS,
        ),
    },
    {
        "id": "lottery-ticket",
        "title": "A lottery ticket",
        "description": "A perceptron is trained, loses its smallest weights, starts again from where it started, and so on until a "
        "twentieth is left. How what remains learns stands beside the same mask over new weights, and a random mask.",
        "experiment": _experiment("A lottery ticket", [("lottery_ticket", {})], "plain", "digits"),
    },
    {
        "id": "evidence-polynomial",
        "title": "The evidence chooses a degree",
        "description": "Polynomials of rising degree fit the same noisy points. Fit and Occam factor of each stand side by side; "
        "the one with the largest sum of both, the evidence, is taken. Four estimates of it side by side.",
        "experiment": _experiment("The evidence chooses a degree", [("evidence", {})], "basis_expansion", "polynomial"),
    },
    {
        "id": "sincos-paths",
        "title": "Paths of a structure, by look-ahead",
        "description": "The amplitudes of a sine and a cosine are the structure, their frequencies the weights. Five searches differ only "
        "in how far the structure's gradient looks ahead: their paths lie over each other on the experiment's page.",
        "experiment": _experiment(
            "Paths of a structure, by look-ahead", [("variational", {**PATH, "xi": float(xi)}) for xi in (0, 1, 5, 10, 20)],
            "primitives_sum", "sincos", space_options={"constraint": "real"},
        ),
    },
    {
        "id": "three-regimes",
        "title": "Prior, evidence or likelihood",
        "description": "Bakhteev's example: a constant, a function of one feature, a function of all eleven. By his account "
        "the rich function dies where the prior outweighs, and overfits where the likelihood does; the evidence takes the true one. Three "
        "regimes, three temperatures: a grid of nine runs with one seed.",
        "experiment": _experiment(
            "Prior, evidence or likelihood", [("variational", _regime(name, at)) for name in REGIMES for at in (0.2, 1.0, 10.0)],
            "primitives_sum", "thesis_toy", runtime={"structure_every": 10},
        ),
    },
    {
        "id": "structure-priors",
        "title": "Structures that attract and repel",
        "description": "The prior over structures is drawn to none, to a given one, to another, to both, or driven away from both, by "
        "the sign of its λ: watch p(Γ) move over the triangle.",
        "experiment": _experiment(
            "Structures that attract and repel",
            [
                ("variational", {
                    "steps": 300, "batch_size": 1000, "levels": "two", "lambda_likelihood_q": 0.0, "lambda_prior_q": 0.0,
                    "prior_learning_rate": 0.05, "lambda_struct": list(weights), "structure_prior_temperature": 0.1,
                    "structure_priors": [[0.99, 0.05, 0.05], [0.05, 0.05, 0.99]], "lambda_temp": 1.0,
                })
                for weights in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (-1.0, -1.0))
            ],
            "primitives_sum", "thesis_toy", runtime={"structure_every": 5},
        ),
    },
    {
        "id": "simplex-methods",
        "title": "Four ways over the simplex",
        "description": "DARTS, Gumbel-Softmax, Dirichlet and logit-normal search the same cell on the same digits for 12,000 samples each "
        "(their FLOPs differ, and stand beside), and random architectures of about the same size are retrained in the same way. One seed.",
        "experiment": _experiment(
            "Four ways over the simplex", [("darts", {}), ("gumbel_softmax", {}), ("dirichlet", {}), ("logit_normal", {})],
            "nb201", "digits", budget={"samples": 12_000},
        ),
    },
    {
        "id": "vae-latents",
        "title": "How many latents does a digit need?",
        "description": "An auto-encoder begins with 20 latent variables and learns which of them to keep. The download encodes "
        "pictures and decodes codes.",
        "experiment": _experiment("How many latents does a digit need?", [("vae_ard", {})], "autoencoder", "digits"),
    },
    *thesis.CARDS,
]
PRESETS: list[dict[str, Any]] = [{**card, "description": f"{card['description']} {promise(card['id'])}"} for card in _CARDS]
"""Shown on the first page, in this order. What they take is measured, and said by `measured` alone."""
