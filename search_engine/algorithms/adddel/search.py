"""AddDel: a set of active units that grows beyond its best and shrinks again.

M. Popova, V. Strijov, Building deep learning networks for time series classification, Systems and Means of Informatics 25(3) (2015), and
Selection of optimal physical activity classification model using measurements of accelerometer, Informatics and Applications 9(1) (2015).
A cycle (see `rule`):

    1. Add the unit that makes Q smallest, until the set has d units more than the best one of this stage.
    2. From that overshot set, remove the unit that makes Q smallest, until it has d units fewer than the best one of this stage.
    3. Go back to the best set so far. A cycle without an improvement ends the search.

Units are features of a linear model, neurons of a hidden layer, or single weights of a network. Q is the Bayesian information criterion
or the loss of the validation part. A feature is judged by a refit without it; neurons and weights are removed by their saliency (LeCun,
Denker, Solla 1989, Optimal Brain Damage, or |mu / sigma|) and the rest is refitted. A neuron comes with outgoing weights 0: it changes
nothing until it is trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from search_engine.base.errors import BadInput
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, one_of, other_than
from search_engine.events import Cost
from search_engine.spaces.genomes import Genome

from ..base import AlgorithmConfig, Context, Finalist, StopReason
from ..step_search import StepSearch
from . import layout as layouts
from .fits import Fit, LeastSquares, Refit
from .rule import AddDelRule, Decision, Units

if TYPE_CHECKING:
    from search_engine.spaces.active_set import ActiveSetSpace

    from . import network_fit, report, saliency, stability
else:
    network_fit = lazy_module("search_engine.algorithms.adddel.network_fit")
    report = lazy_module("search_engine.algorithms.adddel.report")
    saliency = lazy_module("search_engine.algorithms.adddel.saliency")
    stability = lazy_module("search_engine.algorithms.adddel.stability")

ControlName = Literal["add_only", "del_only", "random_sets"]
MOST_WEIGHTS = 1000
"""Weights of the largest network: a refit inverts a matrix of that side at every step."""


class AddDelConfig(AlgorithmConfig):
    """Hyper-parameters of the search."""

    works_with: ClassVar[WorksWith] = {"candidates": {"unit": one_of("auto", "neuron")}, "hidden": {"unit": other_than("feature")}}

    unit: Literal["auto", "feature", "neuron", "weight"] = Field(
        default="auto", title="Unit",
        description="What is added and removed: features of a linear model, neurons of one hidden layer, or single weights of such a "
        "network. auto: features, or neurons where the data have only one feature.",
    )
    objective: Literal["bic", "validation"] = Field(
        default="bic", title="Objective Q",
        description="bic: Bayesian information criterion of the training part. validation: loss of the validation part.",
    )
    overshoot: int = Field(
        default=2, ge=1, le=50, title="Overshoot d", description="A stage goes on until the set is this many units past its best one."
    )
    cycles: int = Field(default=20, ge=1, le=1000, title="Most cycles", description="Add and Del together are a cycle.")
    removal: Literal["auto", "exact", "obd", "ard"] = Field(
        default="auto", title="Removal by",
        description="exact: refit without each unit in turn. obd: smallest h w^2 / 2. ard: smallest |mu / sigma|. auto: exact for "
        "features, obd for neurons and weights.",
    )
    hidden: int = Field(
        default=6, ge=1, le=64, title="Hidden neurons", description="How many there may be (neurons), or how many there are (weights)."
    )
    candidates: int = Field(
        default=3, ge=1, le=64, title="New neurons tried",
        description="Where a neuron is added: so many with other first weights are trained.",
    )
    refit_steps: int = Field(
        default=20, ge=1, le=1000, title="Steps of a refit", description="Damped Gauss-Newton steps of one refit, at most."
    )
    ridge: float = Field(
        default=1e-3, gt=0, le=100, title="Ridge",
        description="Half of this times the squared weights is added to the summed training loss.",
    )
    bootstrap: int = Field(
        default=20, ge=2, le=200, title="Bootstrap samples",
        description="Refits on resampled examples that measure how stable a best set is.",
    )
    controls: tuple[ControlName, ...] = Field(
        default=("add_only", "del_only", "random_sets"), title="Controls",
        description="Compared with afterwards: addition alone, removal alone, and the best of as many random sets as the search refitted.",
    )


class Option(NamedTuple):
    """A move that is considered: the unit and the fit after it."""

    unit: int
    fit: Fit


class AddDelSearch(StepSearch[AddDelConfig]):
    """One move of the set a step."""

    title = "Adding and deleting"
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build the model that is refitted, and the rule. Raises TypeError without samples."""
        super().begin(context, handover)
        self.space: ActiveSetSpace = context.space  # type: ignore[assignment]
        self.kept = handover or {}
        self.layout = layouts.Layout(unit_of(self.options, self.space), self.space.shape, self.options.hidden, self.samples.feature_names)
        self.refit = self._refit()
        self.rule = self._rule()
        self.now: Fit | None = None
        self.best_fit: Fit | None = None
        objective = "BIC" if self.options.objective == "bic" else "validation loss"
        self.report = report.ActiveSetReport(context, self.refit, self.rule, objective, self.options.bootstrap)
        self._introduce()

    def _introduce(self) -> None:
        self.report.declare()

    def _refit(self) -> Refit:
        options, data = self.options, self.samples
        if self.layout.linear and self.layout.regression:
            return LeastSquares(self.layout, data, options.objective, self.spend, options.ridge)
        seed = derive_seed(self.context.seed, "neurons")
        return network_fit.GaussNewton(self.layout, data, options.objective, self.spend, options.ridge, options.refit_steps, seed)

    def _rule(self) -> AddDelRule:
        return AddDelRule(self.layout.units, self.options.overshoot, self.options.cycles)

    def _first(self) -> Units:
        """Features and neurons start from nothing. Weights start from the whole network: without any, no gradient says which to add."""
        return tuple(range(self.layout.units)) if self.layout.unit == "weight" else ()

    # ---- one move

    def step(self) -> Cost:
        """One move. Raises TrialFailure where a refit's loss is not finite."""
        before = self.cost
        if self.now is None:
            self._start()
        else:
            self._move(self.now)
        self.done += 1
        if self.rule.done:
            self._conclude()
        return self.spent_since(before)

    def _start(self) -> None:
        fit = self._finite(self.refit.fit(self._first()))
        self.now = self.best_fit = fit
        self.rule.start(fit.active, fit.q)
        self._say_set("start", 1, fit, improved=True)

    def _move(self, now: Fit) -> None:
        stage, cycle, best_q = self.rule.stage, self.rule.cycle, self.rule.best_q
        chosen = self._choose(now)
        decision = self.rule.take(chosen.unit, chosen.fit.q)
        fit = chosen.fit
        if decision.improved:
            self.best_fit = fit
        self._say_move(stage, now, chosen, decision, best_q)
        self._say_set(stage, cycle, fit, decision.improved)
        self.now = fit
        if self.rule.done or self.rule.cycle != cycle:
            self._say_cycle(cycle)
            # S := S*, with the weights that it had.
            self.now = self.best_fit

    def _choose(self, now: Fit) -> Option:
        """The move of the stage that makes Q smallest, or that the saliency names; of equals the first unit."""
        units = self.rule.candidates()
        if self.rule.stage == "add":
            return self._choose_added(now, units)
        if self._removal == "exact":
            return self._smallest(units, now)
        missed = saliency.removal(self.refit, now, self._removal)
        return self._smallest([min(units, key=lambda unit: missed[unit])], now)

    def _choose_added(self, now: Fit, units: list[int]) -> Option:
        if self.layout.unit == "weight":
            gain = saliency.addition(self.refit, now, units)
            units = [max(units, key=lambda unit: gain[unit])]
        elif self.layout.unit == "neuron":
            # Neurons that are not there yet differ by their first weights alone.
            units = sorted(self.context.rng.sample(units, min(self.options.candidates, len(units))))
        return self._smallest(units, now)

    def _smallest(self, units: list[int], now: Fit) -> Option:
        """Refit for each of `units`; the one with the smallest Q."""
        options = [Option(unit, self._finite(self.refit.fit(self.rule.moved(unit), self._from(now, unit)))) for unit in units]
        return min(options, key=lambda option: option.fit.q)

    def _from(self, now: Fit, unit: int) -> Any:
        """The weights that a refit starts from."""
        if isinstance(self.refit, LeastSquares):
            return None
        if self.rule.stage == "add":
            return self.refit.grown(now, unit)  # type: ignore[attr-defined]
        weights = now.weights.copy()
        weights[self.layout.places[unit]] = 0.0
        return weights

    @property
    def _removal(self) -> Literal["exact", "obd", "ard"]:
        if self.options.removal != "auto":
            return self.options.removal
        return "exact" if self.layout.unit == "feature" else "obd"

    def _finite(self, fit: Fit) -> Fit:
        for what, value in (("the objective", fit.q), ("the validation loss", fit.val_loss)):
            self.require_finite(f"{what} of a refit", value, remedy="a larger ridge")
        return fit

    # ---- what is said

    def _say_move(self, stage: str, now: Fit, chosen: Option, decision: Decision, best_q: float) -> None:
        self.report.move(self.done, stage, now, chosen.unit, chosen.fit, decision, best_q)

    def _say_set(self, stage: str, cycle: int, fit: Fit, improved: bool) -> None:
        if improved and self.refit.quick:
            self.report.resample(self.done, fit)
        self.report.visit(self.done, self.cost.samples, stage, cycle, fit, improved, self._genome(fit))

    def _say_cycle(self, cycle: int) -> None:
        assert self.best_fit is not None
        self.report.cycle(self.done, cycle, self.best_fit)

    def _conclude(self) -> None:
        """The last step has said all."""

    # ---- phase

    def _genome(self, fit: Fit) -> Genome:
        return self.space.genome(self.layout.hidden, self.layout.active_edges(fit.active))

    @property
    def stop_reason(self) -> StopReason:
        return "settled" if self.rule.settled else "horizon"

    @property
    def finished(self) -> bool:
        """Whether the rule has ended, or a control without a rule has reached its horizon."""
        return super().finished or (self.now is not None and self.rule.done)

    def best(self) -> list[Finalist]:
        if self.best_fit is None:
            return []
        fit = self.best_fit
        init = {
            "weights": fit.weights, "hidden": self.layout.hidden, "objective": fit.q, "units": len(fit.active),
            "condition_number": stability.condition_number(self.refit, fit),
        }
        return [Finalist(self._genome(fit), finish="as_is", value=fit.val_score, init=init, selected_from=max(1, self.refit.fits),
                         fidelity=report.FITTED)]

    def handover(self) -> dict[str, Any] | None:
        """What the controls compare with."""
        assert self.best_fit is not None
        return {"q": self.best_fit.q, "active": list(self.best_fit.active), "fits": self.refit.fits, "val_score": self.best_fit.val_score}

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "rule": self.rule.state_dict(),
            "now": None if self.now is None else self.now.state(),
            "best_fit": None if self.best_fit is None else self.best_fit.state(),
            "report": self.report.state_dict(),
            "fits": self.refit.fits,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.rule.load_state_dict(state["rule"])
        self.now = None if state["now"] is None else Fit.from_state(state["now"])
        self.best_fit = None if state["best_fit"] is None else Fit.from_state(state["best_fit"])
        self.report.load_state_dict(state["report"], self.best_fit)
        self.refit.fits = state["fits"]


