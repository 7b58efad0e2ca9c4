"""The experiment of a master's thesis, made ready: does compressing networks before they are trained speed CoDeepNEAT up?

Source: Nikulenkov, master's thesis, Moscow State University 2022, section 6: 4 runs in each group, 12 networks in 7 generations (MNIST,
CIFAR-10), equal initial populations, one epoch of compression with λ = 1 / initial FLOPs and threshold 0.1 (0.05 for CIFAR-100 and
Tiny ImageNet). Two Tesla P100 took about two hours for a run. Here populations, generations, seeds, arms and the 500 steps of compression
are the thesis's; the side of the pictures, then the number of examples, then the epochs are smaller, so that processors do.
"""

from __future__ import annotations

from typing import Any

SMALL_SPACE: dict[str, Any] = {
    "filters_min": 16, "filters_max": 68, "kernels": [1, 3, 5], "dropout_max": 0.5, "dense_layers": 1, "dense_min": 32, "dense_max": 256,
}
"""Of `blueprint`: for MNIST and CIFAR-10. Its defaults, too."""
LARGE_SPACE: dict[str, Any] = {
    "filters_min": 16, "filters_max": 128, "kernels": [2, 4, 7, 9, 11, 13], "dropout_max": 0.5, "dense_layers": 2, "dense_min": 32,
    "dense_max": 128,
}
"""Of `blueprint`: for CIFAR-100 and Tiny ImageNet."""
ARMS = ("none", "without_inheritance", "with_inheritance")
SEEDS = [0, 1, 2, 3]


def comparison(
    name: str, dataset: str, side: int, examples: int, generations: int, space: dict[str, Any] = SMALL_SPACE, threshold: float = 0.1,
    **data: Any,
) -> dict[str, Any]:
    """The body of the experiment: three arms that begin with the same populations. `examples`: images used before they are split; a batch
    is as large as makes an epoch of about 500 steps."""
    share = data.get("validation_share", 1 / 6)
    batch = max(2, round(examples * (1 - share) * data.get("copies", 1) / 500))
    return {
        "name": name,
        "algorithms": [
            {"id": "codeepneat", "options": {"generations": generations, "networks": 12, "shared_start": True, **_arm(arm, threshold)}}
            for arm in ARMS
        ],
        "space": "blueprint",
        "space_options": {**space, "picture_side": side},
        "datasets": [dataset],
        "dataset_options": [{"examples": examples, **data}],
        "seeds": SEEDS,
        "budget": None,
        "training": {"epochs": 2, "batch_size": batch, "learning_rate": 0.02},
        "finale": {"baselines": 0, "redundancy": False},
        "runtime": {},
    }


def _arm(arm: str, threshold: float) -> dict[str, Any]:
    """A threshold does nothing where nothing is compressed."""
    return {"compress": arm} if arm == "none" else {"compress": arm, "compress_threshold": threshold}


_LIKE = "Does compressing networks before their training speed evolution up, and what does it cost? Three arms (plain, compressed, "
_REST = (
    "compressed with inheritance), four seeds, equal initial populations, 12 networks in each generation, 500 steps of compression: the "
    "comparison of a master's thesis of 2022, whose figures stand beside."
)

CARDS: list[dict[str, Any]] = [
    {
        "id": "thesis-mnist",
        "title": "Compressed evolution on MNIST",
        "description": f"{_LIKE}{_REST} Smaller than there: pictures of 7 x 7 pixels, 5,000 training images, 2 epochs.",
        "experiment": comparison("Compressed evolution on MNIST", "mnist", 7, 6000, 7),
    },
    {
        "id": "thesis-cifar10",
        "title": "Compressed evolution on CIFAR-10",
        "description": f"{_LIKE}{_REST} Smaller than there: a JPEG copy of the pictures, 10 x 10 pixels, 5,000 training images, 2 epochs.",
        "experiment": comparison("Compressed evolution on CIFAR-10", "cifar10_jpeg", 10, 6250, 7),
    },
    {
        "id": "thesis-cifar100",
        "title": "Compressed evolution on CIFAR-100",
        "description": f"{_LIKE}{_REST} The thesis's larger space (up to 128 filters, kernels up to 13, two dense layers), its threshold "
        "of 0.05, its training part enlarged three times, 4 generations. Smaller than there: 16 x 16 pixels, 5,000 training images, 2 "
        "epochs.",
        "experiment": comparison("Compressed evolution on CIFAR-100", "cifar100", 16, 6250, 4, LARGE_SPACE, 0.05, copies=3),
    },
    {
        "id": "thesis-tiny-imagenet",
        "title": "Compressed evolution on Tiny ImageNet",
        "description": f"{_LIKE}{_REST} As on CIFAR-100, with 100 of the 200 classes (the thesis does not say which, here they are the "
        "first) and a training part enlarged four times. Smaller than there: 16 x 16 pixels, 5,000 training images, 2 epochs.",
        "experiment": comparison(
            "Compressed evolution on Tiny ImageNet", "tiny_imagenet", 16, 6250, 4, LARGE_SPACE, 0.05, classes=100, copies=4
        ),
    },
    {
        "id": "thesis-small",
        "title": "Compressed evolution, smaller",
        "description": "The same comparison on MNIST in 3 generations instead of 7: smaller than the thesis's, for a look at what it is "
        "about.",
        "experiment": comparison("Compressed evolution, smaller", "mnist", 7, 6000, 3),
    },
]
