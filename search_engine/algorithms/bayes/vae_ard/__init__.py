"""An auto-encoder that finds its latents: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from search_engine.algorithms.base import ONE_FINALIST, AlgorithmEntry, Phase

from .search import VaeArdConfig, VaeArdSearch, WithoutRelevance


def _phases(options: VaeArdConfig) -> list[Phase]:
    return [VaeArdSearch(), *([WithoutRelevance()] if options.control else [])]


ENTRY = AlgorithmEntry(
    id="vae_ard",
    title="VAE with relevance determination",
    family="probabilistic",
    summary="Trains a variational auto-encoder and removes the latent variables that the evidence does not need. The result codes and "
    "decodes examples.",
    source="Bakhteev, lecture slides 2019 (VAE + ARD); Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014 (arXiv 1312.6114); "
    "MacKay 1994 (automatic relevance determination)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"latents"}),
    config=VaeArdConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    spaces=("autoencoder",),
    lives="the cube",
    metric="val_elbo",
    idle=(ONE_FINALIST,),
    structure=("family", "decoded", "charts"),
    check="search_engine.algorithms.bayes.vae_ard.search:check",
    finale="Nothing is trained: encoder and decoder keep their weights, and the latents that are not needed are gone. The bound that "
    "removes them is the bound of these weights.",
    finisher="search_engine.algorithms.bayes.vae_ard.bound:finish",
    quick={"options": {"steps": 6, "batch_size": 32}, "space_options": {"latents": 4, "encoder": [16], "decoder": [16]}},
)
