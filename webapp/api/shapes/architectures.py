"""An architecture that somebody wrote down."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from search_engine.events import GraphData


class SearchName(BaseModel):
    """An algorithm, as a link to it says."""

    id: str
    title: str


class ArchitectureInfo(BaseModel):
    """What a text describes, how it is drawn, and what can be begun with it."""

    space: str
    space_title: str
    space_options: dict[str, Any] = Field(description="options of the space that differ from its defaults")
    string: str = Field(description="it as its space writes it")
    text: str = Field(description="what a run is given of it: `string`, or its genome's JSON where its space does not read that back")
    genome: dict[str, Any]
    hash: str = Field(description="equal for architectures that compute the same function, as far as the space knows")
    drawings: dict[str, GraphData]
    trains: bool = Field(description="whether some data set fits on which it can be trained and tested as it is")
    searches: list[SearchName] = Field(description="algorithms whose first population can begin with it")
