"""What a process has once per event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One `make()` for each loop that asks. A server has one loop; tests have many, and what belonged to a closed one is dropped."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._of: dict[asyncio.AbstractEventLoop, T] = {}

    def here(self) -> T:
        """That of the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._of:
            for old in [item for item in self._of if item.is_closed()]:
                del self._of[old]
            self._of[loop] = self._make()
        return self._of[loop]
