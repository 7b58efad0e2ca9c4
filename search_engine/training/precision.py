"""Mixed precision behind one code path: on the CPU, and where it is off, everything below does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from .clipping import clip_to_norm


class Precision:
    """Autocast and, for float16, loss scaling. bfloat16 is used where the card has it: it needs no scaling."""

    def __init__(self, device: str, amp: bool) -> None:
        self._kind = torch.device(device).type
        self.enabled = amp and self._kind == "cuda"
        self._dtype = torch.bfloat16 if not self.enabled or torch.cuda.is_bf16_supported() else torch.float16
        self._scaler = torch.amp.GradScaler(self._kind, enabled=self.enabled and self._dtype == torch.float16)

    def autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self._kind, dtype=self._dtype) if self.enabled else nullcontext()

    def step(
        self,
        loss: torch.Tensor,
        optimizer: torch.optim.Optimizer,
        weights: list[nn.Parameter],
        clip: float,
        beside: Sequence[torch.Tensor] = (),
    ) -> None:
        """Backward, clip the gradient's norm to `clip` (0 = not), one optimiser step. Gradients must be cleared before.

        `beside`: leaves that another optimiser moves; they are left with their true gradients.
        """
        if not self._scaler.is_enabled():
            loss.backward()  # type: ignore[no-untyped-call]
            if clip:
                clip_to_norm(weights, clip)
            optimizer.step()
            return
        self._scaler.scale(loss).backward()
        for leaf in beside:
            if leaf.grad is not None:
                leaf.grad /= self._scaler.get_scale()
        self._scaler.unscale_(optimizer)
        if clip:
            clip_to_norm(weights, clip)
        self._scaler.step(optimizer)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        return dict(self._scaler.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state:
            self._scaler.load_state_dict(state)
