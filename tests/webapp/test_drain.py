"""SIGTERM to a worker: the slice under way is told, and nothing new is claimed."""

from __future__ import annotations

import pytest
from celery.signals import worker_shutting_down

from webapp.jobs import session

pytestmark = pytest.mark.django_db(transaction=True)


def test_celery_s_signal_reaches_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_current", None)
    now = session.start("cpu")
    try:
        assert not now.should_stop
        worker_shutting_down.send(sender="worker", sig="SIGTERM", how="Warm", exitcode=0)
        assert now.stopping.is_set() and now.should_stop
    finally:
        now.end()
