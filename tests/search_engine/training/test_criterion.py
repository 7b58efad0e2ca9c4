"""The sums over batches, from which an epoch's loss and score come."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from search_engine.base.checkpoint import pack, unpack
from search_engine.training import criterion
from search_engine.training.criterion import Tally

SIZES = [5, 3, 4]


def classified() -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.randn(size, 3, generator=generator, requires_grad=True), torch.randint(0, 3, (size,), generator=generator)) for size in SIZES
    ]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("waiting", [1, 2, 1000])
@pytest.mark.parametrize("reload_after", [None, 0, 1, 2])
def test_loss_and_accuracy_are_means_over_examples(
    known: bool, waiting: int, reload_after: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(criterion, "UNASKED", waiting)
    tally = Tally("classification")
    for place, (outputs, targets) in enumerate(classified()):
        tally.add(outputs, targets, F.cross_entropy(outputs, targets).detach() if known else None)
        if place == reload_after:
            tally = Tally.from_state("classification", unpack(pack(tally.state_dict())))
    outputs, targets = (torch.cat(part).detach() for part in zip(*classified(), strict=True))
    expected = {"loss": float(F.cross_entropy(outputs, targets)), "accuracy": int((outputs.argmax(1) == targets).sum()) / 12}
    assert tally.figures() == pytest.approx(expected) == tally.figures()


def test_a_known_loss_is_added_in_double_precision() -> None:
    """As a float32 it times its examples: the sum of an epoch, bit for bit."""
    tally, losses = Tally("classification"), [torch.tensor(value) for value in (0.1, 0.7, 0.3)]
    expected = 0.0
    for (outputs, targets), loss in zip(classified(), losses, strict=True):
        tally.add(outputs, targets, loss)
        expected += float(loss) * len(targets)
    assert tally.figures()["loss"] == expected / 12


@pytest.mark.parametrize("known", [False, True])
def test_a_regression_is_scored_by_the_share_of_variance_it_explains(known: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    batches = [(torch.randn(size, 2, generator=generator), torch.randn(size, 2, generator=generator)) for size in SIZES]
    tally = Tally("regression")
    for outputs, targets in batches:
        tally.add(outputs, targets, F.mse_loss(outputs, targets) if known else None)
        tally = Tally.from_state("regression", unpack(pack(tally.state_dict())))
    outputs, targets = (torch.cat(part) for part in zip(*batches, strict=True))
    error = (outputs - targets).square().mean()
    r2 = 1 - (outputs - targets).square().sum() / (targets - targets.mean(0)).square().sum()
    assert tally.figures() == pytest.approx({"loss": float(error), "r2": float(r2)}, rel=1e-5)
