"""The numbers that a run says over its steps: curves of the search, of its phases and finalists, and of the newest trials."""

from __future__ import annotations

from typing import Any, Self

from .thinning import ThinnedRows

MOST_POINTS = 2_000
"""Of one track."""
MOST_VALUES = 60_000
"""Of all tracks together: beyond it the largest is thinned."""
MOST_TRIALS = 16
"""Trials whose curves are kept: thousands may have some."""
MOST_SOURCES = 64
"""Others: phases and finalists."""
MOST_TRACKS = 32
"""Of one source."""


class Curves:
    """By source, tracks: the numbers that it says together, as rows (number of the event, step, samples, value of each name). So figures
    that are said seldom are not thinned for the sake of those of every step."""

    def __init__(self) -> None:
        self.sources: dict[str, dict[tuple[str, ...], ThinnedRows]] = {}
        """What said something last stands last."""
        self._values = 0

    def add(self, seq: int, source: str, data: dict[str, Any]) -> None:
        """`data`: a `Metrics` payload."""
        tracks = self.sources.pop(source, {})
        self.sources[source] = tracks
        # Databases keep the names of an object in orders of their own.
        names = tuple(sorted(data["values"]))
        track = tracks.get(names)
        if track is None:
            self._make_room(source, tracks)
            track = tracks[names] = ThinnedRows(3 + len(names), MOST_POINTS)
        before = len(track)
        track.add((seq, data["step"], data["samples"], *(data["values"][name] for name in names)))
        self._values += (len(track) - before) * len(names)
        while self._values > MOST_VALUES and self._thin_the_largest():
            pass

    def _make_room(self, source: str, tracks: dict[tuple[str, ...], ThinnedRows]) -> None:
        if len(tracks) >= MOST_TRACKS:
            self._forget(tracks, next(iter(tracks)))
        of_trials = source.startswith("trial:")
        alike = [name for name in self.sources if name.startswith("trial:") == of_trials]
        if len(alike) > (MOST_TRIALS if of_trials else MOST_SOURCES):
            oldest = self.sources.pop(alike[0])
            for names in list(oldest):
                self._forget(oldest, names)

    def _forget(self, tracks: dict[tuple[str, ...], ThinnedRows], names: tuple[str, ...]) -> None:
        self._values -= len(tracks.pop(names)) * len(names)

    def _thin_the_largest(self) -> bool:
        """False where nothing can be left out."""
        size, width, track = max(
            ((len(track) * len(names), len(names), track) for tracks in self.sources.values() for names, track in tracks.items()),
            key=lambda item: item[0],
        )
        if len(track) <= 2:
            return False
        track.halve()
        self._values += len(track) * width - size
        return True

    def state(self) -> list[Any]:
        return [[source, [[names, track.state()] for names, track in tracks.items()]] for source, tracks in self.sources.items()]

    def restore(self, state: list[Any]) -> Self:
        self.sources = {
            source: {tuple(names): ThinnedRows(3 + len(names), MOST_POINTS).restore(track) for names, track in tracks}
            for source, tracks in state
        }
        self._values = sum(len(track) * len(names) for tracks in self.sources.values() for names, track in tracks.items())
        return self
