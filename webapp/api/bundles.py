"""A model's download on its way to who asked for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from webapp.core.models import ModelArtefact

_CHUNK = 256 * 1024


def file_name(model: ModelArtefact) -> str:
    """What the browser saves it as: made of registry ids only, never of what a person typed."""
    run = model.run
    parts = [run.algorithm, run.space, *run.datasets, f"seed{run.seed}", *([str(model.index)] if model.index else [])]
    text = "-".join(parts)
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in text) + ".zip"


class Sent(Protocol):
    """A file that is closed when it has been sent."""

    def read(self, most: int, /) -> bytes: ...
    def close(self) -> None: ...


async def chunks(file: Sent) -> AsyncIterator[bytes]:
    """The file in pieces, read in a thread: neither the loop waits for the disk nor the memory holds the file."""
    with contextlib.closing(file):
        while data := await asyncio.to_thread(file.read, _CHUNK):
            yield data
