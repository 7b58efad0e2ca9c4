"""What widths that were found are compared with: after the search, and at its own expense.

That a narrower network still learns shows nothing of where its channels went: on small data uniform shrinking to the same cost does as well
(measured for the defaults here on the digits). So it stands beside every result, trained alike. The sweep of the strength shows what one
strength cannot: where nothing is pruned, and where the network that is shrunk learns nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.events import ChartsFrame, ControlScored, Cost, Report
from search_engine.spaces.genomes import canonical_json
from search_engine.spaces.tasks import SCORES

from ..base import Context, Finalist
from ..step_search import StepSearch
from .charts import sweep_charts
from .options import MorphNetConfig
from .records import Round, Widths, percent, ranked
from .search import RESOURCES

if TYPE_CHECKING:
    from search_engine.training.trainer import Trainer
    from search_engine.widths.shrinking import ShrinkTraining

    from . import bench
else:
    bench = lazy_module("search_engine.algorithms.morphnet.bench")


class MorphNetControls(StepSearch[MorphNetConfig]):
    """The seed network and uniform shrinking, trained as the search trains; the first round with other strengths. `step` is one optimiser
    step. A training of the same widths is never done twice: it would give the same bits."""

    name = "controls"
    title = "Controls: uniform shrinking, and other strengths"
    control = True
    paired_with = 0

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.bench = bench.WidthBench(context)
        self.rounds = [Round(**item) for item in (handover or {"rounds": []})["rounds"]]
        self.scores: dict[str, float] = {canonical_json(one.after): one.score for one in self.rounds if one.score is not None}
        """Of trainings from scratch, by their widths."""
        self.shrunk: dict[str, dict[str, Any]] = {}
        """By strength: widths alive and after ω, their score in the network that was shrunk."""
        for one in self.rounds[:1]:
            self.shrunk[repr(float(one.factor))] = {"alive": one.alive, "after": one.after, "score": one.shrunk_score}
        self.said: list[str] = []
        self.loop: ShrinkTraining | Trainer | None = None
        self._open()

    # ---- what there is to do

    def _next(self) -> tuple[str, Any] | None:
        """The first thing that is not known yet: ("train", widths) or ("shrink", strength)."""
        found = ranked(self.rounds)
        wanted: list[Widths] = []
        if self.options.controls and found:
            wanted += [self.bench.widths, self.bench.uniform(self.bench.cost(found[0].after))]
        for factor in self.options.sweep:
            for widths in wanted:
                if canonical_json(widths) not in self.scores:
                    return "train", widths
            if repr(float(factor)) not in self.shrunk:
                return "shrink", float(factor)
            after = self.shrunk[repr(float(factor))]["after"]
            wanted = [after, self.bench.uniform(self.bench.cost(after))]
        return next((("train", widths) for widths in wanted if canonical_json(widths) not in self.scores), None)

    def _open(self) -> None:
        job = self._next()
        if job is None:
            self.loop = None
        elif job[0] == "train":
            self.loop = self.bench.training(job[1])
        else:
            self.loop = self.bench.shrinking(self.bench.widths, job[1], 0)

    @property
    def horizon(self) -> int:
        """At most so many: what is known already is not done again."""
        options, bench = self.options, self.bench
        shrink, train = bench.steps(options.shrink_epochs), bench.steps(options.train_epochs)
        return 2 * train * options.controls + len(options.sweep) * (shrink + 2 * train)

    @property
    def finished(self) -> bool:
        return self.loop is None

    # ---- one step

    def step(self) -> Cost:
        """One optimiser step. Raises TrialFailure for a loss that is not finite."""
        loop = self.loop
        assert loop is not None
        cost = bench.advanced(loop)
        self.done += 1
        if loop.finished:
            self._end(loop)
        return self.spend(cost)

    def _end(self, loop: ShrinkTraining | Trainer) -> None:
        job = self._next()
        assert job is not None
        score = float(loop.metrics()[f"val_{self._score}"])
        if job[0] == "train":
            self.scores[canonical_json(job[1])] = score
        else:
            alive = loop.shrunk().widths  # type: ignore[union-attr]
            self.shrunk[repr(job[1])] = {"alive": alive, "after": self.bench.expanded(alive)[1], "score": score}
        self._open()
        self._say()

    @property
    def _score(self) -> str:
        return SCORES[self.bench.space.task]

    # ---- what is said

    def _say(self) -> None:
        """What has become known."""
        uniform = self._beside_uniform()
        if uniform is not None and "uniform" not in self.said:
            self.said.append("uniform")
            self.context.emit(uniform, self.done)
        points = self._points()
        if not points or f"sweep {len(points)}" in self.said:
            return
        self.said.append(f"sweep {len(points)}")
        seed = self.scores.get(canonical_json(self.bench.widths))
        found = sweep_charts(points, seed, self.options.resource, self._score)
        self.context.emit(ChartsFrame(step=self.done, charts=found), self.done)
        if len(points) == len(self.options.sweep):
            self.context.emit(self._beside_sweep(points), self.done)
            report = Report(name="sweep", title="The strength of the penalty", charts=found, values=_flat(points))
            self.context.emit(report, self.done)

    def _beside_uniform(self) -> ControlScored | None:
        found = ranked(self.rounds)
        if not self.options.controls or not found or found[0].score is None:
            return None
        widths = self.bench.uniform(self.bench.cost(found[0].after))
        seed, other = self.scores.get(canonical_json(self.bench.widths)), self.scores.get(canonical_json(widths))
        if seed is None or other is None:
            return None
        own, resource = found[0].score, RESOURCES[self.options.resource]
        values = {
            "cost": found[0].cost_after, "uniform_cost": self.bench.share(widths), "found": own, "uniform": other, "seed": seed,
        }
        message = (
            f"Validation {self._score} of the widths found, {own:.4f} with {percent(values['cost'])} of the seed network's {resource}; "
            f"of uniform shrinking, {other:.4f} with {percent(values['uniform_cost'])}; of the seed network, {seed:.4f}. All were trained "
            f"from scratch for {self.options.train_epochs} epochs."
        )
        return ControlScored(name="uniform", title="Control: all widths shrunk alike", message=observed(message), values=values)

    def _points(self) -> list[dict[str, float]]:
        """Of the strengths of which all is known, in order."""
        points = []
        for factor in self.options.sweep:
            one = self.shrunk.get(repr(float(factor)))
            if one is None:
                break
            uniform = self.bench.uniform(self.bench.cost(one["after"]))
            trained, other = self.scores.get(canonical_json(one["after"])), self.scores.get(canonical_json(uniform))
            if trained is None or other is None:
                break
            cost = self.bench.share(one["alive"])
            points.append({"factor": float(factor), "cost": cost, "shrunk": one["score"], "trained": trained, "uniform": other})
        return points

    def _beside_sweep(self, points: list[dict[str, float]]) -> ControlScored:
        def said(point: dict[str, float]) -> str:
            pruned = "nothing was pruned" if point["cost"] == 1 else f"{percent(point['cost'])} of the {resource} were left"
            learned = f"the network that was being shrunk had a validation {self._score} of {point['shrunk']:.3f}"
            return f"at {point['factor']:g} {pruned} and {learned}"

        resource = RESOURCES[self.options.resource]
        parts = [said(point) for point in (points if len(points) == 1 else [points[0], points[-1]])]
        message = f"Strength of the penalty: {'; '.join(parts)}."
        return ControlScored(name="sweep", title="Control: other strengths", message=observed(message), values=_flat(points))

    def best(self) -> list[Finalist]:
        return []

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(), "scores": dict(self.scores), "shrunk": {name: dict(item) for name, item in self.shrunk.items()},
            "said": list(self.said), "loop": None if self.loop is None else self.loop.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.scores, self.said = dict(state["scores"]), list(state["said"])
        self.shrunk = {name: dict(item) for name, item in state["shrunk"].items()}
        self._open()
        if self.loop is not None:
            self.loop.load_state_dict(state["loop"])


def _flat(points: list[dict[str, float]]) -> dict[str, float]:
    return {f"{name}_at_{point['factor']:g}": value for point in points for name, value in point.items() if name != "factor"}
