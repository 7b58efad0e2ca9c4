"""No search: an architecture that somebody has already is finished, tested once and made into a model, as what a search finds is.

It stands beside the searches as one of them, so that everything that holds for a run holds for it: the folder, checkpoints, one visit to
the test split, the download, and random architectures of about its size that are finished in the same way.
"""

from __future__ import annotations

import random
from typing import Any

from pydantic import Field

from search_engine.base.errors import BadInput
from search_engine.base.generators import derive_seed
from search_engine.events import Cost
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome
from search_engine.spaces.written import LONGEST, genome_of_text

from .base import AlgorithmConfig, AlgorithmEntry, Context, Finalist, Idle, Phase, StepPhase


class GivenArchitectureConfig(AlgorithmConfig):
    """What is to be finished."""

    architecture: str = Field(
        default="", max_length=LONGEST, title="Architecture",
        description="It as its space writes it (a NAS-Bench-201 string, DARTS' Genotype, ...), or a genome's JSON. Empty = one that is "
        "drawn by the run's seed.",
    )


class GivenArchitecture(StepPhase[GivenArchitectureConfig]):
    """A phase that is over when it begins: it moves nothing and costs nothing.

    >>> from search_engine.events import EventLog
    >>> from search_engine.spaces.data_shape import DataShape
    >>> from search_engine.spaces.nb201 import NB201Config, NB201Space
    >>> text = "|nor_conv_1x1~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    >>> space, options = NB201Space(NB201Config(), DataShape((1, 8, 8), 10)), GivenArchitectureConfig(architecture=text)
    >>> phase = GivenArchitecture()
    >>> phase.begin(Context(space, options, seed=0, rng=random.Random(0), metric="val_accuracy", log=EventLog("phase:0")), None)
    >>> phase.finished, space.to_string(phase.best()[0].genome) == text, phase.best()[0].value
    (True, True, None)
    """

    title = "Given architecture"

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Raises BadInput(field "options.architecture")."""
        super().begin(context, handover)
        self._genome = wanted(self.options, context.space) or context.space.sample(
            random.Random(derive_seed(context.seed, "given architecture"))
        )

    @property
    def horizon(self) -> int | None:
        return 0

    @property
    def finished(self) -> bool:
        return True

    @property
    def steps_done(self) -> int:
        return 0

    def step(self) -> Cost:
        return Cost()

    def best(self) -> list[Finalist]:
        title = "given architecture" if self.options.architecture else "architecture drawn by the seed"
        return [Finalist(genome=self._genome, title=title)]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing: it follows from options and seed."""


def wanted(options: GivenArchitectureConfig, space: SearchSpace[Any]) -> Genome | None:
    """The architecture that the options name; None where they name none. Raises BadInput(field "options.architecture")."""
    if not options.architecture:
        return None
    try:
        return genome_of_text(space, options.architecture)
    except BadInput as error:
        raise BadInput("options.architecture", error.message, error.code) from None


def check(options: GivenArchitectureConfig, space: SearchSpace[Any]) -> None:
    """Raises BadInput(field "options.architecture") for what is no architecture of the space."""
    wanted(options, space)


def _phases(options: GivenArchitectureConfig) -> list[Phase]:
    return [GivenArchitecture()]


ENTRY = AlgorithmEntry(
    id="given_architecture",
    title="Given architecture",
    family="sampling",
    summary="Searches nothing: trains and tests an architecture that is given as text, beside random ones of about its size.",
    source="whoever gave the architecture",
    needs=frozenset(),
    space_needs=frozenset({"sample"}),
    config=GivenArchitectureConfig,
    phases=_phases,
    lives="a single point",
    objectives="any",
    finale="The architecture that was given is trained from scratch by the house's recipe, beside random ones of about its size that are "
    "trained in the same way.",
    check="search_engine.algorithms.given_architecture:check",
    idle=(Idle(("budget", "structure_every", "finale.finalists"), "it searches nothing"),),
    quick={"finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}}},
)
