"""What the ready-made searches take. The one place of these figures: the words of the cards are made from them.

Measured by `python -m benchmarks.ready_made` on 30 November 2026: each search once, through the real server with two workers, on a machine
with two cores (Python 3.11, torch on the CPU) that had other work: `learn-to-count`, `evidence-polynomial`, `vae-latents` and both of
`two-convolutions` at a load of 15 to 21, the others at 3 to 5, with the random architectures that a finale finishes now. So the clock's
seconds say nothing; `cpu_seconds` are those of the workers, and `seconds` what follows from them on two idle cores. The three of `thesis`
were never run whole: theirs are the CPU seconds of single networks on such a machine (6.1 s over 39 plain ones on MNIST), times the
networks, and their words say so. Of the two whose data we have not at hand nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..base.durations import about


@dataclass(frozen=True)
class Measured:
    """`seconds`: from the click to the end of the last run, on two idle cores; `download_seconds`: to the first download."""

    runs: int
    cpu_seconds: float
    seconds: float
    download_seconds: float | None
    whole: bool = True
    """Whether it was run to its end; otherwise the figures follow from a part of it."""


MEASURED: dict[str, Measured | None] = {
    "darts-digits": Measured(runs=1, cpu_seconds=95, seconds=58, download_seconds=37),
    "learn-to-count": Measured(runs=4, cpu_seconds=10, seconds=6, download_seconds=None),
    "two-convolutions-grid": Measured(runs=1, cpu_seconds=28, seconds=16, download_seconds=16),
    "two-convolutions-random": Measured(runs=1, cpu_seconds=15, seconds=9, download_seconds=8),
    "lottery-ticket": Measured(runs=1, cpu_seconds=20, seconds=19, download_seconds=19),
    "evidence-polynomial": Measured(runs=1, cpu_seconds=5, seconds=5, download_seconds=5),
    "sincos-paths": Measured(runs=5, cpu_seconds=23, seconds=13, download_seconds=7),
    "three-regimes": Measured(runs=9, cpu_seconds=131, seconds=66, download_seconds=44),
    "structure-priors": Measured(runs=5, cpu_seconds=28, seconds=15, download_seconds=9),
    "simplex-methods": Measured(runs=4, cpu_seconds=84, seconds=42, download_seconds=13),
    "vae-latents": Measured(runs=1, cpu_seconds=16, seconds=16, download_seconds=16),
    "thesis-mnist": Measured(runs=12, cpu_seconds=6000, seconds=3000, download_seconds=500, whole=False),
    "thesis-cifar10": Measured(runs=12, cpu_seconds=18_000, seconds=9000, download_seconds=1500, whole=False),
    "thesis-cifar100": None,
    "thesis-tiny-imagenet": None,
    "thesis-small": Measured(runs=12, cpu_seconds=2600, seconds=1300, download_seconds=220, whole=False),
}


def promise(preset: str) -> str:
    """The card's sentence about time.

    >>> promise("darts-digits")
    'The download is ready after about 35 s, the whole after about 60 s, on two idle cores.'
    >>> promise("three-regimes"), promise("evidence-polynomial")
    ('Its 9 runs take about 65 s on two idle cores.', 'It takes about 5 s on two idle cores.')
    >>> promise("thesis-mnist")
    'Its 12 runs take roughly 50 min on two idle cores, by what single networks took.'
    """
    found = MEASURED[preset]
    if found is None:
        return "How long it takes was never measured: its data were not at hand."
    if not found.whole:
        return f"Its {found.runs} runs take roughly {about(found.seconds)} on two idle cores, by what single networks took."
    if found.runs > 1:
        return f"Its {found.runs} runs take about {about(found.seconds)} on two idle cores."
    if found.download_seconds is None or found.download_seconds > 0.95 * found.seconds:
        return f"It takes about {about(found.seconds)} on two idle cores."
    ready, whole = about(found.download_seconds), about(found.seconds)
    return f"The download is ready after about {ready}, the whole after about {whole}, on two idle cores."
