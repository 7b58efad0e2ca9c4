"""A worker whose next unit takes more memory than it may: what happens to the job that it held? Argument: the job's kind."""

from __future__ import annotations

import os
import sys
import time

import django

django.setup()

from search_engine.search.work import Work  # noqa: E402
from tests.patience import PATIENCE  # noqa: E402
from webapp.jobs import memory, session, tasks  # noqa: E402

MORE = 50_000_000


def grow(work: Work) -> None:
    taken = []
    while memory.resident() <= memory.ceiling():
        taken.append(bytearray(os.urandom(1)) * MORE)
    # Not further: whoever fills memory in one long step of Python lets no other thread tell it.
    time.sleep(PATIENCE)
    raise AssertionError("nobody ended this process")


kind = sys.argv[1]
plain = Work.advance
Work.advance = lambda work: grow(work) if work.spec.kind == kind else plain(work)  # type: ignore[method-assign]
now = session.start("cpu")
for _ in range(20):
    tasks.serve_one(now)
