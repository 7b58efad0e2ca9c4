"""What AddDel is compared with: the same data, objective and refits under another rule."""

from __future__ import annotations

from search_engine.base.observation import observed
from search_engine.events import ControlScored, Cost

from ..base import Finalist
from .fits import Fit
from .rule import AddDelRule, AddRule, Decision, DelRule, Units
from .search import AddDelSearch, ControlName, Option

MOST_RANDOM = 300
"""Random sets that are tried at most."""
EQUAL = 1e-4
"""Share of the objective by which two results must differ to be called different."""


class AddDelControl(AddDelSearch):
    """Another rule on the same data and the same objective. It draws no picture and speaks when it is over."""

    control = True
    paired_with = 0
    rule_title: str

    def __init__(self) -> None:
        self.title = f"Control: {self.rule_title}"

    def _introduce(self) -> None:
        """The picture stays that of the search."""

    def _say_move(self, stage: str, now: Fit, chosen: Option, decision: Decision, best_q: float) -> None:
        """Its moves are not the search's."""

    def _say_cycle(self, cycle: int) -> None:
        """Its stages are not the search's."""

    def _say_set(self, stage: str, cycle: int, fit: Fit, improved: bool) -> None:
        """Its sets stand in no chart."""

    def _conclude(self) -> None:
        assert self.best_fit is not None
        fit, theirs, objective = self.best_fit, self.kept, self.report.objective
        shown = ", ".join(self.layout.title(unit) for unit in fit.active[:12]) + (", ..." if len(fit.active) > 12 else "")
        verdict = _compared(fit.q, theirs["q"])
        message = (
            f"{self.rule_title.capitalize()} ends with {len(fit.active)} units ({shown or 'none'}) and {objective} {fit.q:.4g} after "
            f"{self.refit.fits} refits: {verdict} AddDel's {theirs['q']:.4g} with {len(theirs['active'])} units after {theirs['fits']}."
        )
        values = {"objective": fit.q, "units": float(len(fit.active)), "val_score": fit.val_score, "fits": float(self.refit.fits),
                  "adddel_objective": theirs["q"], "adddel_units": float(len(theirs["active"])), "adddel_fits": float(theirs["fits"])}
        self.context.emit(ControlScored(name=self.name, title=self.title, message=observed(message), values=values), self.done)

    def best(self) -> list[Finalist]:
        return []

    def handover(self) -> None:
        return None


class AddOnly(AddDelControl):
    """Addition with the same overshoot, then the best set."""

    name = "add_only"
    rule_title = "addition alone"

    def _rule(self) -> AddDelRule:
        return AddRule(self.layout.units, self.options.overshoot)

    def _first(self) -> Units:
        return ()


class DelOnly(AddDelControl):
    """Removal from everything."""

    name = "del_only"
    rule_title = "removal alone"

    def _rule(self) -> AddDelRule:
        return DelRule(self.layout.units, self.options.overshoot)

    def _first(self) -> Units:
        return tuple(range(self.layout.units))


class RandomSets(AddDelControl):
    """The best of as many random sets as the search refitted: each of a random size, with units drawn evenly."""

    name = "random_sets"
    rule_title = "the best of random sets"

    @property
    def horizon(self) -> int:
        return min(int(self.kept.get("fits", 0)), MOST_RANDOM)

    def step(self) -> Cost:
        before = self.cost
        size = self.context.rng.randint(0, self.layout.units)
        fit = self._finite(self.refit.fit(tuple(sorted(self.context.rng.sample(range(self.layout.units), size)))))
        if self.best_fit is None or fit.q < self.best_fit.q:
            self.best_fit = fit
        self.done += 1
        if self.finished:
            self._conclude()
        return self.spent_since(before)


CONTROLS: dict[ControlName, type[AddDelControl]] = {"add_only": AddOnly, "del_only": DelOnly, "random_sets": RandomSets}


def _compared(own: float, theirs: float) -> str:
    """Lower is better; what iterative refits leave open counts as equal."""
    if abs(own - theirs) <= EQUAL * max(1.0, abs(theirs)):
        return "equal to"
    return "below" if own < theirs else "above"
