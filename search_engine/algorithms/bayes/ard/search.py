"""Automatic relevance determination (D. MacKay 1994; in variational form as in Bakhteev, lecture slides 2019 and PhD thesis 2020).

Every weight of a plain network has a posterior q(w_i) = N(mu_i, sigma_i^2) and a prior N(0, v_i) whose variance v_i is learnt with it. One
step, on a minibatch of the n training examples, moves everything along the gradient of the evidence lower bound per example,

    mean over the batch of log p(y | x, w)  -  warm * KL(q || p) / n,      w ~ q by local reparameterisation,

where `warm` rises from 0 to 1 in the first steps. The prior of a weight that the data do not need shrinks onto zero, and its posterior
follows: its density ratio rho_i = q(0) / q(mu_i) = exp(-mu_i^2 / (2 sigma_i^2)) goes to 1. Weights whose rho is above a threshold are
removed; the network of the mean weights that remain is the result, as it is.

The two parts of the bound are told apart, in nats of the whole training part: the error cost -sum log p, and the description cost
KL(q || p) (Hinton & van Camp 1993). Biases are ordinary parameters and are never removed.

The learning rate falls to 0 along a cosine: the pull of the prior on one weight is of size 1/n, and shows against the noise of the
minibatches only where the steps become small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from search_engine.algorithms.base import Context, Finalist
from search_engine.base.checkpoint import copied
from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.base.works_with import WorksWith, one_of, other_than
from search_engine.events import ChartsFrame, ControlScored, Cost, Metrics
from search_engine.spaces.plain_network import PlainNetworkSpace
from search_engine.spaces.tasks import SCORES

from ..bound_search import FRAMES, BoundConfig, BoundSearch

if TYPE_CHECKING:
    import torch

    from search_engine.algorithms.pruning import mask_frames

    from . import charts as relevance_charts
    from . import relevance_network
else:
    torch = lazy_module("torch")
    relevance_charts = lazy_module("search_engine.algorithms.bayes.ard.charts")
    relevance_network = lazy_module("search_engine.algorithms.bayes.ard.relevance_network")
    mask_frames = lazy_module("search_engine.algorithms.pruning.mask_frames")

MEANS = "mean weights of the search under the mask"
"""What a network's weights are when it is scored."""
CURVES = 6
"""How often in a run the curves of removal are measured: 27 passes over the validation part each."""


class ArdConfig(BoundConfig):
    """Hyper-parameters; the network itself is given by the space's options."""

    works_with: ClassVar[WorksWith] = {
        "epochs": {"steps": one_of(0)}, "prior_variance": {"variance": other_than("closed_form")},
    }

    epochs: int = Field(default=90, ge=1, le=100_000, title="Epochs", description="Passes over the training part: the horizon.")
    learning_rate: float = Field(
        default=0.005, gt=0, le=1, title="Learning rate", description="Adam's, of means and deviations, at the start of the cosine."
    )
    gradient_clip: float = Field(default=0.0, ge=0, le=1e6, title="Gradient clip", description="Largest gradient norm; 0 = no limit.")
    init_log_sigma: float = Field(
        default=-6.0, ge=-12, le=1, title="First log σ",
        description="Logarithm of every weight's standard deviation at the start. Small, so that the means are fitted before the noise on "
        "many weights drowns them. Bakhteev's experiments: -3.",
    )
    variance: Literal["closed_form", "gradient", "fixed"] = Field(
        default="closed_form", title="Prior variance",
        description="closed_form: the best v = mu² + sigma² at every step. gradient: learnt by Adam. fixed: not learnt, to compare with.",
    )
    prior_variance: float = Field(
        default=1.0, gt=0, le=1e6, title="First prior variance", description="Where `gradient` starts and where `fixed` stays."
    )
    kl_warmup: float = Field(
        default=0.3, ge=0, le=1, title="Warm-up of the description cost",
        description="Share of the steps in which the weight of KL(q || p) rises from 0 to 1; 0 = the whole cost from the start.",
    )
    threshold: float = Field(
        default=0.05, gt=0, lt=1, title="Threshold",
        description="A weight is removed where its density ratio rho is above this; 0.05 means |mu| < 2.45 sigma, 0.5 means 1.18 sigma.",
    )
    control: bool = Field(
        default=True, title="Compare with a fixed prior",
        description="Afterwards train the same network under the fixed prior N(0, first prior variance), from the same start on the same "
        "batches: how many weights would go then.",
    )


