"""What a network starts its training from: fresh weights, those of an earlier trial (as they are, or morphed into those of a grown
network), or the space's own initialisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base import checkpoint
from ..base.errors import BadInput, CheckpointDamaged, TrialFailure
from ..spaces.genomes import Genome

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..spaces.base import SearchSpace

ROOM = "weights"
"""Folder under the run's, for the weights that later trials inherit."""


def weights_file(trial: int) -> str:
    """Where a trial's kept weights lie, relative to the run's folder."""
    return f"{ROOM}/trial-{trial}.safetensors"


def keep(network: nn.Module, run_dir: Path, trial: int, genome: Genome | None = None) -> None:
    """Write the network's parameters and buffers for later trials (atomically: an equal file may be replaced by itself), with its genome
    where later networks grow from it."""
    tree = {"trial": trial, "weights": checkpoint.copied(network.state_dict())}
    checkpoint.write(run_dir / weights_file(trial), tree if genome is None else {**tree, "genome": genome.to_json()}, sealed=True)


def read(run_dir: Path, trial: int) -> dict[str, Any]:
    """What `keep` wrote. Raises TrialFailure, as a failure of the machine, where the file is gone, damaged or another trial's."""
    try:
        kept: dict[str, Any] = checkpoint.read(run_dir / weights_file(trial), sealed=True)
    except CheckpointDamaged as damaged:
        raise TrialFailure(f"the weights of trial {trial}, from which this one starts: {damaged}", machine=True) from damaged
    if kept["trial"] != trial:
        holds = f"their file holds those of trial {kept['trial']}"
        raise TrialFailure(f"the weights of trial {trial}, from which this one starts: {holds}", machine=True)
    return kept


def inherit(network: nn.Module, run_dir: Path, trial: int, parts: Sequence[str]) -> int:
    """Copy what lies under `parts` (dotted prefixes, "" = everything) from the weights of an earlier trial; returns how many entries.

    Raises TrialFailure where the weights lack an entry or have another shape, and as `read` does.
    """
    return copy_parts(network, read(run_dir, trial)["weights"], parts)


def grow(
    network: nn.Module, morpher: Callable[..., dict[str, Tensor]], space: SearchSpace[Any], genome: Genome, before: Genome,
    weights: Mapping[str, Tensor], morphs: Sequence[dict[str, Any]], inputs: Tensor,
) -> None:
    """Give `genome`'s network the `weights` of `before`'s, morphed (`SpaceEntry.morpher`; `inputs` is what new layers are calibrated on).
    Raises TrialFailure where the morphs do not lead from one to the other."""
    try:
        state = morpher(space, genome, before, weights, morphs, inputs)
    except BadInput as error:
        raise TrialFailure(str(error)) from error
    network.load_state_dict(state)


def copy_parts(network: nn.Module, weights: Mapping[str, Tensor], parts: Sequence[str]) -> int:
    """Copy the entries of `weights` whose names lie under one of `parts` into the network; returns how many.

    Raises TrialFailure for an entry of the network under `parts` that is absent or has another shape.
    """
    copied = 0
    own: dict[str, Any] = dict(network.state_dict())
    for name, value in own.items():
        if not any(_under(name, part) for part in parts):
            continue
        given = weights.get(name)
        if given is None or given.shape != value.shape:
            raise TrialFailure(f"the inherited weights do not fit: '{name}'")
        value.copy_(given)
        copied += 1
    return copied


def _under(name: str, part: str) -> bool:
    return part == "" or name.startswith(part if part.endswith(".") else f"{part}.")
