"""A worker whose heart beats, and that neither hears the bell nor looks for work."""

from __future__ import annotations

import threading

import django

django.setup()

from tests.patience import PATIENCE  # noqa: E402
from webapp.jobs import session  # noqa: E402

if __name__ == "__main__":
    session.start("cpu")
    threading.Event().wait(PATIENCE)
