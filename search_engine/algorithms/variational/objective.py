"""The two objectives of the general problem (Bakhteev, lecture slides 2019; PhD thesis 2020), both maximised.

    L(theta) = E_q log p(y|X, w, Gamma) - lambda_prior^L KL(q || p)
    Q(h)     = lambda_lik^Q E_q* log p(y|X, w, Gamma) - lambda_prior^Q KL(q* || p) - sum_i lambda_struct,i KL(p(Gamma|h) || p'_i) + log p(h)

q = q(w) q(Gamma) is the variational posterior with parameters theta, p = p(w|Gamma, h) p(Gamma|h) the prior with hyper-parameters h, q*
the posterior that maximises L. The struct terms compare the *prior* of the structure with the given p'_i.

Everything is in nats, for the whole data set. Works on tensors and on plain numbers alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .lambdas import Lambdas


@dataclass(frozen=True)
class Terms:
    """Estimates of the terms at one point. Scalars (tensors or floats), nats."""

    log_likelihood: Any
    """E_q log p(y|X, w, Gamma), scaled to the whole data set."""
    kl_weights: Any
    """E_{Gamma ~ q} KL(q(w) || p(w|Gamma, h))."""
    kl_structure: Any
    """KL(q(Gamma) || p(Gamma|h))."""
    struct: tuple[Any, ...] = ()
    """KL(p(Gamma|h) || p'_i) for each i."""
    log_hyperprior: Any = 0.0

    @property
    def divergence(self) -> Any:
        """KL(q(w, Gamma) || p(w, Gamma|h)): the cost of describing the model (minimum description length), in nats."""
        return self.kl_weights + self.kl_structure


def lower(terms: Terms, lambdas: Lambdas) -> Any:
    """L: what the variational parameters maximise. m / lambda_prior^L is the effective sample size."""
    return terms.log_likelihood - lambdas.prior_l * terms.divergence


def upper(terms: Terms, lambdas: Lambdas) -> Any:
    """Q: what the hyper-parameters maximise. With one level, everything does."""
    value = lambdas.likelihood_q * terms.log_likelihood - lambdas.prior_q * terms.divergence
    for weight, divergence in zip(lambdas.struct, terms.struct, strict=True):
        value = value - weight * divergence
    return value + terms.log_hyperprior


def free_energy(terms: Terms) -> Any:
    """F = E_q[-log p(D|w)] + KL(q(w) || p(w)) = error cost + description cost (Graves 2011; Gridasov 2019)."""
    return terms.divergence - terms.log_likelihood
