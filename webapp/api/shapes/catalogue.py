"""What the registry holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, RootModel


class DefaultDomain(BaseModel):
    """A data set that an algorithm of several data sets starts from where none is named."""

    dataset: str
    options: dict[str, Any]


class DomainsInfo(BaseModel):
    """How many data sets an algorithm searches at once, in order."""

    least: int
    most: int
    default: list[DefaultDomain]


class AlgorithmInfo(BaseModel):
    """An algorithm of the registry. `schema_` (JSON key `schema`) is the JSON schema of its options."""

    id: str
    title: str
    family: str
    summary: str
    source: str
    needs: list[str]
    lives: str
    structure: list[str] = Field(description="its kinds of picture, what it is about first")
    spaces: list[str] = Field(description="what it can search, its default first")
    no_space_for: dict[str, str] = Field(description="kind of data (image, vector, series) for which it has no space -> why")
    datasets: list[str]
    budgets: list[str]
    needs_budget: bool = Field(description="whether it has no plan that ends it")
    domains: DomainsInfo
    begins_with_model: str = Field(description="what beginning with a finished model is called; empty = it cannot")
    begins_with_architectures: bool = Field(description="whether its first population can begin with architectures that are given")
    schema_: dict[str, Any] = Field(serialization_alias="schema")


class SpacePresetInfo(BaseModel):
    """Options of a space that belong together."""

    id: str
    title: str
    sentence: str
    options: dict[str, Any]


class SpaceInfo(BaseModel):
    """A search space of the registry."""

    id: str
    title: str
    description: str
    source: str
    offers: list[str]
    inputs: list[str]
    tasks: list[str]
    presets: list[SpacePresetInfo] = Field(description="ready-made choices of its options")
    schema_: dict[str, Any] = Field(serialization_alias="schema")


class ShapeInfo(BaseModel):
    """(channels, height, width), (channels, time) or (features,), and the number of classes (of a regression: of values to predict)."""

    input: list[int]
    classes: int


class DatasetInfo(BaseModel):
    """A data set of the registry, and whether its files are here."""

    id: str
    title: str
    description: str
    source: str
    licence: str
    provides: str
    input_kind: str
    task: str = Field(description="classification or regression")
    shape: ShapeInfo | None
    budgets: list[str]
    spaces: list[str] | None
    sizes: dict[str, int] = Field(description="examples as declared, for its default options; its files are not read for it")
    notice: str = Field(description="a sentence without which scores on it would be misread, or empty")
    metric: str
    own: UUID | None = Field(description="where whoever asks has brought it: its id among own-datasets")
    available: bool
    missing_files: list[str]
    schema_: dict[str, Any] = Field(serialization_alias="schema")


class IdleFields(BaseModel):
    """Fields of a run that do nothing in a combination, and why."""

    fields: list[str] = Field(description="dotted names as in the body of an experiment; those of the algorithm begin with `options.`")
    why: str


class Combination(BaseModel):
    """One combination that works."""

    algorithm: str
    space: str
    dataset: str
    budgets: list[str]
    idle: list[IdleFields] = Field(description="what nobody needs to set there: refused where it is set all the same")


class RunSchemas(BaseModel):
    """JSON schemas of the parts of an experiment that no registry entry owns."""

    training: dict[str, Any]
    finale: dict[str, Any]
    run: dict[str, Any]


class Preset(BaseModel):
    """A ready-made search: `experiment` is a body for POST experiments."""

    id: str
    title: str
    description: str
    missing_files: list[str] = Field(default=[], description="data files that it needs and that are not there")
    experiment: dict[str, Any]


class AlgorithmInfos(RootModel[list[AlgorithmInfo]]):
    """In catalogue order."""


class SpaceInfos(RootModel[list[SpaceInfo]]):
    """In catalogue order."""


class DatasetInfos(RootModel[list[DatasetInfo]]):
    """In catalogue order."""


class Combinations(RootModel[list[Combination]]):
    """Every combination that works."""


class Presets(RootModel[list[Preset]]):
    """Ready-made searches."""
