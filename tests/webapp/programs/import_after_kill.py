"""A worker is killed while it examines or keeps an upload; another one does it again. Prints what became of it."""

import json
import os
import signal
import subprocess
import sys
import time

from django.conf import settings
from django.contrib.auth import get_user_model

from search_engine.datasets.own import stored
from tests.webapp.own_world import table
from webapp.core.models import Dataset, Job
from webapp.jobs import own_data, own_files, reaper
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

PHASE, VICTIM = sys.argv[1], sys.argv[2:] == ["victim"]


class Stuck:
    """A teller that never comes back: the worker is killed there."""

    def __call__(self, teller: object, done: float, words: str) -> None:
        print("reading", flush=True)
        time.sleep(600)


def die_here() -> None:
    """Serve until the reading has begun, and wait there to be killed."""
    from webapp.jobs import imports

    stuck = Stuck()
    imports._Teller.__call__ = lambda self, done, words: stuck(self, done, words)  # type: ignore[method-assign]
    serve_one(Session("cpu"))


def work() -> None:
    session = Session("cpu")
    while serve_one(session):
        pass
    session.end()


def main() -> None:
    content = table()
    row = own_data.begin(get_user_model().objects.create_user("ada"), len(content), "kinds.csv")
    own_files.source(row.pk).write_bytes(content)
    own_data.note_received(row, len(content))
    if PHASE == "keep":
        work()
        own_data.keep(Dataset.objects.get())
    victim = subprocess.Popen([sys.executable, "-m", __spec__.name, PHASE, "victim"], stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None and victim.stdout.readline().strip() == "reading"
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    while not reaper.expire_leases():
        time.sleep(0.1)
    failures = Job.objects.get(state="ready").failures
    work()
    folder = stored.own_folder()
    kept = {row.digest for row in Dataset.objects.exclude(digest="")}
    aged = [path for path in folder.glob(".*")]
    for path in aged:
        os.utime(path, (1, 1))
    own_data.housekeep()
    left = sorted(path.name for path in folder.glob("*") if path.name not in kept) + sorted(path.name for path in folder.glob(".*"))
    left += [str(path) for path in own_files.uploads().glob("*") if PHASE == "keep"]
    row = Dataset.objects.get()
    print(json.dumps({"state": row.state, "failures": failures, "left": left, **({} if row.state != "failed" else {"why": row.reason})}))
    assert str(folder).startswith(str(settings.NASCOPE_HOME))


if VICTIM:
    die_here()
else:
    main()
