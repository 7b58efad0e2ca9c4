"""Views of the atlas. What is published is for everybody who is logged in; what stands beside it comes from the runs of whoever asks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.atlas.entry import Arm, Atlas, Column, Derived, Entry, Form, Row, RunsLike, atlas
from search_engine.atlas.ours import Estimate, Observed, compared, last_generation, measured
from search_engine.atlas.published import recomputed
from search_engine.atlas.resolve import lacking, lacking_of, preset
from search_engine.catalogue import registry
from search_engine.events import Chart, series
from webapp.core.models import Run, Trial

from . import shapes
from .base import OwnedView, data_dir
from .problems import ProblemDocument

NEWEST = 500
"""So many of somebody's newest runs are looked at."""


@dataclass
class _Run:
    """What is asked of a run."""

    id: UUID
    seed: int
    algorithm: str
    space: str
    datasets: list[str]
    options: dict[str, Any]
    config: dict[str, Any]
    metric: str
    finished: Any
    experiment: shapes.ExperimentName
    seconds: float
    values: list[float | None] = field(default_factory=list)
    """Of its trials in the order of birth; read for those that stand in a table."""


class _AtlasView(OwnedView):
    """The published part is nobody's; the runs are those of whoever asks."""

    rows = Run.objects

    def finished(self) -> list[_Run]:
        """The newest of the asker's runs that are completed, the newest first."""
        rows = self.owned().order_by("-created", "-id").select_related("experiment", "counter")[:NEWEST]
        return [
            _Run(
                run.pk, run.seed, run.algorithm, run.space, run.datasets, run.options, run.config, run.metric, run.finished,
                shapes.ExperimentName(id=run.experiment_id, name=run.experiment.name), run.counter.charged_seconds,
            )
            for run in rows
            if run.state == Run.State.COMPLETED
        ]


class AtlasView(_AtlasView):
    """Every figure and table, in order."""

    @extend_schema(operation_id="atlas", responses={200: shapes.AtlasInfo})
    def get(self, request: Request) -> Response:
        runs = self.finished()
        sources = [_source(source) for source in atlas().sources]
        entries = [shapes.AtlasEntryInfo(**_info(entry, runs)) for entry in atlas().entries]
        return Response(shapes.AtlasInfo(sources=sources, entries=entries))


class AtlasEntryView(_AtlasView):
    """One figure or table, with the published values beside those of the asker's own runs."""

    @extend_schema(operation_id="atlas_entry", responses={200: shapes.AtlasEntry, 404: ProblemDocument})
    def get(self, request: Request, pk: str) -> Response:
        found = atlas().entry(pk)
        if found is None:
            raise Http404
        runs = self.finished()
        beside = _Beside(atlas(), found.source, runs)
        beside.read_trials()
        return Response(
            shapes.AtlasEntry(
                **_info(found, runs),
                published=next(_source(source) for source in atlas().sources if source.id == found.source),
                table=_table(found, beside) if found.table else None,
                charts=_charts(found, beside),
            )
        )


# ---------------------------------------------------------------- an entry


def _source(source: Any) -> shapes.AtlasSource:
    return shapes.AtlasSource(**source.model_dump(exclude={"order"}))


def _info(entry: Entry, runs: Sequence[_Run]) -> dict[str, Any]:
    plain = ("id", "source", "kind", "number", "section", "title", "shows", "here", "explore", "page")
    return {
        **{name: getattr(entry, name) for name in plain},
        "notes": list(entry.notes),
        "pictures": [_picture(wanted, runs) for wanted in entry.runs],
        "searches": _searches(entry.presets),
        "forms": [_form(form) for form in entry.forms],
        "lacking": lacking(entry),
    }


def _picture(wanted: RunsLike, runs: Sequence[_Run]) -> shapes.AtlasPicture:
    newest = next((run for run in runs if _fits(run, wanted) and (not wanted.datasets or _dataset(run) in wanted.datasets)), None)
    own = None
    if newest is not None:
        own = shapes.AtlasRun(
            id=newest.id, experiment=newest.experiment, seed=newest.seed, dataset=_dataset(newest), finished=newest.finished
        )
    return shapes.AtlasPicture(
        title=wanted.title, picture=wanted.picture, algorithm=wanted.algorithm, run=own, lacking=lacking_of(wanted)
    )


