"""A worker is killed between two batches of events that it takes over from the run whose search goes on, another one goes on.
Prints how far the first came, and whether the search then says what one long search says."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from tests.webapp.builders import make_run
from tests.webapp.searches import science, serve_all
from webapp.core.models import Event, Job
from webapp.jobs import continuing, reaper, taking_over
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

CONFIG: dict[str, Any] = {"algorithm": "random", "options": {"window": 4}, "space": "sequence", "seed": 5}
taking_over.BATCH = 7


def die_here() -> None:
    """Take two batches over, and wait in the third to be killed."""
    real, calls = taking_over._records, [0]

    def stuck(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 3:
            print("there", flush=True)
            time.sleep(600)
        return real(*arguments)

    taking_over._records = stuck
    serve_one(Session("cpu"))


def main() -> None:
    run = make_run({**CONFIG, "budget": {"trials": 20}})
    serve_all(run)
    longer = continuing.go_on(run.pk, "trials", 15)
    victim = subprocess.Popen([sys.executable, "-m", __spec__.name, "victim"], stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None and victim.stdout.readline().strip() == "there"
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    job = Job.objects.get(run=longer, kind="advance")
    taken, rows = job.spec[continuing.SPEC]["at"], Event.objects.filter(run=longer, science=True).count()
    while not reaper.expire_leases():
        time.sleep(0.1)
    serve_all(longer)
    whole = make_run({**CONFIG, "budget": {"trials": 35}})
    serve_all(whole)
    print(json.dumps({
        "state": longer.state, "taken": taken, "rows": rows, "equal": science(longer) == science(whole),
        "holes": longer.counter.last_seq - Event.objects.filter(run=longer).count(),
    }))  # fmt: skip


if sys.argv[1:] == ["victim"]:
    die_here()
else:
    main()
