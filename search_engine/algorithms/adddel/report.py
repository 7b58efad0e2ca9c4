"""What a search over active sets says of itself, step by step."""

from __future__ import annotations

from typing import Any

from search_engine.base.generators import derive_seed
from search_engine.events import Champion, ChartsFrame, FamilyDeclared, Fidelity, GrowthStep, Metrics, Notice, StructureFrame, encode_floats
from search_engine.spaces.genomes import Genome

from ..base import Context
from . import pictures, stability
from .fits import Fit, Refit
from .records import Visit
from .rule import AddDelRule, Decision

FITTED = "refitted to the training part"
"""What a set's weights have been given when it is scored."""


class ActiveSetReport:
    """Emits the events of one search and keeps the sets that it came through."""

    def __init__(self, context: Context, refit: Refit, rule: AddDelRule, objective: str, bootstrap: int) -> None:
        self.context, self.refit, self.rule, self.objective, self.bootstrap = context, refit, rule, objective, bootstrap
        self.layout = refit.layout
        self.visits: list[Visit] = []
        self.spreads: list[tuple[int, float]] = []
        """Of best sets: the step, and the spread of their weights over the bootstrap."""
        self.champion: Any = None
        """The network that was shown last as the best."""

    def declare(self) -> None:
        """Said before the first step, so that the picture stands while that runs; a resume discards it."""
        self.context.emit(FamilyDeclared(groups=[pictures.family(self.layout)]), 0)

    def move(self, step: int, stage: str, former: Fit, unit: int, fit: Fit, decision: Decision, best_q: float) -> None:
        """One move of the set; `best_q` is the best Q before it."""
        if decision.improved:
            reason = f"{self.objective} falls below the best so far, {best_q:.4g}"
        elif fit.q < former.q:
            reason = f"{self.objective} falls, but not below the best so far, {best_q:.4g}"
        else:
            reason = (f"{self.objective} rises; the set goes on {decision.beyond} of {self.rule.overshoot} past the best of this stage, "
                      "which stays remembered")
        values = {"units": float(len(fit.active)), "weights": float(fit.parameters), "beyond": float(decision.beyond),
                  "best": self.rule.best_q}
        self.context.emit(
            GrowthStep(
                number=step, action="add" if stage == "add" else "delete", subject=self.layout.title(unit), accepted=decision.improved,
                reason=reason, objective=self.objective, before=former.q, after=fit.q, values=values,
            ),
            step,
        )

    def resample(self, step: int, fit: Fit) -> None:
        """How much the weights of a best set vary over the bootstrap."""
        seed = derive_seed(self.context.seed, "bootstrap")
        self.spreads.append((step, stability.bootstrap_spread(self.refit, fit, self.bootstrap, seed)))

    def cycle(self, step: int, cycle: int, best: Fit) -> None:
        """The set is the best one again. Where refits are slow, this is when its weights are resampled."""
        if not self.refit.quick:
            self.resample(step, best)
            self.context.emit(ChartsFrame(step=step, charts=self._charts()), step)
        count = len(self.rule.best)
        message = f"Cycle {cycle} is over: back to the best set of {count} units ({self.objective} {self.rule.best_q:.4g})."
        if self.rule.done:
            settled = self.rule.settled
            message += " It brought nothing new, so the search ends." if settled else " The most cycles are done, so the search ends."
        values = {"cycle": float(cycle), "units": float(count), "best": self.rule.best_q}
        self.context.emit(Notice(name="cycle", message=message, step=step, values=values), step)

    def visit(self, step: int, samples: float, stage: str, cycle: int, fit: Fit, improved: bool, genome: Genome) -> None:
        """The set after a step: figures, and the pictures where one is due."""
        condition = stability.condition_number(self.refit, fit)
        self.visits.append(Visit(
            step=step, stage=stage, cycle=cycle, q=fit.q, best_q=self.rule.best_q, units=len(fit.active), parameters=fit.parameters,
            val_loss=fit.val_loss, val_score=fit.val_score, condition=condition,
        ))
        score = "val_r2" if self.layout.regression else "val_accuracy"
        values = {"objective": fit.q, "best_objective": self.rule.best_q, "units": float(len(fit.active)), "val_loss": fit.val_loss,
                  score: fit.val_score, "condition_number": condition}
        self.context.emit(Metrics(step=step, samples=samples, values=values), step)
        if improved:
            self._crown(step, fit, genome)
        if improved or self.rule.done or step % self.context.structure_every == 0:
            active = pictures.activity(self.layout, fit.active)
            self.context.emit(StructureFrame(step=step, groups={pictures.GROUP: encode_floats(active)}), step)
            self.context.emit(ChartsFrame(step=step, charts=self._charts()), step)

    def _crown(self, step: int, fit: Fit, genome: Genome) -> None:
        graph = pictures.network(self.layout, fit.active)
        changes: Any = pictures.changes(self.champion, graph)
        self.context.emit(
            Champion(
                generation=step, value=fit.val_score, metric=self.context.metric, fidelity=Fidelity(text=FITTED),
                selected_from=max(1, self.refit.fits), genome=genome.to_json(), genome_hash=self.context.space.hash(genome),
                graph=graph, **changes,
            ),
            step,
        )
        self.champion = graph

    def _charts(self) -> list[Any]:
        drawn = [
            pictures.objective_chart(self.visits, self.objective), *pictures.front_charts(self.visits), pictures.size_chart(self.visits),
            pictures.spread_chart(self.spreads),
        ]
        return [chart for chart in drawn if chart is not None]

    def state_dict(self) -> dict[str, Any]:
        return {"visits": [list(visit) for visit in self.visits], "spreads": [list(item) for item in self.spreads]}

    def load_state_dict(self, state: dict[str, Any], best: Fit | None) -> None:
        """`best` is the best set so far, whose network was shown last."""
        self.visits = [Visit(*row) for row in state["visits"]]
        self.spreads = [(step, spread) for step, spread in state["spreads"]]
        self.champion = None if best is None else pictures.network(self.layout, best.active)
