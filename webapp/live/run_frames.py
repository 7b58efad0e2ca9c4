"""The `run` frame, read once for all clients that watch the same run."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

from channels.db import database_sync_to_async

from webapp.api.present import run_info, run_rows
from webapp.core.models import Run

from .frames import RunChanged

RUN_SPACING = 0.5
"""Seconds between two looks at a run's row."""
_KEEP = 60.0


class RunFrames:
    """The newest frame of each watched run, at most RUN_SPACING old when asked for."""

    def __init__(self) -> None:
        self._texts: dict[UUID, tuple[float, str | None]] = {}
        self._reading: dict[UUID, asyncio.Task[str | None]] = {}

    async def newer(self, run_id: UUID, known: str) -> str | None:
        """The run's frame now (perhaps `known` itself), or None if the run is gone."""
        read_at, text = self._texts.get(run_id, (float("-inf"), known))
        if time.monotonic() - read_at < RUN_SPACING / 2:
            return text
        task = self._reading.get(run_id)
        if task is None:
            task = self._reading[run_id] = asyncio.create_task(self._read(run_id))
        # A client that leaves must not take the reading away from the others.
        return await asyncio.shield(task)

    async def _read(self, run_id: UUID) -> str | None:
        try:
            text = await database_sync_to_async(_frame)(run_id)
        finally:
            del self._reading[run_id]
        now = time.monotonic()
        self._texts = {key: value for key, value in self._texts.items() if now - value[0] < _KEEP}
        self._texts[run_id] = (now, text)
        return text


def _frame(run_id: UUID) -> str | None:
    run = run_rows(Run.objects.filter(pk=run_id)).first()
    return None if run is None else RunChanged(run=run_info(run)).model_dump_json()


run_frames = RunFrames()
