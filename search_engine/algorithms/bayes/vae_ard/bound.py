"""The evidence lower bound of a variational auto-encoder on a whole part of the data, and the end of a search for its latents."""

from __future__ import annotations

from typing import Any

import torch

from search_engine.algorithms.base import Finalist, Finished, Split
from search_engine.base.generators import derive_seed
from search_engine.datasets.base import Part, SearchData
from search_engine.events import Cost
from search_engine.spaces.autoencoder import AutoencoderSpace
from search_engine.training.batches import DevicePart
from search_engine.training.evaluation import evaluate

from .variational_autoencoder import Grey, VariationalAutoencoder

PIECE = 1000
"""Examples at once; a bound for memory."""


def bound(
    model: VariationalAutoencoder, part: DevicePart, *, draws: int, seed: int, train_examples: int, keep: torch.Tensor | None = None
) -> dict[str, Any]:
    """Nats per example: `elbo`, and its parts `log_likelihood`, `kl_codes`, `kl_gamma` (this one a fixed cost of the model, spread over
    the training examples), and `kl_per_latent` (latents,) tensor. The expectation is a mean over `draws`, which depend on `seed` alone."""
    generator = torch.Generator().manual_seed(seed)
    likelihood, kl_codes = 0.0, torch.zeros(model.latents, dtype=torch.float64)
    with torch.no_grad():
        for first in range(0, len(part), PIECE):
            x = part.normalise(part.raw[first : first + PIECE])
            terms = [model(x, generator, keep) for _ in range(draws)]
            likelihood += float(sum(item.log_likelihood.double().sum() for item in terms)) / draws
            kl_codes += terms[0].kl_codes.double().sum(0).cpu()
        kl_gamma = float(model.kl_gamma().sum() if keep is None else (model.kl_gamma() * keep).sum()) / train_examples
    log_likelihood, codes = likelihood / len(part), kl_codes / len(part)
    return {
        "elbo": log_likelihood - float(codes.sum()) - kl_gamma, "log_likelihood": log_likelihood, "kl_codes": float(codes.sum()),
        "kl_gamma": kl_gamma, "kl_per_latent": codes,
    }


def build_model(space: AutoencoderSpace, data: SearchData, **options: Any) -> VariationalAutoencoder:
    """The untrained model for a space and its data; `options` are those of `VariationalAutoencoder`. Parameters come from torch's global
    generator."""
    config, used = space.config, data.preprocessing
    grey = Grey(used.mean, used.std) if options.get("likelihood") == "bernoulli" else None
    return VariationalAutoencoder(
        space.shape.input, config.latents, config.encoder, config.decoder, config.activation, grey=grey, **options
    )


def mask_of(latents: int, kept: list[int], device: str = "cpu") -> torch.Tensor:
    """(latents,) bool: which are kept."""
    mask = torch.zeros(latents, dtype=torch.bool, device=device)
    mask[kept] = True
    return mask


def finish(space: AutoencoderSpace, finalist: Finalist, data: SearchData, seed: int, device: str) -> Finished:
    """The finale of a search that is taken as it is: the auto-encoder of the latents that remain. Its `init` holds `network` (the state),
    `options` (those of `VariationalAutoencoder`) and `draws`. Its `elbo` is that of the pruned model."""
    init: dict[str, Any] = finalist.init or {}
    kept = space.kept(finalist.genome)
    with torch.random.fork_rng(devices=[]):
        model = build_model(space, data, **init["options"])
        network = model.plain(kept)
    model.load_state_dict(init["network"])
    model.eval()
    network = model.plain(kept)
    figures: dict[str, float] = {"latents_kept": float(len(kept)), "latents_removed": float(model.latents - len(kept))}
    mask = mask_of(model.latents, kept)

    def score(split: Split, part: Part) -> dict[str, float]:
        found = bound(
            model, DevicePart(part, data.preprocessing, "cpu"), draws=init["draws"], seed=derive_seed(seed, "bound", split),
            train_examples=len(data.train), keep=mask,
        )
        parts = {item: found[item] for item in ("elbo", "log_likelihood", "kl_codes", "kl_gamma")}
        return {**parts, **evaluate(network, part, data.preprocessing, "cpu", task=space.task)}

    figures["val_r2_all_latents"] = evaluate(
        model.plain(list(range(model.latents))), data.validation, data.preprocessing, "cpu", task=space.task
    )["r2"]
    return Finished(network, score, figures=figures, cost=Cost(forward=len(data.validation)), passes=init["draws"] + 1)
