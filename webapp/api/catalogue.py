"""Views of the engine's registry: what there is, what fits together, and which options each part takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.algorithms.base import AlgorithmEntry
from search_engine.base.training_config import TrainingConfig
from search_engine.base.works_with import form_schema
from search_engine.catalogue import registry
from search_engine.catalogue.config import FinaleConfig, RunConfig, needs_budget
from search_engine.catalogue.idle import idle
from search_engine.catalogue.presets import PRESETS
from search_engine.catalogue.starts import begins_with_architectures
from search_engine.datasets.base import DatasetEntry
from search_engine.spaces.base import SpaceEntry

from . import shapes
from .base import ApiView, data_dir
from .experiment_body import Runtime
from .mine import own_entries


@lru_cache(maxsize=1)
def _algorithms() -> list[shapes.AlgorithmInfo]:
    """The registry never changes while a process lives; its JSON schemas are worth keeping."""
    found = []
    for entry in registry.algorithms().values():
        spaces = registry.spaces_for(entry)
        datasets = dict.fromkeys(item.id for space in spaces for item in registry.datasets_for(entry, space))
        found.append(
            shapes.AlgorithmInfo(
                id=entry.id,
                title=entry.title,
                family=entry.family,
                summary=entry.summary,
                source=entry.source,
                needs=sorted(entry.needs),
                lives=entry.lives,
                structure=list(entry.structure),
                spaces=[space.id for space in spaces],
                no_space_for=entry.no_space_for,
                datasets=list(datasets),
                budgets=sorted(entry.budgets),
                needs_budget=needs_budget(registry.phases_of(entry)),
                domains=shapes.DomainsInfo(
                    least=entry.domains.least,
                    most=entry.domains.most,
                    default=[shapes.DefaultDomain(dataset=name, options=options) for name, options in entry.domains.default],
                ),
                begins_with_model=entry.begins_with_label,
                begins_with_architectures=begins_with_architectures(entry),
                schema_=form_schema(entry.config),
            )
        )
    return found


@lru_cache(maxsize=1)
def _spaces() -> list[shapes.SpaceInfo]:
    return [
        shapes.SpaceInfo(
            id=entry.id,
            title=entry.title,
            description=entry.description,
            source=entry.source,
            offers=sorted(entry.offers),
            inputs=sorted(entry.inputs),
            tasks=sorted(entry.tasks),
            presets=[shapes.SpacePresetInfo.model_validate(asdict(preset)) for preset in entry.presets],
            schema_=form_schema(entry.config),
        )
        for entry in registry.spaces().values()
    ]


@lru_cache(maxsize=1)
def _combinations() -> list[shapes.Combination]:
    return _rows(registry.datasets().values())


@lru_cache(maxsize=256)
def _combinations_of(own: str) -> list[shapes.Combination]:
    """What is kept never changes, and no more does what fits it."""
    return _rows([registry.dataset(own)])


def _rows(entries: Collection[DatasetEntry]) -> list[shapes.Combination]:
    return [
        shapes.Combination(algorithm=a.id, space=s.id, dataset=d.id, budgets=sorted(a.budgets & d.budgets), idle=_idle(a, s, d))
        for a in registry.algorithms().values()
        for s in registry.spaces_for(a)
        for d in entries
        if registry.fits(a, s, d)
    ]


def _idle(algorithm: AlgorithmEntry, space: SpaceEntry, dataset: DatasetEntry) -> list[shapes.IdleFields]:
    groups: dict[str, list[str]] = {}
    for name, why in idle(algorithm, space, dataset).items():
        groups.setdefault(why, []).append(f"runtime.{name}" if name in Runtime.model_fields else name)
    return [shapes.IdleFields(fields=fields, why=why) for why, fields in groups.items()]


def _datasets(folder: Path, entries: Iterable[tuple[UUID | None, DatasetEntry]] = ()) -> list[shapes.DatasetInfo]:
    """Not kept: a file that was missing may lie there now."""
    found = []
    for own, entry in [*((None, built_in) for built_in in registry.datasets().values()), *entries]:
        missing = entry.missing_files(folder)
        shape = None if entry.shape is None else shapes.ShapeInfo(input=list(entry.shape.input), classes=entry.shape.classes)
        found.append(
            shapes.DatasetInfo(
                id=entry.id,
                title=entry.title,
                description=entry.description,
                source=entry.source,
                licence=entry.licence,
                provides=entry.provides,
                input_kind=entry.input_kind,
                task=entry.task,
                shape=shape,
                budgets=sorted(entry.budgets),
                spaces=None if entry.spaces is None else sorted(entry.spaces),
                sizes=entry.sizes,
                notice=entry.notice,
                metric=entry.metric,
                own=own,
                available=not missing,
                missing_files=missing,
                schema_=form_schema(entry.config),
            )
        )
    return found


class AlgorithmsView(ApiView):
    """Every algorithm with its hyper-parameters."""

    @extend_schema(operation_id="algorithms_list", responses={200: shapes.AlgorithmInfos})
    def get(self, request: Request) -> Response:
        return Response(shapes.AlgorithmInfos(_algorithms()))


class SpacesView(ApiView):
    """Every search space."""

    @extend_schema(operation_id="search_spaces_list", responses={200: shapes.SpaceInfos})
    def get(self, request: Request) -> Response:
        return Response(shapes.SpaceInfos(_spaces()))


class DatasetsView(ApiView):
    """Every data set, and whether its files are on this machine; behind the built-in ones those that whoever asks has brought."""

    @extend_schema(operation_id="datasets_list", responses={200: shapes.DatasetInfos})
    def get(self, request: Request) -> Response:
        return Response(shapes.DatasetInfos(_datasets(data_dir(), own_entries(request.user).items())))


class CompatibilityView(ApiView):
    """Every combination of algorithm, space and data set that works, with the budgets it can spend; data sets that whoever asks has brought
    among them."""

    @extend_schema(operation_id="compatibility_list", responses={200: shapes.Combinations})
    def get(self, request: Request) -> Response:
        own = [row for entry in own_entries(request.user).values() for row in _combinations_of(entry.id)]
        return Response(shapes.Combinations([*_combinations(), *own]))


class RunSchemaView(ApiView):
    """JSON schemas of training, finale and run: what the form shows beside the registry's own options."""

    @extend_schema(operation_id="run_schema", responses={200: shapes.RunSchemas})
    def get(self, request: Request) -> Response:
        return Response(
            shapes.RunSchemas(
                training=form_schema(TrainingConfig), finale=form_schema(FinaleConfig), run=RunConfig.model_json_schema()
            )
        )


class PresetsView(ApiView):
    """Ready-made searches."""

    @extend_schema(operation_id="presets_list", responses={200: shapes.Presets})
    def get(self, request: Request) -> Response:
        names = [dict.fromkeys(card["experiment"]["datasets"]) for card in PRESETS]
        missing = [[file for name in each for file in registry.dataset(name).missing_files(data_dir())] for each in names]
        cards = [{**card, "missing_files": files} for card, files in zip(PRESETS, missing, strict=True)]
        return Response(shapes.Presets.model_validate(cards))
