"""`contract` (`nascope check`): the contract suite on one algorithm, above all on one that an installed package brings."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from ..catalogue import registry


def add_parser(commands: Any, name: str) -> None:
    parser = commands.add_parser(
        name,
        help="run the contract suite on an algorithm of one's own",
        description="Whether an algorithm keeps the promises that the rest of NAScope stands on: its quick run is made three times, "
        "once whole, once with another seed, once with a reload after every unit. Exit status 0 where every promise is kept, "
        "1 where one is not, 2 where there is no such algorithm.",
    )
    parser.add_argument("algorithm", metavar="ALGORITHM", help="registry id, see `algorithms`")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON on stdout")
    parser.set_defaults(act=act)


def act(parsed: argparse.Namespace) -> int:
    """Raises BadInput where there is no such algorithm."""
    entry = registry.algorithm(parsed.algorithm)
    # The rules bring the search with them.
    from ..contract.rules import RULES, Broken
    from ..contract.searches import Searches
    from ..training.device import configure

    configure(1)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="nascope-check-") as temporary:
        searches = Searches(entry.id, Path(temporary))
        for rule in RULES:
            begun, why = time.perf_counter(), ""
            try:
                rule.holds(searches)
            except Broken as broken:
                why = str(broken)
            except Exception as error:
                # Whatever a stranger's algorithm raises is what is to be told of it; the other promises are looked at all the same.
                why = f"{type(error).__name__}: {' '.join(str(error).split()) or 'without a message'}"
            seconds = time.perf_counter() - begun
            rows.append({"rule": rule.says, "kept": not why, "why": why, "seconds": round(seconds, 1)})
            if not parsed.json:
                print(f"{'BROKEN' if why else 'kept  '} {seconds:6.1f} s  {rule.says}" + (f"\n{'':17}{why}" if why else ""), flush=True)
    kept = sum(row["kept"] for row in rows)
    if parsed.json:
        print(json.dumps({"algorithm": entry.id, "kept": kept == len(rows), "rules": rows}, indent=2))
    else:
        print(f"{entry.id}: {kept} of {len(rows)} promises are kept")
    return 0 if kept == len(rows) else 1
