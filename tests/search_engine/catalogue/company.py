"""What a small run has beside a setting that is changed, so that the change shows there and the run stays small."""

from __future__ import annotations

from typing import Any

EPOCHS: dict[str, Any] = {
    "dataset_options": [{"labels": [0, 1]}], "options.steps": 0, "options.epochs": 3, "options.batch_size": 128,
}
"""A search by gradients that comes to the end of an epoch, of two of the digits."""
FAILING: dict[str, Any] = {
    "dataset_options": [{"labels": [0, 1]}], "training.learning_rate": 100.0, "training.weight_decay": 1.0,
    "training.gradient_clip": 0.0, "training.batch_size": 1, "training.epochs": 1, "budget": {"trials": 10},
}
"""Weights that grow a hundredfold with every step: every trial fails; where a genome says how it is trained, those fail that normalise
batches, which are of one example."""
COUNTING: dict[str, Any] = {
    "space": "sequence", "space_options": {"n": 2}, "training": {}, "finale": {}, "budget": {"trials": 40}, "structure_every": 1,
}
"""Few architectures and a formula that answers: a search is soon through, and repeats itself if it can."""
STALE: dict[str, Any] = {
    "options.scheduling": "steady", "options.window": 4, "options.batch": 1, "options.stale_after": 1, "budget": {"trials": 8},
}
COLONY: dict[str, Any] = {"options.ant_count": 5, "options.max_depth": 3, "budget": {"trials": 16}, "training.epochs": 1}
"""So many ants that walk so deep that every type of layer is met."""
EIGENVALUE: dict[str, Any] = {**EPOCHS, "options.eigenvalue_window": 1}
UNLIKELY: dict[str, Any] = {"options.initial_logit": -1.0}
"""Blocks that are often left out."""

NO_WIDTHS: dict[str, Any] = {f"{place}.{name}": 0 for place in ("training", "finale.training") for name in ("channels", "layers")}
"""A size of the space decides where the trainings name none."""
ONE_STAGE: dict[str, Any] = {"options.shrink_stages": 1}
"""So that one number is enough."""
SEVERAL_EPOCHS: dict[str, Any] = {"space_options.epochs_divisor": 5}
"""Where a genome says how long it is trained, that is more than one epoch."""

FALLING: dict[str, Any] = {"options.lambda_schedule": "linear", "options.levels": "two"}

