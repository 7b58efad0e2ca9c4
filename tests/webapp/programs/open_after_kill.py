"""A worker is killed while it opens a run: when it unpacks, when it writes rows, when the files are in place and the commit is to come.
Prints what there is then, and what there is after another worker did it again, and where its owner removed the upload instead."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model

from search_engine.archives.exporting import export_folder
from search_engine.commands import main as command
from webapp.core.models import Dataset, Event, Experiment, Run
from webapp.jobs import own_data, own_files, reaper
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

MOMENT, VICTIM = sys.argv[1], sys.argv[2:] == ["victim"]
HOME = Path(settings.NASCOPE_HOME)


def stuck() -> None:
    print("there", flush=True)
    time.sleep(600)


def die_here() -> None:
    """Serve until that moment has come, and wait there to be killed."""
    from webapp.jobs import imports, run_imports

    if MOMENT == "placed":
        place = run_imports._put_in_place

        def placed(run: Any) -> None:
            place(run)
            stuck()

        run_imports._put_in_place = placed
    else:

        def tell(self: Any, done: float, words: str) -> None:
            if words.startswith(MOMENT):
                stuck()

        imports._Teller.__call__ = tell  # type: ignore[method-assign]
    serve_one(Session("cpu"))


def upload(content: bytes) -> Dataset:
    row = own_data.begin(get_user_model().objects.get(), len(content), "run.zip", purpose=Dataset.Purpose.RUN)
    own_files.source(row.pk).write_bytes(content)
    own_data.note_received(row, len(content))
    return row


def killed() -> None:
    victim = subprocess.Popen([sys.executable, "-m", __spec__.name, MOMENT, "victim"], stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None and victim.stdout.readline().strip() == "there"
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()


def there() -> list[int]:
    """Experiments, runs, events, folders of runs."""
    return [Experiment.objects.count(), Run.objects.count(), Event.objects.count(), len(list((HOME / "runs").glob("*")))]


def main() -> None:
    get_user_model().objects.create_user("ada")
    with contextlib.redirect_stdout(io.StringIO()):
        command(["run", "--algorithm", "random", "--space", "sequence", "--budget", "trials=6", "--out", str(HOME / "run")])
    export_folder(HOME / "run", HOME / "run.zip")
    content = (HOME / "run.zip").read_bytes()
    upload(content)
    killed()
    after = there()
    while not reaper.expire_leases():
        time.sleep(0.1)
    session = Session("cpu")
    while serve_one(session):
        pass
    session.end()
    again, state = there(), Dataset.objects.get().state
    Dataset.objects.get().delete()
    second = upload(content)
    killed()
    own_data.delete(second)
    events = len((HOME / "run" / "events.jsonl").read_text().splitlines())
    print(json.dumps({
        "after": after, "again": again, "state": state, "removed": there(), "events": events,
        "uploads": [str(path) for path in own_files.uploads().glob("*")],
    }))  # fmt: skip


if VICTIM:
    die_here()
else:
    main()
