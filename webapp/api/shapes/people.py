"""Workers, plug-ins, people, their secrets, and the health of the server."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, RootModel


class WorkerJob(BaseModel):
    """What a worker does now. `run` is null where the run is somebody else's."""

    id: UUID | None
    kind: str
    run: UUID | None


class WorkerInfo(BaseModel):
    """A worker process and when it was last heard of."""

    id: UUID
    name: str
    device: str
    threads: int
    host: str
    pid: int
    alive: bool
    last_seen: datetime
    job: WorkerJob | None


class WorkerInfos(RootModel[list[WorkerInfo]]):
    """The workers heard of lately."""


class PluginInfo(BaseModel):
    """An entry point of an installed package that was left out."""

    group: str = Field(description="nascope.algorithms, nascope.spaces or nascope.datasets")
    name: str
    value: str = Field(description="what it names: module:object")
    package: str = Field(description="empty where its metadata does not tell")
    version: str
    reason: str


class PluginInfos(RootModel[list[PluginInfo]]):
    """What was left out when the server started."""


class Me(BaseModel):
    username: str
    id: int
    is_staff: bool


class LoginBody(BaseModel):
    model_config = {"extra": "forbid"}

    username: str = Field(min_length=1, max_length=150)
    password: str = Field(min_length=1, max_length=4096)


class TokenBody(BaseModel):
    model_config = {"extra": "forbid"}

    name: str = Field(min_length=1, max_length=100, description="what you will recognise it by")
    scope: Literal["read", "write"] = "write"


class TokenInfo(BaseModel):
    id: UUID
    name: str
    scope: Literal["read", "write"]
    hint: str = Field(description="first characters, to tell tokens apart")
    created: datetime
    last_used: datetime | None


class TokenInfos(RootModel[list[TokenInfo]]):
    """Your tokens, newest first."""


class NewToken(TokenInfo):
    """`token` is the plain value: shown this once, kept nowhere."""

    token: str


class Ticket(BaseModel):
    ticket: str
    expires_in: int


class Health(BaseModel):
    status: Literal["ok", "degraded", "unavailable"]
    checks: dict[str, str]
