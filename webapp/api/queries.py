"""Query strings, read once: what a view may be asked for is a model, and nothing else is taken.

    class RunsQuery(Page):
        experiment: Annotated[UUID | None, Id()] = None

    @reads(RunsQuery)
    def get(self, request: Request, query: RunsQuery) -> Response: ...

A name that the model does not have is refused, as is one that comes twice; an empty value is as none. What passes can be stored,
compared and converted by both databases. The OpenAPI document takes its parameters from the same models (`ApiSchema`), and the
WebSocket reads its address by them too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import all_problems

from .problems import from_bad_inputs

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
LARGEST = 2**62
"""Of numbers that count events and steps: fits into the databases' integers, also with one added."""
_DIGITS = 20


@dataclass(frozen=True)
class Whole:
    """A whole number in decimal digits."""

    smallest: int
    largest: int

    def read(self, text: Any) -> int:
        # The digits are counted first: what Python reads of a long number takes the square of its length.
        if isinstance(text, str) and text.isascii() and text.removeprefix("-").isdigit() and len(text) <= _DIGITS:
            value = int(text)
            if self.smallest <= value <= self.largest:
                return value
        raise ValueError(f"give a whole number from {self.smallest} to {self.largest}")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.smallest, "maximum": self.largest}


@dataclass(frozen=True)
class Id:
    """The id of an object."""

    def read(self, text: Any) -> UUID:
        try:
            return UUID(text)
        except (ValueError, AttributeError, TypeError):
            raise ValueError("give an id") from None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}


@dataclass(frozen=True)
class Text:
    """At most so many characters, without those that a database cannot hold (NUL, half of a surrogate pair)."""

    longest: int

    def read(self, text: Any) -> str:
        if not isinstance(text, str) or len(text) > self.longest:
            raise ValueError(f"give at most {self.longest} characters")
        if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ValueError("leave out characters that cannot be stored (NUL, half of a surrogate pair)")
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.longest}


class Query(BaseModel):
    """What a view without parameters takes: nothing. Others add fields, each with a type that reads text."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Query):
    """Which page of a list (webapp.api.pagination)."""

    cursor: Annotated[str, Text(1_000)] = Field("", description="the `next` of the page before")
    limit: Annotated[int, Whole(1, MAX_LIMIT)] = Field(DEFAULT_LIMIT, description="rows of a page")


QueryT = TypeVar("QueryT", bound=Query)
Parameters = ParamSpec("Parameters")
ViewT = TypeVar("ViewT", bound=APIView)
Answer = TypeVar("Answer")


def read(given: Mapping[str, list[str]], model: type[QueryT]) -> QueryT:
    """A query string, as lists of values by name, as `model`. Raises a Problem (400) that lists everything wrong with it."""
    found = [BadInput(name, "give it once") for name, values in given.items() if len(values) > 1]
    try:
        query = model.model_validate({name: values[-1] for name, values in given.items() if values[-1]})
    except ValidationError as error:
        found += _problems(error, model)
    if found:
        raise from_bad_inputs(found)
    return query


def _problems(error: ValidationError, model: type[Query]) -> Iterable[BadInput]:
    for item, problem in zip(error.errors(include_url=False), all_problems("", error), strict=True):
        if item["type"] == "extra_forbidden":
            names = sorted(names_of(model))
            known = f"there are: {', '.join(names)}" if names else "nothing can be asked for here"
            yield BadInput(problem.field, f"there is no such parameter; {known}", code="unknown_parameter")
        elif item["type"] == "missing":
            yield BadInput(problem.field, f"is missing: ?{problem.field}=...")
        else:
            yield problem


def names_of(model: type[Query]) -> set[str]:
    """Names as they stand in the address."""
    return {field.alias or name for name, field in model.model_fields.items()}


def reads(
    model: type[QueryT],
) -> Callable[
    [Callable[Concatenate[ViewT, Request, QueryT, Parameters], Answer]], Callable[Concatenate[ViewT, Request, Parameters], Answer]
]:
    """Gives a view's method its query string, as `model`, behind the request."""

    def wrap(
        method: Callable[Concatenate[ViewT, Request, QueryT, Parameters], Answer],
    ) -> Callable[Concatenate[ViewT, Request, Parameters], Answer]:
        @functools.wraps(method)
        def reading(view: ViewT, request: Request, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
            return method(view, request, read(dict(request.query_params.lists()), model), *args, **kwargs)

        reading.query = model  # type: ignore[attr-defined]
        return reading

    return wrap


def asked_of(view: APIView, method: str) -> type[Query]:
    """The model of what `method` of a view reads; one without fields where it does not say."""
    model: type[Query] = getattr(getattr(view, method.lower(), None), "query", Query)
    return model


class ReadsQuery(APIView):
    """A view none of whose methods leaves its query string unread."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if asked_of(self, request.method or "") is Query:
            read(dict(request.query_params.lists()), Query)
