"""The assertion that other suites make on a search that they have run anyway."""

from __future__ import annotations

from pathlib import Path

from tests.absent import DIGESTS, absent
from tests.production.searches import Science

from . import record
from .machine import difference, machine
from .science import differences


def assert_golden(name: str, science: Science, path: Path = record.FILE) -> None:
    """Fails where the search `name` said something else than its digest in `path`. Skips, with what to do, on a machine without digests, or
    without one of a search that was made or changed on another."""
    records = record.read(path)
    stored = record.of_machine(records, machine())
    if stored is None:
        others = "; ".join(difference(machine(), other.machine) for other in records)
        absent(DIGESTS, f"{others}; compare two checkouts: python -m tests.golden compare OTHER_CHECKOUT", required="REQUIRE_DIGESTS")
    if name not in stored.searches and any(name in other.searches for other in records):
        absent(DIGESTS, f"that of {name} was last made elsewhere: python -m tests.golden write {name}", required="REQUIRE_DIGESTS")
    assert name in stored.searches, f"{name} has no digest yet: python -m tests.golden write {name}"
    lines = differences(science, stored.searches[name])
    assert not lines, "\n".join(
        [
            f"{name} says something else than its golden digest:", *(f"  {line}" for line in lines),
            f"See the events themselves with: python -m tests.golden compare OTHER_CHECKOUT {name}",
            "If it is meant: CONTRIBUTING.md, golden digests.",
        ]
    )
