"""MorphNet (A. Gordon, E. Eban, O. Nachum, B. Chen, H. Wu, T.-J. Yang, E. Choi, "MorphNet: Fast & Simple Resource-Constrained Structure
Learning of Deep Networks", CVPR 2018, arXiv 1711.06798; cost and regulariser as in google-research/morph-net).

How wide each layer of a network should be, for what it costs:

    1. Train the network with its loss + λR: R lets every channel pay what it costs, so that the least useful ones vanish.
    2. Read how many channels of each layer are alive.
    3. Multiply all widths by the largest ω that keeps the network within the target; ω = 1 shrinks only.
    4. Train a network of these widths from scratch; the survivors' weights are discarded. Go on with 1, as often as wanted.

The seed network is drawn from a space, or a finished one that the search was given. What a channel is in a network of any form, what it
costs and what R is: `widths`. One step is one optimiser step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from search_engine.base.lazy import lazy_module
from search_engine.events import ChartsFrame, Cost, Metrics, Notice
from search_engine.spaces.tasks import SCORES

from ..base import Context, Finalist
from ..derived_genomes import derived_genome
from ..step_search import StepSearch
from . import charts as width_charts
from . import layers
from .options import MorphNetConfig
from .records import Live, Round, Widths, percent, ranked

if TYPE_CHECKING:
    from search_engine.training.trainer import Trainer
    from search_engine.widths.shrinking import ShrinkTraining

    from . import bench
else:
    bench = lazy_module("search_engine.algorithms.morphnet.bench")

FRAMES = 40
"""Of a round's shrinking."""
MOST_FINALISTS = 10
MEASURED = {
    "gamma": "|γ|", "morphnet_group_lasso_flops": "size of the producing weights",
    "group_lasso_scardapane": "size of the outgoing weights",
}
RESOURCES = {"flops": "FLOPs", "parameters": "parameters"}


