"""Mean-field Gaussian weights: layers, their divergence from a prior, and what the density at zero says of a weight.

    layers.py      BayesLinear, BayesConvolution: w ~ N(mu, sigma^2), local reparameterisation
    divergence.py  the Gaussian KL in closed form, in nats
    relevance.py   density ratio rho, the optimal prior variance of automatic relevance determination
    conversion.py  a plain network <-> its Bayesian twin

These modules import torch at their top: they are imported where a search begins, never by the registry.
"""
