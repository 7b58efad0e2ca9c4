"""`manage.py worker --device cpu|cuda:0`: one worker process."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...parent import die_with_parent


class Command(BaseCommand):
    help = "Serve jobs on one device: a Celery worker with one thread. Start one per GPU, and one per CPU core."
    # The checks of the system import every page of the web process; they run there, and in `manage.py check`.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--device", default="cpu", help="cpu, or cuda:N for one GPU (default: cpu)")
        parser.add_argument("--threads", type=int, default=1, help="torch threads of work that does not say otherwise (default: 1)")
        parser.add_argument("--name", default="", help="shown on the workers' page (default: the device and the process number)")

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        device = options["device"]
        kind, _, number = device.partition(":")
        if kind not in ("cpu", "cuda") or (kind == "cuda" and not number.isdigit()):
            raise CommandError(f"--device is '{device}': use cpu, or cuda:N with the number of the GPU")
        # Before torch is imported: what it sees of the machine is fixed then.
        os.environ["CUDA_VISIBLE_DEVICES"] = number if kind == "cuda" else ""
        os.environ.setdefault("OMP_NUM_THREADS", str(options["threads"]))
        os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # Celery would run the checks of the system too

        import torch

        from search_engine.catalogue import registry
        from search_engine.training import device as training_device
        from webapp.jobs import bell, memory, session, tasks
        from webapp.jobs.patrol import Patrol

        if kind == "cuda" and not torch.cuda.is_available():
            raise CommandError(f"--device {device}: torch sees no such GPU on this machine")
        memory.ends_first()
        training_device.configure(options["threads"])
        if kind == "cuda":
            training_device.limit_memory(settings.NASCOPE_GPU_MEMORY_CEILING)
        warnings.filterwarnings("ignore", message=".*superuser privileges.*")
        now = session.start(device, options["threads"], options["name"])
        patrol = Patrol(lambda: tasks.serve_for_a_while(now))
        now.look_now = patrol.look_now
        try:
            # It is there, and nobody waits yet: what the first job would otherwise wait for.
            registry.algorithms(), registry.spaces(), registry.datasets()
            patrol.start()
            served = bell.listener(now.worker.pk.hex, device)
            served.start()
            sys.exit(served.exitcode)
        finally:
            # A slice ends at its next unit; whoever waits longer than that is killed by who asked it to stop.
            now.stopping.set()
            patrol.end(seconds=settings.NASCOPE_PROGRESS_DEADLINE)
            now.end()

