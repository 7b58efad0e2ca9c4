"""Views of the atlas. What is published and the runs that come with the program are for everybody who is logged in; what stands beside both
comes from the runs of whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.atlas.entry import Bars, Column, Course, Entry, Form, RunsLike, atlas
from search_engine.atlas.ours import Estimate
from search_engine.atlas.published import recomputed
from search_engine.atlas.recorded import recorded
from search_engine.atlas.resolve import lacking, lacking_of, preset
from search_engine.catalogue import registry
from search_engine.events import Chart, series
from webapp.core.models import Run, Trial

from . import shapes
from .atlas_runs import Beside, SeenRun, of_recorded
from .base import OwnedView, data_dir
from .problems import ProblemDocument

Sides = tuple[tuple["Beside[Any]", str], ...]
"""Runs that stand beside what is published, with whose they are in words."""
LOOKS: tuple[Literal["solid", "dashed"], ...] = ("solid", "dashed")
"""Of the lines of one side and the other."""
NEWEST = 500
"""So many of somebody's newest runs are looked at."""


@dataclass(kw_only=True)
class _Run(SeenRun):
    """A run of whoever asks. Its values are read for those that stand in a table."""

    id: UUID
    experiment: shapes.ExperimentName
    finished: Any


class _AtlasView(OwnedView):
    """The published part is nobody's; the runs are those of whoever asks."""

    rows = Run.objects

    def finished(self) -> list[_Run]:
        """The newest of the asker's runs that are completed, the newest first."""
        rows = self.owned().order_by("-created", "-id").select_related("experiment", "counter")[:NEWEST]
        return [
            _Run(
                group=run.experiment_id, seed=run.seed, algorithm=run.algorithm, space=run.space, datasets=run.datasets,
                options=run.options, config=run.config, metric=run.metric, seconds=run.counter.charged_seconds, id=run.pk,
                finished=run.finished, experiment=shapes.ExperimentName(id=run.experiment_id, name=run.experiment.name),
            )
            for run in rows
            if run.state == Run.State.COMPLETED
        ]  # fmt: skip


class AtlasView(_AtlasView):
    """Every figure and table, in order."""

    @extend_schema(operation_id="atlas", responses={200: shapes.AtlasInfo})
    def get(self, request: Request) -> Response:
        runs = self.finished()
        sources = [_source(source) for source in atlas().sources]
        entries = [shapes.AtlasEntryInfo(**_info(entry, runs)) for entry in atlas().entries]
        return Response(shapes.AtlasInfo(sources=sources, entries=entries))