def unit_of(options: AddDelConfig, space: ActiveSetSpace) -> layouts.UnitKind:
    """What `auto` means for the data of that space."""
    if options.unit != "auto":
        return options.unit
    return "feature" if space.inputs > 1 else "neuron"


def company(options: AddDelConfig, space: ActiveSetSpace) -> dict[str, str]:
    """What `auto` means decides; a linear regression is solved in one step."""
    unit = unit_of(options, space)
    if unit != "feature":
        return {} if unit == "neuron" else {"candidates": "unit = neuron"}
    layout = layouts.Layout(unit, space.shape, options.hidden)
    linear = {"refit_steps": "unit = neuron or weight, or classes"} if layout.linear and layout.regression else {}
    return {"candidates": "unit = neuron", "hidden": "unit = neuron or weight", **linear}


def check(options: AddDelConfig, space: ActiveSetSpace) -> None:
    """Raise BadInput where the unit does not fit the data or the way it is removed."""
    unit = unit_of(options, space)
    layout = layouts.Layout(unit, space.shape, options.hidden)
    if unit == "feature" and layout.inputs < 2:
        raise BadInput("options.unit", "these data have one feature, so there is nothing to choose; use neurons or weights")
    if unit == "weight" and options.removal == "exact":
        raise BadInput("options.removal", "refitting without every single weight takes too long; use obd or ard")
    if layout.parameters > MOST_WEIGHTS:
        field = "dataset" if unit == "feature" else "options.hidden"
        raise BadInput(field, f"the largest network would have {layout.parameters} weights; at most {MOST_WEIGHTS} can be refitted")
    if options.overshoot > layout.units:
        raise BadInput("options.overshoot", f"there are only {layout.units} units; the overshoot can be at most that")
