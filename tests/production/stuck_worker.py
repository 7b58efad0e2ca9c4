"""RUN: a worker that takes a job and then hangs, while its heart beats."""

from __future__ import annotations

import sys
import threading

import django

django.setup()

from tests.patience import PATIENCE  # noqa: E402
from tests.webapp.builders import make_job  # noqa: E402
from webapp.core.models import Run  # noqa: E402
from webapp.jobs import session  # noqa: E402

if __name__ == "__main__":
    worker = session.start("cpu")
    worker.hold(make_job(Run.objects.get(pk=sys.argv[1])))
    threading.Event().wait(PATIENCE)
