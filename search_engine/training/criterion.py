"""Loss and score of each task (see `spaces.tasks`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from ..spaces.tasks import SCORES, TaskName


def mean_loss(task: TaskName, outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """The scalar that training lowers. `outputs` are (B, classes) or (B, values); `targets` (B,) classes or (B, values).

    Label smoothing means something for classes only.
    """
    if task == "classification":
        return F.cross_entropy(outputs.float(), targets, label_smoothing=smoothing)
    return F.mse_loss(outputs.float().flatten(1), targets.flatten(1))


@dataclass
class Tally:
    """Sums over examples, from which `figures` gives the mean loss and the score."""

    task: TaskName
    examples: int = 0
    loss: float = 0.0
    correct: int = 0
    values: int = 0
    """How many numbers an example's target has."""
    sums: torch.Tensor | None = None
    """Sums of targets and of their squares per value, (2, values), float64."""

    def add(self, outputs: torch.Tensor, targets: torch.Tensor, loss: float | None = None) -> None:
        """Count a batch; `loss` is its sum over the examples where that is known already."""
        outputs = outputs.detach()
        self.examples += len(outputs)
        if self.task == "classification":
            self.correct += int((outputs.argmax(1) == targets).sum())
            self.loss += float(F.cross_entropy(outputs.float(), targets, reduction="sum")) if loss is None else loss
            return
        flat = targets.flatten(1).double()
        self.values = flat.shape[1]
        if loss is None:
            loss = float((outputs.flatten(1).double() - flat).square().sum()) / self.values
        self.loss += loss
        own = torch.stack([flat.sum(0), flat.square().sum(0)]).cpu()
        self.sums = own if self.sums is None else self.sums + own

    def figures(self) -> dict[str, float]:
        """`loss` and the task's score. A target without variance gives the score 0."""
        if self.task == "classification":
            return {"loss": self.loss / self.examples, "accuracy": self.correct / self.examples}
        assert self.sums is not None
        spread = float((self.sums[1] - self.sums[0].square() / self.examples).sum())
        explained = 1 - self.loss * self.values / spread if spread > 0 else 0.0
        return {"loss": self.loss / self.examples, SCORES[self.task]: explained}

    def state_dict(self) -> dict[str, object]:
        return {"examples": self.examples, "loss": self.loss, "correct": self.correct, "values": self.values, "sums": self.sums}

    @staticmethod
    def from_state(task: TaskName, state: dict[str, object]) -> Tally:
        return Tally(task, **state)  # type: ignore[arg-type]
