"""The end of a weight-agnostic search: the four numbers of Gaier & Ha (2019, section 4.2, table 1), of the validation and the test part.

random: mean and standard deviation of the accuracy over shared weights drawn from U(-2, 2);
ensemble: the search's shared weights vote, ties decided by the mean probability;
tuned: the one shared weight that does best on the training part;
trained: every edge has its own weight, started at the tuned one and trained with Adam (the paper used a population method; all
activations but the step function have gradients, so plain backpropagation does it).

The trained network is the one that is shipped: `accuracy` is its. Beside them stand what the sweep over the shared weight found
(`shared_weight`) and two controls (`controls`), as a report.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.datasets.base import Array, Part, SearchData
from search_engine.events import Cost, Report
from search_engine.spaces.neuron_genes.genes import Genes

from ..base import Finalist, Finished, Split
from .controls import CNN_BATCH, CNN_CHANNELS, CNN_STEPS, Controls, cnn_examples, image_of, train_controls
from .evaluation import as_inputs, evaluate, pieces
from .shared_weight import CNN, GRID, LARGEST_WEIGHT, LINEAR, WEIGHTS, report, right_by_class, swept

if TYPE_CHECKING:
    import torch

    from search_engine.spaces.neuron_graph import NeuronGraphSpace
    from search_engine.supernets.neuron_graph import NeuronGraphNetwork
else:
    torch = lazy_module("torch")

RANDOM_DRAWS = 100
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
    tuned, accuracies = tune(genes, train)
    network = train_edges(space, genes, data, train, tuned, seed, device).cpu()
    draws = np.random.RandomState(derive_seed(seed, "random weights") % 2**32).uniform(-LARGEST_WEIGHT, LARGEST_WEIGHT, RANDOM_DRAWS)

    image = image_of(space.shape.input, space.config.input_size)

    @cache
    def controls() -> Controls:
        """Trained when first asked for: only scoring needs them."""
        labels = data.train.labels.astype(np.int64)
        return train_controls(train.features.cpu().numpy(), labels, space.outputs, image, derive_seed(seed, "controls"))

    def score(split: Split, part: Part) -> dict[str, float | Array]:
        examples = _examples(space, data, part, "cpu")
        drawn = _accuracies(genes, examples, tuple(draws.tolist()))
        return {
            "accuracy": network_accuracy(network, examples),
            "random_mean": float(drawn.mean()),
            "random_sd": float(drawn.std(ddof=1)),
            "ensemble": ensemble_accuracy(genes, examples, weights),
            "tuned": float(_accuracies(genes, examples, (tuned,))[0]),
            **swept(right_by_class(genes, examples.inputs, examples.labels, space.outputs), examples.labels.numpy()),
            LINEAR: np.array([controls().linear_accuracy(examples.features.numpy(), examples.labels.numpy())]),
            CNN: np.array([controls().cnn_accuracy(examples.features.numpy(), examples.labels.numpy())]),
        }

    def said(parts: Mapping[Split, Mapping[str, Array]]) -> Report:
        return report(accuracies, parts, tuned, weights, data.class_names, _cnn_words(controls(), len(train.labels)))

    count = len(train.labels)
    steps = ADAM_STEPS * min(ADAM_BATCH, count) + cnn_examples(image, count)
    cost = Cost(forward=GRID * count, forward_backward=steps)
    given = f"a weight of its own on every edge, trained for {ADAM_STEPS} steps"
    passes = RANDOM_DRAWS + len(weights) + 2 + GRID + (1 if image is None else 2)
    return Finished(network, score, given, {"tuned_weight": tuned}, cost, passes, said)


def _cnn_words(controls: Controls, examples: int) -> str:
    if controls.cnn is None:
        return "; no convolutional network, for these inputs are no images that could be pooled twice"
    first, second = CNN_CHANNELS
    return (
        f", and a network of two convolutions ({first} and {second} filters, {controls.cnn_parameters:,} weights) after {CNN_STEPS} steps "
        f"of Adam with {min(CNN_BATCH, examples)} examples each"
    )


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


def tune(genes: Genes, examples: _Examples) -> tuple[float, Array]:
    """The shared weight of an even grid over [-2, 2] with the best accuracy on `examples`; ties go to the larger likelihood. And (81,) the
    accuracies of the whole grid."""
    scores = evaluate([genes], examples.inputs, examples.labels, WEIGHTS, accuracy=True)
    assert scores.accuracy is not None
    order = np.lexsort((scores.log_likelihood[0], scores.accuracy[0]))
    return WEIGHTS[order[-1]], scores.accuracy[0]


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
