"""What the ready-made searches take. The one place of these figures: the words of the cards are made from them.

Measured by `python -m benchmarks.ready_made` on 30 November 2026: each search once, through the real server with two workers, on a machine
with two cores (Python 3.11, torch on the CPU) that had other work: `learn-to-count`, `evidence-polynomial`, `vae-latents` and both of
`two-convolutions` at a load of 15 to 21, the others at 3 to 5, with the random architectures that a finale finishes now. So the clock's
seconds say nothing; `cpu_seconds` are those of the workers, and `seconds` what follows from them on two idle cores.

`thesis-mnist` was run whole by `python -m benchmarks.thesis` instead, on 30 November and 1 December, beside much other work, one thread a
search: 81 minutes of device time for the searches in sum and 8 for what is finished at their ends. Device time goes on while other work
has the core, so idle cores take no longer: the words say "at most". So was `thesis-cifar10` on 1 December, at a load of 4 to 15, before
which it had precedence: 153 minutes and 37. `thesis-small` follows from single networks: 4.8 s a network of the run on MNIST, times 432;
its words say so. Of the two whose data we have not at hand nothing is known.
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
    beside_others: bool = False
    """Whether its seconds are device time of a machine that had other work: an upper bound of what two idle cores take."""


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
    "thesis-mnist": Measured(runs=12, cpu_seconds=5320, seconds=2660, download_seconds=450, beside_others=True),
    "thesis-cifar10": Measured(runs=12, cpu_seconds=11400, seconds=5700, download_seconds=1080, beside_others=True),
    "thesis-cifar100": None,
    "thesis-tiny-imagenet": None,
    "thesis-small": Measured(runs=12, cpu_seconds=2080, seconds=1040, download_seconds=180, whole=False),
}


def promise(preset: str) -> str:
    """The card's sentence about time.

    >>> promise("darts-digits")
    'The download is ready after about 35 s, the whole after about 60 s, on two idle cores.'
    >>> promise("three-regimes"), promise("evidence-polynomial")
    ('Its 9 runs take about 65 s on two idle cores.', 'It takes about 5 s on two idle cores.')
    >>> promise("thesis-small")
    'Its 12 runs take roughly 17 min on two idle cores, by what single networks took.'
    >>> promise("thesis-mnist")
    'Its 12 runs take at most about 44 min on two idle cores: they were measured beside other work.'
    """
    found = MEASURED[preset]
    if found is None:
        return "How long it takes was never measured: its data were not at hand."
    if not found.whole:
        return f"Its {found.runs} runs take roughly {about(found.seconds)} on two idle cores, by what single networks took."
    if found.beside_others:
        return f"Its {found.runs} runs take at most about {about(found.seconds)} on two idle cores: they were measured beside other work."
    if found.runs > 1:
        return f"Its {found.runs} runs take about {about(found.seconds)} on two idle cores."
    if found.download_seconds is None or found.download_seconds > 0.95 * found.seconds:
        return f"It takes about {about(found.seconds)} on two idle cores."
    ready, whole = about(found.download_seconds), about(found.seconds)
    return f"The download is ready after about {ready}, the whole after about {whole}, on two idle cores."
