"""Counters in a process's own memory, and a clock that somebody puts right."""

from __future__ import annotations

import time

import pytest
from django.conf import settings
from django.core.cache import cache

from webapp.accounts.guesses import wait_of
from webapp.core.own_memory import OwnMemoryCache
from webapp.core.redis import SoftRedisCache


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The one on the wall and the monotonic one."""
    cache.clear()
    now = {"wall": 10_000.0, "monotonic": 500.0}
    monkeypatch.setattr(time, "time", lambda: now["wall"])
    monkeypatch.setattr(time, "monotonic", lambda: now["monotonic"])
    return now


def test_a_window_lasts_a_minute_whatever_the_wall_says(clocks: dict[str, float]) -> None:
    for key, there_and_back in (("there", -3600.0), ("back", 3600.0)):
        assert [wait_of(key, 2) > 0 for _ in range(3)] == [False, False, True]
        clocks["wall"] += there_and_back
        assert 1.0 <= wait_of(key, 2) <= 60.0, "the window is the same, and nobody is told to wait an hour"
        clocks["monotonic"] += 60.0
        clocks["wall"] += 60.0
        assert wait_of(key, 2) == 0.0


def test_what_never_expires_and_what_is_over_at_once(clocks: dict[str, float]) -> None:
    cache.set("for_ever", 1, None)
    cache.set("over", 1, 0)
    cache.set("by_default", 1)
    clocks["monotonic"] += 299.0
    assert (cache.get("for_ever"), cache.get("over"), cache.get("by_default")) == (1, None, 1)
    clocks["monotonic"] += 1.0
    assert (cache.get("for_ever"), cache.get("by_default")) == (1, None)


def test_each_installation_counts_so() -> None:
    assert settings.CACHES["default"]["BACKEND"] == "webapp.core.own_memory.OwnMemoryCache"
    assert isinstance(SoftRedisCache("redis://127.0.0.1:1/0", {})._own, OwnMemoryCache)