class AtlasEntryView(_AtlasView):
    """One figure or table, with the published values beside what came with the program and beside the asker's own runs."""

    @extend_schema(operation_id="atlas_entry", responses={200: shapes.AtlasEntry, 404: ProblemDocument})
    def get(self, request: Request, pk: str) -> Response:
        found = atlas().entry(pk)
        if found is None:
            raise Http404
        runs = self.finished()
        yours = Beside(atlas(), found.source, runs)
        _read_trials(yours)
        kept = Beside(atlas(), found.source, [run for name, one in recorded().items() for run in of_recorded(name, one)])
        return Response(
            shapes.AtlasEntry(
                **_info(found, runs),
                published=next(_source(source) for source in atlas().sources if source.id == found.source),
                table=_table(found, kept, yours) if found.table else None,
                charts=_charts(found, kept, yours),
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
    newest = next((run for run in runs if run.fits(wanted) and (not wanted.datasets or run.dataset in wanted.datasets)), None)
    own = None
    if newest is not None:
        own = shapes.AtlasRun(
            id=newest.id, experiment=newest.experiment, seed=newest.seed, dataset=newest.dataset, finished=newest.finished
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


# ---------------------------------------------------------------- tables


def _read_trials(beside: Beside[_Run]) -> None:
    """The values of the trials of all these runs: one query, however many."""
    wanted = {run.id: run for run in beside.runs()}
    if not wanted:
        return
    rows = Trial.objects.filter(run_id__in=list(wanted)).order_by("run_id", "number").values_list("run_id", "state", "value")
    for run_id, state, value in rows:
        wanted[run_id].values.append(value if state == Trial.State.COMPLETED else None)


def _estimate(found: Estimate | None) -> shapes.AtlasEstimate | None:
    if found is None:
        return None
    return shapes.AtlasEstimate(value=found.value, runs=found.runs, low=found.low, high=found.high, pairs=found.pairs)


def _table(entry: Entry, kept: Beside[SeenRun], yours: Beside[_Run]) -> shapes.AtlasTable:
    assert entry.table is not None
    rows = []
    for row in entry.table.rows:
        cells = []
        for column in entry.table.columns:
            printed = row.values.get(column.key)
            again = None if row.derived is None or printed is None else recomputed(atlas(), row.derived, column.key)
            agrees = None if again is None or printed is None else round(again, row.decimals) == round(printed, row.decimals)
            cells.append(
                shapes.AtlasCell(
                    column=column.key, published=printed, recomputed=again, agrees=agrees,
                    recorded=_estimate(kept.estimate(column.key, entry, row)), ours=_estimate(yours.estimate(column.key, entry, row)),
                )
            )  # fmt: skip
        group = entry.table.arms[row.measured.arm].title if row.measured else ""
        rows.append(
            shapes.AtlasRow(key=row.key, title=row.title, unit=row.unit, decimals=row.decimals, group=group, cells=cells)
        )
    return shapes.AtlasTable(columns=[_column(entry, column, kept, yours) for column in entry.table.columns], rows=rows)


def _column(entry: Entry, column: Column, kept: Beside[SeenRun], yours: Beside[_Run]) -> shapes.AtlasColumn:
    known = [registry.datasets()[name] for name in column.datasets if name in registry.datasets()]
    return shapes.AtlasColumn(
        key=column.key, title=column.title, setup=column.setup, searches=_searches(column.presets),
        available=any(not item.missing_files(data_dir()) for item in known), recorded=_recorded(entry, column, kept),
        ours=_ours(entry, column, yours),
    )  # fmt: skip


def _ours(entry: Entry, column: Column, yours: Beside[_Run]) -> shapes.AtlasOurs | None:
    first = next((run for runs in yours.of_entry(entry, column).values() for run in runs), None)
    return None if first is None else shapes.AtlasOurs(experiment=first.experiment, **yours.scale(entry, column))


def _recorded(entry: Entry, column: Column, kept: Beside[SeenRun]) -> shapes.AtlasRecorded | None:
    first = next((run for runs in kept.of_entry(entry, column).values() for run in runs), None)
    if first is None:
        return None
    name = str(first.group)
    file = recorded()[name]
    return shapes.AtlasRecorded(search=_searches([name])[0], date=file.date, machine=file.machine, **kept.scale(entry, column))


def _charts(entry: Entry, kept: Beside[SeenRun], yours: Beside[_Run]) -> list[Chart]:
    """Published rows as bars, what came with the program and the asker's own beside them; generations of both, run by run."""
    sides: Sides = ((kept, "measured here"), (yours, "yours"))
    bars = [_bars(f"{entry.id}-{place}", each, sides) for place, each in enumerate(entry.bars)]
    courses = [_course(f"{entry.id}-course-{place}", entry, each, sides) for place, each in enumerate(entry.courses)]
    return [*bars, *(chart for chart in courses if chart.series)]


def _bars(name: str, bars: Bars, sides: Sides) -> Chart:
    rows = [atlas().row(row) for row in bars.rows]
    table = rows[0][0].table
    assert table is not None
    keys = [column.key for column in table.columns]
    drawn = []
    for owner, row in rows:
        assert owner.table is not None
        title = owner.table.arms[row.measured.arm].title if row.measured else row.title
        if row.values:
            drawn.append(series(f"{title}, published", range(len(keys)), [row.values[key] for key in keys]))
        for beside, words in sides:
            own = [beside.estimate(key, owner, row) for key in keys]
            if any(own):
                values = [float("nan") if found is None else found.value for found in own]
                drawn.append(series(f"{title}, {words}", range(len(keys)), values, look="dashed"))
    return Chart(
        name=name, title=bars.title, form="bars", x_title="data set", y_title=bars.y_title,
        categories=[column.title for column in table.columns], series=drawn,
    )


def _course(name: str, entry: Entry, course: Course, sides: Sides) -> Chart:
    drawn = []
    for (beside, words), look in zip(sides, LOOKS, strict=True):
        for run in beside.of_course(entry, course):
            values = run.best_of_generations(course.generation)
            drawn.append(series(f"seed {run.seed}, {words}", range(1, len(values) + 1), values, look=look))
    return Chart(name=name, title=course.title, x_title="generation", y_title=course.y_title, series=drawn)
