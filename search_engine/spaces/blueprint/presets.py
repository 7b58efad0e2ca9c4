"""The two spaces of the master's thesis (Nikulenkov, Moscow State University 2022, section 6.2)."""

from __future__ import annotations

from ..base import SpacePreset

SMALL = SpacePreset(
    id="small_pictures",
    title="MNIST, CIFAR-10",
    sentence="The thesis's space for MNIST and CIFAR-10: 16 to 68 filters, kernels of 1, 3 and 5, one dense layer of 32 to 256. Its "
    "defaults.",
    options={
        "filters_min": 16, "filters_max": 68, "kernels": [1, 3, 5], "dropout_max": 0.5, "dense_layers": 1, "dense_min": 32,
        "dense_max": 256,
    },
)
LARGE = SpacePreset(
    id="large_pictures",
    title="CIFAR-100, Tiny ImageNet",
    sentence="The thesis's space for CIFAR-100 and Tiny ImageNet: 16 to 128 filters, kernels of 2, 4, 7, 9, 11 and 13, two dense layers of "
    "32 to 128.",
    options={
        "filters_min": 16, "filters_max": 128, "kernels": [2, 4, 7, 9, 11, 13], "dropout_max": 0.5, "dense_layers": 2, "dense_min": 32,
        "dense_max": 128,
    },
)
