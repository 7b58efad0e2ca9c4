"""Learn to count: a reward for a sequence of numbers, largest for 1, 2, ..., n.

Source: the toy of Maziarz, Tan, Khorlin, Chang and Gesmundo, "Evolutionary-Neural Hybrid Agents for Architecture Search",
arXiv 1811.09828, as in K. Maziarz's slides: with a_i in {1, ..., n},

    r = (n + 1) / (a_1^2 + sum over k of (a_(k+1) - a_k)^2 + (a_n - (n + 1))^2).

The n + 1 steps from 0 over the sequence to n + 1 add up to n + 1, so their squares add up to at least n + 1, and exactly that only
where every step is 1: the optimum is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..base.errors import BadInput
from ..spaces.data_shape import NO_INPUT
from ..spaces.genomes import Genome
from .base import DatasetConfig, DatasetEntry, Objective


class LearnToCountConfig(DatasetConfig):
    """No options: the length of the sequences is the space's."""


def counting_reward(sequence: Sequence[int]) -> float:
    """The reward of a_1, ..., a_n, in (0, 1]."""
    end = len(sequence) + 1
    values = (0, *sequence, end)
    return end / sum((after - before) ** 2 for before, after in pairwise(values))


class LearnToCount(Objective):
    """Answers at once and charges no samples."""

    space = "sequence"
    declared_samples = 0

    def reward(self, genome: Genome) -> float:
        """See the module's docstring. Raises BadInput(field "genome") for another space's genome."""
        if genome.space != self.space:
            raise BadInput("genome", f"only genomes of '{self.space}' can count, not those of '{genome.space}'")
        return counting_reward([int(genome.content[f"place{place}"]) for place in range(1, len(genome.content) + 1)])


ENTRY = DatasetEntry(
    id="learn_to_count",
    title="Learn to count",
    description="A reward for putting the numbers 1 to n in order: nothing is trained, a search takes seconds. It shows how a searcher's "
    "belief forms, decision by decision.",
    source="the toy of Maziarz et al., Evo-NAS, arXiv 1811.09828",
    licence="none needed: a formula",
    provides="objective",
    config=LearnToCountConfig,
    open=lambda config, data_dir: LearnToCount(),
    input_kind="none",
    shape=NO_INPUT,
    # A trial costs neither samples nor measurable time: only their number can end a search.
    budgets=frozenset({"trials"}),
    spaces=frozenset({"sequence"}),
    metric="reward",
    idle=dict.fromkeys(("max_failures", "options.failed"), "its formula has a reward for every sequence: no trial fails"),
)
