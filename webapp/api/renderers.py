"""Writes responses: pydantic models are the one definition of what a response holds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from rest_framework.renderers import JSONRenderer


class ModelRenderer(JSONRenderer):
    """JSON of a pydantic model, or of plain values."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if isinstance(data, BaseModel):
            return data.model_dump_json(by_alias=True).encode()
        rendered: bytes = super().render(data, accepted_media_type, renderer_context)
        return rendered
