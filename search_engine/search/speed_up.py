"""Whether compressing networks before they are trained saves time: what a model of it says, and what the clock says.

Source: Nikulenkov, master's thesis, Moscow State University 2022, section 4.2. A network of f FLOPs takes f c seconds for an epoch of
training and f d for its evaluation; k epochs of compression divide f by a each; then it is trained for n epochs:

    S = (c n + d) / (c k + (c n + d) / a^k)

Small layers take time that no FLOP accounts for, so the model promises more than the clock keeps; both are said. Seconds are no science:
nothing here changes what a search does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

HARDLY = 1.1
"""Below this predicted speed-up a person is warned."""


def predicted(c: float, d: float, n: float, k: float, a: float) -> float:
    """The model's S. With d = c / 10 and k = 1:

    >>> [round(predicted(1.0, 0.1, n, 1, 4.0), 2) for n in (1, 2, 4, 10)]
    [0.86, 1.38, 2.02, 2.87]
    """
    return float((c * n + d) / (c * k + (c * n + d) / a**k))


def break_even(c: float, d: float, n: float, k: float) -> float:
    """The a above which there is a gain; infinite where the compression takes as long as the whole training.

    >>> [round(break_even(1.0, 0.1, n, 1), 2) for n in (1, 2, 4, 10)]
    [11.0, 1.91, 1.32, 1.11]
    """
    left = 1.0 - c * k / (c * n + d)
    return (1.0 / left) ** (1.0 / k) if left > 0 else math.inf


def limit(c: float, d: float, n: float, k: float) -> float:
    """S for a that grows without bound.

    >>> round(limit(1.0, 0.1, 4, 1), 6)
    4.1
    """
    return n / k + d / (c * k)


class Stretches:
    """Seconds of the parts of a trial. Of a call that ends an epoch one step's worth is training, by the mean of the other steps, and the
    rest is scoring."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds = {"compress": 0.0, "train": 0.0, "score": 0.0, "plain": 0.0}
        self._calls = {"compress": 0, "train": 0, "score": 0, "plain": 0}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Inside is `compress`, `train` (a step alone), `score` (a step that ends an epoch, or a further batch that is scored), or `plain`
        (the training of the network as it is, for comparison)."""
        started = self._clock()
        yield
        self._seconds[name] += self._clock() - started
        self._calls[name] += 1

    def seconds(self, steps: int) -> dict[str, float]:
        """By part, of a training of so many optimiser steps."""
        ordinary, calls = self._seconds["train"], self._calls["train"]
        ending = ordinary / calls * (steps - calls) if calls else 0.0
        ending = min(max(ending, 0.0), self._seconds["score"])
        return {"compress": self._seconds["compress"], "train": ordinary + ending, "score": self._seconds["score"] - ending}

    @property
    def plain(self) -> float:
        """Seconds of the comparison."""
        return self._seconds["plain"]

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": dict(self._seconds), "calls": dict(self._calls)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._seconds, self._calls = dict(state["seconds"]), dict(state["calls"])


class SpeedUp:
    """Over the compressed trials of a run: a, c, d, the predicted S and the measured one.

    Measured is what the same networks would have taken as they were against what they took: by the clock where a network was trained as it
    was, too, else by the seconds of an epoch of its own compression. Three networks that halve, with 2 epochs after 1:

    >>> speed_up = SpeedUp()
    >>> for _ in range(3): speed_up.add((4e6, 2e6), n=2, k=1, seconds={"compress": 4.0, "train": 4.0, "score": 0.2})
    >>> speed_up.a, round(speed_up.measured, 3), round(speed_up.predicted, 3)
    (2.0, 1.024, 1.024)
    """

    TOTALS = ("trials", "before", "after", "worked", "n", "k", "compress", "train", "score", "plain")

    def __init__(self) -> None:
        self._sums = dict.fromkeys(self.TOTALS, 0.0)

    def add(self, flops: tuple[float, float], n: float, k: float, seconds: dict[str, float], plain: float | None = None) -> None:
        """One network: FLOPs before and after, epochs of training and of compression, seconds by part, and those of the whole training
        without compression where that was done. One that could not be compressed (k = 0) tells nothing."""
        if k <= 0 or n <= 0:
            return
        before, after = flops
        epoch = seconds["compress"] / k
        # Scoring takes longer in the larger network as training does.
        slower = epoch / (seconds["train"] / n) if seconds["train"] > 0 else 1.0
        found = {
            "trials": 1.0, "before": before, "after": after, "worked": n * after, "n": n, "k": k, **seconds,
            "plain": n * epoch + seconds["score"] * slower if plain is None else plain,
        }
        self._sums = {name: self._sums[name] + found[name] for name in self.TOTALS}

    @property
    def trials(self) -> int:
        return int(self._sums["trials"])

    @property
    def n(self) -> float:
        return self._sums["n"] / self._sums["trials"]

    @property
    def k(self) -> float:
        return self._sums["k"] / self._sums["trials"]

    @property
    def a(self) -> float:
        """By which an epoch of compression divides the FLOPs."""
        return float((self._sums["before"] / self._sums["after"]) ** (1.0 / self.k))

    @property
    def c(self) -> float:
        """Seconds of an epoch of training, by FLOP of a forward pass over one example."""
        return self._sums["train"] / self._sums["worked"]

    @property
    def d(self) -> float:
        """Seconds of scoring, by FLOP of a forward pass over one example."""
        return self._sums["score"] / self._sums["after"]

    @property
    def predicted(self) -> float:
        return predicted(self.c, self.d, self.n, self.k, self.a)

    @property
    def measured(self) -> float:
        return self._sums["plain"] / (self._sums["compress"] + self._sums["train"] + self._sums["score"])

    def figures(self) -> dict[str, float]:
        return {
            "trials": float(self.trials), "flops_ratio": self._sums["after"] / self._sums["before"], "a": self.a, "c": self.c, "d": self.d,
            "n": self.n, "k": self.k, "predicted": self.predicted, "measured": self.measured,
            "break_even": min(break_even(self.c, self.d, self.n, self.k), 1e9),
        }

    def message(self) -> str:
        """In words."""
        said = (
            f"Over {self.trials} compressed networks: FLOPs to {self._sums['after'] / self._sums['before']:.0%}, speed-up predicted "
            f"{self.predicted:.2f}, measured {self.measured:.2f}."
        )
        if self.predicted >= HARDLY:
            return said
        needed = break_even(self.c, self.d, self.n, self.k)
        gain = "no compression can gain time" if math.isinf(needed) else f"it would have to be more than {needed:.2f} times fewer FLOPs"
        return f"{said} Compressing hardly pays here: {self.n:g} epochs of training follow {self.k:.3g} of compression; {gain}."

    def state_dict(self) -> dict[str, float]:
        return dict(self._sums)

    def load_state_dict(self, state: dict[str, float]) -> None:
        self._sums = dict(state)
