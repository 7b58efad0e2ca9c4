"""What a variational search says: numbers in nats, scores on the validation part, draws of q(Gamma), charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.events import ChartsFrame, Cost
from search_engine.structures.gumbel import GumbelSoftmaxStructure

from ..base import Context
from . import charts

if TYPE_CHECKING:
    import torch

    from search_engine.structures.distribution import StructureDistribution
    from search_engine.training.batches import BatchOrder, DevicePart

    from ..simplex.structure_report import StructureReport
    from .estimate import Estimate
    from .lambdas import Lambdas
    from .levels import Levels
    from .model import VariationalModel
    from .objective import Terms
else:
    torch = lazy_module("torch")

CHART_FRAMES = 100
"""At most about so many frames of charts in a run."""
PATH_POINTS = 500
"""At most so many points of a path or curve in a chart."""
FRAME_FLOATS = 4096
"""Draws in a structure frame: as many as fit into so many numbers, at most 64."""
MEAN_DRAWS = 256
"""Draws behind the expected weights, where the law has no closed form for them."""

Array = np.ndarray[Any, Any]


class VariationalReports:
    """The saying half of `algorithms.variational.VariationalSearch`, which holds the state that is read here."""

    context: Context
    report: StructureReport
    model: VariationalModel
    law: StructureDistribution
    estimate: Estimate
    levels: Levels
    fit_part: DevicePart
    val_part: DevicePart
    fit_order: BatchOrder
    done: int
    cost: Cost
    prior: GumbelSoftmaxStructure | None
    ways: list[list[list[float]]]
    """Of a single edge: the weights of its operations from the start to now, by q(Γ) and, where there is one, by p(Γ)."""

    if TYPE_CHECKING:

        @property
        def lambdas(self) -> Lambdas: ...
        @property
        def horizon(self) -> int: ...
        @property
        def finished(self) -> bool: ...
        def spend(self, cost: Cost) -> Cost: ...

    def _count(self, terms: Terms, targets: torch.Tensor, moving: bool) -> None:
        from search_engine.training.criterion import Tally

        outputs = self.estimate.outputs
        assert outputs is not None
        tally = Tally(self.model.task)
        tally.add(outputs, targets)
        figures = {f"{'structure' if moving else 'train'}_{name}": value for name, value in tally.figures().items()}
        if moving:
            self.report.count(**figures)
            return
        likelihood, divergence = float(terms.log_likelihood.detach()), float(terms.divergence.detach())
        self.report.count(
            **figures, log_likelihood=likelihood, error_cost=-likelihood, description_cost=divergence,
            kl_weights=float(terms.kl_weights.detach()), kl_structure=float(terms.kl_structure.detach()),
            free_energy=divergence - likelihood,
        )

    def _say(self) -> Cost:
        """Frame, numbers, charts; returns what scoring the validation part took."""
        cost = Cost()
        values = self._numbers()
        expected = self.expected_weights()
        if self.done and (self.done % self.fit_order.per_epoch == 0 or self.finished):
            scores, cost = self._score(expected)
            values |= scores
            self.spend(cost)
        self.report.say(self.done, self.law.numpy(), self.cost.samples, draws=self._draws(), **values)
        every = max(self.context.structure_every, -(-self.horizon // CHART_FRAMES))
        self._follow_path()
        if self.done % every == 0 or self.finished:
            drawn = self._charts(expected)
            if drawn:
                self.context.emit(ChartsFrame(step=self.done, charts=drawn), self.done)
        return cost

    def _numbers(self) -> dict[str, float]:
        lambdas = self.lambdas
        values = {
            "lambda_likelihood_q": lambdas.likelihood_q, "lambda_prior_q": lambdas.prior_q, "lambda_prior_l": lambdas.prior_l,
            "entropy": self.law.normalised_entropy(),
        }
        if isinstance(self.law, GumbelSoftmaxStructure):
            values["theta_temp"] = self.law.temperature
        if self.model.log_noise is not None:
            values["noise"] = float(self.model.log_noise.detach().exp())
        with torch.no_grad():
            noise = derive_seed(self.context.seed, "noise", self.done, "said")
            for place, term in enumerate(self.estimate.struct_terms(self.levels.here(), noise, draws=MEAN_DRAWS), start=1):
                values[f"kl_struct_{place}"] = float(term)
        ratios = self.density_ratios()
        if len(ratios):
            values["uninformative_weights"] = float((ratios > 0.9).mean())
        return values

    def _score(self, expected: dict[str, Array]) -> tuple[dict[str, float], Cost]:
        """Loss and score on the validation part at the mean weights and the expected structure."""
        from search_engine.training.evaluation import evaluate_on

        figures = evaluate_on(self._at(expected), self.val_part, task=self.model.task)
        return {f"val_{name}": value for name, value in figures.items()}, Cost(forward=len(self.val_part))

    def _at(self, weights: dict[str, Array]) -> Any:
        from .model import AtGamma

        return AtGamma(self.model, {group: torch.as_tensor(value, device=self.context.device) for group, value in weights.items()})

    def expected_weights(self) -> dict[str, Array]:
        """E_q gamma per group, (edges, operations): from draws where the law has no closed form."""
        if not isinstance(self.law, GumbelSoftmaxStructure):
            return self.law.numpy()
        generator = torch.Generator().manual_seed(derive_seed(self.context.seed, "expected"))
        return {group: value.mean(axis=0) for group, value in self.law.draws(MEAN_DRAWS, generator).items()}

    def density_ratios(self) -> Array:
        """rho = exp(-mu^2 / (2 sigma^2)) of every weight with a distribution, one behind the other."""
        from ..bayes.relevance import density_ratio

        with torch.no_grad():
            found = [density_ratio(mu, log_sigma).flatten() for mu, log_sigma in self._posteriors()]
            return torch.cat(found).cpu().numpy() if found else np.zeros(0, dtype=np.float32)

    def _posteriors(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        from ..bayes.conversion import posteriors

        return [(posterior.mu, posterior.log_sigma) for _, posterior in posteriors(self.model.network)]

    def _draws(self) -> dict[str, Array] | None:
        if not isinstance(self.law, GumbelSoftmaxStructure):
            return None
        floats = sum(edges * operations for edges, operations in self.law.shapes.values())
        generator = torch.Generator().manual_seed(derive_seed(self.context.seed, "draws", self.done))
        return self.law.draws(max(1, min(64, FRAME_FLOATS // floats)), generator)

    # ---- charts

    @property
    def _one_edge(self) -> bool:
        return len(self.report.family) == 1 and len(self.report.family[0].edges) == 1

    def _follow_path(self) -> None:
        """Remember where the laws of a single edge are, at most PATH_POINTS times."""
        if self._one_edge and (self.finished or self.done % -(-self.horizon // PATH_POINTS) == 0):
            laws = [self.law, *([] if self.prior is None else [self.prior])]
            for way, law in zip(self.ways, laws, strict=True):
                way.append([float(weight) for weight in next(iter(law.numpy().values()))[0]])

    def _charts(self, expected: dict[str, Array]) -> list[Any]:
        drawn = []
        if self._one_edge:
            group = self.report.family[0]
            drawn.append(charts.trajectory(np.array(self.ways[0])[:, :2], group.operations, group.constraint))
            law = self._draws()
            if law is not None:
                draws = law[group.name][:, 0]
                if len(group.operations) == 3:
                    drawn.insert(0, self._triangle(draws))
                drawn.append(charts.choice_probabilities(self._laws_now(), group.operations))
                drawn.append(charts.law_means(expected[group.name][0], draws, group.operations))
        if self.model.task == "regression" and self.fit_part.raw.dim() == 2:
            drawn.append(self._fit_chart(expected))
        ratios = self.density_ratios()
        if len(ratios):
            drawn.append(charts.density_ratios(ratios))
        return drawn

    def _laws_now(self) -> dict[str, Array]:
        """Of one edge's laws the choice probabilities, (operations,) each."""
        name = self.report.family[0].name
        found = {"q(Γ)": self.law.numpy()[name][0]}
        if self.prior is not None:
            found["p(Γ)"] = self.prior.numpy()[name][0]
        others = [other.numpy()[name][0] for other in self.estimate.others]
        return found | {f"p′{charts.lowered(number)}": shares for number, shares in enumerate(others, start=1)}

    def _triangle(self, draws: Array) -> Any:
        laws = list(self._laws_now().values())
        known = 1 + (self.prior is not None)
        ways = [np.array(way) for way in self.ways]
        return charts.law_triangle(
            draws, ways[0], ways[1] if known > 1 else None, laws[known:], self.report.family[0].operations, self.lambdas.struct
        )

    def _fit_chart(self, expected: dict[str, Array]) -> Any:
        raw = self.fit_part.raw[: charts.POINTS].float().cpu()
        grid = torch.zeros((100, raw.shape[1]))
        grid[:, 0] = torch.linspace(float(raw[:, 0].min()), float(raw[:, 0].max()), 100)
        network = self._at(expected).eval()
        with torch.no_grad():
            function = network(self.fit_part.normalise(grid.to(self.context.device)))[:, 0].cpu().numpy()
        network.train()
        targets = self.fit_part.labels[: charts.POINTS, 0].cpu().numpy()
        return charts.fit(grid[:, 0].numpy(), function, raw[:, 0].numpy(), targets)
