"""What decides the bits of a run beside its config: recorded when it computes, compared wherever it goes on.

| key | what |
| --- | --- |
| `torch` | torch's version |
| `cpu_capability` | the instructions that torch's kernels use |
| `depthwise` | who computes the depthwise convolutions of a super-network, see `primitives.native.choice`; absent where a run has none |

A run that goes on where one of them is another goes on, but no longer has the bits of an undisturbed one, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from ..primitives.native.choice import TORCH, Choice, using

Record = dict[str, str]

_WORDS = {"torch": "torch", "cpu_capability": "the processor's instructions", "depthwise": "depthwise convolutions by"}


class Arithmetic:
    """The arithmetic of one run in this process. Work of the run is opened, restored and advanced inside `active()`.

    >>> run = Arithmetic({})
    >>> with run.active():
    ...     pass  # here a slice computes
    >>> now = run.record()
    >>> sorted(now), run.differs({**now, "cpu_capability": "NEON"}) != "", run.differs(now)
    (['cpu_capability', 'torch'], True, '')
    """

    def __init__(self, recorded: Mapping[str, str], device: str = "cpu") -> None:
        """`recorded`: what has been recorded of the run so far; `device` as in its config."""
        self.recorded: Record = dict(recorded)
        self._device = device
        self._choice: Choice | None = None

    @property
    def _decides(self) -> Choice:
        if self._choice is None:
            import torch

            # A GPU's convolutions are torch's own.
            unless = TORCH if self._device != "cpu" and torch.cuda.is_available() else None
            self._choice = Choice(self.recorded.get("depthwise", unless))
        return self._choice

    def active(self) -> AbstractContextManager[None]:
        """Compute by it in the block."""
        return using(self._decides)

    def here(self) -> Record:
        """What this process has computed with so far."""
        import torch

        found = {"torch": torch.__version__, "cpu_capability": torch.backends.cpu.get_cpu_capability()}
        decided = self._decides.decided
        return found if decided is None else {**found, "depthwise": decided}

    def record(self) -> Record:
        """What to record of the run from now on: what was recorded first stays."""
        return {**self.here(), **self.recorded}

    def differs(self, recorded: Mapping[str, str]) -> str:
        """In plain words where this process computes otherwise than `recorded`; empty where it does not."""
        here = self.here()
        other = [f"{_WORDS[name]} {here[name]} instead of {value}" for name, value in recorded.items() if here.get(name, value) != value]
        if not other:
            return ""
        return f"it went on with another arithmetic ({'; '.join(other)}): the last bits of its numbers are not those of an undisturbed run"
