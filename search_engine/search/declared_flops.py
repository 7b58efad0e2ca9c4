"""What a trial will take in FLOPs, before it is asked: its network is built on a device without memory, and one step of it counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import TrialFailure
from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from ..catalogue.config import CheckedRun
from ..events import Cost
from ..spaces.genomes import Genome

if TYPE_CHECKING:
    from .resources import Resources

KEPT = 4096
"""Architectures whose counts are kept: a search comes back to them at other fidelities, or after a copy had to be tried for itself."""


class DeclaredFlops:
    """FLOPs (2 x MACs, `training.flops`) per example of the networks of one run. Analytic: nothing is measured and nothing trained."""

    def __init__(self, checked: CheckedRun, resources: Resources) -> None:
        self._checked = checked
        self._resources = resources
        self._known: dict[str, tuple[float, float]] = {}

    def of(self, genome: Genome, hash_: str, training: TrainingConfig, passes: Cost) -> float:
        """Of so many passes of the architecture's network. 0 for one that cannot be built or run: it fails for itself as a trial."""
        # Width and depth are all of a training that changes the network.
        key = f"{hash_} {training.channels} {training.layers}"
        if key not in self._known:
            if len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = self._count(genome, training)
        forward, both = self._known[key]
        return passes.forward_backward * both + passes.forward * forward

    def _count(self, genome: Genome, training: TrainingConfig) -> tuple[float, float]:
        import torch

        from ..training.footprint import step_flops

        space = self._resources.space
        try:
            with torch.random.fork_rng(devices=[]), torch.device("meta"):
                network = load_object(self._checked.space.builder)(space, genome, "trial", training)
                return step_flops(network, self._resources.shapes[0].input)
        except (TrialFailure, RuntimeError, ValueError, TypeError, ArithmeticError, LookupError):
            return 0.0, 0.0
