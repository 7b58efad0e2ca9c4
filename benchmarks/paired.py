"""Interleaved timing of several ways to do the same work, and what is asked of their ratios.

On a shared machine a time says little and a ratio of two times taken minutes apart says less. Here every round runs each contender
once, in an order drawn anew, and a ratio is taken within its round: a slow patch of the machine hits both sides. CPU time of one
process with one thread is nearly free of what others do on the machine.

    found = compare({"per edge": slow, "grouped": fast}, rounds=9)
    print(found.table("step"))
    print(gate("digits, first order", found.ratio("per edge", "grouped"), at_least=4.5))
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Quartiles:
    """Lower quartile, median, upper quartile."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Quartiles:
        ordered = sorted(values)
        low, middle, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.25, 0.5, 0.75))
        return cls(low, middle, high)

    def __str__(self) -> str:
        return f"{self.middle:.3g} [{self.low:.3g}, {self.high:.3g}]"


@dataclass(frozen=True)
class Comparison:
    """Seconds of CPU of every contender in every round."""

    seconds: Mapping[str, Sequence[float]]

    def ratio(self, slow: str, fast: str) -> Quartiles:
        """How many times faster `fast` is than `slow`, within each round."""
        return Quartiles.of([above / below for above, below in zip(self.seconds[slow], self.seconds[fast], strict=True)])

    def milliseconds(self, name: str) -> Quartiles:
        return Quartiles.of([1e3 * value for value in self.seconds[name]])

    def table(self, what: str) -> str:
        """One line a contender: its milliseconds and, from the second on, how many times faster than the first it is."""
        first, *others = self.seconds
        lines = [f"{what}, CPU ms of {len(self.seconds[first])} rounds: median [quartiles]", f"  {first:<32}{self.milliseconds(first)}"]
        lines += [f"  {name:<32}{self.milliseconds(name)}    {self.ratio(first, name)} x" for name in others]
        return "\n".join(lines)


def compare(contenders: Mapping[str, Callable[[], object]], rounds: int = 9, warm_up: int = 1, seed: int = 0) -> Comparison:
    """Run every contender once a round in a random order, after `warm_up` runs each that do not count."""
    for work in contenders.values():
        for _ in range(warm_up):
            work()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    generator = random.Random(seed)
    for _ in range(rounds):
        generator.shuffle(order)
        for name in order:
            started = time.process_time()
            contenders[name]()
            seconds[name].append(time.process_time() - started)
    return Comparison(seconds)


def gate(what: str, found: Quartiles | float, *, at_least: float | None = None, at_most: float | None = None, unit: str = "x") -> str:
    """One line for people: what was found, what is asked, whether that is met (of quartiles the median counts)."""
    value = found.middle if isinstance(found, Quartiles) else found
    shown = str(found) if isinstance(found, Quartiles) else f"{found:.3g}"
    met = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    asked = f"at least {at_least:g}" if at_least is not None else f"at most {at_most:g}"
    return f"gate  {what:<52}{shown:>24} {unit:<4} asked {asked} {unit}: {'met' if met else 'MISSED'}"