COMPANY: dict[str, dict[str, Any]] = {
    "count_repeats": COUNTING,
    "max_failures": FAILING,
    "options.eigenvalue_ratio": EIGENVALUE,
    "options.eigenvalue_window": EIGENVALUE,
    "options.epochs": EPOCHS,
    "options.failed": FAILING,
    "options.skip_cap": EPOCHS,
    "options.skip_limit": EPOCHS,
    "options.skip_stop": {**EPOCHS, "options.skip_limit": 1},
    "options.stable_epochs": {**EPOCHS, "options.structure_learning_rate": 1e-6},
    "space_options.cells": NO_WIDTHS,
    "space_options.channels": NO_WIDTHS,
    "training.early_stop": SEVERAL_EPOCHS,
    "finale.training.early_stop": SEVERAL_EPOCHS,
    "finale.train_on": {"finale.training.train_examples": 0},
    "options.shrink_cells": ONE_STAGE,
    "options.shrink_partial_channels": ONE_STAGE,
    "options.skip_dropout": ONE_STAGE,
    "space_options.preset": {"space_options.max_layers": 3},
    "space_options.upsampling": {"space_options.columns": 3},
    "options.stale": STALE,
    "options.stale_after": STALE,
    "space_options.initial_steps": {"finale.baselines": 1},
    "adanet options.surrogate": {"datasets": ["breast_cancer"]},
    "adddel options.candidates": {"options.unit": "neuron"},
    "adddel options.hidden": {"options.unit": "neuron"},
    "adddel options.refit_steps": {"options.unit": "neuron"},
    "bayesian options.parents": {"budget": {"trials": 12}, "options.candidates": 8, "options.random_share": 0.0},
    "bayesian options.most_observations": {
        **COUNTING, "space_options": {"n": 3}, "budget": {"trials": 20}, "options.initial": 11, "options.candidates": 8,
    },
    "budgeted_supernet options.no_path_penalty": UNLIKELY,
    "budgeted_supernet options.optimised_cost": UNLIKELY,
    "budgeted_supernet options.penalty": {"options.budget": 1.0},
    "codeepneat options.blueprints": {"options.networks": 6},
    # The longer of steps and epochs counts.
    "codeepneat options.compress_epochs": {"options.compress": "without_inheritance", "options.compress_steps": 1},
    "codeepneat options.survivors": {"options.modules": 16, "options.module_species": 1, "options.generations": 3},
    "deepswarm count_repeats": {
        "options.ant_count": 4, "options.max_depth": 1, "options.greediness": 1.0, "options.inherit": False, "budget": {"trials": 4},
    },
    "deepswarm options.epochs": {},
    "network_morphism options.epochs": {},
    "network_morphism options.parents": {"options.choice": "bayesian", "options.networks": 10, "budget": {"trials": 10}},
    # Tournaments that are held, and enough of them for a generation.
    "pathnet options.schemata": {"options.threshold": 1.0, "options.population": 4, "options.generations": 12},
    "deepswarm options.keep_megabytes": {**COLONY, "space_options.filters": [256], "space_options.kernels": [1]},
    "deepswarm options.keep_networks": COLONY,
    "deepswarm options.reuse_patience": {**COLONY, "options.ant_count": 12, "budget": {"trials": 37}},
    "deepswarm space_options.activations": COLONY,
    "deepswarm space_options.dropout_rates": {**COLONY, "options.greediness": 0.0},
    "deepswarm space_options.heuristics": COLONY,
    "deepswarm space_options.max_nodes": {"finale.baselines": 1},
    "deepswarm space_options.strides": COLONY,
    "deepswarm space_options.units": COLONY,
    "evidence options.hessian": {"space_options": {"bases": ["tanh"], "max_degree": 1}},
    "evidence options.level_one_steps": {"space_options": {"bases": ["tanh"], "max_degree": 1}},
    "evo_nas options.baseline_decay": {"budget": {"trials": 8}},
    "grid count_repeats": {
        "space": "nb201", "space_options": {"cells": 1, "channels": 2}, "options.order": "lexicographic", "budget": {"trials": 6},
        "dataset_options": [{"labels": [0, 1]}],
    },
    "lottery_ticket options.keep_sign": {"options.kept_weights": "constant"},
    "lottery_ticket options.stop_drop": {
        "options.steps": 40, "options.learning_rate": 0.01, "options.rate": 0.95, "options.output_rate": 0.95,
        "options.target_share": 0.001,
    },
    "morphnet finale.finalists": {"options.rounds": 2},
    "morphnet space_options.layers": {
        "space_options.of": "nb201", "space_options.options": {}, "space_options.channels": 2, "space_options.layers": 1,
    },
    "multipath options.cost_measure": {
        "options.cost_weight": 10.0, "options.warm_up": 0, "space_options.modules": ["nor_conv_3x3", "nor_conv_1x1", "skip_connect"],
    },
    "multipath options.entropy_weight": {"options.warm_up": 0, "options.steps": 8, "options.controller_learning_rate": 1.0},
    "local_search options.rule": {"budget": {"trials": 30}},
    "nas_rl options.baseline_decay": {"budget": {"trials": 8}},
    "nas_rl options.stop_settled": {**COUNTING, "options.learning_rate": 1.0, "options.entropy_weight": 0.0, "options.batch": 1},
    "random options.max_rejections": {**COUNTING, "budget": {"trials": 9}},
    "regularized_evolution options.sample": {"budget": {"trials": 10}},
    "variational options.estimator": {"options.levels": "two"},
    "variational options.lambda_prior_q_end": FALLING,
    "variational options.lambda_prior_l_end": FALLING,
    "variational primitives_sum options.shared_precision": {"datasets": ["linear_gaussian"]},
    **{
        f"variational {space} options.{name}": {
            "options.levels": "two", "options.lambda_struct": [0.5],
            "options.structure_priors": [[0.3, *[0.7 / (count - 1)] * (count - 1)]],
        }
        for space, count in {"cell": 8, "nb201": 5, "primitives_sum": 2}.items()
        for name in ("lambda_struct", "structure_priors", "structure_prior_temperature")
    },
    "variational options.inner_steps": {"options.levels": "two"},
    "variational options.lambda_schedule": {"options.lambda_schedule": "linear", "options.lambda_prior_q_end": 3.0},
    "variational options.xi": {"options.levels": "two"},
    "wann options.archive": {"finale.finalists": 3},
}
"""By setting, by algorithm and setting, and by algorithm, space and setting; the last that there is stands alone."""
BY_CHANCE = {
    **dict.fromkeys(("options.skip_cap", "options.skip_limit", "options.skip_stop"), (0, 1, 2, 3, 4, 5)),
    **dict.fromkeys(("space_options.pretraining_epochs", "finale.training.momentum", "max_failures"), (3, 0, 1, 2, 4)),
}
"""What shows where a derived cell has skip connections, where a genome of a handful asks for pretraining, for SGD, or for what fails: one
of these seeds finds such ones."""
