"""How much of a file that anybody may have made is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Of one archive."""

    bytes: int = 8_000_000_000
    """Of all its files together, unpacked."""
    files: int = 50_000
    events: int = 1_000_000
    """Of one run."""
    event_bytes: int = 8_000_000
    """Of one line of events.jsonl."""
    text_bytes: int = 32_000_000
    """Of manifest.json and of result.json."""
    state_bytes: int = 300_000_000
    """Of the checkpoint of a folder of the command line, of which only the config is read."""


USUAL = Bounds()
