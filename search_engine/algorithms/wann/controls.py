"""What stands beside the four numbers: linear regression and a small convolutional network, trained on the same training part.

The paper has 91.6 % and 99.3 % of others' for MNIST beside its table; here both are trained, on what the network's input nodes hold, so
that they saw what it saw. They are controls: neither is searched for, and nothing is chosen by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search_engine.base.lazy import lazy_module
from search_engine.datasets.base import Array

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

CNN_STEPS = 200
CNN_BATCH = 128
CNN_LEARNING_RATE = 0.01
CNN_CHANNELS = (8, 16)
LEAST_SIDE = 4
"""Two poolings of 2 need as many pixels a side."""


@dataclass(frozen=True)
class Controls:
    """Both, trained. `cnn` is None where the inputs are no images of at least LEAST_SIDE pixels a side."""

    coefficients: Array
    """(1 + inputs, classes) float64; the first row is the constant's."""
    cnn: torch.nn.Module | None
    image: tuple[int, int, int] | None
    """Channels, height and width of what the input nodes hold, where that is an image."""

    @property
    def cnn_parameters(self) -> int:
        return 0 if self.cnn is None else sum(weight.numel() for weight in self.cnn.parameters())

    def linear_accuracy(self, features: Array, labels: Array) -> float:
        """Share of right answers: the class with the largest value."""
        answers = (_with_constant(features) @ self.coefficients).argmax(axis=1)
        return float((answers == labels).mean())

    def cnn_accuracy(self, features: Array, labels: Array) -> float:
        """The same of the convolutional network; NaN where there is none."""
        if self.cnn is None or self.image is None:
            return float("nan")
        right = 0
        with torch.no_grad():
            for first in range(0, len(features), 1024):
                images = torch.from_numpy(features[first : first + 1024]).reshape(-1, *self.image)
                right += int((self.cnn(images).argmax(dim=1).numpy() == labels[first : first + 1024]).sum())
        return right / len(features)


def image_of(shape: tuple[int, ...], input_size: int) -> tuple[int, int, int] | None:
    """Channels, height and width of what the input nodes hold; None for vectors and for images that are too small to be pooled twice.

    >>> image_of((1, 28, 28), 16), image_of((13,), 16)
    ((1, 16, 16), None)
    """
    if len(shape) != 3:
        return None
    image = (shape[0], min(shape[1], input_size), min(shape[2], input_size))
    return image if min(image[1:]) >= LEAST_SIDE else None


def cnn_examples(image: tuple[int, int, int] | None, count: int) -> int:
    """Training examples x passes that the convolutional network takes, of `count` in the training part."""
    return 0 if image is None else CNN_STEPS * min(CNN_BATCH, count)


def train_controls(features: Array, labels: Array, classes: int, image: tuple[int, int, int] | None, seed: int) -> Controls:
    """Both on the training part: `features` (samples, inputs) float32 and `labels` (samples,). On the CPU, with generators of their own."""
    wanted = np.eye(classes)[labels]
    coefficients, *_ = np.linalg.lstsq(_with_constant(features), wanted, rcond=None)
    return Controls(coefficients, None if image is None else _trained_cnn(features, labels, classes, image, seed), image)


def _with_constant(features: Array) -> Array:
    return np.concatenate([np.ones((len(features), 1)), features.astype(np.float64)], axis=1)


def _trained_cnn(features: Array, labels: Array, classes: int, image: tuple[int, int, int], seed: int) -> torch.nn.Module:
    """Two convolutions, each with a ReLU and a 2 x 2 max pooling, and a linear layer: CNN_STEPS steps of Adam."""
    first, second = CNN_CHANNELS
    # The finale measures with gradients off, and the weights of others are drawn from the global generator.
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed % 2**63)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(image[0], first, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(first, second, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Flatten(), torch.nn.Linear(second * (image[1] // 4) * (image[2] // 4), classes),
        )
        optimiser = torch.optim.Adam(network.parameters(), lr=CNN_LEARNING_RATE)
        generator = np.random.RandomState(seed % 2**32)
        inputs, targets = torch.from_numpy(features).reshape(-1, *image), torch.from_numpy(labels)
        for _ in range(CNN_STEPS):
            chosen = torch.from_numpy(generator.permutation(len(labels))[:CNN_BATCH])
            loss = torch.nn.functional.cross_entropy(network(inputs[chosen]), targets[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()
