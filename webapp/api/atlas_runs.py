"""Which runs stand beside a published table, and what they say of its rows: the asker's own, or those that come with the program."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from search_engine.atlas.entry import Arm, Atlas, Column, Course, Derived, Entry, Row, RunsLike
from search_engine.atlas.ours import Estimate, Observed, compared, last_generation, measured
from search_engine.atlas.recorded import Recorded
from search_engine.catalogue import registry

from . import shapes

Place = tuple[str, str]
"""(id of a table, key of an arm)."""


@dataclass
class SeenRun:
    """What is asked of a finished run."""

    group: Hashable
    """Runs of one group were configured alike but for their arm and seed: an experiment."""
    seed: int
    algorithm: str
    space: str
    datasets: list[str]
    options: dict[str, Any]
    config: dict[str, Any]
    metric: str
    seconds: float
    values: list[float | None] = field(default_factory=list)
    """Of its trials in the order of birth; None of one that failed."""

    @property
    def dataset(self) -> str:
        return self.datasets[0] if self.datasets else ""

    def fits(self, wanted: RunsLike | Arm) -> bool:
        if self.algorithm != wanted.algorithm or (wanted.space and self.space != wanted.space):
            return False
        return all(name in self.options and self.options[name] == value for name, value in wanted.options.items())

    def observed(self, generation: str) -> Observed:
        """`generation`: the option with the size of one, or empty."""
        size = int(self.options.get(generation, 0)) if generation else 0
        # A search that was cut in the middle of a generation has no last one to speak of.
        whole = size > 0 and len(self.values) % size == 0
        own, failed = last_generation(self.values, size if whole else 0)
        return Observed(self.seed, self.seconds / 60, tuple(100 * value for value in own), failed)

    def best_of_generations(self, generation: str) -> list[float]:
        """In percent, of each whole generation; NaN where all of one failed. `generation`: the option with the size of one."""
        size = int(self.options.get(generation, 0))
        parts = [self.values[first : first + size] for first in range(0, len(self.values) - size + 1, size)] if size > 0 else []
        return [max((100 * value for value in part if value is not None), default=math.nan) for part in parts]

    def setting(self, name: str) -> float | None:
        """A dotted field of its config as a number; its options are complete there as the run has them."""
        head, _, rest = name.partition(".")
        values: Any = self.options if head == "options" else self.config.get(head)
        for part in rest.split(".") if rest else []:
            if isinstance(values, list):
                values = values[int(part)] if part.isdigit() and int(part) < len(values) else None
            else:
                values = values.get(part) if isinstance(values, dict) else None
        return float(values) if isinstance(values, int | float) and not isinstance(values, bool) else None


def of_recorded(name: str, kept: Recorded) -> list[SeenRun]:
    """The runs of a data file, `name` its id."""
    return [
        SeenRun(
            group=name, seed=run.seed, algorithm=kept.algorithm, space=kept.space, datasets=[kept.dataset], options=kept.arms[run.arm],
            config=kept.config, metric="val_accuracy", seconds=run.seconds, values=[*run.values],
        )
        for run in kept.runs
    ]  # fmt: skip


RunT = TypeVar("RunT", bound=SeenRun)


class Beside(Generic[RunT]):
    """The runs that stand beside the tables of one source: for each data set all of one group, so that what is compared was configured
    alike. It is the one with most of the groups of runs that the source compares, then with most runs of each, then the first given."""

    def __init__(self, book: Atlas, source: str, runs: Sequence[RunT]) -> None:
        self.atlas = book
        self.tables = {entry.id: entry.table for entry in book.entries if entry.source == source and entry.table is not None}
        arms = {(name, key): arm for name, table in self.tables.items() for key, arm in table.arms.items()}
        columns: dict[str, Column] = {column.key: column for table in self.tables.values() for column in table.columns}
        self.of_column: dict[str, dict[Place, list[RunT]]] = {}
        for key, column in columns.items():
            by_group: dict[Hashable, dict[Place, list[RunT]]] = defaultdict(lambda: defaultdict(list))
            for run in runs:
                for place, arm in arms.items():
                    if run.dataset in column.datasets and run.metric == "val_accuracy" and run.fits(arm):
                        by_group[run.group][place].append(run)
            # Of equals the first given; of data sets the likest.
            found = max(
                by_group.values(),
                key=lambda groups: (len(groups), min(map(len, groups.values())), -min(map(column.datasets.index, _datasets(groups)))),
                default=None,
            )
            if found is not None:
                self.of_column[key] = dict(found)

    def runs(self) -> Iterable[RunT]:
        """Each once."""
        return {id(run): run for groups in self.of_column.values() for own in groups.values() for run in own}.values()

    def observed(self, column: str, entry: str, row: Row) -> list[Observed]:
        """What the runs of a measured row's group say of its quantity, on one data set."""
        assert row.measured is not None
        return [run.observed(row.measured.generation) for run in self.of_column.get(column, {}).get((entry, row.measured.arm), [])]

    def estimate(self, column: str, entry: Entry, row: Row) -> Estimate | None:
        if row.measured is not None:
            return measured(self.observed(column, entry.id, row), row.measured.measure)
        if row.derived is None:
            return None
        return self._compared(column, row.derived)

    def _compared(self, column: str, derived: Derived) -> Estimate | None:
        (one, first), (two, second) = self.atlas.row(derived.first), self.atlas.row(derived.second)
        if first.measured is None or second.measured is None:
            return None
        groups = self.observed(column, one.id, first), self.observed(column, two.id, second)
        return compared(derived.formula, *groups, first.measured.measure)

    def of_entry(self, entry: Entry, column: Column) -> dict[str, list[RunT]]:
        """The runs that the rows of a table are of, on one data set, by the title of their group."""
        needed = self._needed(entry)
        return {needed[place]: runs for place, runs in self.of_column.get(column.key, {}).items() if place in needed}

    def _needed(self, entry: Entry) -> dict[Place, str]:
        assert entry.table is not None
        places: dict[Place, str] = {}
        for row in entry.table.rows:
            parts = [(entry, row)]
            if row.derived is not None:
                parts = [self.atlas.row(row.derived.first), self.atlas.row(row.derived.second)]
            for owner, part in parts:
                if part.measured is not None and owner.table is not None:
                    places[owner.id, part.measured.arm] = owner.table.arms[part.measured.arm].title
        return places

    def of_course(self, entry: Entry, course: Course) -> list[RunT]:
        """The runs whose generations it shows, by seed."""
        return sorted(self.of_column.get(course.column, {}).get((entry.id, course.arm), []), key=lambda run: run.seed)

    def scale(self, entry: Entry, column: Column) -> dict[str, Any]:
        """The fields of `shapes.AtlasRuns`: how far these runs can be compared with what is published."""
        groups = self.of_entry(entry, column)
        own = [run for runs in groups.values() for run in runs]
        dataset = own[0].dataset
        info = registry.known_dataset(dataset)
        ways = [row.measured for table in self.tables.values() for row in table.rows if row.measured]
        sizes = {way.generation for way in ways if way.generation}
        assert entry.table is not None
        return {
            "dataset": dataset,
            "dataset_title": info.title if info else dataset,
            "notice": info.notice if info else "",
            "same_data": dataset == column.datasets[0],
            "runs": dict(Counter({title: len(runs) for title, runs in groups.items()})),
            "failed": sum(run.observed(name).failed for run in own for name in sizes),
            "scale": [
                shapes.AtlasScale(
                    title=scale.title, published=scale.values.get(column.key), stated=scale.stated,
                    ours=sorted({value for run in own if (value := run.setting(scale.option)) is not None}),
                )
                for scale in entry.table.scale
            ],
        }  # fmt: skip


def _datasets(groups: dict[Place, list[RunT]]) -> set[str]:
    return {run.dataset for own in groups.values() for run in own}
