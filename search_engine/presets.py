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
]
"""Shown on the first page, in this order."""
