"""Two-level Bayesian inference: models are compared by their evidence, without validation data.

D. MacKay, Bayesian Interpolation, Neural Computation 4 (1992); C. Bishop, Pattern Recognition and Machine Learning (2006), sections 3.4 and
3.5; O. Bakhteev, lecture slides 2019 (coupled Bayesian inference). For every model of the space:

    1. Level one: w* = argmax p(D | w) p(w | h) / p(D | h), the most probable weights under hyper-parameters h = (alpha, beta).
    2. Level two: h moves to where the evidence p(D | h) = integral of p(D | w) p(w | h) dw is largest; back to 1 until h stands still.
    3. The evidence at that h is estimated (in closed form, by Laplace, by two lower bounds, by importance weighing).

The model of the largest evidence wins. A larger model fits better, but spreads its prior over more functions: the evidence is the fit
times an Occam factor for what of the prior the data leave, so it falls again where more weights explain nothing more.

Fitness is the evidence of the training part. Validation data choose nothing here: they are reported beside it, and what they, or the
likelihood alone, would have chosen is finished as a baseline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from search_engine.base.errors import TrialFailure
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.events import ChartsFrame, ControlScored, Cost, Fidelity, Incumbent, Metrics, Notice
from search_engine.spaces.genomes import Genome

from ..base import AlgorithmConfig, Context, Finalist
from ..step_search import StepSearch

if TYPE_CHECKING:
    import torch

    from search_engine.spaces.basis_expansion import BasisExpansionSpace

    from . import charts, estimates, inference, problem, records
else:
    torch = lazy_module("torch")
    charts = lazy_module("search_engine.algorithms.evidence.charts")
    estimates = lazy_module("search_engine.algorithms.evidence.estimates")
    inference = lazy_module("search_engine.algorithms.evidence.inference")
    problem = lazy_module("search_engine.algorithms.evidence.problem")
    records = lazy_module("search_engine.algorithms.evidence.records")

PROBABLE = "the most probable weights"
"""What a model's weights are when its evidence is estimated."""
MOST_FRAMES = 200


class EvidenceConfig(AlgorithmConfig):
    """Hyper-parameters of the inference. The models themselves (bases, largest degree) belong to the space."""

    fitness: Literal["evidence"] = Field(
        default="evidence", title="Fitness",
        description="Models are ranked by the evidence of the training part; validation data are only reported.",
    )
    estimate: Literal["auto", "laplace", "elbo_full", "elbo_mean_field", "importance_weighted"] = Field(
        default="auto", title="Estimate that ranks",
        description="auto: the closed form for linear models with Gaussian noise, else Laplace. All estimates are shown in any case.",
    )
    level_two: Literal["evidence", "elbo_full", "elbo_mean_field"] = Field(
        default="evidence", title="Hyper-parameters by",
        description="evidence: MacKay's fixed point of the log evidence. elbo_full, elbo_mean_field: expectation maximisation, which "
        "maximises the lower bound of that posterior (slower; the mean-field one stops elsewhere).",
    )
    hessian: Literal["gauss_newton", "full"] = Field(
        default="gauss_newton", title="Hessian",
        description="Curvature of the posterior for models that are not linear in their weights: the Gauss-Newton part, or all of it by "
        "automatic differentiation. Linear models have no difference.",
    )
    initial_alpha: float = Field(
        default=1.0, gt=0, le=1e6, title="First prior precision", description="alpha before its first update: weights are N(0, 1 / alpha)."
    )
    initial_beta: float = Field(
        default=1.0, gt=0, le=1e6, title="First noise precision",
        description="beta before its first update: noise is N(0, 1 / beta). Classification has none.",
    )
    tolerance: float = Field(
        default=1e-4, gt=0, le=0.1, title="Tolerance", description="The hyper-parameters stand still when their logarithms move less."
    )
    updates: int = Field(
        default=100, ge=1, le=10_000, title="Most updates", description="Updates of the hyper-parameters of one model, at most."
    )
    level_one_steps: int = Field(
        default=50, ge=1, le=10_000, title="Most steps to w*",
        description="Gauss-Newton steps towards the most probable weights between two updates, at most.",
    )
    importance_samples: int = Field(
        default=100, ge=1, le=1000, title="Importance samples k", description="Draws under the logarithm of the importance-weighted bound."
    )
    repeats: int = Field(
        default=20, ge=2, le=200, title="Repeats", description="The bound is a mean over this many groups of k draws; it has an error."
    )


