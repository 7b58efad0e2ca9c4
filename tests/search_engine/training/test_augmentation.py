"""Augmentation: what each kind does, and that its draws depend on (seed, step) alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from search_engine.base.generators import derive_seed
from search_engine.spaces.data_shape import Preprocessing
from search_engine.training.augmentation import Augmentation
from search_engine.training.batches import Normaliser

SHAPE = (1, 16, 16)
RAW = torch.from_numpy(np.random.RandomState(0).randint(1, 256, (64, *SHAPE)).astype(np.uint8))
PLAIN = Normaliser(Preprocessing(1.0, (0.0,), (1.0,)), 4, "cpu")


def augment(kind: str, seed: int = 1, step: int = 0) -> torch.Tensor:
    return Augmentation(kind, SHAPE, seed)(RAW, PLAIN, [len(RAW)], step)


@pytest.mark.parametrize("kind", ["shift", "shift_flip", "cutout"])
def test_draws_depend_on_seed_and_step_alone(kind: str) -> None:
    first = augment(kind)
    torch.manual_seed(99)
    assert torch.equal(first, augment(kind))
    assert not torch.equal(first, augment(kind, step=1))
    assert not torch.equal(first, augment(kind, seed=2))


def test_the_draws_of_a_step_come_in_their_order() -> None:
    """A generator seeded by (seed, step): all rows, all columns, then what else the kind has. Other draws would be another search."""
    generator = torch.Generator().manual_seed(derive_seed(1, "augment", 4))
    rows, columns = (torch.randint(0, 5, (len(RAW),), generator=generator).tolist() for _ in range(2))
    flipped = torch.rand(len(RAW), generator=generator).lt(0.5).tolist()
    images = [shifted(image, row - 2, column - 2) for image, row, column in zip(RAW.float(), rows, columns, strict=True)]
    assert torch.equal(augment("shift", step=4), torch.stack(images))
    mirrored = [image.flip(-1) if flip else image for image, flip in zip(images, flipped, strict=True)]
    assert torch.equal(augment("shift_flip", step=4), torch.stack(mirrored))


@pytest.mark.parametrize("kind", ["none", "shift", "shift_flip", "cutout"])
def test_many_steps_at_once_are_each_step_for_itself(kind: str) -> None:
    augmentation, sizes = Augmentation(kind, SHAPE, 1), [20, 20, 24]
    apart = [augmentation(raw, PLAIN, [len(raw)], 7 + place) for place, raw in enumerate(RAW.split(sizes))]
    assert torch.equal(augmentation(RAW, PLAIN, sizes, 7), torch.cat(apart))


@pytest.mark.parametrize("kind", ["shift", "shift_flip", "cutout"])
def test_the_global_generator_is_left_alone(kind: str) -> None:
    state = torch.get_rng_state()
    augment(kind)
    assert torch.equal(torch.get_rng_state(), state)


def test_none_only_normalises_and_auto_shifts_images() -> None:
    assert torch.equal(augment("none"), RAW.float())
    assert torch.equal(augment("auto"), augment("shift"))
    vectors = torch.ones(3, 4)
    plain = Normaliser(Preprocessing(1.0, (0.0,) * 4, (1.0,) * 4), 2, "cpu")
    assert torch.equal(Augmentation("auto", (4,), 1)(vectors, plain, [3], 0), vectors)


def shifted(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
    return padded[:, 2 + down : 18 + down, 2 + right : 18 + right]


def test_a_shift_moves_by_up_to_an_eighth_and_lets_black_in() -> None:
    seen = set()
    for before, after in zip(RAW.float(), augment("shift"), strict=True):
        fitting = [(y, x) for y in range(-2, 3) for x in range(-2, 3) if torch.equal(after, shifted(before, y, x))]
        assert len(fitting) == 1
        seen.add(fitting[0])
    assert {y for y, _ in seen} == {x for _, x in seen} == {-2, -1, 0, 1, 2}


def test_a_flip_mirrors_about_half_of_the_images() -> None:
    flips = 0
    for before, after in zip(RAW.float(), augment("shift_flip"), strict=True):
        moved = [shifted(before, y, x) for y in range(-2, 3) for x in range(-2, 3)]
        plain, mirrored = any(torch.equal(after, item) for item in moved), any(torch.equal(after, item.flip(-1)) for item in moved)
        assert plain != mirrored
        flips += mirrored
    assert 16 < flips < 48


def test_cutout_blanks_one_square_after_normalisation() -> None:
    normaliser = Normaliser(Preprocessing(1.0, (-10.0,), (2.0,)), 4, "cpu")
    for image in Augmentation("cutout", SHAPE, 1)(RAW, normaliser, [len(RAW)], 0)[:, 0]:
        rows, columns = (image == 0).any(1).nonzero().flatten(), (image == 0).any(0).nonzero().flatten()
        assert 4 <= len(rows) <= 8 and 4 <= len(columns) <= 8
        assert (image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 0).all()
        assert int((image == 0).sum()) == len(rows) * len(columns)
