"""The finished network that a search begins with: its space, its architecture, and its weights, read when first asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base import checkpoint
from ..base.errors import BadInput
from ..base.given_config import GivenConfig
from ..base.lazy import load_object
from ..spaces.data_shape import DataShape
from ..spaces.genomes import Genome

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..spaces.base import SearchSpace, SpaceEntry

WEIGHTS = "given.safetensors"
"""The file of its weights under the run's folder."""


def place_weights(weights: bytes, run_dir: Path) -> None:
    """Put them where the run reads them, atomically."""
    checkpoint.write_bytes(run_dir / WEIGHTS, weights)


class GivenModel:
    """`entry` is that of its space, `shape` that of the run's data. Without `run_dir` it has no weights: checks and estimates need none.

    Raises BadInput (field "model") where the architecture is none of its space, or is for data of another shape.
    """

    def __init__(self, config: GivenConfig, entry: SpaceEntry, shape: DataShape, run_dir: Path | None = None) -> None:
        self.config = config
        self.entry = entry
        own, wanted = (tuple(config.input), config.outputs), (tuple(shape.input), shape.classes)
        if own != wanted:
            raise BadInput("model", f"it {_takes(*own)}, and these data {_are(*wanted)}: choose the data that it was trained on, or data "
                           "of the same shape", code="incompatible")
        self.genome = Genome(config.space, config.genome)
        self.training = config.training
        self._run_dir = run_dir
        try:
            self.space: SearchSpace[Any] = entry.space(entry.config.model_validate(config.space_options), shape, (shape,))
            self.space.validate(self.genome)
        except (BadInput, ValueError) as error:
            raise BadInput("model", f"its architecture is none of the space '{config.space}': {error}") from None

    def state(self) -> dict[str, Tensor] | None:
        """Its parameters and buffers by the names of its own network; None where it has no weights (see above).

        Raises BadInput (field "model") where their file is gone or is another one.
        """
        if self._run_dir is None:
            return None
        from safetensors.torch import load

        path = self._run_dir / WEIGHTS
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadInput("model", f"its weights cannot be read: {error.strerror or error}") from None
        if hashlib.sha256(data).hexdigest() != self.config.weights:
            raise BadInput("model", "its weights are not those that the run was made with", code="changed_data")
        return dict(load(data))

    def network(self) -> nn.Module:
        """A fresh copy of the network, trained; with fresh weights from torch's global generator where it has none.

        Raises BadInput (field "model") where the weights do not fit: then an algorithm finished the network in a way of its own.
        """
        from ..bundle.source import as_network

        # As its download has it: what only training needed (masks, ...) is part of neither.
        network = as_network(load_object(self.entry.builder)(self.space, self.genome, "final", self.training))
        state = self.state()
        if state is None:
            return network
        own = network.state_dict()
        for name in (*own, *state):
            if name not in own or name not in state or own[name].shape != state[name].shape:
                kind = f"a network of '{self.entry.id}' as the house trains it"
                raise BadInput("model", f"its weights are not those of {kind} ('{name}' does not fit): the search that found it finished "
                               "it in its own way", code="incompatible")
        network.load_state_dict(state)
        return network


def _takes(shape: tuple[int, ...], outputs: int) -> str:
    return f"takes {' x '.join(map(str, shape))} and gives {outputs} outputs"


def _are(shape: tuple[int, ...], outputs: int) -> str:
    return f"are {' x '.join(map(str, shape))} with {outputs} outputs"
