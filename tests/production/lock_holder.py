"""RUN: a process that stands still in the middle of a commit, with the run's lock."""

from __future__ import annotations

import sys
import threading
from uuid import UUID

import django

django.setup()

from django.db import transaction  # noqa: E402

from tests.patience import PATIENCE  # noqa: E402
from webapp.core.locks import lock_run  # noqa: E402

if __name__ == "__main__":
    with transaction.atomic():
        lock_run(UUID(sys.argv[1]))
        print("held", flush=True)
        threading.Event().wait(PATIENCE)
