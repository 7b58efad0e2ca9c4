"""What one trained trial takes, counted in this process's database: python -m tests.webapp.programs.count_trial"""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

STATEMENTS = {"sqlite": 25, "postgresql": 25}
"""Of a trial's own commit and the coordinator's after it, each with the next claim, as measured."""
CHARACTERS = {"sqlite": 23_500, "postgresql": 23_500}
"""Of their SQL with its values."""

SEARCH: dict[str, Any] = {
    "algorithm": "random", "space": "mlp", "datasets": ["digits"], "seed": 3, "budget": {"trials": 6},
    "training": {"epochs": 1, "train_examples": 64},
    "finale": {"baselines": 0, "export": False, "training": {"epochs": 1, "train_examples": 64}},
}


def count() -> dict[str, int]:
    """Statements, transactions and characters of SQL from the claim of one trial in the middle of a search to the next one's."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tests.webapp.builders import make_run
    from webapp.core.models import Job
    from webapp.jobs import forecasts
    from webapp.jobs.session import Session
    from webapp.jobs.tasks import serve_one

    run, session = make_run(SEARCH), Session("cpu")
    session.serve_until = float("inf")  # as while `serve` runs
    try:
        while Job.objects.filter(run=run, kind="trial", state=Job.State.TAKEN).count() < 3 or session.ahead.kind != "trial":
            assert serve_one(session)
        # How many batches the writer's thread makes is a matter of time: here all events go with the commit.
        session.writer.put = lambda events: session.writer._pending.extend(events)  # type: ignore[method-assign]
        # A forecast is made once a second, whatever the number of trials: it is not a trial's.
        quiet = patch.object(forecasts, "of_run", lambda counter: forecasts.NOTHING)
        with CaptureQueriesContext(connection) as captured, quiet:
            assert serve_one(session) and serve_one(session)
        del session.writer.put
        statements = [query["sql"] for query in captured.captured_queries]
        begins = sum(sql.startswith("BEGIN") for sql in statements)
        ends = sum(sql.startswith("COMMIT") for sql in statements)
        assert begins == ends
        while serve_one(session):
            pass
    finally:
        session.end()
    return {
        "statements": len(statements) - begins - ends, "transactions": ends, "characters": sum(len(sql) for sql in statements)
    }


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(count()))
