"""Random architectures to set beside what a search found: several, each different, of about its size.

One draw says little (how far apart random architectures lie is what a comparison needs), and a small network beside a large one compares
sizes. So draws are kept whose number of trainable parameters is within `CLOSE` of the finalist's; where so many draws give too few, the
nearest ones are taken, and what their sizes are is said with their scores.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

from ..algorithms.base import Finalist
from ..base.errors import BadInput, TrialFailure
from ..base.generators import derive_seed
from ..base.lazy import load_object
from ..datasets.base import Samples, Table
from ..spaces.genomes import Genome
from .trial_work import genome_training

if TYPE_CHECKING:
    from ..catalogue.config import CheckedRun
    from .resources import Resources

TITLE = "random architecture, finished in the same way"
"""What each of them is called; how many there are and how large they are stands with their scores."""
CLOSE = 0.1
"""Share by which the number of parameters may differ."""
DRAWS = 200
"""Draws after which the nearest of those that were found are taken."""


def random_baselines(checked: CheckedRun, resources: Resources, beside: dict[str, Any]) -> list[Finalist]:
    """As many as `finale.baselines` asks for (fewer where the space has no more), beside that finalist."""
    wanted, space = checked.config.finale.baselines, resources.space
    if not wanted or "sample" not in space.offers:
        return []
    own = Genome.from_json(beside["genome"])
    size = _parameters(checked, resources, own)
    rng = random.Random(derive_seed(checked.config.seed, "baseline"))
    seen = {space.hash(own)}
    drawn: list[tuple[float, int, Genome]] = []
    for _ in range(DRAWS):
        genome = space.sample(rng)
        hash_ = space.hash(genome)
        if hash_ in seen:
            continue
        seen.add(hash_)
        if not _answered(resources, genome):
            continue
        drawn.append((_distance(size, _parameters(checked, resources, genome) if size else None), len(drawn), genome))
        if sum(distance <= CLOSE for distance, _, _ in drawn) >= wanted:
            break
    nearest = sorted(drawn, key=lambda item: (item[0] > CLOSE, item[0] if item[0] > CLOSE else 0.0, item[1]))[:wanted]
    return [Finalist(genome=genome, domains=tuple(beside["domains"]), title=TITLE) for _, _, genome in nearest]


def _answered(resources: Resources, genome: Genome) -> bool:
    """Whether there is something to finish: a table need not hold every architecture of its space."""
    if not isinstance(resources.dataset, Table):
        return True
    try:
        resources.dataset.lookup(genome, resources.space.to_string(genome), {})
    except TrialFailure:
        return False
    return True


def _distance(own: float | None, other: float | None) -> float:
    """How far apart two sizes are, as a share; 0 where sizes mean nothing, infinite where only one is known."""
    if not own:
        return 0.0
    return math.expm1(abs(math.log(other / own))) if other else math.inf


def _parameters(checked: CheckedRun, resources: Resources, genome: Genome) -> float | None:
    """Trainable parameters of the finished network, or what a table says of it; None where there is no network that can be built."""
    dataset = resources.dataset
    if isinstance(dataset, Table):
        try:
            return dataset.lookup(genome, resources.space.to_string(genome), {}).metrics.get("parameters")
        except TrialFailure:
            return None
    if not isinstance(dataset, Samples):
        return None
    import torch

    from ..training.footprint import parameters

    try:
        training = genome_training(checked.finale_training, resources.space, genome, {})
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            return float(parameters(load_object(checked.space.builder)(resources.space, genome, "final", training)))
    except (BadInput, RuntimeError, ValueError, TypeError, ArithmeticError, LookupError):
        return None
