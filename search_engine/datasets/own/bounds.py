"""What an import may take. A file that asks for more is refused before it gets it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Bounds(BaseModel):
    """Every bound that a reader asks; the process that reads is held to `memory` and `seconds` from outside as well."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory: int = Field(default=2_000_000_000, ge=200_000_000, description="bytes of main memory of the process that reads")
    seconds: float = Field(default=1800.0, gt=0, description="how long it may take")
    bytes: int = Field(default=4_000_000_000, ge=1, description="of the file, unpacked, and of what is kept")
    files: int = Field(default=200_000, ge=1, description="entries of an archive")
    columns: int = Field(default=10_000, ge=1, description="of a table, and of what it becomes when categories are spread out")
    rows: int = Field(default=5_000_000, ge=1, description="of a table; examples of arrays")
    pixels: int = Field(default=50_000_000, ge=1, description="of one picture")
    classes: int = Field(default=1_000, ge=2, description="of a classification")
    categories: int = Field(default=50, ge=2, description="of one column; rarer ones are counted as unknown")
