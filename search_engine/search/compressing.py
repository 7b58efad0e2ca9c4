"""The compression of a trial's network, before the network that it leads to is trained: MorphNet's shrinking phase, one step at a time.

Sources: Gordon et al., "MorphNet", CVPR 2018; Nikulenkov, master's thesis, Moscow State University 2022, section 3.4 (procedure
`optimize`). The rule is `search_engine.widths`; here is what a trial makes of it: widths by the names of its genome's layers.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn

from ..base.compression import Compression, Narrowed
from ..base.errors import BadInput
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..events import Cost, EventLog, Notice
from ..spaces.genomes import Genome
from ..widths.channels import ChannelGroups
from ..widths.histograms import histogram
from ..widths.regularisers import RegulariserConfig
from ..widths.shrinking import ShrinkTraining, Shrunk


class Resizable(Protocol):
    """A space whose genomes say how wide their layers are."""

    def layer_paths(self, genome: Genome) -> dict[str, str]: ...
    def resized(self, genome: Genome, widths: dict[str, int]) -> Genome: ...
    def size_of(self, genome: Genome) -> Any: ...


class _Shrinking(ShrinkTraining):
    """Without looks at the validation part: nothing of this training is scored."""

    def _score(self) -> None:
        pass


class Compressing:
    """Work in steps; afterwards `result`. A network whose widths cannot be changed stays as it is, and that is said."""

    def __init__(
        self, network: nn.Module, space: Resizable, genome: Genome, data: SearchData, training: TrainingConfig,
        compression: Compression, seed: int, device: str,
    ) -> None:  # fmt: skip
        """Raises BadInput where the augmentation does not fit the data."""
        self._space, self._genome, self._compression = space, genome, compression
        self._paths = space.layer_paths(genome)
        self._shrinking: _Shrinking | None = None
        self._why_not = ""
        per_epoch = _steps_per_epoch(training, data)
        self.training_steps = training.steps or training.epochs * per_epoch
        """Of the training that follows."""
        config = training.model_copy(
            update={"steps": compression.length(per_epoch), "learning_rate": compression.learning_rate, "early_stop": 0}
        )
        penalty = RegulariserConfig(factor=compression.strength, threshold=compression.threshold, floor=compression.floor)
        try:
            with torch.random.fork_rng(devices=[]):
                channels = ChannelGroups.of(network, data.shape.input)
            self._shrinking = _Shrinking(network, channels, data, config, penalty, seed, device)
        except BadInput as error:
            if error.field not in ("space", "options.regulariser"):
                raise
            self._why_not = error.message

    @property
    def steps_total(self) -> int:
        return self._shrinking.steps_total if self._shrinking is not None else 0

    @property
    def steps_done(self) -> int:
        return self._shrinking.steps_done if self._shrinking is not None else 0

    @property
    def finished(self) -> bool:
        return self._shrinking is None or self._shrinking.finished

    @property
    def cost(self) -> Cost:
        return self._shrinking.cost if self._shrinking is not None else Cost()

    def advance(self) -> None:
        """One optimiser step. Raises TrialFailure where the loss is no number."""
        if self._shrinking is not None and not self._shrinking.finished:
            self._shrinking.advance()

    # ---- result

    def result(self) -> dict[str, Any]:
        """`genome` of the compressed network, `flops` before and after, `widths` by layer and what led to them (`narrowed`), `steps`,
        `cost`."""
        genome, widths, narrowed = self._genome, {}, []
        if self._shrinking is not None:
            shrunk = self._shrinking.shrunk()
            widths = {name: shrunk.layers[path] for name, path in self._paths.items()}
            genome = self._space.resized(genome, widths)
            narrowed = self._narrowed(shrunk)
        flops = [self._space.size_of(each).flops for each in (self._genome, genome)]
        return {
            "genome": genome.to_json(), "flops": flops, "widths": widths, "narrowed": narrowed, "steps": self.steps_done,
            "cost": self.cost.model_dump(),
        }

    def _narrowed(self, shrunk: Shrunk) -> list[dict[str, Any]]:
        """Layer by layer (`base.compression.Narrowed`)."""
        channels = shrunk.channels
        before = channels.layer_widths(channels.widths)
        values: dict[str, list[float]] = {}
        held: set[str] = set()
        for block in channels.free:
            for path in block.layers:
                values.setdefault(path, []).extend(shrunk.alive.get(block.name, []))
                if block.name in shrunk.floors_held:
                    held.add(path)
        threshold = self._compression.threshold
        return [
            Narrowed(name, before[path], shrunk.layers[path], histogram(values.get(path, []), threshold), path in held).to_json()
            for name, path in self._paths.items()
        ]

    def say(self, log: EventLog, samples: float) -> None:
        """What it gave, layer by layer."""
        if self._shrinking is None:
            message = f"This network cannot be compressed and is trained as it is: {self._why_not}."
            log.add(Notice(name="not_compressed", message=message, step=0), 0)
            return
        step, shrunk, found = self.steps_done, self._shrinking.shrunk(), self.result()
        before, after = found["flops"]
        layers = ", ".join(f"{name} {width}" for name, width in found["widths"].items())
        message = f"Compressed in {step:,} steps to {after / before:.1%} of its FLOPs; filters by layer: {layers}."
        widths = {f"width {name}": float(width) for name, width in found["widths"].items()}
        values = {"flops_before": before, "flops_after": after, **widths}
        log.add(Notice(name="compressed", message=message, step=step, values=values), step)
        names = {path: name for name, path in self._paths.items()}
        held = [names.get(block, block) for block in shrunk.floors_held]
        if held:
            threshold, floor = self._compression.threshold, self._compression.floor
            message = (
                f"The threshold of {threshold:g} would have emptied or nearly emptied {', '.join(held)}: kept are {floor:.0%} of their "
                "filters, one at least."
            )
            log.add(Notice(name="width_floor", message=message, step=step, values={"layers": float(len(held))}), step)

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {"shrinking": None if self._shrinking is None else self._shrinking.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._shrinking is not None:
            self._shrinking.load_state_dict(state["shrinking"])


def _steps_per_epoch(training: TrainingConfig, data: SearchData) -> int:
    used = min(len(data.train), training.train_examples or len(data.train))
    return -(-used // training.batch_size)
