"""Architectures that people paste: read and drawn, without a run."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.algorithms import given_architecture
from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.architectures import Architecture, make_space, read
from search_engine.catalogue.starts import begins_with_architectures
from search_engine.spaces.base import SpaceEntry
from search_engine.spaces.genomes import canonical_json
from search_engine.spaces.written import genome_of_text

from . import shapes
from .base import ApiView
from .problems import ProblemDocument
from .throttles import ReadingRate

LONGEST = 50_000
"""Characters of a text that is read while somebody waits; the command line reads more (`search_engine.spaces.written`)."""


class ArchitectureBody(BaseModel):
    """A text, and of which space it is where it does not say so itself."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(
        max_length=LONGEST,
        description="a NAS-Bench-201 string, DARTS' Genotype, a genome's JSON, or, with `space`, whatever that space writes",
    )
    space: str = Field(default="", max_length=100, description="empty = as the text says")
    space_options: dict[str, Any] = {}


class ArchitecturesView(ApiView):
    """POST says what a text describes; stores nothing and evaluates nothing of it."""

    largest_body = 6 * LONGEST
    """Six bytes is the most that JSON writes for one character."""

    def get_throttles(self) -> list[Any]:
        return [ReadingRate()]

    @extend_schema(
        operation_id="architectures_read", request=ArchitectureBody,
        responses={200: shapes.ArchitectureInfo, 400: ProblemDocument, 429: ProblemDocument},
    )
    def post(self, request: Request) -> Response:
        body = self.body(request, ArchitectureBody)
        try:
            found = read(body.text, body.space, body.space_options)
        except BadInput as error:
            # What the engine calls the genome is the text here.
            raise BadInput("text" if error.field == "genome" else error.field, error.message, error.code) from None
        return Response(_info(found))


def _info(found: Architecture) -> shapes.ArchitectureInfo:
    space, training = registry.space(found.space), given_architecture.ENTRY
    searches = [
        shapes.SearchName(id=entry.id, title=entry.title)
        for entry in registry.algorithms().values()
        if begins_with_architectures(entry) and space in registry.spaces_for(entry)
    ]
    return shapes.ArchitectureInfo(
        space=space.id, space_title=space.title, space_options=found.space_options, string=found.string, text=_text(space, found),
        genome=found.genome.to_json(), hash=found.hash, drawings=found.drawings,
        trains=space in registry.spaces_for(training) and bool(registry.datasets_for(training, space)), searches=searches,
    )  # fmt: skip


def _text(space: SpaceEntry, found: Architecture) -> str:
    try:
        if genome_of_text(make_space(space, found.space_options), found.string) == found.genome:
            return found.string
    except BadInput:
        pass
    return canonical_json(found.genome.to_json())
