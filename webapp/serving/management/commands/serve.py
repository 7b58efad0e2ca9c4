"""`manage.py serve`: the web process."""

from __future__ import annotations

import gc
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...server import configuration


class Command(BaseCommand):
    help = "Serve pages, API and WebSockets. It trains nothing and starts nobody else: manage.py up does."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
        parser.add_argument(
            "--grace", type=int, default=10, metavar="SECONDS", help="for open requests, when asked to end (default: %(default)s)"
        )
        parser.add_argument(
            "--pong-seconds", type=float, default=20.0, metavar="SECONDS",
            help="a WebSocket whose client does not answer a ping for so long ends (default: %(default)s)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["port"] <= 65_535:
            raise CommandError(f"--port is {options['port']}: give a number from 0 to 65535")
        config = configuration(options["host"], options["port"], grace=options["grace"], pong_seconds=options["pong_seconds"])
        config.load()
        # What the application is made of stays: the collector need not look through it again and again, a tenth of a second each time.
        gc.collect()
        gc.freeze()
        uvicorn.Server(config).run()
