"""How pydantic models and the two ways to log in appear in the OpenAPI document. Importing this registers them, which the base of all
views does (webapp.api.base); processes without views do without."""

from __future__ import annotations

from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from pydantic import BaseModel
from pydantic.json_schema import model_json_schema

from .problems import CONTENT_TYPE, ProblemDocument
from .queries import Query, asked_of


class ApiSchema(AutoSchema):
    """Errors are application/problem+json in the document too, and parameters those of the model that reads them."""

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *_parameters(asked_of(self.view, self.method))]

    def _get_response_for_code(self, serializer: Any, status_code: str, media_types: Any = None, direction: str = "response") -> Any:
        if serializer is ProblemDocument:
            media_types = [CONTENT_TYPE]
        return super()._get_response_for_code(serializer, status_code, media_types, direction)


def _parameters(model: type[Query]) -> list[OpenApiParameter]:
    """The fields of a query string's model, as the document names them."""
    schema = model.model_json_schema()
    return [
        OpenApiParameter(
            name, _kind(part), required=name in schema.get("required", ()), description=part.get("description", ""),
            default=part.get("default") or None,
        )
        for name, part in schema.get("properties", {}).items()
    ]


def _kind(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value that is given: that none is given, and what then holds, stand elsewhere."""
    kinds = [kind for kind in part.get("anyOf", [part]) if kind != {"type": "null"}]
    return {name: value for name, value in kinds[0].items() if name not in ("title", "description", "default")}


class PydanticModel(OpenApiSerializerExtension):
    """A model's JSON schema: as validated for request bodies, as serialised for responses (drf-spectacular's own extension knows
    only the latter, in which every field with a default is required)."""

    target_class = "pydantic.BaseModel"
    match_subclasses = True
    priority = 1

    def get_name(self, auto_schema: Any, direction: str) -> str:
        # A model may be met first as a part of another and then on its own: the same name is the same model here.
        set_override(self.target, "suppress_collision_warning", True)
        name: str = self.target.__name__
        return name

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        model: type[BaseModel] = self.target
        schema = model_json_schema(
            model, ref_template="#/components/schemas/{model}", mode="validation" if direction == "request" else "serialization"
        )
        for name, part in schema.pop("$defs", {}).items():
            component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part)
            auto_schema.registry.register_on_missing(component)
        return schema


class Bearer(OpenApiAuthenticationExtension):
    """`Authorization: Bearer ...`."""

    target_class = "webapp.accounts.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
