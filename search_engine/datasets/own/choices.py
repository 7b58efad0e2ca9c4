"""What a person may settle of an import; whatever is left open is proposed by the file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["number", "category", "dropped", "target", "group", "time", "split"]
"""What becomes of a column. `split` says of each row whether it is for training, validation or the test."""
SplitKind = Literal["random", "stratified", "group", "time", "own"]
Task = Literal["classification", "regression"]


class Choices(BaseModel):
    """All of it JSON; None = as inferred."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    title: str | None = Field(default=None, min_length=1, max_length=120)
    target: str | None = Field(default=None, description="the column (or the array) that is to be predicted")
    task: Task | None = None
    types: dict[str, Kind] = Field(default_factory=dict, description="column -> what becomes of it")
    split: SplitKind | None = Field(default=None, description="how the test part is set aside")
    split_column: str | None = Field(default=None, description="whose groups, times or parts the split follows")
    test_share: float = Field(default=0.2, ge=0.02, le=0.9)
    validation_share: float = Field(default=0.2, ge=0.02, le=0.9, description="of what is not the test part")
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the split")
    side: int | None = Field(default=None, ge=4, le=1024, description="pixels to which pictures are brought")
    channels: Literal[1, 3] | None = Field(default=None, description="1 = grey, 3 = colour")
    series: Literal["series", "values", "statistics"] | None = Field(
        default=None, description="series as they are, or as vectors: their values, or statistics of every channel"
    )
    encoding: str | None = Field(default=None, max_length=40)
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Literal[".", ","] | None = None
    duplicates: Literal["keep", "drop"] = Field(default="keep", description="examples that repeat another one, target included")

    def types_settled(self) -> dict[str, Kind]:
        """`types`, with what `target` and `split_column` say of their columns."""
        settled = dict(self.types)
        if self.target is not None:
            settled[self.target] = "target"
        if self.split_column is not None and self.split in ("group", "time", "own"):
            settled[self.split_column] = {"group": "group", "time": "time", "own": "split"}[self.split]  # type: ignore[assignment]
        return settled
