"""The end of a weight-agnostic search: the four numbers of Gaier & Ha (2019, section 4.2, table 1), of the validation and the test part.

random: mean and standard deviation of the accuracy over shared weights drawn from U(-2, 2);
ensemble: the search's shared weights vote, ties decided by the mean probability;
tuned: the one shared weight that does best on the training part;
trained: every edge has its own weight, started at the tuned one and trained with Adam (the paper used a population method; all
activations but the step function have gradients, so plain backpropagation does it).

The trained network is the one that is shipped: `accuracy` is its.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.datasets.base import Array, Part, SearchData
from search_engine.events import Cost
from search_engine.spaces.neuron_genes.genes import Genes

from ..base import Finalist, Finished, Split
from .evaluation import as_inputs, evaluate, pieces

if TYPE_CHECKING:
    import torch

    from search_engine.spaces.neuron_graph import NeuronGraphSpace
    from search_engine.supernets.neuron_graph import NeuronGraphNetwork
else:
    torch = lazy_module("torch")

RANDOM_DRAWS = 100
LARGEST_WEIGHT = 2.0
GRID = 81
ADAM_STEPS = 400
ADAM_BATCH = 256
ADAM_LEARNING_RATE = 0.02
SHARED_WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)


class _Examples(NamedTuple):
    """A part on the device: features (samples, inputs) and labels (samples,)."""

    features: torch.Tensor
    inputs: torch.Tensor
    labels: torch.Tensor


def finish(space: NeuronGraphSpace, finalist: Finalist, data: SearchData, seed: int, device: str) -> Finished:
    """Tune one shared weight and train the edges' own, on the training part only. The finalist's `init` holds the search's shared
    `weights`. Scores: accuracy (trained), random_mean, random_sd, ensemble, tuned."""
    init: dict[str, Any] = finalist.init or {}
    weights = tuple(float(weight) for weight in init.get("weights", SHARED_WEIGHTS))
    genes = space.genes(finalist.genome)
    train = _examples(space, data, data.train, device)
    tuned = tune(genes, train)
    network = train_edges(space, genes, data, train, tuned, seed, device).cpu()
    draws = np.random.RandomState(derive_seed(seed, "random weights") % 2**32).uniform(-LARGEST_WEIGHT, LARGEST_WEIGHT, RANDOM_DRAWS)

    def score(split: Split, part: Part) -> dict[str, float]:
        examples = _examples(space, data, part, "cpu")
        drawn = _accuracies(genes, examples, tuple(draws.tolist()))
        return {
            "accuracy": network_accuracy(network, examples),
            "random_mean": float(drawn.mean()),
            "random_sd": float(drawn.std(ddof=1)),
            "ensemble": ensemble_accuracy(genes, examples, weights),
            "tuned": float(_accuracies(genes, examples, (tuned,))[0]),
        }

    cost = Cost(forward=GRID * len(train.labels), forward_backward=ADAM_STEPS * min(ADAM_BATCH, len(train.labels)))
    given = f"a weight of its own on every edge, trained for {ADAM_STEPS} steps"
    return Finished(network, score, given, {"tuned_weight": tuned}, cost, passes=RANDOM_DRAWS + len(weights) + 2)


def _examples(space: NeuronGraphSpace, data: SearchData, part: Part, device: str) -> _Examples:
    features = space.features(part.inputs, data.preprocessing)
    labels = torch.from_numpy(part.labels.astype(np.int64)).to(device)
    return _Examples(torch.from_numpy(features).to(device), as_inputs(features, device), labels)


def _accuracies(genes: Genes, examples: _Examples, weights: tuple[float, ...]) -> Array:
    """(W,) accuracy at each shared weight."""
    accuracy = evaluate([genes], examples.inputs, examples.labels, weights, accuracy=True).accuracy
    assert accuracy is not None
    return accuracy[0]  # type: ignore[no-any-return]


def ensemble_accuracy(genes: Genes, examples: _Examples, weights: tuple[float, ...]) -> float:
    """Accuracy of a vote of the network at each of `weights`; a tie goes to the class of the larger mean probability."""
    right = 0
    for _, samples, logits in pieces([genes], examples.inputs, weights):
        scores = logits[0].permute(1, 2, 0)  # (W, samples, classes)
        votes = torch.nn.functional.one_hot(scores.argmax(dim=-1), scores.shape[-1]).sum(dim=0)
        # A probability is at most 1, so half of it never outweighs a vote.
        ballot = votes.to(torch.float64) + 0.5 * scores.softmax(dim=-1).mean(dim=0).to(torch.float64)
        right += int((ballot.argmax(dim=-1) == examples.labels[samples]).sum())
    return right / len(examples.labels)


def tune(genes: Genes, examples: _Examples) -> float:
    """The shared weight of an even grid over [-2, 2] with the best accuracy on `examples`; ties go to the larger likelihood."""
    grid = np.linspace(-LARGEST_WEIGHT, LARGEST_WEIGHT, GRID)
    scores = evaluate([genes], examples.inputs, examples.labels, tuple(grid.tolist()), accuracy=True)
    assert scores.accuracy is not None
    order = np.lexsort((scores.log_likelihood[0], scores.accuracy[0]))
    return float(grid[order[-1]])


def train_edges(
    space: NeuronGraphSpace, genes: Genes, data: SearchData, train: _Examples, start: float, seed: int, device: str
) -> NeuronGraphNetwork:
    """The network with one weight per edge, all started at `start`: Adam, 400 batches of 256 training examples."""
    from search_engine.supernets.neuron_graph import NeuronGraphNetwork

    network = NeuronGraphNetwork(genes, space.shape, space.config.input_size)
    network.undo(data.preprocessing)
    network.share(start)
    network.to(device)
    if not network.edges:
        return network
    optimiser = torch.optim.Adam(network.parameters(), lr=ADAM_LEARNING_RATE)
    generator = np.random.RandomState(derive_seed(seed, "trained weights") % 2**32)
    count = len(train.labels)
    for _ in range(ADAM_STEPS):
        chosen = torch.from_numpy(generator.permutation(count)[:ADAM_BATCH]).to(device)
        loss = torch.nn.functional.cross_entropy(network.compute(train.features[chosen]), train.labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network


def network_accuracy(network: NeuronGraphNetwork, examples: _Examples, batch: int = 2048) -> float:
    """Share of right answers of the network with its own weights."""
    right = 0
    with torch.no_grad():
        for start in range(0, len(examples.labels), batch):
            logits = network.compute(examples.features[start : start + batch])
            right += int((logits.argmax(dim=1) == examples.labels[start : start + batch]).sum())
    return right / len(examples.labels)
