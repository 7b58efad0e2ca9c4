"""A variational auto-encoder whose latent variables are switched by Gaussian factors that automatic relevance determination prunes.

The model is  p(x) = integral p(x | z * gamma) p(z) p(gamma),  z ~ N(0, 1) per example and latent, gamma_k ~ N(0, A_k) per latent
(Bakhteev, lecture slides 2019, "VAE + ARD"; the auto-encoder itself is Kingma & Welling, ICLR 2014). The posterior is
q(z | x) = N(m(x), s(x)^2), q(gamma_k) = N(mu_k, sigma_k^2). For n training examples the evidence has the lower bound

    ELBO = sum over examples ( E_q log p(x | z * gamma) - KL(q(z | x) || N(0, 1)) ) - sum_k KL(q(gamma_k) || N(0, A_k))      in nats.

A_k is learnt: a latent that the decoder does not need gets A_k near 0, and its rho_k = exp(-mu_k^2 / (2 sigma_k^2)) goes to 1.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from search_engine.supernets.autoencoder import Autoencoder, Decoder, Encoder, perceptron

from ..divergence import gaussian_kl_each
from ..layers import floored
from ..likelihood import NOISE_FLOOR, gaussian_log_likelihood
from ..prior import VarianceRule
from ..relevance import density_ratio, relevant_variance

Likelihood = Literal["gaussian", "bernoulli"]
FIRST_GAMMA_LOG_SIGMA = -2.0


class Terms(NamedTuple):
    """Parts of the bound, in nats."""

    log_likelihood: torch.Tensor
    """(B,) log p(x | z * gamma) of each example, at one draw."""
    kl_codes: torch.Tensor
    """(B, latents) KL(q(z_k | x) || N(0, 1))."""
    kl_gamma: torch.Tensor
    """(latents,) KL(q(gamma_k) || N(0, A_k)), once for the whole training part; zeros without the factors."""


class Grey(NamedTuple):
    """How grey values in [0, 1] become network inputs, per channel: (grey - mean) / deviation."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


