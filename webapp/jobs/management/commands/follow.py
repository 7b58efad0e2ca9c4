"""`manage.py follow`: what `run --live` starts for itself, to show its search here."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from search_engine.base.errors import BadInput
from search_engine.commands.live import Answer


class Command(BaseCommand):
    help = "Show the search in a folder while it runs. A search calls it for itself (`run --live`), and says over stdin how far it is."
    # The search waits for the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("place", metavar="DIR", help="the folder of the search")

    def handle(self, *args: Any, **options: Any) -> None:
        from ....core import running
        from ...following import follow
        from .open import its_user, prepare

        # It ends with the search that it shows, which says so by the end of its lines.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        address = running.address()
        if address is None:
            raise self._not_shown(f"no NAScope is running on {settings.NASCOPE_HOME} (`nascope up` starts it)")
        try:
            prepare()
            said = follow(
                its_user(None), Path(options["place"]), sys.stdin.buffer,
                lambda run: self._say("shown", f"the search is in the browser: {address}/runs/{run.pk}"),
            )  # fmt: skip
        except (BadInput, CommandError) as error:
            raise self._not_shown(str(error)) from None
        except (OSError, Error) as error:
            raise self._not_shown(f"it could not be written down: {error}") from None
        self._say("ended", said)

    def _not_shown(self, why: str) -> CommandError:
        self._say("not_shown", why)
        return CommandError(why)

    def _say(self, kind: Any, text: str) -> None:
        try:
            self.stdout.write(Answer(kind=kind, text=text).model_dump_json())
            self.stdout.flush()
        except BrokenPipeError:
            # The search was killed: nobody listens any more.
            pass
