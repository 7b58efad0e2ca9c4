"""Figures of single steps, as means between two reports."""

from __future__ import annotations

from search_engine.algorithms.means import Means
from search_engine.base.checkpoint import pack, unpack


def test_a_figure_is_averaged_over_the_steps_that_gave_it() -> None:
    means = Means()
    means.count(loss=1.0, accuracy=0.5)
    means.count(loss=4.0)
    assert list(means.take().items()) == [("loss", 2.5), ("accuracy", 0.5)]


def test_a_report_begins_anew() -> None:
    means = Means()
    assert means.take() == {}
    means.count(loss=1.0)
    means.take()
    means.count(loss=3.0)
    assert means.take() == {"loss": 3.0}


def test_the_order_of_the_steps_decides_the_rounding() -> None:
    """Records are compared bit by bit: a sum in another order is another figure."""
    means = Means()
    for loss in (1e16, 1.0, -1e16, 1.0):
        means.count(loss=loss)
    assert means.take() == {"loss": 0.25}


def test_a_checkpoint_takes_the_steps_since_the_last_report_along() -> None:
    means, other = Means(), Means()
    means.count(loss=1.0)
    means.count(loss=2.0, reward=1.0)
    other.load_state_dict(unpack(pack(means.state_dict())))
    other.count(loss=6.0)
    assert other.take() == {"loss": 3.0, "reward": 1.0}


def test_a_state_that_was_given_out_does_not_move() -> None:
    means, other = Means(), Means()
    means.count(loss=1.0)
    state = means.state_dict()
    means.count(loss=2.0)
    other.load_state_dict(state)
    other.count(loss=3.0)
    assert state == {"sums": {"loss": 1.0}, "counts": {"loss": 1}}
