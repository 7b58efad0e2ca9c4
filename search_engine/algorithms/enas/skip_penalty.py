"""The pull of skip connections towards a wanted density (Pham et al. 2018, section 3.2: "to encourage sparsity").

Per layer the sum over its skip decisions of KL(p || rho), where p is the policy's probability to connect and rho the target; the mean
over the layers that have any. The authors' code measures p by a sigmoid of the score, which is not the probability it samples with; here
it is the policy's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..policy.network import Controller
from ..policy.questions import Question
from ..policy.recurrence import Recurrence


def skip_places(controller: Controller) -> list[int]:
    """Places of the decisions that connect one earlier place (choice 1) or none (choice 0)."""
    return [place for question in controller.questions if _is_skip(question) for place in question.places]


def _is_skip(question: Question) -> bool:
    return question.kind == "skip" and question.size == 2


def skip_penalty(controller: Controller, batch: Sequence[Sequence[int | None]], target: float) -> Tensor:
    """The mean over the choice lists of `batch`, in nats, with gradients; 0 for a space without skip decisions.

    Each probability is conditional on the choices before it in its own list.
    """
    if not skip_places(controller):
        return torch.zeros(())
    wanted = [math.log(1 - target), math.log(target)]
    recurrence = Recurrence(controller, len(batch))
    layers: list[Tensor] = []
    for question in controller.questions:
        rows = [row for row, choices in enumerate(batch) if choices[question.first] is not None]
        if not rows:
            continue
        recurrence.step(rows)
        log_p = recurrence.log_probabilities(question, rows)
        recurrence.answer(question, rows, torch.tensor([[batch[row][place] for place in question.places] for row in rows]))
        if _is_skip(question):
            # (rows, D): KL of each decision; then the layer's sum, as a mean over the whole batch.
            layers.append((log_p.exp() * (log_p - log_p.new_tensor(wanted))).sum(dim=(1, 2)).sum() / len(batch))
    return torch.stack(layers).mean()
