"""`manage.py reaper`: what `up` does for its own machine, for installations whose web and workers are started by others."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connection

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Take back leases that ran out, ring for what is runnable, collect garbage. Safe to run more than once."

    def handle(self, *args: Any, **options: Any) -> None:
        from ...reaper import Reaper

        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        reaper = Reaper()
        while not ended.wait(settings.NASCOPE_REAPER_SECONDS):
            try:
                reaper.tick()
            except (Error, OSError) as error:
                log.warning("%s; the reaper tries again", error)
                connection.close()
