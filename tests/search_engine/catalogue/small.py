"""Every pair of algorithm and space as a run of a second or two."""

from __future__ import annotations

from typing import Any

from search_engine.catalogue import registry
from search_engine.catalogue.idle import idle

SPACES: dict[str, dict[str, Any]] = {
    "cell": {"search_cells": 3, "search_channels": 2, "nodes": 2},
    "nb201": {"cells": 1, "channels": 2},
    "macro": {"layers": 3, "search_channels": 2},
    "mlp": {"epochs_divisor": 100, "max_layers": 2},
    "sequence": {"n": 4},
    "modular": {"layers": 2, "modules": 3, "units": 4},
    "node_chain": {"max_nodes": 3},
    "two_convolutions": {"first_filters": [2, 3, 4], "second_filters": [2, 3, 4]},
    "domain_paths": {"layers": 3, "channels": 2},
    "neuron_graph": {"input_size": 8},
    "ensemble": {"most_subnetworks": 2, "width": 4},
    "block_network": {"columns": 2, "scales": 2, "channels": 2},
    "plain": {"widths": [16]},
    "primitives_sum": {},
    "basis_expansion": {},
    "autoencoder": {"latents": 4, "encoder": [8], "decoder": [8]},
    "active_set": {},
    "blueprint": {"filters_min": 2, "filters_max": 6, "dense_min": 8, "dense_max": 16},
    "hierarchical": {"motifs": 2, "motif_nodes": 3, "nodes": 3, "initial_steps": 20},
    "growing_convnet": {"channels": [4, 4]},
    "cell_1d": {"search_cells": 3, "search_channels": 2, "nodes": 2},
    "macro_1d": {"layers": 3, "search_channels": 2},
    "tabular_cell": {"search_cells": 1, "search_channels": 2, "nodes": 1},
    "resized": {"of": "macro", "options": {"layers": 3}, "channels": 4},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "local_search": {}, "regularized_evolution": {"population": 2, "sample": 1}, "evo_nas": {"population": 2, "sample": 1, "batch": 2},
    "bayesian": {"initial": 2, "per_round": 2, "candidates": 4, "epochs": 2, "parents": 2}, "nas_rl": {"batch": 2},
    "hierarchical_evolution": {"initial": 2},
    "network_morphism": {"steps": 1, "children": 3, "morphs": 4, "seed_epochs": 1, "epochs": 1},
}
"""So that a handful of trials comes to everything."""
TRIALS = {"local_search": 12, "bayesian": 7, "regularized_evolution": 5, "hierarchical_evolution": 6}
TRAINING: dict[str, Any] = {"epochs": 1, "train_examples": 64}
LONGER: dict[str, Any] = {"epochs": 3, "train_examples": 64, "batch_size": 32, "optimizer": "sgd", "channels": 4, "layers": 3}
"""Several steps and epochs, so that every field of a training shows."""
SHORTER: dict[str, Any] = {**LONGER, "epochs": 1}
PAIRS = [(entry.id, space.id) for entry in registry.algorithms().values() for space in registry.spaces_for(entry)]


def own_space(algorithm: str) -> str:
    """The space that the algorithm searches where nobody names one."""
    return registry.spaces_for(registry.algorithm(algorithm))[0].id


def small(
    algorithm: str, space: str, trained: dict[str, Any] = TRAINING, finished: dict[str, Any] | None = None, baselines: int = 1
) -> dict[str, Any]:
    """The run config: its trials are `trained` so, its finalist is `finished` so (None: as they). Its finale exports nothing."""
    entry = registry.algorithm(algorithm)
    own = registry.spaces_for(entry)[0].id == space
    values: dict[str, Any] = {
        "algorithm": algorithm, "space": space, "seed": 3, **entry.quick,
        "finale": {"export": False, "redundancy": False, "baselines": baselines},
        "space_options": {**(entry.quick.get("space_options", {}) if own else {}), **SPACES[space]},
    }
    trials = "trials" in entry.needs
    nothing = idle(entry, registry.space(space), registry.datasets_for(entry, registry.space(space))[0])
    values["finale"] = {name: value for name, value in values["finale"].items() if f"finale.{name}" not in nothing}
    for place, holder, training in (("training", values, trained), ("finale.training", values["finale"], finished or trained)):
        holder["training"] = {name: value for name, value in training.items() if f"{place}.{name}" not in nothing}
    values["space_options"] = {name: value for name, value in values["space_options"].items() if f"space_options.{name}" not in nothing}
    values["options"] = {**values.get("options", {}), **OPTIONS.get(algorithm, {})}
    if trials:
        values["budget"] = {"trials": TRIALS.get(algorithm, 4)}
    return values
