"""`digests.json`, and the rule by which it changes: a digest is replaced only for a reason that CHANGELOG.md gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.production.images import ROOT

from .science import Digest

FILE = Path(__file__).with_name("digests.json")
CHANGELOG = ROOT / "CHANGELOG.md"

Entry = dict[str, Any]
"""A digest, and `since`: the line of the changelog that explains its last change; empty for the first one."""


@dataclass
class Record:
    """The digests of one machine, by search."""

    machine: dict[str, str]
    searches: dict[str, Entry] = field(default_factory=dict)


def read(path: Path = FILE) -> list[Record]:
    """The stored records; none if there is no file yet."""
    return [Record(**values) for values in json.loads(path.read_text())] if path.exists() else []


def save(records: list[Record], path: Path = FILE) -> None:
    """A search's line of digits stays one line, so that a change is read in a diff."""
    path.write_text(json.dumps([{"machine": record.machine, "searches": record.searches} for record in records], indent=1) + "\n")


def of_machine(records: list[Record], machine: dict[str, str]) -> Record | None:
    """The record of exactly this machine."""
    return next((record for record in records if record.machine == machine), None)


@dataclass(frozen=True)
class Line:
    """An item of a "Science" section."""

    version: str
    algorithms: frozenset[str]
    text: str


def science_lines(changelog: str) -> Iterator[Line]:
    """Items "- `enas`, `multipath`: why" under "### Science" of each "## version", in the order of the file; wrapped lines are joined."""
    for version, body in _sections(changelog, "##"):
        for title, items in _sections(body, "###"):
            if title != "Science":
                continue
            for item in re.split(r"^- ", items, flags=re.MULTILINE)[1:]:
                text = " ".join(item.split("\n\n")[0].split())
                yield Line(version, frozenset(re.findall(r"`([^`]+)`", text.partition(":")[0])), text)


def _sections(text: str, mark: str) -> Iterator[tuple[str, str]]:
    """(title, body) of each heading of this depth."""
    parts = re.split(rf"^{mark} (.*)$", text, flags=re.MULTILINE)[1:]
    yield from zip(parts[::2], parts[1::2], strict=True)


def reason(algorithm: str, changelog: str) -> str:
    """The last line for the algorithm in the newest version (the top section); empty if there is none."""
    newest = next((title for title, _ in _sections(changelog, "##")), "")
    lines = [line.text for line in science_lines(changelog) if line.version == newest and algorithm in line.algorithms]
    return lines[-1] if lines else ""


def still_so(others: dict[str, Entry], now: dict[str, Entry], before: dict[str, Entry]) -> dict[str, Entry]:
    """The entries of another machine that still hold after this one's became `now`: those of searches that exist and whose science did not
    change here. What did change changed there, too, where nobody has run it since."""
    changed = {name for name, entry in now.items() if name in before and before[name]["science"] != entry["science"]}
    return {name: entry for name, entry in others.items() if name in now and name not in changed}


def renewed(
    stored: dict[str, Entry], found: dict[str, Digest], algorithms: dict[str, str], changelog: str
) -> tuple[dict[str, Entry], list[str]]:
    """(entries with what was found, refusals).

    `algorithms` are those of all searches that exist, by search: others are dropped; those not in `found` stay as they are. A changed
    digest needs a line that is not yet the entry's reason: one line explains one change.
    """
    entries = {name: entry for name, entry in stored.items() if name in algorithms}
    refusals = []
    for name, digest in found.items():
        if name not in entries:
            entries[name] = {**digest, "since": ""}
        elif digest["science"] != entries[name]["science"]:
            line = reason(algorithms[name], changelog)
            if not line or line == entries[name]["since"]:
                used = f" (the line there explains an earlier change: {line!r})" if line else ""
                refusals.append(
                    f"{name}: its science changed, and the newest version in CHANGELOG.md does not say why{used}; "
                    f"under '### Science' add '- `{algorithms[name]}`: what changed, and why'"
                )
            entries[name] = {**digest, "since": line}
    return {name: entries[name] for name in algorithms if name in entries}, refusals
