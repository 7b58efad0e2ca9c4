"""Every GET route of the API over many rows: how long each takes, on SQLite and PostgreSQL.

    python -m benchmarks.many_rows [--events 1000000] [--genomes 100000] [--runs 1000] [--rounds 15] [--databases sqlite postgresql]

Builds the database in bulk (benchmarks/crowd.py), then asks each route in turn, round by round, in one process and without a network: lists
at their beginning and deep inside, everything else of the largest run. Prints milliseconds by the clock at the median and p95, the median
of the web process's own CPU milliseconds, kilobytes and queries; asserts nothing. The aim: p95 at most 100 ms.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .live_events import migrated

PROGRAM = "benchmarks.many_rows"
ROOT = Path(__file__).resolve().parents[1]
DEEP = 40
"""Pages of 50 into a list."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--genomes", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(options)
        return
    for database in options.databases:
        with migrated(database) as environment:
            words = [f"--{name}={getattr(options, name)}" for name in ("events", "genomes", "runs", "rounds")]
            subprocess.run([sys.executable, "-m", PROGRAM, "--inside", *words], cwd=ROOT, env=environment, check=True)


def inside(options: argparse.Namespace) -> None:
    """Run inside the installation."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, override_settings

    from .crowd import Size, build

    owner = get_user_model().objects.create_user("benchmark")
    began = time.monotonic()
    build(owner, Size(runs=options.runs, events=options.events, genomes=options.genomes))
    print(
        f"\n{connection.vendor}: {options.events:,} events, {options.genomes:,} genomes, {options.runs:,} runs built in "
        f"{time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores"
    )
    print(f"{'route':<62}{'p50':>8}{'p95':>8}  (ms) {'cpu':>7}{'kB':>8}{'queries':>9}")
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        found = list(addresses(client))
        # As `manage.py serve` does; and what building left in this process is not the web process's.
        gc.collect()
        gc.freeze()
        wall: dict[str, list[float]] = {}
        cpu: dict[str, list[float]] = {}
        for _ in range(options.rounds + 1):
            for _, address in found:
                clock, processor = time.perf_counter(), time.process_time()
                answer = client.get(address)
                b"".join(answer) if not answer.streaming else None
                wall.setdefault(address, []).append(1e3 * (time.perf_counter() - clock))
                cpu.setdefault(address, []).append(1e3 * (time.process_time() - processor))
        for name, address in found:
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(address)
            # The first round fills caches.
            p50, p95 = np.percentile(wall[address][1:], [50, 95])
            size = 0.0 if answer.streaming else len(answer.content) / 1e3
            missed = "  over" if p95 > 100 else ""
            status = "" if answer.status_code == 200 else f"  ({answer.status_code})"
            middle = np.median(cpu[address][1:])
            print(f"{name:<62}{p50:>8.1f}{p95:>8.1f}       {middle:>7.1f}{size:>8.1f}{len(captured):>9}{status}{missed}", flush=True)


def addresses(client: Any) -> Iterator[tuple[str, str]]:
    """(name, address) of every GET route, from the OpenAPI document, with the ids of the largest run."""
    from webapp.core.models import Run

    run = Run.objects.order_by("-counter__last_seq").select_related("experiment").first()
    assert run is not None
    genome, model = run.genomes.order_by("pk").first(), run.models.order_by("index").first()
    assert genome is not None and model is not None
    ids = {"runs": run.pk, "experiments": run.experiment_id, "genomes": genome.pk, "models": model.pk, "estimates": run.pk}
    known = {"run": run.pk, "group": "cell", "edge": 0, "hash": genome.hash, "experiment": run.experiment_id, "at": 500, "from": 500}
    document = json.loads(client.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).content)
    for path, methods in document["paths"].items():
        if "get" not in methods or path.endswith("/schema/"):
            continue
        place = path.removeprefix("/api/v1/").split("/")[0]
        address = path.replace("{id}", str(ids.get(place))).replace("{pk}", str(ids.get(place)))
        parameters = {item["name"]: item for item in methods["get"].get("parameters", []) if item["in"] == "query"}
        required = "&".join(f"{name}={known[name]}" for name, item in parameters.items() if item.get("required"))
        optional = [name for name, item in parameters.items() if name in known and not item.get("required")]
        asked = [required, *(f"{required}&{name}={known[name]}" for name in optional)]
        asked += [f"{required}&order={value}" for value in parameters.get("order", {}).get("schema", {}).get("enum", [])[1:]]
        for query in asked:
            yield f"{path}?{short(query)}", f"{address}?{query}"
            if "cursor" in parameters and (cursor := deep(client, f"{address}?{query}")):
                yield f"{path}?{short(query)} (deep)", f"{address}?{query}&cursor={cursor}"


def short(query: str) -> str:
    return "&".join(f"{part.partition('=')[0]}={part.partition('=')[2][:8]}" for part in query.split("&") if part)


def deep(client: Any, address: str) -> str | None:
    """A cursor far into a list, or at its last page."""
    cursor = None
    for _ in range(DEEP):
        page = client.get(f"{address}&limit=200" + (f"&cursor={cursor}" if cursor else "")).json()
        if page.get("next") is None:
            break
        cursor = page["next"]
    return cursor


if __name__ == "__main__":
    main()
