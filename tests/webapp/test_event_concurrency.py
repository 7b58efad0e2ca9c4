"""Several processes write and one follows: consecutive numbers, no hole, nothing lost. On SQLite and on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from .installation import Installation, make, result

WRITERS, EVENTS = 4, 60
TINY = """{"algorithm": "random", "space": "nb201", "datasets": ["digits"], "budget": {"trials": 2}}"""


def write_and_follow(installation: Installation, **environment: str) -> dict[str, Any]:
    """Four processes write while one follows; returns what the follower saw."""
    run_id = installation.answer("make_run", TINY, **environment)
    last = 1 + WRITERS * EVENTS
    follower = installation.program("follow", run_id, "0", str(last), **environment)
    assert follower.stdout is not None and follower.stdout.readline() == "listening\n"
    writers = [installation.program("write_events", run_id, f"phase:{number}", str(EVENTS), **environment) for number in range(WRITERS)]
    assert [result(writer) for writer in writers] == [EVENTS] * WRITERS
    seen: dict[str, Any] = result(follower)
    assert seen["received"] == list(range(1, last + 1))
    return seen


@pytest.mark.slow
def test_four_writers_leave_no_hole_and_a_follower_sees_all(installation: Installation) -> None:
    write_and_follow(installation)


@pytest.mark.services
def test_a_follower_is_woken_through_redis(tmp_path: Any, redis_url: str) -> None:
    installation = make(tmp_path / "home", REDIS_URL=redis_url, NASCOPE_WAKEUP="redis", CELERY_BROKER_URL="filesystem://localhost")
    write_and_follow(installation)
