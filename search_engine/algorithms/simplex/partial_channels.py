"""The listener of partial channels (PC-DARTS: Xu et al. 2020): 1/K of an edge's channels pass through its mixed operations."""

from __future__ import annotations

from typing import Any

from search_engine.events import Notice

from .loop import Listener


class PartialChannels(Listener):
    """K is that of the present stage."""

    name = "partial_channels"

    def network_changes(self) -> dict[str, Any]:
        from search_engine.supernets.grouped.partial_channels import partial_channels

        share = self.loop.stages.partial_channels(self.loop.stage)
        return {"mixing": partial_channels(share)} if share > 1 else {}

    def begun(self) -> None:
        stages = self.loop.stages
        shares = [stages.partial_channels(stage) for stage in range(stages.count)]
        if max(shares) > 1:
            parts = ", then ".join(f"1/{share}" for share in dict.fromkeys(shares))
            message = f"Partial channels: {parts} of each edge's channels pass through its mixed operations; the final network has all."
            self.loop.context.emit(Notice(name=self.name, message=message, step=0, values={"share": float(shares[0])}), 0)
