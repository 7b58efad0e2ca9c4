"""What a growing ensemble tells the world: each step with its reason, the graph as it grows, the objective and the weights as charts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from search_engine.events import Champion, Chart, ChartsFrame, Fidelity, GrowthStep, Metrics, series
from search_engine.spaces.ensemble import EnsembleSpace, Subnet

from ..base import Context

GROWN = "as grown, weights of the search"
"""What the ensemble's weights have been given when it is scored."""
OBJECTIVE = "F: mean loss + complexity penalty"


@dataclass(frozen=True)
class Tried:
    """One candidate as it was weighed: its depth, its own mixture weight, and F with it, in parts."""

    depth: int
    weight: float
    complexity: float
    loss: float
    penalty: float

    @property
    def total(self) -> float:
        return self.loss + self.penalty


@dataclass
class Round:
    """One iteration: F before, what was tried, which was best and whether it was accepted; scores and parts of F afterwards."""

    before: float
    tried: list[Tried]
    best: int
    accepted: bool
    loss: float
    penalty: float
    train_accuracy: float
    val_accuracy: float
    val_loss: float


class EnsembleReport:
    """Says the events of one search and keeps the rounds for its charts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._space: EnsembleSpace = context.space  # type: ignore[assignment]
        self.rounds: list[Round] = []
        self._steps = 0
        self._nodes: set[str] = set()
        self._edges: set[tuple[str, str]] = set()

    # ---- one iteration

    def say_round(self, step: int, samples: float, done: Round, subnets: list[Subnet], weights: list[float]) -> None:
        """The candidates' growth steps, the metrics, the champion where one was accepted, and the charts."""
        self.rounds.append(done)
        for place, tried in enumerate(done.tried):
            self._say_tried(step, done, place, tried)
        values = {
            "objective": done.loss + done.penalty, "train_loss": done.loss, "complexity_penalty": done.penalty,
            "train_accuracy": done.train_accuracy, "val_accuracy": done.val_accuracy, "val_loss": done.val_loss,
            "subnetworks": float(len(subnets)), "parameters": float(self._space.parameters_of(subnets)),
        }
        self._context.emit(Metrics(step=step, samples=samples, values=values), step)
        if done.accepted:
            self._say_champion(step, done, subnets, weights)
        self._context.emit(ChartsFrame(step=step, charts=self._charts(subnets, weights)), step)

    def _say_tried(self, step: int, done: Round, place: int, tried: Tried) -> None:
        chosen = place == done.best
        iteration = len(self.rounds)
        values = {
            "iteration": float(iteration), "depth": float(tried.depth), "weight": tried.weight, "complexity": tried.complexity,
            "loss": tried.loss, "penalty": tried.penalty,
        }
        for other in done.tried:
            values[f"objective_depth_{other.depth}"] = other.total
        deeper = tried.depth > done.tried[0].depth
        self._context.emit(
            GrowthStep(
                number=self._steps, action="deepen" if deeper else "add", subject=f"subnetwork of depth {tried.depth}",
                accepted=chosen and done.accepted, reason=_reason(done, tried, chosen), objective=OBJECTIVE,
                before=done.before, after=tried.total, values=values,
            ),
            step,
        )  # fmt: skip
        self._steps += 1

    @property
    def compared(self) -> int:
        """Subnetworks that were tried so far: of so many the ensemble's were chosen."""
        return max(1, sum(len(done.tried) for done in self.rounds))

    def _say_champion(self, step: int, done: Round, subnets: list[Subnet], weights: list[float]) -> None:
        genome = self._space.genome(subnets, weights)
        graph = self._space.drawings(genome)["network"]
        nodes, edges = {node.id for node in graph.nodes}, {(edge.source, edge.target) for edge in graph.edges}
        self._context.emit(
            Champion(
                generation=len(self.rounds), value=done.val_accuracy, metric=self._context.metric,
                fidelity=Fidelity(text=GROWN), selected_from=self.compared, genome=genome.to_json(),
                genome_hash=self._space.hash(genome), graph=graph,
                added_nodes=sorted(nodes - self._nodes) if self._nodes else [],
                added_edges=sorted(edges - self._edges) if self._nodes else [],
            ),
            step,
        )
        self._nodes, self._edges = nodes, edges

    # ---- charts

    def _charts(self, subnets: list[Subnet], weights: list[float]) -> list[Chart]:
        places = [float(number) for number in range(1, len(self.rounds) + 1)]
        rejected = [
            (place, tried.total)
            for place, done in zip(places, self.rounds, strict=True)
            for number, tried in enumerate(done.tried)
            if number != done.best or not done.accepted
        ]
        first = self.rounds[0].before
        objective = [
            series("F", [0.0, *places], [first, *(done.loss + done.penalty for done in self.rounds)]),
            series("mean loss", [0.0, *places], [first, *(done.loss for done in self.rounds)], look="dashed"),
            series("complexity penalty", [0.0, *places], [0.0, *(done.penalty for done in self.rounds)], look="dashed"),
        ]
        if rejected:
            objective.append(series("F of rejected candidates", *zip(*rejected, strict=True), look="points"))
        names = [f"h{place} (depth {subnet.depth})" for place, subnet in enumerate(subnets)]
        return [
            Chart(
                name="objective", title="Objective and its parts", x_title="iteration", y_title="F", series=objective,
                note="F falls with every accepted subnetwork; a candidate that does not lower it ends the search.",
            ),
            Chart(
                name="mixture", title="Mixture weights", form="bars", x_title="subnetwork", y_title="weight w", categories=names,
                series=[series("w", range(len(weights)), weights)],
                note="The l1 penalty sets weights of subnetworks that are not worth their complexity to exactly 0.",
            ),
            Chart(
                name="accuracy", title="Accuracy of the ensemble", x_title="iteration", y_title="accuracy",
                series=[
                    series("training", places, [done.train_accuracy for done in self.rounds], look="dashed"),
                    series("validation", places, [done.val_accuracy for done in self.rounds]),
                ],
            ),
        ]

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            "rounds": [asdict(done) for done in self.rounds],
            "steps": self._steps,
            "nodes": sorted(self._nodes),
            "edges": [list(edge) for edge in sorted(self._edges)],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rounds = [Round(**{**item, "tried": [Tried(**tried) for tried in item["tried"]]}) for item in state["rounds"]]
        self._steps = state["steps"]
        self._nodes = set(state["nodes"])
        self._edges = {(source, target) for source, target in state["edges"]}


def _reason(done: Round, tried: Tried, chosen: bool) -> str:
    """Why a candidate was taken or not, in one sentence."""
    if not chosen:
        return f"the candidate of depth {done.tried[done.best].depth} has the lower F ({done.tried[done.best].total:.4f})"
    if done.accepted:
        return f"F falls from {done.before:.4f} to {tried.total:.4f}"
    if tried.weight == 0:
        return "its best weight is 0: it is not worth its complexity, so the ensemble stops growing"
    return f"F would not fall ({done.before:.4f} to {tried.total:.4f}), so the ensemble stops growing"