class VariationalAutoencoder(nn.Module):
    """See the module's docstring. `shape` is one example's; with `bernoulli` examples are grey values, undone by `grey`."""

    def __init__(
        self, shape: tuple[int, ...], latents: int, encoder: tuple[int, ...], decoder: tuple[int, ...], activation: str, *,
        likelihood: Likelihood = "gaussian", grey: Grey | None = None, variance: VarianceRule = "closed_form",
        fixed_variance: float = 1.0, relevance: bool = True,
    ) -> None:
        """`relevance=False` is the plain auto-encoder: every factor is 1. Raises ValueError for a Bernoulli likelihood without `grey`."""
        super().__init__()
        if likelihood == "bernoulli" and grey is None:
            raise ValueError("a Bernoulli likelihood needs to know how grey values became network inputs")
        size = math.prod(shape)
        self.shape, self.sizes, self.activation = shape, (encoder, decoder), activation
        self.likelihood, self.grey, self.variance, self.relevance = likelihood, grey, variance, relevance
        self.encoder = perceptron(size, encoder, 2 * latents, activation)
        self.decoder = perceptron(latents, decoder, size, activation)
        self.latents = latents
        self.gamma_mu = nn.Parameter(torch.ones(latents), requires_grad=relevance)
        self.gamma_log_sigma = nn.Parameter(torch.full((latents,), FIRST_GAMMA_LOG_SIGMA), requires_grad=relevance)
        self.log_variance = nn.Parameter(torch.full((latents,), math.log(fixed_variance)), requires_grad=variance == "gradient")
        self.log_noise = nn.Parameter(torch.zeros(()), requires_grad=likelihood == "gaussian")

    # ---- the bound

    def forward(self, x: torch.Tensor, generator: torch.Generator | None = None, keep: torch.Tensor | None = None) -> Terms:
        """One draw of z and gamma per example. x: (B, *shape) network inputs. `keep` (latents,) bool: the others' factors are exactly 0
        and cost nothing. `generator`: torch's global one unless given."""
        mean, log_deviation = self.codes(x)
        z = mean + log_deviation.exp() * _normal(mean, generator)
        kl_codes = gaussian_kl_each(mean, log_deviation, variance=1.0)
        kl_gamma = self.kl_gamma()
        if self.relevance:
            # A draw per example, though gamma is one for all: the expectation is the same, the gradient quieter.
            z = z * (self.gamma_mu + self.gamma_log_sigma.exp() * _normal(mean, generator))
        if keep is not None:
            z, kl_codes, kl_gamma = z * keep, kl_codes * keep, kl_gamma * keep
        return Terms(self._log_likelihood(x.flatten(1), self.decoder(z)), kl_codes, kl_gamma)

    def codes(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(mean, log standard deviation) of q(z | x), each (B, latents)."""
        both: torch.Tensor = self.encoder(x.flatten(1))
        mean, log_deviation = both.chunk(2, dim=1)
        return mean, log_deviation

    def kl_gamma(self) -> torch.Tensor:
        """(latents,) KL(q(gamma_k) || N(0, A_k))."""
        if not self.relevance:
            return torch.zeros_like(self.gamma_mu)
        return gaussian_kl_each(self.gamma_mu, self.gamma_log_sigma, log_variance=self.prior_log_variance())

    def prior_log_variance(self) -> torch.Tensor:
        """(latents,) log A_k."""
        if self.variance == "closed_form":
            return relevant_variance(self.gamma_mu, self.gamma_log_sigma).log()
        return self.log_variance

    def _log_likelihood(self, x: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """(B,) from network inputs and the decoder's values, both (B, size)."""
        if self.likelihood == "bernoulli":
            costs: torch.Tensor = F.binary_cross_entropy_with_logits(values, self._grey_values(x), reduction="none")
            return -costs.sum(1)
        return gaussian_log_likelihood(values, x, self.log_deviation)

    @property
    def log_deviation(self) -> torch.Tensor:
        """log of the Gaussian likelihood's standard deviation, in network inputs' units."""
        return floored(self.log_noise, NOISE_FLOOR)

    def _grey_values(self, x: torch.Tensor) -> torch.Tensor:
        """Network inputs (B, size) as grey values in [0, 1]."""
        assert self.grey is not None
        shape = (1, -1, *([1] * (len(self.shape) - 1)))
        mean, deviation = (torch.tensor(values, dtype=x.dtype, device=x.device).view(shape) for values in self.grey)
        # Undoing a normalisation in float32 may leave the interval by a rounding error.
        values: torch.Tensor = x.unflatten(1, self.shape) * deviation + mean
        return values.flatten(1).clamp(0, 1)

    # ---- what is found

    def rho(self) -> torch.Tensor:
        """(latents,) density ratio of the factors: near 1 where a latent is not needed; zeros without the factors."""
        return density_ratio(self.gamma_mu, self.gamma_log_sigma) if self.relevance else torch.zeros_like(self.gamma_mu)

    def plain(self, kept: list[int]) -> Autoencoder:
        """The auto-encoder of the mean codes and mean factors of those latents, on the CPU; factors are folded into the decoder."""
        encoder_widths, decoder_widths = self.sizes
        grey = tuple(self.grey) if self.grey is not None and self.likelihood == "bernoulli" else None
        network = Autoencoder(
            Encoder(math.prod(self.shape), encoder_widths, len(kept), self.activation),
            Decoder(len(kept), decoder_widths, self.shape, self.activation, grey),  # type: ignore[arg-type]
        )
        # The log deviations behind the means are left out of the encoder's last layer.
        _copy(self.encoder, network.encoder.layers, rows=kept)
        _copy(self.decoder, network.decoder.layers, columns=kept, scale=self.gamma_mu.detach()[kept])
        return network.eval()


def _normal(like: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    if generator is None:
        return torch.randn_like(like)
    # A generator of its own is the CPU's, wherever the network lies.
    return torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)


@torch.no_grad()
def _copy(
    source: nn.Sequential, target: nn.Sequential, *, rows: list[int] | None = None, columns: list[int] | None = None,
    scale: torch.Tensor | None = None,
) -> None:
    """Copy the linear layers: of the last one only `rows`, of the first one only `columns`, each times its `scale`."""
    pairs = [(a, b) for a, b in zip(source, target, strict=True) if isinstance(a, nn.Linear) and isinstance(b, nn.Linear)]
    for place, (theirs, ours) in enumerate(pairs):
        weight, bias = theirs.weight.detach(), theirs.bias.detach()
        if rows is not None and place == len(pairs) - 1:
            weight, bias = weight[rows], bias[rows]
        if columns is not None and scale is not None and place == 0:
            weight = weight[:, columns] * scale
        ours.weight.copy_(weight)
        ours.bias.copy_(bias)
