"""The base classes of every view: who may call, whose rows they see, how answers and errors look."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import Http404
from pydantic import BaseModel, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import all_problems
from webapp.accounts.authentication import AUTHENTICATION, TokenScope

from . import problems
from .openapi import ApiSchema
from .parsers import StrictJSONParser
from .queries import ReadsQuery
from .renderers import ModelRenderer

BodyT = TypeVar("BodyT", bound=BaseModel)


def data_dir() -> Path:
    """Where data files are looked up."""
    return Path(settings.NASCOPE_DATA)


class ApiView(ReadsQuery):
    """A view for people who are logged in or bring a token."""

    authentication_classes = AUTHENTICATION
    permission_classes: tuple[type[BasePermission], ...] = (IsAuthenticated, TokenScope)
    parser_classes: tuple[type[BaseParser], ...] = (StrictJSONParser,)
    renderer_classes = (ModelRenderer,)
    schema = ApiSchema()
    largest_body = settings.NASCOPE_MAX_BODY_BYTES
    """Bytes that a logged-in person may send (webapp.serving.bodies)."""

    def get_exception_handler(self) -> Any:
        return problems.handle

    def body(self, request: Request, model: type[BodyT]) -> BodyT:
        """The request's body as `model`. Raises a Problem that lists everything wrong with it."""
        data = request.data
        if not isinstance(data, dict):
            raise BadInput("", "send a JSON object")
        try:
            return model.model_validate(data)
        except ValidationError as error:
            raise problems.from_bad_inputs(all_problems("", error)) from None


class OwnedView(ApiView):
    """A view of rows that belong to people. The only place that decides whose rows a request sees.

    Subclasses set `rows` (a manager or query set) and `owner_path`, the lookup from a row to its owner. A row of somebody else is
    absent: 404, as for one that never was.
    """

    rows: Any
    owner_path = "owner"

    def owned(self) -> QuerySet[Any]:
        """The rows of whoever asks."""
        return self.rows.all().filter(**{self.owner_path: self.request.user})  # type: ignore[no-any-return]

    def find(self, key: UUID, rows: QuerySet[Any] | None = None) -> Any:
        """One of the owned rows by its id. Raises Http404."""
        found: Model | None = (self.owned() if rows is None else rows).filter(pk=key).first()
        if found is None:
            raise Http404
        return found