class MorphNet(StepSearch[MorphNetConfig]):
    """The rounds: shrink, expand, train from scratch."""

    title = "Shrinking and expanding"
    state_version: ClassVar[int] = 1

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Open the seed network. Raises BadInput, with the layer and the reason, where its widths cannot be changed."""
        super().begin(context, handover)
        self.bench = bench.WidthBench(context)
        self.rounds: list[Round] = []
        self.widths: dict[str, int] = dict(self.bench.widths)
        """Where the round under way began."""
        self.shrinking: ShrinkTraining | None = self.bench.shrinking(self.widths, self.options.factor, 0)
        self.training: Trainer | None = None
        self.framed = -1
        """Points of the trace at the last frame of this round."""
        self._say_genome(self.widths, 0)

    @property
    def score_name(self) -> str:
        return SCORES[self.bench.space.task]

    @property
    def horizon(self) -> int:
        options = self.options
        return options.rounds * (self.bench.steps(options.shrink_epochs) + self.bench.steps(options.train_epochs))

    # ---- one step

    def step(self) -> Cost:
        """One optimiser step; the last one of a training also reads what it gave. Raises TrialFailure for a loss that is not finite."""
        loop = self.shrinking or self.training
        assert loop is not None
        cost = bench.advanced(loop)
        self.done += 1
        self.spend(cost)
        for report in loop.epoch_reports():
            self._say_epoch(report)
        if self.shrinking is not None:
            self._say_live(self.shrinking)
            if self.shrinking.finished:
                self._end_shrinking(self.shrinking)
        elif self.training is not None and self.training.finished:
            self._end_training(self.training)
        return cost

    def _end_shrinking(self, training: ShrinkTraining) -> None:
        found = training.shrunk()
        multiplier, after = self.bench.expanded(found.widths)
        share = self.bench.share
        one = Round(
            number=len(self.rounds), factor=self.options.factor, before=dict(self.widths), alive=found.widths, multiplier=multiplier,
            after=after, cost_before=share(self.widths), cost_alive=share(found.widths), cost_after=share(after), importance=found.alive,
            trace=[[point.step, point.loss, point.penalty, point.cost] for point in found.trace], floors=found.floors_held,
            unused_inputs=found.inputs_alive.count(False), shrunk_score=float(training.metrics()[f"val_{self.score_name}"]),
        )  # fmt: skip
        self.rounds.append(one)
        self._say_round(one)
        self.shrinking, self.training = None, self.bench.training(after)

    def _end_training(self, training: Trainer) -> None:
        one = self.rounds[-1]
        one.score = float(training.metrics()[f"val_{self.score_name}"])
        self._say_layers(one)
        self.training, self.framed = None, -1
        if len(self.rounds) < self.options.rounds:
            self.widths = dict(one.after)
            self.shrinking = self.bench.shrinking(self.widths, self.options.factor, len(self.rounds))

    # ---- what is said

    def _say_epoch(self, report: dict[str, float]) -> None:
        score = self.score_name
        values = {name: report[name] for name in ("train_loss", f"train_{score}", "val_loss", f"val_{score}")}
        values["round"] = float(len(self.rounds) + (self.shrinking is not None))
        if self.shrinking is not None and self.shrinking.trace:
            last = self.shrinking.trace[-1]
            values |= {"penalty": last.penalty, "cost_share": last.cost}
        self.context.emit(Metrics(step=self.done, samples=self.cost.samples, values=values), self.done)

    def _say_live(self, training: ShrinkTraining) -> None:
        points = len(training.trace)
        every = max(1, training.steps_total // (training.trace_every * FRAMES))
        if training.finished or points == self.framed or points % every:
            return
        self.framed = points
        regulariser = training.regulariser
        trace = [[point.step, point.loss, point.penalty, point.cost] for point in training.trace]
        live = Live(trace, regulariser.sorted_importance(), regulariser.widths())
        self._say_charts(live)
        self._frame(len(self.rounds) + 1, self.widths, live.alive, live.importance, regulariser.floors_held(), trace[-1][3])

    def _say_charts(self, live: Live | None) -> None:
        options = self.options
        found = width_charts.charts(
            self.rounds, live, self.bench.widths, options.threshold, options.resource, MEASURED[options.regulariser]
        )
        if found:
            self.context.emit(ChartsFrame(step=self.done, charts=found), self.done)

    def _say_layers(self, one: Round) -> None:
        """Of a round whose shrinking is over."""
        self._frame(one.number + 1, one.before, one.alive, one.importance, one.floors, one.cost_alive / one.cost_before, one.score)

    def _frame(
        self, number: int, before: Widths, alive: Widths, importance: dict[str, list[float]], held: list[str], cost: float,
        value: float | None = None,
    ) -> None:  # fmt: skip
        options = self.options
        frame = layers.frame(
            self.done, number, before, alive, importance, held, cost, options.threshold, MEASURED[options.regulariser],
            f"val_{self.score_name}", value,
        )
        self.context.emit(frame, self.done)

    def _say_round(self, one: Round) -> None:
        resource = RESOURCES[self.options.resource]
        if one.floors:
            message = (
                f"Round {one.number + 1}: in {', '.join(one.floors)} fewer channels than the floor were above the threshold; "
                f"{percent(self.options.floor)} of them (at least one) were kept."
            )
            self.context.emit(Notice(name="floor_held", message=message, step=self.done, values={"layers": len(one.floors)}), self.done)
        if one.alive == one.before and self.options.factor:
            message = (
                f"Round {one.number + 1}: no channel came below the threshold. A larger strength (options.factor) or a longer shrinking "
                "prunes more; the picture of the channels shows how far they are."
            )
            self.context.emit(Notice(name="nothing_pruned", message=message, step=self.done), self.done)
        if one.unused_inputs:
            message = f"Round {one.number + 1}: {one.unused_inputs} of the network's inputs are read by no layer any more."
            values = {"inputs": float(one.unused_inputs)}
            self.context.emit(Notice(name="unused_inputs", message=message, step=self.done, values=values), self.done)
        if self.options.expand_to and not one.cost_after <= self.options.expand_to:
            least = percent(one.cost_after)
            message = f"Round {one.number + 1}: even one channel in every layer takes {least} of the seed network's {resource}."
            self.context.emit(Notice(name="target_missed", message=message, step=self.done), self.done)
        self._say_charts(None)
        self._say_layers(one)
        self._say_genome(one.after, sum(one.before[name] != width for name, width in one.after.items()))

    def _say_genome(self, widths: dict[str, int], changed: int) -> None:
        genome = self.bench.genome_of(widths)
        self.context.emit(derived_genome(self.bench.space, genome, self.done, changed, "width"), self.done)

    # ---- results

    @property
    def finished(self) -> bool:
        return self.shrinking is None and self.training is None

    def best(self) -> list[Finalist]:
        """The rounds' networks by their validation scores; before the first one, the seed network."""
        found = ranked(self.rounds)
        if not found:
            return [Finalist(self.bench.genome, title="the seed network: the search ended before its first round")]
        fidelity = f"trained from scratch for {self.options.train_epochs} epochs in the search"
        resource = RESOURCES[self.options.resource]
        return [
            Finalist(
                self.bench.genome_of(one.after), value=one.score, selected_from=len(found), fidelity=fidelity,
                title=f"widths of round {one.number + 1}: {percent(one.cost_after)} of the seed network's {resource}",
            )
            for one in found[:MOST_FINALISTS]
        ]

    def baselines(self) -> list[Finalist]:
        """Uniform shrinking to the cost of the best, and the seed network."""
        found = ranked(self.rounds)
        if not found:
            return []
        uniform = self.bench.uniform(self.bench.cost(found[0].after))
        share, resource = percent(self.bench.share(uniform)), RESOURCES[self.options.resource]
        return [
            Finalist(self.bench.genome_of(uniform), title=f"uniform shrinking: {share} of the seed network's {resource}"),
            Finalist(self.bench.genome, title="the seed network, trained from scratch"),
        ]

    def handover(self) -> dict[str, Any]:
        """For the controls: what was found."""
        return {"rounds": [one.to_tree() for one in self.rounds]}

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "rounds": [one.to_tree() for one in self.rounds],
            "widths": dict(self.widths),
            "shrinking": None if self.shrinking is None else self.shrinking.state_dict(),
            "training": None if self.training is None else self.training.state_dict(),
            "framed": self.framed,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.rounds = [Round(**item) for item in state["rounds"]]
        self.widths = dict(state["widths"])
        self.shrinking = self.training = None
        if state["shrinking"] is not None:
            self.shrinking = self.bench.shrinking(self.widths, self.options.factor, len(self.rounds))
            self.shrinking.load_state_dict(state["shrinking"])
        if state["training"] is not None:
            self.training = self.bench.training(self.rounds[-1].after)
            self.training.load_state_dict(state["training"])
        self.framed = state["framed"]
