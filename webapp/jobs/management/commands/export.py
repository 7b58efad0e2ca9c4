"""`manage.py export`: an ended run or experiment of this database as one file."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from search_engine.archives.form import SUFFIX


class Command(BaseCommand):
    help = "Write an ended run or experiment as one file, which is opened elsewhere: in the browser, or by `manage.py open`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="of the run or the experiment: it stands in its page's address")
        parser.add_argument("--out", required=True, help=f"the file, for example search{SUFFIX}")

    def handle(self, *args: Any, **options: Any) -> None:
        from webapp.core.models import Experiment, Run

        from ... import run_exports

        try:
            key = UUID(options["id"])
        except ValueError:
            raise CommandError("id: give the id of a run or an experiment, as it stands in its page's address", returncode=2) from None
        target = Path(options["out"])
        if target.exists():
            raise CommandError(f"--out: {target} is there already: name another file", returncode=2)
        run = Run.objects.select_related("experiment", "counter").filter(pk=key).first()
        experiment = Experiment.objects.filter(pk=key).first()
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            if run is not None:
                pieces = run_exports.of_run(run)
            elif experiment is not None:
                pieces = run_exports.of_experiment(experiment)
            else:
                raise CommandError(f"id: there is no run and no experiment {key}", returncode=2)
            with temporary.open("xb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except run_exports.NotPossible as why:
            raise CommandError(str(why), returncode=2) from None
        except OSError as error:
            raise CommandError(f"--out: {target} cannot be written: {error.strerror or error}") from None
        finally:
            temporary.unlink(missing_ok=True)
        self.stdout.write(f"written: {target} ({target.stat().st_size:,} bytes)")
