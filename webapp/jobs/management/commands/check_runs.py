"""`manage.py check_runs`: before an upgrade, which open runs the new version would end."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = (
        "Say which open runs this version of NAScope cannot go on with, and why. Changes nothing, and works on a database that is not "
        "migrated yet. Exit status 1 where there are any."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a list of {run, name, reason} on one line instead of sentences")

    def handle(self, *args: Any, **options: Any) -> None:
        from ...upgrade import as_json, endings

        found = endings()
        if options["json"]:
            self.stdout.write(as_json(found))
        else:
            for item in found:
                self.stdout.write(f"would end: {item}")
            if not found:
                self.stdout.write("every open run goes on")
        if found:
            raise SystemExit(1)
