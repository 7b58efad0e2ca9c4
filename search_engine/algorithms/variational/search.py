"""Structure selection by variational inference.

Two problems, one machine.

`general`: O. Bakhteev's general problem (lecture slides 2019; PhD thesis "Bayesian selection of the structure of deep learning models",
2020). A weight w under the structure weight gamma_l has the prior N(0, gamma_l^2 / a), the structure the prior GS(s, lambda_temp)
(Gumbel-Softmax). The posterior is q(w) = N(mu, diag sigma^2), q(Gamma) = GS(s_q, theta_temp). With theta = [mu, sigma, s_q, theta_temp]
and h = [A = diag a, s],

    h* = argmax Q(h)       where q* = argmax over theta of L(theta)            (see `variational.objective`)

whose lambdas make it maximum likelihood, evidence maximisation (ELBO), a stronger or weaker prior, or the selection of given structures.

`free_energy`: I. Gridasov's "Construction of a neural network of optimal complexity" (2019). The weights minimise the variational free
energy F = error cost + description cost on one part of the data, the structure alpha descends the error of another part along

    d/d alpha L_val(w - xi d/dw L_train(w, alpha), alpha).

One step is one step of every level. Works on every space with a super-network: its linear and convolutional layers get mean-field
Gaussian weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from search_engine.base.checkpoint import copied
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.events import Cost, Notice
from search_engine.spaces.entries import builder_module
from search_engine.structures import SoftmaxStructure
from search_engine.structures.distribution import StructureDistribution, shapes_of
from search_engine.structures.gumbel import GumbelSoftmaxStructure

from ..base import Context, Finalist
from ..simplex.relaxation import two_levels
from ..simplex.structure_report import StructureReport
from ..step_search import StepSearch
from .lambdas import Lambdas, moved
from .objective import Terms, lower, upper
from .options import VariationalConfig
from .real_structure import RealStructure
from .reports import VariationalReports

if TYPE_CHECKING:
    import torch

    from .estimate import Point
else:
    torch = lazy_module("torch")

Array = np.ndarray[Any, Any]


class VariationalSearch(VariationalReports, StepSearch[VariationalConfig]):
    """Variational parameters theta and hyper-parameters h of one super-network."""

    title = "Variational inference"
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build model, laws and optimisers. Raises TypeError without samples."""
        from search_engine.training.batches import BatchOrder

        super().begin(context, handover)
        options = self.options
        self.two_parts = options.problem == "free_energy"
        data, seed = self.samples, context.seed
        fit, move = (
            two_levels(data, options.structure_data, options.train_portion, seed) if self.two_parts else (data.train, data.train)
        )
        self.fit_part, self.move_part, self.val_part = self.on_device(fit, move, data.validation)
        self.fit_order = BatchOrder(len(fit), options.batch_size, "weights", seed)
        self.move_order = BatchOrder(len(move), options.batch_size, "structure", seed)
        self.report = StructureReport(context)
        self._build()
        self.ways = [[] for _ in range(1 if self.prior is None else 2)]
        self.report.declare()
        self._say()

    def _build(self) -> None:
        """Model, structure and prior at their start, and who moves what."""
        from search_engine.supernets.opening import open_supernet

        from .estimate import Estimate, Hyperprior, Point
        from .levels import Levels, Rates
        from .model import VariationalModel

        options, context = self.options, self.context
        model = VariationalModel(
            context.space, open_supernet(context.space, "supernet"), gaussian=options.weights == "gaussian",
            init_log_sigma=options.init_log_sigma, sigma_floor=options.sigma_floor, noise=options.noise, learn_noise=options.learn_noise,
        )
        self.model = model.to(context.device).train()
        self.law, self.prior, others = self._laws()
        start = float(np.log(options.precision))
        posteriors = self._posteriors()
        self.precision = [
            torch.full(() if options.shared_precision else mu.shape, start, device=context.device).requires_grad_(True)
            for mu, _ in posteriors
        ]
        self.estimate = Estimate(
            self.model, self.law, self.prior, others, options.samples,
            Hyperprior(options.hyperprior_shape, options.hyperprior_scale), context.device,
        )
        point = Point(
            list(self.model.parameters()), self.law.parameters, self.precision, self.prior.parameters if self.prior else []
        )
        rates = Rates(
            options.learning_rate, options.structure_learning_rate, options.prior_learning_rate, options.prior_learning_rate
        )
        precision = ["precision"] if options.learn_precision else []
        if self.two_parts:
            below, above = ["model", *precision], ["structure"]
        else:
            below, above = ["model", "structure"], precision + (["prior"] if options.learn_structure_prior else [])
        self.levels = Levels(point, below, above, rates, options.optimizer, options.gradient_clip)  # type: ignore[arg-type]

    def _laws(self) -> tuple[StructureDistribution, GumbelSoftmaxStructure | None, list[GumbelSoftmaxStructure]]:
        """The structure's law q(Gamma), its prior p(Gamma|h), and the p'_i; without priors where the structure is deterministic."""
        options, device = self.options, self.context.device
        shapes = shapes_of(self.report.family)
        generator = torch.Generator().manual_seed(derive_seed(self.context.seed, "alpha"))
        if self.two_parts:
            if self.report.family[0].constraint == "real":
                return RealStructure(shapes, options.real_start, device), None, []
            return SoftmaxStructure(shapes, generator, device), None, []
        structure = GumbelSoftmaxStructure(
            shapes, generator, device, temperature=options.posterior_temperature, learn_temperature=True
        )
        prior = GumbelSoftmaxStructure(shapes, generator, device, temperature=options.lambda_temp)
        others = []
        for probabilities in options.structure_priors:
            other = GumbelSoftmaxStructure(shapes, generator, device, temperature=options.structure_prior_temperature)
            _set_logits(other, np.log(probabilities))
            others.append(other)
        # Exactly uniform: what is learned then comes from the data, or from a struct term.
        _set_logits(prior, np.zeros(()))
        return structure, prior, others

    # ---- where it stands

    @property
    def horizon(self) -> int:
        return self.planned_steps(self.fit_order)

    @property
    def lambdas(self) -> Lambdas:
        """Those of the next step; after the last one, those of the last."""
        options = self.options
        share = min(self.done / max(self.horizon - 1, 1), 1.0)

        def now(start: float, end: float | None) -> float:
            return start if end is None else moved(options.lambda_schedule, start, end, share)

        return Lambdas(
            likelihood_q=options.lambda_likelihood_q, prior_q=now(options.lambda_prior_q, options.lambda_prior_q_end),
            prior_l=now(options.lambda_prior_l, options.lambda_prior_l_end), struct=options.lambda_struct,
        )

    @property
    def one_level(self) -> bool:
        """Whether the next step moves everything on one objective."""
        if self.two_parts:
            return False
        return self.options.levels == "one" or (self.options.levels == "auto" and self.lambdas.one_level)

    @property
    def warm_up(self) -> int:
        """Steps during which the structure does not enter the weights' prior."""
        return round(self.options.warm_up_share * self.horizon)

    # ---- one step

    def step(self) -> Cost:
        """One move of every level. Raises TrialFailure where a loss or a gradient is not finite."""
        if self.done == self.warm_up > 0:
            self._let_structure_into_prior()
        with self.flops_once(f"{self.one_level}"):
            examples = self._move_together() if self.one_level else self._move_levels()
        cost = Cost(forward_backward=examples, flops=self.flops[f"{self.one_level}"])
        self.done += 1
        self.spend(cost)
        if self.report.due(self.done, self.finished):
            cost = cost.plus(self._say())
        return cost

    def _let_structure_into_prior(self) -> None:
        """End of the warm-up: a wide prior, whose deviation is multiplied by the structure weights from now on."""
        if not self.precision or self.two_parts or not self.options.learn_precision:
            # A prior that was fixed by the options stays; the free energy knows none that follows the structure.
            return
        with torch.no_grad():
            for log_a in self.precision:
                log_a.fill_(-2 * self.options.wide_log_deviation)
        self.context.emit(
            Notice(
                name="structure_in_prior", step=self.done,
                message="Warm-up over: from now on the prior's deviation of an operation's weights is "
                f"e^{self.options.wide_log_deviation:g} times its structure weight, until it is learned anew.",
                values={"log_deviation": self.options.wide_log_deviation},
            ),
            self.done,
        )

    def _move_together(self) -> int:
        lambdas = self.lambdas
        inputs, targets = self._batch(self.fit_part, self.fit_order, self.done)

        def loss(point: Point) -> torch.Tensor:
            terms = self._terms(point, self.fit_part, inputs, targets, "together")
            value: torch.Tensor = -upper(terms, lambdas) / len(self.fit_part)
            return value

        self.levels.move_together(loss, self.where)
        return len(targets) * self.estimate.samples

    def _move_levels(self) -> int:
        lambdas, options = self.lambdas, self.options
        examples = 0
        for inner in range(options.inner_steps):
            inputs, targets = self._batch(self.fit_part, self.fit_order, self.done * options.inner_steps + inner)
            self.levels.move_below(self._lower_loss(inputs, targets, lambdas, f"inner {inner}"), self.where)
            examples += len(targets) * self.estimate.samples
        if not self.levels.above:
            return examples
        fitted = self._batch(self.fit_part, self.fit_order, self.done * options.inner_steps)
        moving = self._batch(self.move_part, self.move_order, self.done)

        def above(point: Point) -> torch.Tensor:
            terms = self._terms(point, self.move_part, *moving, "upper", count=self.two_parts)
            value = terms.log_likelihood if self.two_parts else upper(terms, lambdas)
            loss: torch.Tensor = -value / len(self.move_part)
            return loss

        passes = self.levels.move_above(
            self._lower_loss(*fitted, lambdas, "foreseen", count=False), above, options.estimator, options.xi, self.where
        )
        return examples + self.estimate.samples * (passes[0] * len(fitted[1]) + passes[1] * len(moving[1]))

    def _lower_loss(self, inputs: torch.Tensor, targets: torch.Tensor, lambdas: Lambdas, draw: str, count: bool = True) -> Any:
        def loss(point: Point) -> torch.Tensor:
            terms = self._terms(point, self.fit_part, inputs, targets, draw, count=count)
            # With two parts the precisions are fitted here, and their own law with them.
            value: torch.Tensor = lower(terms, lambdas) + (terms.log_hyperprior if self.two_parts else 0.0)
            return -value / len(self.fit_part)

        return loss

    def _batch(self, part: Any, order: Any, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, targets = part.take(order.indices(number))
        return inputs, targets

    def _terms(
        self, point: Point, part: Any, inputs: torch.Tensor, targets: torch.Tensor, draw: str, count: bool = True
    ) -> Terms:
        """The terms on one batch; `count` puts them among the numbers of the next report."""
        terms = self.estimate(
            point, inputs, targets, scale=len(part) / len(targets), noise=derive_seed(self.context.seed, "noise", self.done, draw),
            gamma_in_prior=self.done >= self.warm_up,
        )
        if count:
            self._count(terms, targets, part is self.move_part and self.two_parts)
        return terms

    # ---- results

    def structure(self) -> dict[str, Array]:
        return self.law.numpy()

    def best(self) -> list[Finalist]:
        """The strongest operations of q(Gamma) as a genome. It is retrained from scratch, or from the mean weights where an operation of
        the space is the derived network's own."""
        space: Any = self.context.space
        weights = self.law.numpy()
        genome = space.derive(weights)
        if not getattr(space, "keeps_weights", False):
            return [Finalist(genome, finish="retrain")]
        from ..bayes.conversion import to_plain

        state = builder_module(space).kept_weights(space, to_plain(self.model.network), genome, weights)
        return [Finalist(genome, finish="retrain", init={"network": state}, title="best structure, from the search's mean weights")]

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "model": copied(self.model.state_dict()),
            "structure": self.law.state_dict(),
            "prior": None if self.prior is None else self.prior.state_dict(),
            "precision": [log_a.detach().clone() for log_a in self.precision],
            "levels": self.levels.state_dict(),
            "report": self.report.state_dict(),
            "ways": [[list(point) for point in way] for way in self.ways],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.model.load_state_dict(state["model"])
        self.law.load_state_dict(state["structure"])
        if self.prior is not None:
            self.prior.load_state_dict(state["prior"])
        with torch.no_grad():
            for log_a, value in zip(self.precision, state["precision"], strict=True):
                log_a.copy_(value)
        self.levels.load_state_dict(state["levels"])
        self.report.load_state_dict(state["report"])
        self.ways = [[list(point) for point in way] for way in state["ways"]]


def _set_logits(law: GumbelSoftmaxStructure, logits: Array) -> None:
    """The same logits on every edge; a scalar for all operations alike."""
    with torch.no_grad():
        for value in law.parameters:
            value.copy_(torch.as_tensor(logits, dtype=value.dtype).expand_as(value))
