"""The listener that tells of the search: a frame of the structure with its figures at the start and after every step that is due."""

from __future__ import annotations

from search_engine.events import Cost

from .loop import Listener


class Progress(Listener):
    """Says the figures of loop, listeners and method together."""

    name = "progress"

    def begun(self) -> None:
        self._say({"entropy": self.loop.alpha.normalised_entropy()})

    def after_step(self) -> Cost:
        loop = self.loop
        if loop.report.due(loop.done, loop.finished):
            self._say({"entropy": loop.alpha.normalised_entropy(), "learning_rate": loop.rate})
        return Cost()

    def _say(self, values: dict[str, float]) -> None:
        loop = self.loop
        for listener in loop.listeners:
            values |= listener.numbers()
        loop.report.say(loop.done, loop.alpha.numpy(), loop.cost.samples, draws=loop.draws(), **values, **loop.numbers())
