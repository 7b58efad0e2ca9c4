"""Ready-made searches: each is a body for POST experiments that one click starts."""

from __future__ import annotations

from typing import Any

PRESETS: list[dict[str, Any]] = [
    {
        "id": "darts-digits",
        "title": "DARTS on handwritten digits",
        "description": "A super-network of cells learns which operations to keep; about a minute on a laptop. The best architecture is "
        "then retrained beside a random one, tested once and offered for download.",
        "experiment": {
            "name": "DARTS on handwritten digits",
            "algorithms": [{"id": "darts", "options": {}}],
            "space": "cell",
            "space_options": {},
            "datasets": ["digits"],
            "dataset_options": [{}],
            "seeds": [0],
            "budget": None,
            "training": {},
            "finale": {},
            "runtime": {},
        },
    },
    {
        "id": "learn-to-count",
        "title": "Evo-NAS learns to count",
        "description": "Four searches at one and the same budget look for the sequence 1, 2, 3, ... 20, of which they only hear a score. "
        "Nothing is trained but the controller: in a minute its diagonal lights up, beside evolution, reinforcement learning and chance.",
        "experiment": {
            "name": "Learning to count",
            "algorithms": [
                {"id": "evo_nas", "options": {}},
                {"id": "regularized_evolution", "options": {"population": 100, "sample": 20, "mutation_probability": 0.15}},
                {"id": "nas_rl", "options": {}},
                {"id": "random", "options": {}},
            ],
            "space": "sequence",
            "space_options": {"n": 20},
            "datasets": ["learn_to_count"],
            "dataset_options": [{}],
            "seeds": [0],
            "budget": {"trials": 2000},
            "training": {},
            "finale": {},
            "runtime": {},
        },
    },
]
"""Shown on the first page, in this order."""
