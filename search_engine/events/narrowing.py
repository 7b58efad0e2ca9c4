"""Networks whose layers became narrower, as a picture.

>>> layer = NarrowedLayer(name="2.3", before=8, after=5, counts=[3, 5])
>>> network = NarrowedNetwork(title="the best so far", candidate=4, value=0.8, cost=0.4, layers=[layer])
>>> WidthsFrame(step=4, measure="|γ|", unit="filters", metric="val_accuracy", threshold=0.1, ends=[0.01, 0.1, 1.0], networks=[network]).kind
'widths'
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .parts import PayloadBase


class NarrowedLayer(PayloadBase):
    """One layer of a network that was shrunk."""

    name: str
    before: int = Field(description="channels before")
    after: int = Field(description="channels that are left")
    counts: list[int] = Field(description="how many of its channels lie in each bin of importance; all 0 where nothing measures them")
    held: bool = Field(default=False, description="whether only the floor keeps it as wide as it is")


class NarrowedNetwork(PayloadBase):
    """One network that was shrunk, or is being shrunk."""

    title: str = Field(description="which one it is, in words")
    candidate: int | None = Field(default=None, description="its number, in a search by trials")
    value: float | None = Field(default=None, description="of the network that is left, where it was scored; see `WidthsFrame.metric`")
    plain: float | None = Field(default=None, description="the same of the network as it was, where that was trained, too")
    cost: float = Field(description="of the network that is left, as a share of the cost before")
    layers: list[NarrowedLayer] = Field(description="in the order of computation; of many the widest")
    others: int = Field(default=0, description="layers that are not among them")


class WidthsFrame(PayloadBase):
    """How important the channels of each layer are, against the threshold below which they go, and how wide layers were and are."""

    kind: Literal["widths"] = "widths"
    step: int
    measure: str = Field(description="what stands for the importance of a channel")
    unit: str = Field(description="what a layer has so many of: filters, channels")
    metric: str = Field(description="what values are, higher is better")
    threshold: float
    ends: list[float] = Field(description="of the bins, one more than there are; the outermost bins take what lies further out")
    networks: list[NarrowedNetwork]
    values: dict[str, float] = Field(default={})
