"""Random numbers: every piece of work owns its generators; nothing reads a global one by accident.

`derive_seed` turns (run seed, what for) into an independent seed by hashing, so adding a consumer never shifts another's stream.
`GlobalGenerators` swaps the process-wide generators (Python, NumPy, torch) in and out around a slice, so that libraries which draw
from them (weight initialisation, dropout) are reproducible although several runs share one process.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def derive_seed(*parts: object) -> int:
    """A seed in [0, 2**63) from a list of parts (numbers and strings), equal for equal parts on every machine.

    >>> derive_seed(0, "split") == derive_seed(0, "split") != derive_seed(1, "split")
    True
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def random_state(rng: random.Random) -> list[Any]:
    """The state of a `random.Random`, for a checkpoint.

    >>> rng, again = random.Random(0), random.Random(1)
    >>> restore_random(again, random_state(rng))
    >>> rng.random() == again.random()
    True
    """
    version, internal, gauss = rng.getstate()
    # An array is written as it is, 625 numbers in a list are looked at one by one.
    return [version, np.array(internal, np.uint32), gauss]


def restore_random(rng: random.Random, state: list[Any]) -> None:
    """Undo `random_state`."""
    rng.setstate((state[0], tuple(np.asarray(state[1]).tolist()), state[2]))


class GlobalGenerators:
    """The process-wide generators as one piece of work sees them."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._state: dict[str, Any] | None = None

    @contextmanager
    def active(self) -> Iterator[None]:
        """Inside the block the global generators are this work's; afterwards the former ones are back."""
        before = _read_global()
        try:
            if self._state is None:
                _seed_global(self._seed)
            else:
                _write_global(self._state)
            yield
            self._state = _read_global()
        finally:
            _write_global(before)

    @staticmethod
    def restart(seed: int) -> None:
        """Inside the block: the generators as a piece of work with that seed begins with them."""
        _seed_global(seed)

    def now(self) -> dict[str, Any]:
        """Inside the block: what `state_dict` would give after it, were it left here."""
        return {"seed": self._seed, "state": _read_global()}

    def state_dict(self) -> dict[str, Any]:
        return {"seed": self._seed, "state": self._state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._seed = state["seed"]
        self._state = state["state"]


def _torch() -> Any:
    """torch if this process already uses it; work that never imports torch has no torch generator to swap."""
    return sys.modules.get("torch")


def _seed_global(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch = _torch()
    if torch is not None:
        # `torch.manual_seed` does so too, but also formats the stack for every other kind of device: a third of a millisecond.
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_available():
            torch.cuda.manual_seed_all(seed)


def _read_global() -> dict[str, Any]:
    name, keys, position, has_gauss, gauss = np.random.get_state()  # type: ignore[misc]
    state: dict[str, Any] = {
        "python": random_state(random._inst),  # type: ignore[attr-defined]
        "numpy": [str(name), np.asarray(keys).copy(), int(position), int(has_gauss), float(gauss)],
    }
    torch = _torch()
    if torch is not None:
        state["torch"] = torch.get_rng_state().numpy().copy()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            state["cuda"] = [s.cpu().numpy().copy() for s in torch.cuda.get_rng_state_all()]
    return state


def _write_global(state: dict[str, Any]) -> None:
    restore_random(random._inst, state["python"])  # type: ignore[attr-defined]
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, np.asarray(keys, dtype=np.uint32), position, has_gauss, gauss))
    torch = _torch()
    if torch is not None and "torch" in state:
        torch.set_rng_state(torch.from_numpy(np.array(state["torch"], dtype=np.uint8)))
        if "cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([torch.from_numpy(np.array(s, dtype=np.uint8)) for s in state["cuda"]])
