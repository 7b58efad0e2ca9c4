"""Progress in time: what is expected, what is done, what is left."""

from __future__ import annotations

import re

import pytest

from tests.plugins.by_time import TRUST, Work, about
from tests.plugins.durations import Durations

from .conftest import TWO_PROCESSES

KNOWN = Durations({"a.py::slow": 90.0, "a.py::quick": 10.0}, {"b.py": 5.0})


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def work(processes: int = 1) -> tuple[Work, Clock]:
    now = Clock()
    made = Work(KNOWN, processes, now)
    made.expect(["tests/a.py::slow@/group", "tests/a.py::quick", "tests/b.py::any[1]", "tests/b.py::any[2]"])
    return made, now


def test_the_share_is_that_of_the_work_not_of_the_tests() -> None:
    made, now = work()
    assert made.headline() == "4 tests, about 2 min on one process by the durations known"
    assert "2 processes" in work(2)[0].headline() and "about 55 s" in work(2)[0].headline()
    for name in ("tests/a.py::quick", "tests/b.py::any[1]", "tests/b.py::any[2]"):
        made.finish(name)
    now.time += 20
    assert made.line().startswith(" 0:20  3 of 4 tests, about 18 % of the work;")
    made.finish("tests/a.py::slow@/group")
    now.time += 105
    assert made.line() == " 2:05  4 of 4 tests, about 100 % of the work; about 5 s left"


def test_what_is_left_follows_the_pace_so_far() -> None:
    """At the recorded pace first; a machine of half the speed is believed more and more."""
    made, now = work()
    assert made.left() == 110
    made.finish("tests/a.py::slow@/group")
    now.time += 180
    assert made.left() == pytest.approx(20 / ((90 + TRUST) / (180 + TRUST)))
    assert 20 < made.left() < 40
    assert work(2)[0].left() == 55


def test_tests_that_are_long_at_work_are_named() -> None:
    made, now = work()
    made.start("tests/a.py::slow@/group")
    now.time += 29
    assert "at work" not in made.line()
    made.start("tests/a.py::quick")
    now.time += 12
    assert made.line().endswith("; at work: slow (41 s)")
    made.finish("tests/a.py::slow@/group")
    assert "at work" not in made.line()


@pytest.mark.parametrize(("seconds", "text"), [(0, "5 s"), (13, "15 s"), (56, "55 s"), (58, "1 min"), (200, "3 min")])
def test_durations_promise_no_more_than_is_known(seconds: float, text: str) -> None:
    assert about(seconds) == text


MODULE = """
import time
import pytest

@pytest.mark.parametrize("number", range(4))
def test_sleeps(number):
    time.sleep(0.4)
    assert number != 1

def test_skipped():
    pytest.skip("no reason")

def test_set_up_fails(nothing): pass
"""
PLUGINS = [word for name in ("not_run", "recorder", "by_time") for word in ("-p", f"tests.plugins.{name}")]


@pytest.mark.parametrize("processes", [(), TWO_PROCESSES])
def test_lines_come_while_it_runs_and_failures_at_once(processes: tuple[str, ...], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=MODULE)
    result = pytester.runpytest_subprocess(*PLUGINS, "--by-time", "0.2", "-o", "console_output_style=classic", *processes)
    result.assert_outcomes(passed=3, failed=1, skipped=1, errors=1)
    text = result.stdout.str()
    assert re.search(rf"6 tests, about 5 s on {'2 processes' if processes else 'one process'}", text)
    shares = [int(share) for share in re.findall(r"about (\d+) % of the work", text)]
    assert shares and shares == sorted(shares)
    before, after = text.split("FAILED test_it.py::test_sleeps[1]", 1)
    assert "= FAILURES =" not in before and "= FAILURES =" in after
    assert "FAILED test_it.py::test_set_up_fails" in text
    assert not re.search(r"^[.sFE]+$", text, flags=re.MULTILINE), "no letters"


def test_the_next_run_knows_the_durations_of_this_one(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="import time\ndef test_long(): time.sleep(1.5)\ndef test_short(): pass")
    pytester.runpytest_subprocess(*PLUGINS)
    result = pytester.runpytest_subprocess(*PLUGINS, "--by-time", "0.01", "-o", "console_output_style=classic")
    first, *_ = re.findall(r"(\d) of 2 tests, about (\d+) % of the work", result.stdout.str())
    assert first[0] == "1" and int(first[1]) > 80


def test_a_run_of_no_tests_ends_as_ever(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=MODULE)
    result = pytester.runpytest_subprocess(*PLUGINS, "--by-time", "0.2", *TWO_PROCESSES, "-k", "nothing_like_this")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_without_the_option_nothing_changes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=MODULE)
    text = pytester.runpytest_subprocess(*PLUGINS).stdout.str()
    assert ".F..sE" in text and "of the work" not in text