def _searches(names: Iterable[str]) -> list[shapes.AtlasSearch]:
    cards = {name: preset(name) for name in names}
    return [shapes.AtlasSearch(id=name, title=card["title"] if card else name, installed=card is not None) for name, card in cards.items()]


def _form(form: Form) -> shapes.AtlasForm:
    here = form.algorithm in registry.algorithms() and (not form.dataset or form.dataset in registry.datasets())
    return shapes.AtlasForm(title=form.title, algorithm=form.algorithm, dataset=form.dataset, installed=here)


def _dataset(run: _Run) -> str:
    return run.datasets[0] if run.datasets else ""


def _fits(run: _Run, wanted: RunsLike | Arm) -> bool:
    if run.algorithm != wanted.algorithm or (wanted.space and run.space != wanted.space):
        return False
    return all(name in run.options and run.options[name] == value for name, value in wanted.options.items())


# ---------------------------------------------------------------- ours beside theirs

Place = tuple[str, str]
"""(id of a table, key of an arm)."""


class _Beside:
    """The runs that stand beside the tables of one source: for each data set all of one experiment, so that what is compared was configured
    alike. It is the one with most of the groups that the source compares, then with most runs of each, then the newest."""

    def __init__(self, book: Atlas, source: str, runs: Sequence[_Run]) -> None:
        self.atlas = book
        self.tables = {entry.id: entry.table for entry in book.entries if entry.source == source and entry.table is not None}
        arms = {(name, key): arm for name, table in self.tables.items() for key, arm in table.arms.items()}
        columns: dict[str, Column] = {column.key: column for table in self.tables.values() for column in table.columns}
        self.of_column: dict[str, dict[Place, list[_Run]]] = {}
        for key, column in columns.items():
            by_experiment: dict[UUID, dict[Place, list[_Run]]] = defaultdict(lambda: defaultdict(list))
            for run in runs:
                for place, arm in arms.items():
                    if _dataset(run) in column.datasets and run.metric == "val_accuracy" and _fits(run, arm):
                        by_experiment[run.experiment.id][place].append(run)
            # Runs come newest first, so of equals the newest experiment is the first; of data sets the likest.
            found = max(
                by_experiment.values(),
                key=lambda groups: (len(groups), min(map(len, groups.values())), -min(map(column.datasets.index, _datasets(groups)))),
                default=None,
            )
            if found is not None:
                self.of_column[key] = dict(found)

    def read_trials(self) -> None:
        """The values of the trials of all these runs: one query, however many."""
        wanted = {run.id: run for groups in self.of_column.values() for own in groups.values() for run in own}
        if not wanted:
            return
        rows = Trial.objects.filter(run_id__in=list(wanted)).order_by("run_id", "number").values_list("run_id", "state", "value")
        for run_id, state, value in rows:
            wanted[run_id].values.append(value if state == Trial.State.COMPLETED else None)

    def observed(self, column: str, entry: str, row: Row) -> list[Observed]:
        """What the runs of a measured row's group say of its quantity, on one data set."""
        assert row.measured is not None
        return [_observed(run, row.measured.generation) for run in self.of_column.get(column, {}).get((entry, row.measured.arm), [])]

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


def _datasets(groups: dict[Place, list[_Run]]) -> set[str]:
    return {_dataset(run) for own in groups.values() for run in own}


def _observed(run: _Run, generation: str) -> Observed:
    size = int(run.options.get(generation, 0)) if generation else 0
    # A search that was cut in the middle of a generation has no last one to speak of.
    whole = size > 0 and len(run.values) % size == 0
    own, failed = last_generation(run.values, size if whole else 0)
    return Observed(run.seed, run.seconds / 60, tuple(100 * value for value in own), failed)


def _estimate(found: Estimate | None) -> shapes.AtlasEstimate | None:
    if found is None:
        return None
    return shapes.AtlasEstimate(value=found.value, runs=found.runs, low=found.low, high=found.high, pairs=found.pairs)


