"""A variational auto-encoder whose latent variables are found by automatic relevance determination (Bakhteev, lecture slides 2019).

The evidence of the model is  L = integral of p(x | z * gamma) p(z) p(gamma) over z and gamma:  a factor gamma_k ~ N(0, A_k) stands before
every latent variable, and its prior variance A_k is learnt. One step, on a minibatch of b of the n training examples, moves everything
along the gradient of

    mean over the batch of ( log p(x | z * gamma) - warm * KL(q(z | x) || N(0, 1)) ) - 1/n sum_k KL(q(gamma_k) || N(0, A_k))     (nats)

with one draw z ~ q(z | x), gamma ~ q(gamma) per example, and `warm` rising from 0 to 1 in the first steps (Sonderby et al. 2016: without
it latents are given up before the decoder has learnt to use them). A latent that the decoder does not need loses its factor: A_k falls
to 0, rho_k = exp(-mu_k^2 / (2 sigma_k^2)) rises to 1, and the latent is removed where rho_k is above the threshold.

Both learning rates fall to 0 along a cosine. That is needed, not taste: the pull of the prior on a factor is of size 1/n, and shows
against the noise of the minibatches only where the steps become small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from search_engine.algorithms.base import Context, Finalist
from search_engine.algorithms.derived_genomes import DerivedGenomes, kept_otherwise
from search_engine.base.checkpoint import copied
from search_engine.base.errors import BadInput
from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.base.works_with import WorksWith, one_of, other_than
from search_engine.events import (
    Chart,
    ChartMark,
    ChartsFrame,
    ControlScored,
    Cost,
    FamilyDeclared,
    Metrics,
    StructureFrame,
    encode_floats,
    series,
)
from search_engine.spaces.autoencoder import GROUP, AutoencoderSpace

from ..bound_search import BoundConfig, BoundSearch

if TYPE_CHECKING:
    import torch

    from . import bound, decoded
else:
    torch = lazy_module("torch")
    bound = lazy_module("search_engine.algorithms.bayes.vae_ard.bound")
    decoded = lazy_module("search_engine.algorithms.bayes.vae_ard.decoded")

PRUNED = "weights of the search, without the latents that are not needed"
"""What a model's weights are when it is scored."""
FINAL_DRAWS = 16
"""Draws per example of the figures that results are ranked by."""
USED_NATS = 0.1
"""A latent of the control counts as used where its code says at least so much of an example."""


class VaeArdConfig(BoundConfig):
    """Hyper-parameters; how many latents there are, and the perceptrons' widths, are options of the space."""

    works_with: ClassVar[WorksWith] = {
        "epochs": {"steps": one_of(0)}, "prior_variance": {"variance": other_than("closed_form")},
    }

    epochs: int = Field(default=150, ge=1, le=100_000, title="Epochs", description="Passes over the training part: the horizon.")
    learning_rate: float = Field(
        default=0.003, gt=0, le=1, title="Learning rate", description="Adam's, of encoder and decoder, at the start of the cosine."
    )
    gamma_learning_rate: float = Field(
        default=0.05, gt=0, le=1, title="Learning rate of the factors",
        description="Adam's, of the factors' means and deviations (and prior variances, where the gradient moves them). Larger than the "
        "weights': a factor has to travel from 1 to 0.",
    )
    gradient_clip: float = Field(default=100.0, ge=0, le=1e6, title="Gradient clip", description="Largest gradient norm; 0 = no limit.")
    likelihood: Literal["gaussian", "bernoulli"] = Field(
        default="gaussian", title="Likelihood of an example",
        description="gaussian: around the decoder's output, with one learnt noise level, in network inputs' units. bernoulli: grey values "
        "count as probabilities of a black pixel (images only); it keeps fewer latents.",
    )
    kl_warmup: float = Field(
        default=0.3, ge=0, le=1, title="Warm-up of the code's cost",
        description="Share of the steps in which the weight of KL(q(z|x) || N(0, 1)) rises from 0 to 1; 0 = the whole cost from the start.",
    )
    variance: Literal["closed_form", "gradient", "fixed"] = Field(
        default="closed_form", title="Prior variance of the factors",
        description="closed_form: the best A = mu² + sigma² at every step. gradient: learnt by Adam. fixed: not learnt, to "
        "compare with: no relevance is determined then.",
    )
    prior_variance: float = Field(
        default=1.0, gt=0, le=1e6, title="First prior variance", description="Where `gradient` starts and where `fixed` stays."
    )
    threshold: float = Field(
        default=0.5, gt=0, lt=1, title="Threshold",
        description="A latent is removed where the density ratio rho of its factor is above this.",
    )
    draws: int = Field(
        default=4, ge=1, le=1000, title="Draws", description="Draws per validation example of the bound that is shown during the search."
    )
    control: bool = Field(
        default=True, title="Compare with no relevance determination",
        description="Afterwards train the same auto-encoder with all factors 1, from the same start on the same batches.",
    )


