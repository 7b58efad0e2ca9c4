"""Loss and score of each task (see `spaces.tasks`)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch.nn import functional as F

from ..datasets.base import SearchData
from ..scoring.class_weights import balanced
from ..spaces.tasks import SCORES, TaskName


def mean_loss(
    task: TaskName, outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """The scalar that training lowers. `outputs` are (B, classes) or (B, values); `targets` (B,) classes or (B, values).

    Label smoothing means something for classes only, as do `weights` (classes,): how much each example counts by its class. The sum is
    divided by the number of examples, not of weights, so that the mean over batches is the same whatever classes meet in one.

    >>> outputs = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
    >>> each = [float(mean_loss("classification", outputs[:1], torch.tensor([label]))) for label in (0, 1)]
    >>> both = float(mean_loss("classification", outputs, torch.tensor([0, 1]), weights=torch.tensor([0.5, 4.0])))
    >>> abs(both - (0.5 * each[0] + 4.0 * each[1]) / 2) < 1e-6
    True
    """
    if task == "classification":
        if weights is not None:
            own = F.cross_entropy(outputs.float(), targets, reduction="none", label_smoothing=smoothing)
            return (weights[targets] * own).mean()
        return F.cross_entropy(outputs.float(), targets, label_smoothing=smoothing)
    return F.mse_loss(outputs.float().flatten(1), targets.flatten(1))


def class_weights(data: SearchData, how: str, device: str, examples: int = 0) -> torch.Tensor | None:
    """The weights of the classes in a training on `data` (`TrainingConfig.class_weights`), of which the first `examples` are used (0 =
    all); None where all examples count alike."""
    if how == "none" or data.shape.task != "classification":
        return None
    labels = data.train.labels[:examples] if examples else data.train.labels
    return torch.from_numpy(balanced(labels, len(data.class_names))).to(device)


UNASKED = 1000
"""So many losses wait to be asked for at most."""


@dataclass
class Tally:
    """Sums over examples, from which `figures` gives the mean loss and the score.

    They stay tensors until somebody asks: asking a device for a number after every batch would make it wait.
    """

    task: TaskName
    examples: int = 0
    loss: float = 0.0
    """Sum over the examples whose numbers were asked for."""
    correct: int = 0
    values: int = 0
    """How many numbers an example's target has."""
    sums: torch.Tensor | None = None
    """Sums of targets and of their squares per value, (2, values), float64."""
    _losses: list[tuple[torch.Tensor, int]] = field(default_factory=list)
    """Losses not asked for yet: a mean and over how many examples, or (0) a sum over examples and values."""
    _correct: torch.Tensor | None = None

    def add(self, outputs: torch.Tensor, targets: torch.Tensor, loss: torch.Tensor | None = None) -> None:
        """Count a batch; `loss` is its mean over the examples, detached, where that is known already."""
        if len(self._losses) >= UNASKED:
            self._ask()
        outputs = outputs.detach()
        self.examples += len(outputs)
        if loss is not None:
            self._losses.append((loss, len(outputs)))
        if self.task == "classification":
            correct = (outputs.argmax(1) == targets).sum()
            self._correct = correct if self._correct is None else self._correct + correct
            if loss is None:
                self._losses.append((F.cross_entropy(outputs.float(), targets, reduction="sum"), 0))
            return
        flat = targets.flatten(1).double()
        self.values = flat.shape[1]
        if loss is None:
            self._losses.append(((outputs.flatten(1).double() - flat).square().sum(), 0))
        own = torch.stack([flat.sum(0), flat.square().sum(0)])
        self.sums = own if self.sums is None else self.sums.to(own.device) + own

    def figures(self) -> dict[str, float]:
        """`loss` and the task's score. A target without variance gives the score 0."""
        self._ask()
        if self.task == "classification":
            return {"loss": self.loss / self.examples, "accuracy": self.correct / self.examples}
        assert self.sums is not None
        spread = float((self.sums[1] - self.sums[0].square() / self.examples).sum())
        explained = 1 - self.loss * self.values / spread if spread > 0 else 0.0
        return {"loss": self.loss / self.examples, SCORES[self.task]: explained}

    def _ask(self) -> None:
        """Turn into numbers what is still on the device. Losses are added up in double precision, in the order of their batches."""
        if self._losses:
            summed = 1 if self.task == "classification" else self.values
            for value, (_, examples) in zip(torch.stack([loss for loss, _ in self._losses]).tolist(), self._losses, strict=True):
                self.loss += value * examples if examples else value / summed
        if self._correct is not None:
            self.correct += int(self._correct)
        self.sums = None if self.sums is None else self.sums.cpu()
        self._losses, self._correct = [], None

    def state_dict(self) -> dict[str, object]:
        self._ask()
        return {"examples": self.examples, "loss": self.loss, "correct": self.correct, "values": self.values, "sums": self.sums}

    @staticmethod
    def from_state(task: TaskName, state: dict[str, object]) -> Tally:
        return Tally(task, **state)  # type: ignore[arg-type]
