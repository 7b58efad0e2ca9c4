"""The hyper-parameters of `variational`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from search_engine.base.works_with import WorksWith, each, one_of, other_than

from ..base import AlgorithmConfig
from ..simplex.estimators import EstimatorName
from .lambdas import Lambdas, ScheduleName

Probability = Annotated[float, Field(gt=0, le=1e6)]
Signed = Annotated[float, Field(ge=-1e6, le=1e6)]


TWO_LEVELS = {"is": [True], "words": "two levels (levels = two, or λ that ask for them)"}


class VariationalConfig(AlgorithmConfig):
    """Hyper-parameters of Bakhteev's general problem and of Gridasov's free energy."""

    works_with: ClassVar[WorksWith] = {
        "epochs": {"steps": one_of(0)},
        "structure_prior_temperature": {"structure_priors": other_than([])},
        "structure_data": {"problem": one_of("free_energy")},
        "train_portion": {"problem": one_of("free_energy"), "structure_data": one_of("train_split")},
        **each(("inner_steps", "estimator"), {"has_two_levels": TWO_LEVELS}),
        "xi": {"has_two_levels": TWO_LEVELS, "estimator": other_than("first")},
        **each(
            ("lambda_temp", "posterior_temperature", "learn_structure_prior", "wide_log_deviation"), {"problem": one_of("general")}
        ),
        **each(
            ("init_log_sigma", "sigma_floor", "shared_precision", "precision", "learn_precision"), {"weights": one_of("gaussian")}
        ),
        "hyperprior_scale": {"hyperprior_shape": other_than(0)},
        "real_start": {"space_options.constraint": one_of("real")},
    }

    problem: Literal["general", "free_energy"] = Field(
        default="general", title="Problem",
        description="general: posterior and prior over weights and structure, objectives L and Q with all lambdas (Bakhteev). free_energy: "
        "weights by the variational free energy on one part of the data, structure by the likelihood of another through an unrolled "
        "weight step (Gridasov).",
    )
    weights: Literal["gaussian", "point"] = Field(
        default="gaussian", title="Weights",
        description="gaussian: independent normal weights, each with a mean and a deviation. point: plain weights by maximum likelihood, "
        "without a description cost.",
    )

    # ---- how long
    epochs: int = Field(
        default=4, ge=1, le=100_000, title="Epochs",
        description="As many steps as batches in so many passes over the data that fit the weights: with `steps` = 0 this is the horizon "
        "of the search and of its schedules. A step takes `inner_steps` batches.",
    )
    steps: int = Field(
        default=0, ge=0, le=10_000_000, title="Steps", description="The horizon in steps instead; 0 = use the epochs. Thesis's toy: 1000.",
    )
    batch_size: int = Field(
        default=64, ge=1, le=65_536, title="Batch size",
        description="Examples of a minibatch; the likelihood is scaled to the whole data set. Thesis's toy: all 50.",
    )
    samples: int = Field(
        default=1, ge=1, le=64, title="Monte Carlo samples r",
        description="Draws of structure and weights for each estimate; the cost of a step is proportional to it. Thesis: 3.",
    )

    # ---- the objectives
    lambda_likelihood_q: float = Field(
        default=1.0, ge=0, le=1e9, title="λ^Q_likelihood", description="Weight of the expected log likelihood in Q.",
    )
    lambda_prior_q: float = Field(
        default=1.0, ge=0, le=1e9, title="λ^Q_prior",
        description="Weight of KL(q ‖ p) in Q: the larger, the cheaper to describe the chosen model is. Where it equals λ^L_prior × "
        "λ^Q_likelihood, one optimiser maximises Q over everything.",
    )
    lambda_prior_l: float = Field(
        default=1.0, ge=0, le=1e9, title="λ^L_prior",
        description="Weight of KL(q ‖ p) in L. The effective sample size is m / λ: a larger value is a stronger prior. 0 = maximum "
        "likelihood. With 1 (the evidence bound) a network of many weights on few examples becomes as simple as it can; a smaller "
        "value leaves it more of them.",
    )
    lambda_schedule: ScheduleName = Field(
        default="constant", title="λ schedule",
        description="linear and exponential move both prior lambdas to their end values over the horizon: complexity is lowered (rising λ) "
        "or raised (falling λ) during the run.",
    )
    lambda_prior_q_end: float | None = Field(
        default=None, ge=0, le=1e9, title="λ^Q_prior at the end", description="Empty = as at the start.",
    )
    lambda_prior_l_end: float | None = Field(
        default=None, ge=0, le=1e9, title="λ^L_prior at the end", description="Empty = as at the start.",
    )
    lambda_struct: tuple[Signed, ...] = Field(
        default=(), max_length=16, title="λ^Q_struct",
        description="Weights of KL(p(Γ|h) ‖ p′), one for each structure prior below: positive attracts the structure's prior to p′, "
        "negative repels it.",
    )
    structure_priors: tuple[tuple[Probability, ...], ...] = Field(
        default=(), max_length=16, title="Structure priors p′",
        description="For each λ^Q_struct the s′ of a Gumbel-Softmax law, one positive number per operation (the same on every edge), in "
        "any scale. Thesis: [[0.99, 0.05, 0.05], [0.05, 0.05, 0.99]].",
    )
    structure_prior_temperature: float = Field(
        default=0.1, gt=0, le=1000, title="Temperature of the structure priors", description="That of every p′. Thesis: 0.1.",
    )

    # ---- the levels
    levels: Literal["auto", "one", "two"] = Field(
        default="auto", title="Levels",
        description="auto: one where λ^Q_prior = λ^L_prior × λ^Q_likelihood (then both ask the same of the weights), else two.",
    )
    inner_steps: int = Field(
        default=1, ge=1, le=1000, title="Inner steps",
        description="With two levels: moves of the variational parameters for one of the hyper-parameters.",
    )
    estimator: EstimatorName = Field(
        default="first", title="Gradient of the upper level",
        description="first: greedy, the lower level counts as optimal. finite_difference and exact look one step of the lower level ahead.",
    )
    xi: float = Field(
        default=0.01, ge=0, le=1000, title="Look-ahead step ξ",
        description="Length of the virtual step of the lower level along its gradient per object; 0 = first order. Gridasov's "
        "trajectories: 0, 1, 5, 10, 20 with estimator exact.",
    )
    structure_data: Literal["train_split", "validation"] = Field(
        default="train_split", title="Data that move the structure",
        description="With free_energy: a part of the training data, or the validation data.",
    )
    train_portion: float = Field(
        default=0.5, gt=0, lt=1, title="Share of the weights",
        description="With free_energy and train_split: the share that fits the weights.",
    )

    # ---- optimisers
    optimizer: Literal["adam", "sgd"] = Field(default="adam", title="Optimiser", description="Of all parameters. Thesis: Adam.")
    learning_rate: float = Field(
        default=0.01, gt=0, le=10, title="Learning rate", description="Of the weights' means and deviations. Thesis: 0.01.",
    )
    structure_learning_rate: float = Field(
        default=0.03, gt=0, le=10, title="Learning rate of the structure",
        description="Of q(Γ), or of the structure weights with free_energy. Thesis: 0.01 over 1000 steps.",
    )
    prior_learning_rate: float = Field(
        default=0.01, gt=0, le=10, title="Learning rate of the hyper-parameters", description="Of the prior's precisions and of p(Γ).",
    )
    gradient_clip: float = Field(
        default=1.0, ge=0, le=1000, title="Gradient clip", description="Largest norm of the gradient per object; 0 = no limit. Thesis: 1.",
    )

    # ---- the laws
    lambda_temp: float = Field(
        default=1.0, gt=0, le=1000, title="λ_temp",
        description="Temperature of the structure's prior: low near the vertices, high at the centre.",
    )
    posterior_temperature: float = Field(
        default=1.0, gt=0.05, le=1000, title="First temperature of q(Γ)", description="It is learned from there, and stays above 0.05.",
    )
    learn_structure_prior: bool = Field(
        default=True, title="Learn the structure's prior",
        description="Whether the s of p(Γ) = GS(s, λ_temp) is a hyper-parameter; else uniform.",
    )
    learn_precision: bool = Field(
        default=True, title="Learn the weights' prior", description="Whether the precisions A of N(0, γ² / A) are hyper-parameters.",
    )
    shared_precision: bool = Field(
        default=False, title="One precision per tensor", description="One precision for all weights of a layer instead of one for each.",
    )
    precision: float = Field(
        default=1.0, gt=0, le=1e9, title="First precision", description="Where the precisions start (1 / variance).",
    )
    hyperprior_shape: float = Field(
        default=0.0, ge=0, le=1e6, title="Hyperprior: shape",
        description="Inverse gamma on the prior's variances 1 / A, log p(h) in Q; 0 = none.",
    )
    hyperprior_scale: float = Field(default=1.0, gt=0, le=1e6, title="Hyperprior: scale", description="Of the inverse gamma.")
    warm_up_share: float = Field(
        default=0.5, ge=0, lt=1, title="Warm-up",
        description="Share of the horizon during which the weights' prior is N(0, 1 / A) without the structure. Then the prior is made "
        "wide (see below) and the structure weights enter its deviation. Thesis: half.",
    )
    wide_log_deviation: float = Field(
        default=10.0, ge=-4, le=20, title="Log deviation after the warm-up",
        description="What the logarithm of 1 / √A is set to when the structure enters the prior. Thesis: 10.",
    )
    init_log_sigma: float = Field(
        default=-3.0, ge=-20, le=5, title="First log σ", description="Of the weights' deviations. -3 for networks, 0 for the thesis's toy.",
    )
    sigma_floor: float = Field(
        default=-4.0, ge=-30, le=5, title="Floor of log σ", description="Deviations stay above the exponential of this. Thesis: -4.",
    )
    noise: float = Field(
        default=1.0, gt=0, le=1e6, title="Noise",
        description="Standard deviation of a normal likelihood (real targets) at the start. Fixed at √½ = 0.7071, minus the log likelihood "
        "is the squared error and a constant.",
    )
    learn_noise: bool = Field(default=True, title="Learn the noise", description="Whether that deviation is learned with the weights.")
    real_start: float = Field(
        default=0.2, ge=-1000, le=1000, title="First structure weight",
        description="Where real structure weights (amplitudes) start, in families that have them.",
    )

    @property
    def ends(self) -> list[Lambdas]:
        """The lambdas at the start and at the end of the schedule."""
        prior_q, prior_l = self.lambda_prior_q, self.lambda_prior_l
        last_q, last_l = self.lambda_prior_q_end, self.lambda_prior_l_end
        pairs = [(prior_q, prior_l), (prior_q if last_q is None else last_q, prior_l if last_l is None else last_l)]
        return [Lambdas(self.lambda_likelihood_q, of_q, of_l, self.lambda_struct) for of_q, of_l in pairs]

    @property
    def has_two_levels(self) -> bool:
        """Whether weights and hyper-parameters ever move on objectives of their own."""
        apart = self.problem == "free_energy" or self.levels == "two"
        return apart or (self.levels == "auto" and not all(lambdas.one_level for lambdas in self.ends))

    @field_validator("structure_priors")
    @classmethod
    def _of_one_length(cls, priors: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        if len({len(prior) for prior in priors}) > 1:
            raise ValueError("all structure priors need the same number of entries, one per operation")
        return priors

    @model_validator(mode="after")
    def _one_prior_for_each_lambda(self) -> Self:
        if len(self.lambda_struct) != len(self.structure_priors):
            raise ValueError(
                f"lambda_struct has {len(self.lambda_struct)} entries and structure_priors {len(self.structure_priors)}: give one of each"
            )
        return self
