"""The charts of a search for widths, and of its sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search_engine.events import Chart, ChartMark, series

from .records import Live, Round

STRENGTH = "strength (λ × initial cost)"
MOST_LINES = 12
"""Layers drawn as lines of their own: more are a carpet."""


def charts(
    rounds: Sequence[Round], live: Live | None, seed: Mapping[str, int], threshold: float, resource: str, measured: str
) -> list[Chart]:
    """As they stand: `live` is the shrinking under way, `seed` the seed network's widths, `measured` what stands for a channel."""
    if live is not None and live.trace:
        trace, importance, alive, after = live.trace, live.importance, live.alive, None
        number, before = len(rounds) + 1, rounds[-1].after if rounds else dict(seed)
    elif rounds:
        last = rounds[-1]
        trace, importance, alive, after, number, before = last.trace, last.importance, last.alive, last, len(rounds), last.before
    else:
        return []
    steps = [point[0] for point in trace]
    unit = "FLOPs" if resource == "flops" else "parameters"
    found = [
        _importance(importance, threshold, number, measured),
        _widths(before, alive, after, number),
        Chart(
            name="cost", title=f"{unit} of what is alive, round {number}", x_title="step of the round",
            y_title="share of the round's first",
            series=[series("alive", steps, [point[3] for point in trace])],
            note="What the network would cost with the channels that are above the threshold at that step.",
        ),
        Chart(
            name="losses", title=f"What shrinking lowers, round {number}", x_title="step of the round", y_title="loss",
            series=[
                series("loss of the task", steps, [point[1] for point in trace]),
                series("penalty λR", steps, [point[2] for point in trace]),
            ],
            note="The sum of both is lowered. A penalty that stays flat prunes nothing: take a larger strength. A loss that rises: take a "
            "smaller one.",
        ),
    ]  # fmt: skip
    if len(rounds) > 1:
        found.append(_rounds(rounds, unit))
    return found


def _importance(importance: Mapping[str, Sequence[float]], threshold: float, number: int, measured: str) -> Chart:
    largest = sorted(importance, key=lambda name: (-len(importance[name]), list(importance).index(name)))[:MOST_LINES]
    kept = [name for name in importance if name in largest]
    left = len(importance) - len(kept)
    return Chart(
        name="importance", title=f"{measured} of each layer's channels, sorted, round {number}", x_title="share of the layer's channels",
        y_title=measured, marks=[ChartMark(axis="y", value=threshold, title="threshold")],
        series=[
            series(name, [(place + 0.5) / len(importance[name]) for place in range(len(importance[name]))], importance[name])
            for name in kept
        ],
        note="Channels below the line are dead. " + (f"The {left} smallest layers are not drawn." if left else "One line for each layer."),
    )  # fmt: skip


def _widths(before: Mapping[str, int], alive: Mapping[str, int], after: Round | None, number: int) -> Chart:
    names, places = list(before), list(range(len(before)))
    bars = [
        series("before", places, [float(before[name]) for name in names], look="dashed"),
        series("alive", places, [float(alive.get(name, before[name])) for name in names]),
    ]
    note = "Channels of each layer before the round, and above the threshold now."
    if after is not None and after.multiplier != 1.0:
        bars.append(series("expanded", places, [float(after.after[name]) for name in names]))
        note = f"Channels of each layer before the round, alive at its end, and multiplied by ω = {after.multiplier:.4g}."
    elif after is not None:
        note = "Channels of each layer before the round, and alive at its end (ω = 1: nothing is multiplied)."
    return Chart(
        name="widths", title=f"Widths, round {number}", form="bars", x_title="layer", y_title="channels", categories=names, series=bars,
        note=note,
    )


def _rounds(rounds: Sequence[Round], unit: str) -> Chart:
    numbers = [float(item.number + 1) for item in rounds]
    return Chart(
        name="rounds", title="Rounds", x_title="round", y_title=f"share of the seed network's {unit}, or ω",
        series=[
            series("alive", numbers, [item.cost_alive for item in rounds]),
            series("expanded", numbers, [item.cost_after for item in rounds]),
            series("ω", numbers, [item.multiplier for item in rounds], look="dashed"),
        ],
    )  # fmt: skip


def sweep_charts(points: Sequence[Mapping[str, float]], seed_score: float | None, resource: str, score: str) -> list[Chart]:
    """Of a sweep of the strength: `points` have factor, cost, shrunk, trained and uniform."""
    if not points:
        return []
    unit = "FLOPs" if resource == "flops" else "parameters"
    x = [point["factor"] for point in points]
    marks = [] if seed_score is None else [ChartMark(axis="y", value=seed_score, title="seed network")]
    return [
        Chart(
            name="sweep_cost", title=f"{unit} left, by the strength of the penalty", x_title=STRENGTH, x_scale="log",
            y_title=f"share of the seed network's {unit}", series=[series("alive", x, [point["cost"] for point in points])],
        ),
        Chart(
            name="sweep_score", title=f"Validation {score}, by the strength of the penalty", x_title=STRENGTH, x_scale="log",
            y_title=f"validation {score}", marks=marks,
            series=[
                series("its widths, trained from scratch", x, [point["trained"] for point in points]),
                series("uniform shrinking to the same cost", x, [point["uniform"] for point in points], look="dashed"),
                series("the network that was shrunk", x, [point["shrunk"] for point in points], look="points"),
            ],
            note="Too weak a penalty prunes nothing; under too strong a one the network that is being shrunk learns nothing.",
        ),
    ]  # fmt: skip
