"""report RUN: the run's state, reason and science (payloads by key, without seq and times), and whether seq has a hole."""

import json
import sys

from webapp.core.models import Event, Run

if __name__ == "__main__":
    run = Run.objects.select_related("counter").get(pk=sys.argv[1])
    # The run may go on meanwhile: what is looked at ends where the counter stood.
    rows = list(Event.objects.filter(run=run, seq__lte=run.counter.last_seq).order_by("seq"))
    science = sorted([row.source, row.step, row.kind, row.ordinal, json.dumps(row.data, sort_keys=True)] for row in rows if row.science)
    assert [row.seq for row in rows] == list(range(1, run.counter.last_seq + 1))
    ops = [row.data["what"] for row in rows if row.kind == "ops"]
    print(json.dumps({"state": run.state, "reason": run.reason, "science": science, "ops": ops, "reproducible": run.reproducible}))
