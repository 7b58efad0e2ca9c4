"""`python -m tests.golden`: see the package."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import tests.golden as package
from search_engine.base.home import data_folder
from tests.production.images import ROOT

from . import record
from .machine import difference, machine
from .runs import run_all
from .science import Digest, differences, digest, first_rows
from .searches import golden_searches, missing_files


def main(words: list[str] | None = None) -> int:
    """0 when everything is equal, or written."""
    parser = argparse.ArgumentParser("python -m tests.golden", description=package.__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("check", "write", "compare", "machine"):
        command = commands.add_parser(name)
        if name == "compare":
            command.add_argument("other", type=Path, help="another checkout of this repository, older or newer")
        if name != "machine":
            command.add_argument("names", nargs="*", help="searches; default: all")
    parsed = parser.parse_args(words)
    if os.environ["OMP_NUM_THREADS"] != "1":
        sys.exit(f"OMP_NUM_THREADS is {os.environ['OMP_NUM_THREADS']}: digests are made with one thread; unset it, or set it to 1")
    if parsed.command == "machine":
        print("\n".join(f"{name} {value}" for name, value in machine().items()))
        return 0
    configs = _chosen(parsed.names)
    begun = time.monotonic()
    try:
        if parsed.command == "compare":
            return _compare(configs, parsed.other.resolve())
        return _check(configs) if parsed.command == "check" else _write(configs)
    finally:
        print(f"{len(configs)} searches, {time.monotonic() - begun:.0f} s")


def _chosen(names: list[str]) -> dict[str, dict[str, Any]]:
    configs = golden_searches()
    unknown = [name for name in names if name not in configs]
    if unknown:
        sys.exit(f"there is no search '{unknown[0]}'; choose of: {', '.join(configs)}")
    chosen = {name: configs[name] for name in names or configs}
    for name, config in list(chosen.items()):
        if missing := missing_files(config, data_folder()):
            print(f"left out   {name}: {data_folder()} (NASCOPE_DATA) has no {', '.join(missing)}")
            del chosen[name]
    return chosen


def _check(configs: dict[str, dict[str, Any]]) -> int:
    records = record.read()
    stored = record.of_machine(records, machine())
    if stored is None:
        others = "; ".join(difference(machine(), other.machine) for other in records)
        print(f"no digests are stored for this machine ({others}); make both sides here: python -m tests.golden compare OTHER_CHECKOUT")
        return 1
    bad = 0
    for name, (found,) in run_all(configs):
        if isinstance(found, str):
            lines = [found]
        elif name not in stored.searches:
            lines = ["no digest is stored; python -m tests.golden write"]
        else:
            lines = differences(found, stored.searches[name])
        bad += bool(lines)
        _say(name, lines)
    return int(bad > 0)


def _write(configs: dict[str, dict[str, Any]]) -> int:
    found: dict[str, Digest] = {}
    for name, (outcome,) in run_all(configs):
        if isinstance(outcome, str):
            sys.exit(f"{name}: {outcome}\nnothing is written")
        found[name] = digest(outcome)
        print(f"ran        {name}", flush=True)
    records = record.read()
    stored = record.of_machine(records, machine())
    if stored is None:
        stored = record.Record(machine())
        records.append(stored)
    algorithms = {name: config["algorithm"] for name, config in golden_searches().items()}
    before = dict(stored.searches)
    stored.searches, refusals = record.renewed(before, found, algorithms, record.CHANGELOG.read_text())
    if refusals:
        print("\n".join(refusals) + "\nnothing is written")
        return 1
    for other in records:
        if other is not stored:
            other.searches = record.still_so(other.searches, stored.searches, before)
    record.save(records)
    changed = [name for name, entry in stored.searches.items() if before.get(name, {}).get("science") != entry["science"]]
    print(f"written: {record.FILE.relative_to(ROOT)}; new or changed: {', '.join(changed) or 'none'}")
    return 0


def _compare(configs: dict[str, dict[str, Any]], other: Path) -> int:
    if not (other / "search_engine").is_dir():
        sys.exit(f"{other} is no checkout of this repository: it has no folder search_engine")
    bad = 0
    for name, (here, there) in run_all(configs, ROOT, other):
        if isinstance(here, str) or isinstance(there, str):
            lines = [f"{place}: {outcome}" for place, outcome in (("here", here), ("there", there)) if isinstance(outcome, str)]
        elif lines := differences(here, digest(there)):
            for place, rows in zip(("here", "there"), first_rows(here, there), strict=True):
                lines += [f"{place:5} {row[0]} step {row[1]} {row[2]} {row[3]}: {row[4][:400]}" for row in rows]
        bad += bool(lines)
        _say(name, lines)
    return int(bad > 0)


def _say(name: str, lines: list[str]) -> None:
    print("\n".join([f"{'differs' if lines else 'equal':10} {name}", *(f"    {line}" for line in lines)]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
