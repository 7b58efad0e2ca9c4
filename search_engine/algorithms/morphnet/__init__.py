"""MorphNet: the phases of a search and the entry. The rule stands in `search`.

- `options`: the hyper-parameters.
- `bench`: the seed network, and the trainings of what has its form.
- `records`: what rounds leave.
- `controls`: uniform shrinking and the sweep of the strength.
- `charts`, `layers`: what is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_engine.base.errors import BadInput

from ..base import AlgorithmEntry, Idle, Phase
from .controls import MorphNetControls
from .options import MorphNetConfig
from .search import MorphNet

if TYPE_CHECKING:
    from search_engine.spaces.resized import ResizedSpace

    from ..given import GivenModel


def _phases(options: MorphNetConfig) -> list[Phase]:
    return [MorphNet(), *([MorphNetControls()] if options.controls or options.sweep else [])]


def begins_with(options: MorphNetConfig, space: ResizedSpace, given: GivenModel) -> None:
    """Raises BadInput(field "model") where the widths of a finished network cannot be changed, with the layer and the reason."""
    import torch

    from .bench import of_given, opened

    try:
        of_given(space, given)
        with torch.random.fork_rng(devices=[]):
            opened(given.network(), space.shape.input, options)
    except BadInput as error:
        raise BadInput("model", error.message, error.code) from None


ENTRY = AlgorithmEntry(
    id="morphnet",
    title="MorphNet",
    family="gradient",
    summary="Finds how wide each layer of a network should be: a penalty lets every channel pay what it costs, dead ones go, the rest is "
    "widened to a target, and the network is trained from scratch. It can begin with a finished model.",
    source="Gordon, Eban, Nachum, Chen, Wu, Yang, Choi: MorphNet: Fast & Simple Resource-Constrained Structure Learning of Deep Networks, "
    "CVPR 2018 (arXiv 1711.06798); Scardapane et al. 2017, Group sparse regularization for deep neural networks (arXiv 1607.00485)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"widths"}),
    config=MorphNetConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    spaces=("resized",),
    lives="the widths of one network",
    idle=(Idle(("structure_every",), "it records about forty frames of every shrinking"),),
    structure=("widths", "charts"),
    finale="The best round's network is trained from scratch, as MorphNet does: the weights of surviving channels are discarded. Beside it "
    "uniform shrinking to the same cost, and the seed network, trained alike.",
    begins_with="search_engine.algorithms.morphnet:begins_with",
    begins_with_label="Compress",
    quick={
        "options": {"shrink_epochs": 1, "train_epochs": 1, "batch_size": 256, "sweep": [100.0], "threshold": 0.5, "factor": 30.0},
        "space_options": {
            "of": "plain", "options": {"network": "cnn", "channels": [4, 6], "widths": [8], "batch_norm": True},
        },
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128}},
    },
)
