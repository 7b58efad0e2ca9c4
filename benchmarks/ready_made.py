"""What every ready-made search takes, through the real server: the figures behind the words of its card.

    python -m benchmarks.ready_made [PRESET ...] [--workers 2]

Starts `manage.py up` in a home of its own and runs one ready-made search after the other, as its card does. Other work on the machine
lengthens every wait, so what is kept are CPU seconds: of each piece of work (a phase, a trial, an entrant of the finale, the search's own
bookkeeping) those of the worker that held it. From these follows the time on as many idle cores as there are workers: pieces of one run in
their order, entrants side by side, the runs sharing the workers. Prints, for each search, a row of
`search_engine.catalogue.measured.MEASURED`; a person copies it there. Asserts nothing.
"""

from __future__ import annotations

import argparse
import heapq
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from search_engine.catalogue.presets import PRESETS

from .first_search import OVER, cpu_seconds, start

WAIT = 0.2


@dataclass
class Taken:
    """CPU seconds of one run: of each source of work in the order in which it was first seen, and until its first download was offered."""

    pieces: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    download: dict[str, float] | None = None
    state: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=[preset["id"] for preset in PRESETS])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nascope-benchmark-") as home:
        server, link = start(Path(home), options.workers)
        try:
            origin = "/".join(link.split("/")[:3])
            with httpx.Client(base_url=origin, follow_redirects=True, timeout=120) as client:
                client.get(link).raise_for_status()
                headers = {"X-CSRFToken": client.cookies.get("csrftoken", ""), "Origin": origin}
                for preset in PRESETS:
                    if preset["id"] in options.presets:
                        measure(preset, client, headers, Path(home), options.workers)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def measure(preset: dict[str, Any], client: httpx.Client, headers: dict[str, str], home: Path, workers: int) -> None:
    clicked = time.perf_counter()
    answer = client.post("/api/v1/experiments", json=preset["experiment"], headers=headers)
    if answer.status_code >= 300:
        sys.exit(answer.text)
    runs = {run["id"].replace("-", ""): Taken() for run in answer.json()["runs"]}
    database = sqlite3.connect(f"file:{home / 'db.sqlite3'}?mode=ro", uri=True, timeout=60)
    used: dict[int, float] = {}
    while any(run.state not in OVER for run in runs.values()):
        for pid, run, source in database.execute(
            "SELECT w.pid, j.run_id, j.source FROM core_worker w LEFT JOIN core_job j ON j.worker_id = w.id AND j.state = 'leased'"
        ).fetchall():
            now = cpu_seconds(pid)
            if run in runs:
                runs[run].pieces[source] += now - used.get(pid, now)
            used[pid] = now
        for run, taken in runs.items():
            taken.state = database.execute("SELECT state FROM core_run WHERE id = ?", (run,)).fetchone()[0]
            offered = "SELECT count(*) FROM core_modelartefact WHERE run_id = ? AND bundle_sha256 <> ''"
            if taken.download is None and database.execute(offered, (run,)).fetchone()[0]:
                taken.download = dict(taken.pieces)
        time.sleep(WAIT)
    waited = time.perf_counter() - clicked
    whole = max(ends([taken.pieces for taken in runs.values()], workers))
    first = [taken.download for taken in runs.values() if taken.download is not None]
    download = min(ends(first, workers)) if first else None
    cpu = sum(sum(taken.pieces.values()) for taken in runs.values())
    states = ", ".join(sorted({taken.state for taken in runs.values()}))
    print(
        f'    "{preset["id"]}": Measured(runs={len(runs)}, cpu_seconds={cpu:.0f}, seconds={whole:.0f}, '
        f"download_seconds={None if download is None else round(download)}),  # {states}; waited {waited:.0f} s, load "
        f"{os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}",
        flush=True,
    )
    for run in runs.values():
        print("   ", {name: round(seconds, 1) for name, seconds in run.pieces.items() if seconds >= 0.05}, flush=True)


def ends(runs: list[dict[str, float]], workers: int) -> list[float]:
    """When each run would end on idle workers: its pieces one after the other, its trials and its entrants side by side, and of several
    runs that which had least so far first."""
    free = [0.0] * workers
    heapq.heapify(free)
    waiting: list[list[list[float]]] = []
    for pieces in runs:
        stages: dict[str, list[float]] = {}
        for source, seconds in pieces.items():
            kind = source if source.startswith("phase") else source.partition(":")[0]
            stages.setdefault(kind, []).append(seconds)
        waiting.append(list(stages.values()))
    ready, ended = [0.0] * len(runs), [0.0] * len(runs)
    while any(waiting):
        place = min((place for place, stages in enumerate(waiting) if stages), key=lambda place: ready[place])
        done = ready[place]
        for seconds in waiting[place].pop(0):
            begun = max(heapq.heappop(free), ready[place])
            heapq.heappush(free, begun + seconds)
            done = max(done, begun + seconds)
        ready[place] = ended[place] = done
    return ended


if __name__ == "__main__":
    main()
