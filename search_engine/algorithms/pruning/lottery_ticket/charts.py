"""The charts of a lottery ticket search: accuracy against iteration for each share left, and what becomes of it as the share falls."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from search_engine.events import Chart, ChartMark, ChartSeries, series

from .rounds import Curve, Round

MOST_CURVES = 20
"""Of the first chart; of more rounds some in between are left out."""
SHARE_TITLE = "Weights left, %"


def share_name(share: float) -> str:
    """`7.4 %`, as curves are called."""
    return f"{100 * share:.3g} %"


def charts(
    rounds: Sequence[Round], now: tuple[float, Curve] | None, comparisons: Mapping[str, Sequence[Round]], early_step: int, score: str
) -> list[Chart]:
    """All charts as they stand. `now`: share and curve of the round in training; `comparisons`: rounds of other starts by their names;
    `score`: name of what is measured on the validation part (accuracy, r2)."""
    if not rounds and (now is None or not now[1]):
        return []
    found = [_curves(rounds, now, score)]
    if rounds:
        dense = rounds[0]
        found += [
            _against_share(
                "final", f"{score.capitalize()} at the end of the training", rounds, comparisons, lambda item: item.score, score,
                "The lottery ticket hypothesis: tickets stay near the dense network where other starts fall.",
            ),
            _against_share(
                "early", f"{score.capitalize()} after {_scored_at(dense, early_step)} steps", rounds, comparisons,
                lambda item: item.score_at(early_step), score, "How fast a network learns: here tickets and other starts differ most.",
            ),
            _against_share(
                "speed", "Steps to the dense network's last loss", rounds, comparisons, lambda item: item.step_reaching(dense.loss), "step",
                f"When the validation loss is down to {dense.loss:.3g}, where the dense network ends; lower = learns faster. "
                "A start that never gets there has no point.", dense=False,
            ),
            *_early_stops(rounds, comparisons),
            _against_share(
                "untrained", f"{score.capitalize()} under the mask before any training", rounds, comparisons, lambda item: item.untrained,
                score, "A mask alone can teach: the first weights, never trained, seen through each round's mask (Zhou et al. 2019).",
            ),
        ]  # fmt: skip
    return found


def _scored_at(dense: Round, step: int) -> int:
    """The checkpoint that stands for `step`: scores are known at checkpoints only."""
    return next((int(at) for at, *_ in dense.curve if at >= step), int(dense.curve[-1][0]))


def _early_stops(rounds: Sequence[Round], comparisons: Mapping[str, Sequence[Round]]) -> list[Chart]:
    """Where the loss of a round turned, of the rounds in which it did; no chart where it fell to the end in all of them."""
    every = [*rounds, *(item for items in comparisons.values() for item in items)]
    turned = [item for item in every if item.early_stop is not None]
    if not turned:
        return []
    return [
        _against_share(
            "early_stop", "Step of the lowest validation loss", rounds, comparisons, lambda item: item.early_stop, "step",
            f"Where early stopping would end the training; lower = learns faster. In {len(every) - len(turned)} of {len(every)} trainings "
            "the loss was lowest at the end: they have no point.", dense=False,
        )
    ]  # fmt: skip


def _curves(rounds: Sequence[Round], now: tuple[float, Curve] | None, score: str) -> Chart:
    curves = [(item.share, item.curve) for item in rounds] + ([now] if now is not None and now[1] else [])
    if len(curves) > MOST_CURVES:
        # Evenly spread, the dense network and the latest always among them.
        last = len(curves) - 1
        curves = [curves[round(place * last / (MOST_CURVES - 1))] for place in range(MOST_CURVES)]
    return Chart(
        name="accuracy_by_step", title=f"Validation {score} during each round's training", x_title="step of the round",
        y_title=f"validation {score}", note="One curve for each share of weights left; the dense network is 100 %.",
        series=[
            series(share_name(share), [point[0] for point in curve], [point[1] for point in curve], look="solid" if place else "dashed")
            for place, (share, curve) in enumerate(curves)
        ],
    )  # fmt: skip


def _against_share(
    name: str, title: str, rounds: Sequence[Round], comparisons: Mapping[str, Sequence[Round]], read: Callable[[Round], float | None],
    y_title: str, note: str, *, dense: bool = True,
) -> Chart:  # fmt: skip
    def line(label: str, items: Sequence[Round], dashed: bool) -> ChartSeries:
        found = [read(item) for item in items]
        values = [math.nan if value is None else value for value in found]
        return series(label, [100 * item.share for item in items], values, look="dashed" if dashed else "solid")

    first = read(rounds[0]) if dense else None
    marks = [] if first is None else [ChartMark(axis="y", value=first, title="dense network")]
    return Chart(
        name=name, title=title, x_title=SHARE_TITLE, x_scale="log", y_title=y_title, note=note, marks=marks,
        series=[line("ticket", rounds, False), *(line(label, items, True) for label, items in comparisons.items() if items)],
    )