class EvidenceSearch(StepSearch[EvidenceConfig]):
    """One step towards the most probable weights of one model; the models one after another."""

    title = "Inference, model by model"
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.space: BasisExpansionSpace = context.space  # type: ignore[assignment]
        data = self.samples
        self.train, self.validation = problem.examples(data, data.train), problem.examples(data, data.validation)
        self.models = self._models()
        self.records: list[records.Record] = []
        self.current: inference.Inference | None = self._open()

    def _models(self) -> list[Genome]:
        """Every model of the space once, the simpler ones first. Raises TrialFailure where the examples cannot tell so many functions
        apart."""
        found: dict[str, Genome] = {}
        for genome in self.space.enumerate():
            found.setdefault(self.space.hash(genome), genome)
        count = len(self.train.inputs)
        for genome in found.values():
            functions = self.space.functions(self.space.basis(genome), self.space.degree(genome))
            if functions > count:
                raise TrialFailure(
                    f"space_options.max_degree: {self.space.to_string(genome)} has {functions} functions, but there are only {count} "
                    f"training examples; choose a smaller degree, or more examples"
                )
        return list(found.values())

    def _open(self) -> inference.Inference | None:
        """The inference of the next model, as it starts."""
        if len(self.records) == len(self.models):
            return None
        genome = self.models[len(self.records)]
        options = inference.InferenceOptions(
            alpha=self.options.initial_alpha, beta=self.options.initial_beta, rule=self.options.level_two, hessian=self.options.hessian,
            tolerance=self.options.tolerance, updates=self.options.updates, level_one_steps=self.options.level_one_steps,
        )
        return inference.Inference(problem.model_of(self.space, genome), self.train, options, self._generator("weights", genome))

    def _generator(self, purpose: str, genome: Genome) -> torch.Generator:
        return torch.Generator().manual_seed(derive_seed(self.context.seed, purpose, genome.key))

    # ---- one step

    def step(self) -> Cost:
        current = self.current
        assert current is not None
        if self.done == 0:
            self.context.emit(
                Notice(name="fitness", message="Models are ranked by the evidence of the training part. Validation data choose nothing; "
                       "their score is only reported."), 0,
            )
        updates = current.updates
        cost = current.step()
        self.done += 1
        if not current.finite:
            raise TrialFailure(
                f"the weights of {self.space.to_string(self.models[len(self.records)])} are not numbers at step {self.done}; start from a "
                "larger prior precision"
            )
        if current.finished:
            cost = cost.plus(self._conclude_model(current))
        self.spend(cost)
        self._report(current, current.updates > updates)
        if current.finished:
            self.current = self._open()
            if self.current is None:
                self._conclude()
        return cost

    def _conclude_model(self, current: inference.Inference) -> Cost:
        """Estimate the evidence of a model whose hyper-parameters stand still."""
        options, genome = self.options, self.models[len(self.records)]
        found = records.record(
            current, genome, self.space.basis(genome), self.space.degree(genome), options.estimate, options.importance_samples,
            options.repeats, self.validation, self.train, self._generator("estimates", genome),
        )
        former = self._best()
        self.records.append(found)
        if former is None or found.log_evidence > former.log_evidence:
            self.context.emit(
                Incumbent(
                    step=self.done, metric=self.context.metric, value=found.log_evidence, fidelity=Fidelity(text=PROBABLE),
                    selected_from=len(self.records), genome=genome.to_json(),
                    genome_hash=self.space.hash(genome), string=self.space.to_string(genome),
                ),
                self.done,
            )
        # Where the posterior is not exactly Gaussian, the bounds are drawn too.
        draws = options.importance_samples * options.repeats * (1 if "exact" in found.estimates else 3)
        return Cost(forward=draws * len(self.train.inputs) + len(self.validation.inputs))

    def _best(self) -> records.Record | None:
        return max(self.records, key=lambda item: item.log_evidence, default=None)

    # ---- what is said

    def _report(self, current: inference.Inference, updated: bool) -> None:
        values = {"alpha": current.alpha, "beta": current.beta, "model": float(len(self.records) + (not current.finished))}
        if current.trace:
            values["model_log_evidence"] = current.trace[-1][2]
        best = self._best()
        if best is not None:
            score = "val_r2" if self.space.task == "regression" else "val_accuracy"
            values |= {"log_evidence": best.log_evidence, "val_loss": best.val_loss, score: best.val_score}
        self.context.emit(Metrics(step=self.done, samples=self.cost.samples, values=values), self.done)
        every = max(self.context.structure_every, len(self.models) * self.options.updates // MOST_FRAMES)
        if current.finished or (updated and current.updates % every == 0):
            self.context.emit(ChartsFrame(step=self.done, charts=self._charts(current)), self.done)

    def _charts(self, current: inference.Inference) -> list[Any]:
        """All charts as they stand; those that compare models once there is one."""
        best = self._best()
        gaussian = self.space.task == "regression"
        drawn = [charts.hyperparameters_chart(self.records, None if current.finished else current, gaussian)]
        if charts.draws_functions(self.train, self.space.shape.classes):
            drawn.insert(0, self._functions_chart(best, current))
        if best is not None:
            reference = "exact" if "exact" in best.estimates else "laplace"
            common = "exact" if all("exact" in item.estimates for item in self.records) else "laplace"
            drawn = [
                charts.evidence_chart(self.records, best), charts.estimates_chart(self.records, common), *drawn,
                charts.values_chart(self.records), charts.bound_chart(best, reference),
            ]
        return [chart for chart in drawn if chart is not None and chart.series]

    def _functions_chart(self, best: records.Record | None, current: inference.Inference) -> Any:
        """What the evidence has chosen, and what is being fitted where that is another model."""
        chosen = None
        if best is not None:
            model, weights = problem.model_of(self.space, Genome.from_json(best.genome)), best.weights
            seen = model.see(self.train.inputs)
            likelihood = self.train.likelihood
            posterior = estimates.posterior_at(model, likelihood, seen, weights, best.alpha, best.beta, self.options.hessian)
            chosen = (self._name(best), posterior)
        now = None if current.finished else (self.space.to_string(self.models[len(self.records)]), current.posterior())
        return charts.functions_chart(chosen, now, self.train)

    def _conclude(self) -> None:
        """What other rules would have chosen among the same fits."""
        best = self._best()
        assert best is not None
        for name, title, chosen in self._alternatives():
            message = f"{title} would choose {self._name(chosen)}; the evidence chooses {self._name(best)}."
            values = {"degree": float(chosen.degree), "log_evidence": chosen.log_evidence, "evidence_degree": float(best.degree),
                      "val_loss": chosen.val_loss, "evidence_val_loss": best.val_loss}
            self.context.emit(ControlScored(name=name, title=title, message=observed(message), values=values), self.done)

    def _alternatives(self) -> list[tuple[str, str, records.Record]]:
        """(name, rule in words, what it chooses): the loss of the validation part, the likelihood alone, chance."""
        drawn = self.records[derive_seed(self.context.seed, "random model") % len(self.records)]
        return [
            ("validation", "The loss of the validation part", min(self.records, key=lambda item: item.val_loss)),
            ("likelihood", "The fit of the training part alone", max(self.records, key=lambda item: item.largest_log_likelihood)),
            ("random", "Chance", drawn),
        ]

    def _name(self, item: records.Record) -> str:
        return self.space.to_string(Genome.from_json(item.genome))

    # ---- phase

    @property
    def finished(self) -> bool:
        return self.current is None

    def best(self) -> list[Finalist]:
        return [self._finalist(item) for item in sorted(self.records, key=lambda item: -item.log_evidence)]

    def baselines(self) -> list[Finalist]:
        titles = {"validation": "what the validation loss would choose", "likelihood": "what the fit alone would choose",
                  "random": "a model drawn at random"}
        return [self._finalist(chosen, titles[name]) for name, _, chosen in self._alternatives()] if self.records else []

    def _finalist(self, item: records.Record, title: str = "") -> Finalist:
        init = {"weights": item.weights, "alpha": item.alpha, "beta": item.beta, "log_evidence": item.log_evidence}
        return Finalist(Genome.from_json(item.genome), finish="as_is", value=item.log_evidence, init=init, title=title,
                        selected_from=len(self.records), fidelity=PROBABLE)

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "records": [item.state() for item in self.records],
            "current": None if self.current is None else self.current.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.records = [records.Record.from_state(item) for item in state["records"]]
        self.current = self._open()
        if self.current is not None:
            self.current.load_state_dict(state["current"])
