"""`manage.py open`: the folder of a run of the command line, or an exported file, becomes an experiment of the web application."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from search_engine.base.errors import BadInput


class Command(BaseCommand):
    help = (
        "Open a run: the folder that `python -m search_engine run --out` wrote, or a file that was exported here or elsewhere. It becomes "
        "an experiment with its events, pictures, scores and models. Works beside a running application, and without one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("place", metavar="DIR|FILE", help="the folder of a run, or an exported file")
        parser.add_argument("--user", help="whose experiment it becomes; default: the administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        from ...opening import open_here

        prepare()
        user = its_user(options["user"])
        loud = sys.stderr.isatty()

        def tell(done: float, words: str) -> None:
            if loud:
                self.stderr.write(f"\r{done:4.0%}  {words:<60}", ending="")

        try:
            experiment = open_here(user, Path(options["place"]), tell)
        except BadInput as error:
            raise CommandError(str(error), returncode=2) from None
        finally:
            if loud:
                self.stderr.write("")
        runs = experiment.runs.count()
        self.stdout.write(f"opened '{experiment.name}' with {runs} {'run' if runs == 1 else 'runs'} for {user.get_username()}")
        self.stdout.write(f"its page: /experiments/{experiment.pk}")


def prepare() -> None:
    """A new database is made as `up` makes it; one of another version is left alone. Raises CommandError."""
    executor = MigrationExecutor(connection)
    if not executor.loader.applied_migrations:
        call_command("migrate", verbosity=0)
    elif executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("the database is of an earlier version: start the application (`manage.py up`), or `manage.py migrate`, first")


def its_user(name: str | None) -> Any:
    """Whose a run becomes that is opened here. Raises CommandError."""
    from webapp.accounts.links import administrator

    if name is None:
        return administrator() or get_user_model().objects.create_superuser("admin", password=None)
    found = get_user_model().objects.filter(username=name, is_active=True).first()
    if found is None:
        raise CommandError(f"--user: there is nobody called '{name[:60]}' here", returncode=2)
    return found