def _table(entry: Entry, beside: _Beside) -> shapes.AtlasTable:
    assert entry.table is not None
    rows = []
    for row in entry.table.rows:
        cells = []
        for column in entry.table.columns:
            printed = row.values[column.key]
            again = None if row.derived is None else recomputed(beside.atlas, row.derived, column.key)
            agrees = None if again is None else round(again, row.decimals) == round(printed, row.decimals)
            ours = _estimate(beside.estimate(column.key, entry, row))
            cells.append(shapes.AtlasCell(column=column.key, published=printed, recomputed=again, agrees=agrees, ours=ours))
        group = entry.table.arms[row.measured.arm].title if row.measured else ""
        rows.append(
            shapes.AtlasRow(key=row.key, title=row.title, unit=row.unit, decimals=row.decimals, group=group, cells=cells)
        )
    return shapes.AtlasTable(columns=[_column(entry, column, beside) for column in entry.table.columns], rows=rows)


def _column(entry: Entry, column: Column, beside: _Beside) -> shapes.AtlasColumn:
    known = [registry.datasets()[name] for name in column.datasets if name in registry.datasets()]
    return shapes.AtlasColumn(
        key=column.key, title=column.title, setup=column.setup, searches=_searches(column.presets),
        available=any(not item.missing_files(data_dir()) for item in known), ours=_ours(entry, column, beside),
    )


def _needed(entry: Entry, beside: _Beside) -> dict[Place, str]:
    """The groups that a table's rows need, with their titles."""
    assert entry.table is not None
    places: dict[Place, str] = {}
    for row in entry.table.rows:
        parts = [(entry, row)]
        if row.derived is not None:
            parts = [beside.atlas.row(row.derived.first), beside.atlas.row(row.derived.second)]
        for owner, part in parts:
            if part.measured is not None and owner.table is not None:
                places[owner.id, part.measured.arm] = owner.table.arms[part.measured.arm].title
    return places


def _ours(entry: Entry, column: Column, beside: _Beside) -> shapes.AtlasOurs | None:
    needed = _needed(entry, beside)
    groups = {place: runs for place, runs in beside.of_column.get(column.key, {}).items() if place in needed}
    if not groups or entry.table is None:
        return None
    own = [run for runs in groups.values() for run in runs]
    dataset = _dataset(own[0])
    info = registry.known_dataset(dataset)
    sizes = {row.measured.generation for table in beside.tables.values() for row in table.rows if row.measured and row.measured.generation}
    return shapes.AtlasOurs(
        experiment=own[0].experiment, dataset=dataset, dataset_title=info.title if info else dataset, notice=info.notice if info else "",
        same_data=dataset == column.datasets[0], runs=dict(Counter({needed[place]: len(runs) for place, runs in groups.items()})),
        failed=sum(_observed(run, name).failed for run in own for name in sizes),
        scale=[
            shapes.AtlasScale(
                title=scale.title, published=scale.values.get(column.key), stated=scale.stated,
                ours=sorted({value for run in own if (value := _setting(run, scale.option)) is not None}),
            )
            for scale in entry.table.scale
        ],
    )


def _setting(run: _Run, name: str) -> float | None:
    """A dotted field of a run's config as a number; its options are complete there as the run has them."""
    head, _, rest = name.partition(".")
    values: Any = run.options if head == "options" else run.config.get(head)
    for part in rest.split(".") if rest else []:
        if isinstance(values, list):
            values = values[int(part)] if part.isdigit() and int(part) < len(values) else None
        else:
            values = values.get(part) if isinstance(values, dict) else None
    return float(values) if isinstance(values, int | float) and not isinstance(values, bool) else None


def _charts(entry: Entry, beside: _Beside) -> list[Chart]:
    """Published rows as bars, those of the asker's runs beside them."""
    charts = []
    for place, bars in enumerate(entry.bars):
        rows = [beside.atlas.row(name) for name in bars.rows]
        table = rows[0][0].table
        assert table is not None
        keys = [column.key for column in table.columns]
        drawn = []
        for owner, row in rows:
            assert owner.table is not None
            title = owner.table.arms[row.measured.arm].title if row.measured else row.title
            drawn.append(series(f"{title}, published", range(len(keys)), [row.values[key] for key in keys]))
            own = [beside.estimate(key, owner, row) for key in keys]
            if any(own):
                values = [float("nan") if found is None else found.value for found in own]
                drawn.append(series(f"{title}, yours", range(len(keys)), values, look="dashed"))
        charts.append(
            Chart(
                name=f"{entry.id}-{place}", title=bars.title, form="bars", x_title="data set", y_title=bars.y_title,
                categories=[column.title for column in table.columns], series=drawn,
            )
        )
    return charts