class VaeArdSearch(BoundSearch[VaeArdConfig]):
    """One optimiser step at a time."""

    title = "Auto-encoder with relevance determination"
    order_name = "vae"
    relevance = True

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Build model and optimiser. Raises TypeError without samples."""
        super().begin(context, handover)
        self.space: AutoencoderSpace = context.space  # type: ignore[assignment]
        data: Any = context.data
        self.model = bound.build_model(self.space, data, **self._model_options).to(context.device).train()
        gamma = [self.model.gamma_mu, self.model.gamma_log_sigma, self.model.log_variance]
        rest = [weight for weight in self.model.parameters() if all(weight is not item for item in gamma)]
        self.optimizer = torch.optim.Adam([{"params": rest}, {"params": gamma}], lr=self.options.learning_rate)
        self.derived = DerivedGenomes(context, kept_otherwise(self.space), "latent")
        self._introduce()

    @property
    def _model_options(self) -> dict[str, Any]:
        options = self.options
        return {
            "likelihood": options.likelihood, "variance": options.variance, "fixed_variance": options.prior_variance,
            "relevance": self.relevance,
        }

    # ---- one step

    def step(self) -> Cost:
        """One move of encoder, decoder, factors and noise. Raises TrialFailure where the bound is not a number."""
        from search_engine.training.schedule import cosine

        share = cosine(self.done, self.horizon, 1.0, 0.0)
        for group, rate in zip(self.optimizer.param_groups, (self.options.learning_rate, self.options.gamma_learning_rate), strict=True):
            group["lr"] = rate * share
        x, _ = self.train_part.take(self.order.indices(self.done))
        self.optimizer.zero_grad(set_to_none=True)
        with self.flops_once("step"):
            terms = self.model(x)
            kl_codes, kl_gamma = terms.kl_codes.sum(1).mean(), terms.kl_gamma.sum() / len(self.train_part)
            objective = terms.log_likelihood.mean() - self.warm * kl_codes - kl_gamma
            (-objective).backward()
        self.climb(objective, list(self.model.parameters()))
        parts = {
            "log_likelihood": float(terms.log_likelihood.detach().mean()), "kl_codes": float(kl_codes.detach()),
            "kl_gamma": float(kl_gamma.detach()),
        }
        self.means.count(train_elbo=parts["log_likelihood"] - parts["kl_codes"] - parts["kl_gamma"], **parts)
        cost = Cost(forward_backward=len(x), flops=self.flops["step"])
        self.done += 1
        if self.due:
            cost = cost.plus(Cost(forward=self.options.draws * len(self.val_part)))
        self.spend(cost)
        if self.due:
            self._report(share)
        return cost

    # ---- what is found

    def kept(self) -> list[int]:
        """Latents whose rho is at most the threshold; the one of the least rho where there is none."""
        rho = self.model.rho().detach().cpu()
        return [int(number) for number in (rho <= self.options.threshold).nonzero().flatten()] or [int(rho.argmin())]

    def structure(self) -> dict[str, Any]:
        return {GROUP: (1 - self.model.rho().detach().cpu().numpy())[:, None]}

    def best(self) -> list[Finalist]:
        """The model without the latents that are not needed, scored on the validation part."""
        kept = self.kept()
        found = self._bound(FINAL_DRAWS, keep=bound.mask_of(self.model.latents, kept, self.context.device))
        init = {"network": copied(self.model.state_dict()), "options": self._model_options, "draws": FINAL_DRAWS}
        return [Finalist(self.space.genome(kept), finish="as_is", value=found["elbo"], init=init, fidelity=PRUNED)]

    def _bound(self, draws: int, keep: torch.Tensor | None = None) -> dict[str, Any]:
        seed = derive_seed(self.context.seed, "validation draws")
        return bound.bound(self.model, self.val_part, draws=draws, seed=seed, train_examples=len(self.train_part), keep=keep)

    # ---- what is said

    def _introduce(self) -> None:
        self.context.emit(FamilyDeclared(groups=self.space.family()), 0)
        self._say_structure()

    def _say_structure(self) -> None:
        groups = {name: encode_floats(weights) for name, weights in self.structure().items()}
        self.context.emit(StructureFrame(step=self.done, groups=groups), self.done)

    def _report(self, share: float) -> None:
        found = self._bound(self.options.draws)
        values = self.means.take()
        values |= {f"val_{name}": found[name] for name in ("elbo", "log_likelihood", "kl_codes")}
        values |= {
            "kl_weight": self.warm, "noise": float(self.model.log_deviation.detach().exp()),
            "learning_rate": self.options.learning_rate * share,
        }
        if self.relevance:
            values["latents_kept"] = float(len(self.kept()))
        self.context.emit(Metrics(step=self.done, samples=self.cost.samples, values=values), self.done)
        self._say_pictures(found)

    def _say_pictures(self, found: dict[str, Any]) -> None:
        self._say_structure()
        self.context.emit(ChartsFrame(step=self.done, charts=self._charts(found)), self.done)
        frame = decoded.decoded_frame(self.model, self.val_part, self.kept(), found["kl_per_latent"].numpy(), self.done)
        if frame is not None:
            self.context.emit(frame, self.done)
        self.derived.say(self.done, self.space.genome(self.kept()))

    def _charts(self, found: dict[str, Any]) -> list[Chart]:
        names = [f"z{number}" for number in range(self.model.latents)]
        places = list(range(self.model.latents))
        prior = self.model.prior_log_variance().detach().exp().sqrt().cpu().numpy()
        return [
            Chart(
                name="rho", title="Density ratio of each latent's factor", form="bars", x_title="latent variable", y_title="ρ",
                categories=names, series=[series("ρ", places, self.model.rho().detach().cpu().numpy())],
                marks=[ChartMark(axis="y", value=self.options.threshold, title="threshold")],
                note="A latent is removed where its bar is above the threshold: zero is then nearly as likely as the factor's mean.",
            ),
            Chart(
                name="kl_per_latent", title="What each latent says of an example", form="bars", x_title="latent variable",
                y_title="nats per example", categories=names,
                series=[series("KL(q(z|x) ‖ N(0, 1))", places, found["kl_per_latent"].numpy())],
                note="Mean over the validation part; a latent that says nothing has given up.",
            ),
            Chart(
                name="prior_deviation", title="Prior deviation of each latent's factor", form="bars", x_title="latent variable",
                y_title="√A", categories=names, series=[series("√A", places, prior)],
                note="Automatic relevance determination: the prior of a latent that is not needed shrinks towards 0.",
            ),
        ]

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "derived": self.derived.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.derived.load_state_dict(state["derived"])


class WithoutRelevance(VaeArdSearch):
    """The same auto-encoder with every factor 1: what relevance determination costs and what it removes."""

    title = "Control: no relevance determination"
    name = "without_ard"
    control = True
    paired_with = 0
    relevance = False

    def _introduce(self) -> None:
        """The picture stays that of the search."""

    def _say_pictures(self, found: dict[str, Any]) -> None:
        if not self.finished:
            return
        final = self._bound(FINAL_DRAWS)
        used = int((final["kl_per_latent"] >= USED_NATS).sum())
        message = (
            f"With every factor 1 the bound on the validation part is {final['elbo']:.2f} nats per example. {used} of {self.model.latents} "
            f"latents say at least {USED_NATS:g} nats of an example; all of them stay in the network."
        )
        values = {f"val_{name}": final[name] for name in ("elbo", "log_likelihood", "kl_codes")} | {"latents_used": float(used)}
        self.context.emit(ControlScored(name=self.name, title=self.title, message=observed(message), values=values), self.done)

    def best(self) -> list[Finalist]:
        return []


def check(options: VaeArdConfig, space: AutoencoderSpace) -> None:
    """Raises BadInput where the likelihood does not fit the data."""
    if options.likelihood == "bernoulli" and not space.shape.is_image:
        raise BadInput("options.likelihood", "a Bernoulli likelihood needs grey values in [0, 1], which only images have; use gaussian")