class ArdSearch(BoundSearch[ArdConfig]):
    """One optimiser step at a time."""

    title = "Automatic relevance determination"
    order_name = "ard"

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build network, prior and optimiser. Raises TypeError without samples."""
        super().begin(context, handover)
        self.space: PlainNetworkSpace = context.space  # type: ignore[assignment]
        self.model = relevance_network.RelevanceNetwork(
            self.space, self.rule, variance=self.options.prior_variance, init_log_sigma=self.options.init_log_sigma
        )
        self.model.to(context.device).train()
        self.parameters = [item for item in self.model.parameters() if item.requires_grad]
        self.optimizer = torch.optim.Adam(self.parameters, lr=self.options.learning_rate)
        self.curves: list[list[Any]] = []
        """Rows of `relevance_charts.Removal`, as measured last."""

    @property
    def rule(self) -> Literal["closed_form", "gradient", "fixed"]:
        return self.options.variance

    # ---- one step

    def step(self) -> Cost:
        """One move of posterior, prior and noise. Raises TrialFailure where the bound is not a number."""
        from search_engine.training.schedule import cosine
        from search_engine.training.small_batches import enough_for_batch_norm

        rate = cosine(self.done, self.horizon, self.options.learning_rate, 0.0)
        self.optimizer.param_groups[0]["lr"] = rate
        inputs, targets = self.train_part.take(self.order.indices(self.done))
        self.optimizer.zero_grad(set_to_none=True)
        with self.flops_once("step"), enough_for_batch_norm(len(inputs)):
            bound = self.model(inputs, targets)
            objective = bound.log_likelihood.mean() - self.warm * bound.divergence / len(self.train_part)
            (-objective).backward()
        self.climb(objective, self.parameters)
        self.means.count(log_likelihood=float(bound.log_likelihood.detach().mean()), kl_weights=float(bound.divergence.detach()))
        self.done += 1
        cost = Cost(forward_backward=len(inputs), flops=self.flops["step"])
        if self.due:
            cost = cost.plus(self._measured())
        self.spend(cost)
        if self.due:
            self._report(rate)
        return cost

    # ---- what is found

    def masks(self) -> dict[str, np.ndarray[Any, Any]]:
        """What the threshold would leave now."""
        masks: dict[str, np.ndarray[Any, Any]] = self.model.masks(self.options.threshold)
        return masks

    def best(self) -> list[Finalist]:
        """The mean weights that remain."""
        return [self._finalist(self.masks())]

    def baselines(self) -> list[Finalist]:
        """The same network with as many weights removed by magnitude, and at random."""
        removed = sum(int((~mask).sum()) for mask in self.masks().values())
        titles = {"magnitude": "as many weights removed by magnitude", "random": "as many weights removed at random"}
        return [
            self._finalist(self.model.masks_without(removed, order, self.context.seed), title) for order, title in titles.items()
        ]

    def _finalist(self, masks: dict[str, np.ndarray[Any, Any]], title: str = "") -> Finalist:
        score, _ = self.model.scored(masks, self.val_part)
        noise = self.model.likelihood.noise
        init = {"network": copied(self.model.pruned(masks).state_dict()), "noise": None if noise is None else float(noise.detach().exp())}
        return Finalist(self.space.genome(masks), finish="as_is", value=score, init=init, title=title, fidelity=MEANS)

    # ---- what is said

    def _measured(self) -> Cost:
        """Measure the curves of removal where it is time; the cost of this report's passes."""
        passes = 1
        if self.finished or not self.curves or self.done // self.every % (FRAMES // CURVES) == 0:
            self.curves = [list(row) for row in self.model.removal_curves(self.val_part, self.context.seed)]
            passes += len(self.curves)
        return Cost(forward=passes * len(self.val_part))

    def _report(self, rate: float) -> None:
        masks, rho = self.masks(), self.model.rho()
        score, likelihood = self.model.scored(masks, self.val_part)
        examples = len(self.train_part)
        means = self.means.take()
        every = np.concatenate([values.ravel() for values in rho.values()])
        share_kept = sum(int(mask.sum()) for mask in masks.values()) / self.space.weights
        name = SCORES[self.space.task]
        values = {
            "log_likelihood": means["log_likelihood"], "error_cost": -means["log_likelihood"] * examples,
            "kl_weights": means["kl_weights"], "elbo": means["log_likelihood"] * examples - means["kl_weights"],
            "warm_up": self.warm, "learning_rate": rate, "share_kept": share_kept, "median_rho": float(np.median(every)),
            f"val_{name}": score, "val_log_likelihood": likelihood,
        }
        noise = self.model.likelihood.noise
        if noise is not None:
            values["noise"] = float(noise.detach().exp())
        self.context.emit(Metrics(step=self.done, samples=self.cost.samples, values=values), self.done)
        self._say_pictures(masks, rho, share_kept, values)

    def _say_pictures(
        self, masks: dict[str, np.ndarray[Any, Any]], rho: dict[str, np.ndarray[Any, Any]], share_kept: float, values: dict[str, float]
    ) -> None:
        titles = {layer.name: layer.title for layer in self.space.layers}
        found = [relevance_charts.Removal(*row) for row in self.curves]
        charts = [
            relevance_charts.histogram(rho, self.options.threshold, titles),
            *relevance_charts.removals(found, SCORES[self.space.task], 1 - share_kept),
        ]
        self.context.emit(mask_frames.mask_frame(self.space, masks, self.done, median_rho=values["median_rho"]), self.done)
        self.context.emit(ChartsFrame(step=self.done, charts=charts), self.done)

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "curves": [list(row) for row in self.curves]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.curves = [list(row) for row in state["curves"]]


class FixedPrior(ArdSearch):
    """The same network under one prior for all weights: what learning the variances adds."""

    title = "Control: fixed prior"
    name = "fixed_prior"
    control = True
    paired_with = 0

    @property
    def rule(self) -> Literal["closed_form", "gradient", "fixed"]:
        return "fixed"

    def _measured(self) -> Cost:
        return Cost(forward=len(self.val_part))

    def _say_pictures(
        self, masks: dict[str, np.ndarray[Any, Any]], rho: dict[str, np.ndarray[Any, Any]], share_kept: float, values: dict[str, float]
    ) -> None:
        """The pictures stay those of the search; at the end one sentence."""
        if not self.finished:
            return
        name = f"val_{SCORES[self.space.task]}"
        message = (
            f"Under the fixed prior N(0, {self.options.prior_variance:g}) the threshold leaves {share_kept:.1%} of the weights, with a "
            f"validation {SCORES[self.space.task]} of {values[name]:.3f}; the median density ratio is {values['median_rho']:.3f}."
        )
        kept = {item: values[item] for item in (name, "val_log_likelihood", "share_kept", "median_rho", "kl_weights")}
        self.context.emit(ControlScored(name=self.name, title=self.title, message=observed(message), values=kept), self.done)

    def best(self) -> list[Finalist]:
        return []

    def baselines(self) -> list[Finalist]:
        return []
