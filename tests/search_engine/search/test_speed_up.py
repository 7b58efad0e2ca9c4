"""The thesis's model of the speed-up, and the measured one, on a clock that nobody waits for."""

from __future__ import annotations

import pytest

from search_engine.search.speed_up import SpeedUp, Stretches, break_even, limit, predicted

D = 0.1
"""d in units of c."""


@pytest.mark.parametrize(("n", "s", "a"), [(1, 0.86, 11.0), (2, 1.38, 1.91), (4, 2.02, 1.32), (10, 2.87, 1.11)])
def test_the_model_s_values(n: int, s: float, a: float) -> None:
    assert predicted(1.0, D, n, 1, 4.0) == pytest.approx(s, abs=0.01)
    assert break_even(1.0, D, n, 1) == pytest.approx(a, abs=0.01)
    assert predicted(1.0, D, n, 1, break_even(1.0, D, n, 1)) == pytest.approx(1.0)
    assert predicted(1.0, D, n, 1, 1e12) == pytest.approx(limit(1.0, D, n, 1))


def test_two_epochs_of_compression_divide_twice() -> None:
    assert predicted(1.0, D, 4, 2, 2.0) == pytest.approx(4.1 / (2 + 4.1 / 4))
    assert predicted(1.0, D, 4, 2, break_even(1.0, D, 4, 2)) == pytest.approx(1.0)


def test_nothing_pays_where_the_compression_takes_as_long_as_the_training() -> None:
    assert break_even(1.0, 0.0, 1, 1) == float("inf") and predicted(1.0, 0.0, 1, 1, 1e9) < 1.0


class VirtualClock:
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def sleeping(flops: float, a: float, n: int, steps: int = 50, overhead: float = 0.0) -> dict[str, float]:
    """A trial whose training sleeps in proportion to its FLOPs, and `overhead` a step: seconds by part."""
    clock = VirtualClock()
    stretches = Stretches(clock)
    c, d = 1.0, D
    for _ in range(steps):
        with stretches.part("compress"):
            clock.sleep(flops * c / steps + overhead)
    for _ in range(n):
        for step in range(steps):
            ends = step == steps - 1
            with stretches.part("score" if ends else "train"):
                clock.sleep(flops / a * c / steps + overhead)
                if ends:
                    # The thesis scores once; here it is spread over the epochs.
                    clock.sleep(flops / a * d / n)
    return stretches.seconds(n * steps)


def test_measured_is_what_the_clock_says() -> None:
    """a = 4, n = 4: 2.02."""
    speed_up = SpeedUp()
    for flops in (1.0, 2.0, 5.0):
        speed_up.add((flops, flops / 4), n=4, k=1, seconds=sleeping(flops, 4.0, 4))
    assert speed_up.a == pytest.approx(4.0) and speed_up.c == pytest.approx(1.0) and speed_up.d == pytest.approx(D)
    assert speed_up.predicted == pytest.approx(2.02, abs=0.01)
    assert speed_up.measured == pytest.approx(2.0, abs=0.2) and speed_up.measured == pytest.approx(speed_up.predicted)


def test_small_layers_keep_less_than_the_model_promises() -> None:
    """Time that no FLOP accounts for is not compressed away."""
    speed_up = SpeedUp()
    speed_up.add((1.0, 0.25), n=4, k=1, seconds=sleeping(1.0, 4.0, 4, overhead=0.02))
    assert speed_up.measured < 1.5 < speed_up.predicted


def test_a_network_that_was_trained_as_it_was_too_is_measured_by_the_clock() -> None:
    speed_up = SpeedUp()
    seconds = sleeping(1.0, 4.0, 4)
    speed_up.add((1.0, 0.25), n=4, k=1, seconds=seconds, plain=3 * sum(seconds.values()))
    assert speed_up.measured == pytest.approx(3.0)


def test_it_says_where_compressing_hardly_pays() -> None:
    little, much = SpeedUp(), SpeedUp()
    little.add((1.0, 0.5), n=1, k=1, seconds=sleeping(1.0, 2.0, 1))
    much.add((1.0, 0.25), n=4, k=1, seconds=sleeping(1.0, 4.0, 4))
    assert little.predicted < 1.1 < much.predicted
    assert "hardly pays" in little.message() and "hardly pays" not in much.message()


def test_a_step_that_ends_an_epoch_is_training_as_the_others_are() -> None:
    found = sleeping(1.0, 2.0, 3)
    assert found["train"] == pytest.approx(3 * 0.5) and found["score"] == pytest.approx(0.5 * D)


def test_its_state_goes_on() -> None:
    first = SpeedUp()
    first.add((1.0, 0.25), n=4, k=1, seconds=sleeping(1.0, 4.0, 4))
    second = SpeedUp()
    second.load_state_dict(first.state_dict())
    assert second.figures() == first.figures()
