"""The simplest controller: independent logits for every decision (Bender et al. 2020, "TuNAS", section 3).

It has the face of `network.Controller` where a search needs no conditional decisions, and starts exactly uniform.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from search_engine.spaces.decisions import Choices, DecisionList


class TablePolicy(nn.Module):
    """pi(choices) = product over the decisions of softmax(logits of the decision)."""

    def __init__(self, decisions: DecisionList) -> None:
        """Raises ValueError for a list with conditional decisions: they would need logits that depend on what was chosen before."""
        super().__init__()
        if any(decision.when is not None for decision in decisions):
            raise ValueError("a table of logits cannot represent conditional decisions: use the LSTM controller")
        self.decisions = decisions
        self.logits = nn.ParameterList(torch.zeros(len(decision.choices)) for decision in decisions)

    def sample(self, rng: random.Random) -> Choices:
        """One choice list from the policy."""
        return tuple(rng.choices(range(len(table)), weights=table.tolist())[0] for table in self.probabilities())

    def greedy(self) -> Choices:
        """The most probable choice of every decision, the first of equals."""
        return tuple(int(table.argmax()) for table in self.probabilities())

    @torch.no_grad()
    def probabilities(self) -> list[np.ndarray[Any, Any]]:
        """Per decision its distribution (n,), float64."""
        return [logits.double().softmax(0).cpu().numpy() for logits in self.logits]

    def score(self, batch: Sequence[Sequence[int | None]], only: None = None) -> tuple[Tensor, Tensor]:
        """(log pi, entropy) of each choice list, both (B,) in nats, with gradients. Raises BadInput for an inadmissible choice list."""
        for choices in batch:
            self.decisions.validate(choices)
        log_p = [logits.log_softmax(0) for logits in self.logits]
        picked = [[table[choice] for table, choice in zip(log_p, choices, strict=True)] for choices in batch]
        log_prob = torch.stack([torch.stack(terms).sum() for terms in picked])
        entropy = torch.stack([-(table.exp() * table).sum() for table in log_p]).sum()
        return log_prob, entropy.expand(len(batch))
