"""What one may ask a finished model, and what it says."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from search_engine.bundle.answers import Answered, InputForm


class ModelInput(BaseModel):
    """What a model takes; `form` is null where nothing can be asked of it here, and `reason` says why."""

    form: InputForm | None
    reason: str
    most_bytes: int = Field(description="of what is given")
    most_examples: int = Field(description="that are answered at once")
    seconds: float = Field(description="that an answer may take")


class PredictionInfo(BaseModel):
    """A question to a model, and its answer once a worker has it."""

    id: UUID
    model: UUID
    state: Literal["queued", "running", "done", "failed"]
    waiting: str = Field(description="of a queued one: why it is not being answered yet")
    reason: str = Field(description="why it failed")
    result: Answered | None
    created: datetime
