"""The end of a model that was chosen by its evidence: the plain network with its most probable weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Part, SearchData
from search_engine.supernets.basis_network import BasisNetwork, ConstantNetwork, HiddenLayerNetwork, build
from search_engine.training.evaluation import evaluate

from ..base import Finalist, Finished, Split
from .charts import predictive
from .estimates import posterior_at
from .likelihoods import GaussianLikelihood
from .models import TanhModel
from .problem import examples, model_of

if TYPE_CHECKING:
    from search_engine.spaces.basis_expansion import BasisExpansionSpace


def network_of(space: BasisExpansionSpace, finalist: Finalist) -> torch.nn.Module:
    """The finalist's network on the CPU with the weights of its `init`, float32."""
    network = build(space, finalist.genome, "final", TrainingConfig())
    model = model_of(space, finalist.genome)
    w = torch.as_tensor((finalist.init or {})["weights"])
    with torch.no_grad():
        if isinstance(network, ConstantNetwork):
            network.bias.copy_(w)
        elif isinstance(network, HiddenLayerNetwork):
            assert isinstance(model, TanhModel)
            v, b, u, c = model.parts(w)
            network.hidden.weight.copy_(v.T)
            network.hidden.bias.copy_(b[0])
            network.linear.weight.copy_(u.T)
            network.linear.bias.copy_(c[0])
        else:
            assert isinstance(network, BasisNetwork)
            matrix = w.unflatten(0, (-1, space.shape.classes))
            network.linear.bias.copy_(matrix[0])
            network.linear.weight.copy_(matrix[1:].T)
    return network.eval()


def finish(space: BasisExpansionSpace, finalist: Finalist, data: SearchData, seed: int, device: str) -> Finished:
    """Nothing is trained. For a regression its scores hold also the mean log density of new examples under the predictive distribution, in
    nats: it sees whether the band is honest, which r2 does not."""
    network = network_of(space, finalist)

    def score(split: Split, part: Part) -> dict[str, float]:
        own = evaluate(network, part, data.preprocessing, "cpu", task=space.task)
        return {**own, "log_density": log_density(space, finalist, data, part)} if space.task == "regression" else own

    return Finished(network, score, "the most probable weights", {"log_evidence": float((finalist.init or {})["log_evidence"])})


def log_density(space: BasisExpansionSpace, finalist: Finalist, data: SearchData, part: Part) -> float:
    """Mean of log p(y | x, D) over a part."""
    init = finalist.init or {}
    model, train, new = model_of(space, finalist.genome), examples(data, data.train), examples(data, part)
    alpha, beta, w = float(init["alpha"]), float(init["beta"]), torch.as_tensor(init["weights"])
    posterior = posterior_at(model, GaussianLikelihood(train.targets), model.see(train.inputs), w, alpha, beta)
    mean, variance = predictive(posterior, new.inputs)
    each = -0.5 * ((new.targets - mean).square() / variance + (2 * math.pi * variance).log())
    return float(each.sum(1).mean())
