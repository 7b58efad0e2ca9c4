"""What helps and need not be there: Redis and the broker. Without them everything is answered, and work is found by looking."""

from __future__ import annotations

import ast
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.db import OperationalError
from django.test import override_settings

from tests.patience import PATIENCE
from webapp.core import helpers, redis
from webapp.core.helpers import Helper
from webapp.events import wake
from webapp.jobs import bell
from webapp.jobs.patrol import Patrol

from .api_world import PASSWORD, browser, make_user, send
from .builders import make_run, make_worker

ROOT = Path(__file__).resolve().parents[2] / "webapp"
MAY = {
    # The second counts in the cache that settings give, which is the first; the third connects again for ever, and its followers look
    # meanwhile.
    "redis": {"core/redis.py", "accounts/guesses.py", "events/listen.py"},
    "send_task": {"jobs/bell.py"},
    "RedisCache": {"core/redis.py"},
}


def test_nobody_else_asks_redis_or_the_broker() -> None:
    """What these files do fails soft; another way to them would not."""
    found: dict[str, set[str]] = {name: set() for name in MAY}
    for path in ROOT.rglob("*.py"):
        place = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            origin = node.module if isinstance(node, ast.ImportFrom) and not node.level else None
            if origin in ("redis", "django.core.cache") or (isinstance(node, ast.Import) and "redis" in names):
                found["redis"].add(place)
            if "RedisCache" in names:
                found["RedisCache"].add(place)
            if isinstance(node, ast.Attribute) and node.attr in ("send_task", "delay", "apply_async"):
                found["send_task"].add(place)
    assert found == MAY


def fresh(helper: Helper) -> Helper:
    return Helper(helper.name, helper.instead)


@pytest.fixture
def nobody() -> Iterator[str]:
    """Address of a Redis that is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield f"redis://127.0.0.1:{probe.getsockname()[1]}/0"


@pytest.fixture
def away(nobody: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Redis is configured for everything, and gone."""
    from webapp.celery import app

    monkeypatch.setattr(redis, "helper", fresh(redis.helper))
    monkeypatch.setattr(bell, "helper", fresh(bell.helper))
    forget = redis.client.cache_clear
    forget()
    url, options = app.conf.broker_url, app.conf.broker_transport_options
    app.conf.update(broker_url=nobody, broker_transport_options={"socket_connect_timeout": 1, "max_retries": 1, "interval_start": 0})
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    here = {"default": {"BACKEND": "webapp.core.redis.SoftRedisCache", "LOCATION": nobody}}
    with override_settings(CACHES=here, REDIS_URL=nobody, NASCOPE_WAKEUP="redis"):
        cache._own.clear()  # type: ignore[attr-defined]  # shared by the whole process
        yield
    app.conf.update(broker_url=url, broker_transport_options=options)
    forget()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("away")
