"""An initial population that a search begins with, as a run's config names it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class PopulationConfig(BaseModel):
    """Whose individuals they are, how many, and their digest. They themselves lie in the run's folder (`spaces.populations`), so that the
    config stays small and says all that decides the science.

    >>> given = PopulationConfig(digest="0" * 64, space="sequence", input=[1], outputs=2, sizes={"genomes": 25})
    >>> given.in_words
    '25 genomes'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of what must be equal, as the run that had it first said it")
    space: str = Field(description="registry id of the space that its genomes are of")
    space_options: dict[str, Any] = {}
    input: list[int] = Field(max_length=4, description="shape of one example; empty where a formula scores")
    outputs: int = Field(ge=0, description="classes, or values of the target")
    sizes: dict[str, int] = Field(min_length=1, max_length=8, description="how many individuals of which kind")

    @property
    def in_words(self) -> str:
        """`16 modules, 8 blueprints, 12 networks`."""
        return counted(self.sizes)


def counted(sizes: dict[str, int]) -> str:
    """How many of which kind, in words."""
    return ", ".join(f"{number:,} {kind}" for kind, number in sizes.items())