def test_without_redis_people_log_in_and_start_runs() -> None:
    make_worker()
    ada = make_user("ada")
    client = browser()
    assert send(client, "POST", "auth/login", {"username": "ada", "password": PASSWORD}).status_code == 200
    run = make_run(owner=ada)  # rings, and wakes who follows
    assert send(client, "POST", f"runs/{run.pk}/pause").status_code == 202
    assert send(client, "POST", f"runs/{run.pk}/clone", {}).status_code == 201
    ready = send(client, "GET", "health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    checks = ready.json()["checks"]
    assert checks["broker"] == "does not answer: workers look for work by themselves"
    assert checks["redis"] == "does not answer: each process counts and looks for itself"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("away")
def test_without_redis_guesses_are_still_counted() -> None:
    make_user("ada")
    client = browser()
    answers = [send(client, "POST", "auth/login", {"username": "ada", "password": "a guess"}).status_code for _ in range(12)]
    assert answers == [400] * 10 + [429] * 2


@pytest.mark.usefixtures("away")
def test_every_operation_of_the_cache_has_an_answer() -> None:
    cache.set("a", 1)
    assert (cache.get("a"), cache.add("a", 2), cache.incr("a"), "a" in cache, cache.touch("a")) == (1, False, 2, True, True)
    cache.set_many({"b": 3})
    assert cache.get_many(["a", "b"]) == {"a": 2, "b": 3} and cache.get_or_set("c", 4) == 4
    cache.delete_many(["b"])
    assert cache.delete("a") and cache.get("a") is None
    cache.clear()
    assert cache.get("c") is None
    known = {name for name in vars(type(caches["default"])) if not name.startswith("_")}
    missing = {name for name in vars(type(caches["default"]).__mro__[1]) if not name.startswith("_")} - known
    assert missing == {"get_backend_timeout"}, f"these go to Redis without a way back: {missing}"


@pytest.mark.usefixtures("away")
@pytest.mark.django_db(transaction=True)
def test_whoever_writes_does_not_wait_for_redis_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(redis, "client", lambda: asked.append(1) or (_ for _ in ()).throw(OSError("refused")))
    run = make_run()
    for _ in range(50):
        wake.announce(run.pk)
    assert len(asked) == 1


def test_a_helper_that_failed_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(helpers.time, "monotonic", lambda: now[0])
    helper = Helper("it", "nothing")
    assert helper.worth_asking()
    helper.failed(OSError())
    assert not helper.worth_asking()
    now[0] += helpers.AGAIN_SECONDS
    assert helper.worth_asking()
    helper.failed(OSError())
    assert not helper.worth_asking()
    helper.answered()
    assert helper.worth_asking()


def test_a_patrol_looks_until_there_is_nothing_and_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.jobs.patrol.LOOK_SECONDS", 0.01)
    found = iter([True, True, False])
    seen = threading.Semaphore(0)

    def serve() -> bool:
        seen.release()
        try:
            return next(found)
        except StopIteration:
            raise KeyError("a mistake") from None

    patrol = Patrol(serve)
    patrol.start()
    try:
        for _ in range(10):
            assert seen.acquire(timeout=PATIENCE)
    finally:
        patrol.end(PATIENCE)
    assert not patrol._thread.is_alive()


def test_a_call_makes_a_patrol_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.jobs.patrol.LOOK_SECONDS", PATIENCE)
    looked = threading.Event()
    patrol = Patrol(lambda: bool(looked.set()))
    patrol.start()
    try:
        time.sleep(0.05)
        assert not looked.is_set()
        patrol.look_now()
        assert looked.wait(PATIENCE)
    finally:
        patrol.end(PATIENCE)


class Bell:
    """The patrol's, which rings at once; what it is asked stands in `said`."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def wait(self, seconds: float | None = None) -> None:
        self.said.append(f"wait {seconds}")

    def clear(self) -> None:
        self.said.append("clear")

    def set(self) -> None:
        self.said.append("set")


def test_a_patrol_waits_between_looks_that_found_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after one that was cut short, but after one that failed: else it would ask a database that is away without a pause."""
    said: list[str] = []
    outcomes: list[Any] = [True, False, OperationalError("gone"), KeyError("a mistake"), True, "over"]
    monkeypatch.setattr("webapp.jobs.patrol.connection.close", lambda: said.append("close"))

    def serve() -> bool:
        said.append("look")
        outcome = outcomes.pop(0)
        if outcome == "over":
            patrol.end(0.0)
            return True
        if isinstance(outcome, Exception):
            raise outcome
        return bool(outcome)

    patrol = Patrol(serve)
    patrol._look = Bell(said)  # type: ignore[assignment]
    patrol._run()
    pause = ["wait 2.0", "clear", "look"]
    assert said == [*pause, "look", *pause, "close", *pause, *pause, "look", "set", "close"]


def test_a_patrol_that_ends_while_it_waits_looks_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("webapp.jobs.patrol.connection.close", lambda: None)
    patrol = Patrol(lambda: bool(said.append("look")))
    patrol._look = Bell(said)  # type: ignore[assignment]
    patrol._look.wait = lambda seconds: patrol.end(0.0)  # type: ignore[method-assign, assignment, misc, return-value]
    patrol._run()
    assert said == ["set", "clear"]


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(10)
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        redis.client.cache_clear()
        monkeypatch.setattr(redis, "helper", fresh(redis.helper))
        assert not redis.answers()
        redis.publish("a", "b")
        assert not redis.helper.worth_asking()
    redis.client.cache_clear()
