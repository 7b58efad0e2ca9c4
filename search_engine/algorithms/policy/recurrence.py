"""The controller's recurrence, one question at a time: LSTM state, anchors, and attention over them."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from .questions import Question


class Host(Protocol):
    """The controller, as far as the recurrence reads it: the LSTM and the parts around it (`network.Controller` imports this file)."""

    hidden: int
    lstm: nn.LSTM
    embedding: nn.Embedding
    starts: tuple[str, ...]
    start_states: nn.Parameter

    def head(self, kind: str) -> nn.Module: ...
    def attention(self, kind: str) -> nn.Module: ...
    def token(self, kind: str) -> int: ...
    def selected(self, question: Question) -> Tensor: ...
    def squash(self, logits: Tensor) -> Tensor: ...


class Attention(nn.Module):
    """Scores of anchors by the state: v^T tanh(W1 h_j + W2 h_now) (Zoph and Le 2017, section 3.3)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.of_anchor = nn.Linear(hidden, hidden, bias=False)
        self.of_state = nn.Linear(hidden, hidden, bias=False)
        self.vector = nn.Parameter(torch.zeros(hidden))

    def forward(self, anchors: Tensor, state: Tensor) -> Tensor:
        """anchors (B, A, H), state (B, H) -> scores (B, A)."""
        return torch.tanh(self.of_anchor(anchors) + self.of_state(state).unsqueeze(1)) @ self.vector


class Recurrence:
    """States of B sequences between two questions. `rows` are the sequences a question is active for; the others stay as they are."""

    def __init__(self, controller: Host, count: int) -> None:
        self._controller = controller
        self._count = count
        self._weights = controller.lstm.all_weights
        self._embedding = controller.embedding.weight
        zeros = self._embedding.new_zeros(count, controller.hidden)
        self._states = [(zeros, zeros) for _ in self._weights]
        self._input = self._embedding[:1].expand(count, -1)
        self._anchors = {name: controller.start_states[index].expand(count, -1) for index, name in enumerate(controller.starts)}
        self._unset = zeros
        self._pending: list[tuple[str, list[int]]] = []

    def step(self, rows: list[int]) -> None:
        """One LSTM step of these sequences. The top layer's state is then also that of every place that the latest answer completed."""
        value = self._taken(self._input, rows)
        for layer, weights in enumerate(self._weights):
            h, c = self._states[layer]
            value, cell = torch.lstm_cell(value, (self._taken(h, rows), self._taken(c, rows)), *weights)
            self._states[layer] = (self._placed(h, rows, value), self._placed(c, rows, cell))
        if self._pending:
            self._complete(rows)

    def log_probabilities(self, question: Question, rows: list[int]) -> Tensor:
        """(rows, D, n) of the question's decisions, after its `step`."""
        controller = self._controller
        state = self._taken(self._states[-1][0], rows)
        if question.attends:
            scores = controller.attention(question.kind)(self._selectable(question, rows), state)
            logits = scores @ controller.selected(question).T
        else:
            logits = controller.head(question.kind)(state)
        return functional.log_softmax(controller.squash(logits).view(len(rows), len(question.places), question.size), dim=2)

    def answer(self, question: Question, rows: list[int], chosen: Tensor) -> None:
        """`chosen` (rows, D) becomes the next input of these sequences."""
        controller = self._controller
        if question.attends:
            picked = functional.one_hot(chosen, question.size).flatten(1).to(self._unset.dtype) @ controller.selected(question)
            total = (picked.unsqueeze(2) * self._selectable(question, rows)).sum(1)
            # As published: nothing selected gives zeros, and the divisor never is zero.
            new = total / (1 + picked.sum(1, keepdim=True))
        else:
            new = functional.embedding(chosen[:, 0] + controller.token(question.kind), self._embedding)
        self._input = self._placed(self._input, rows, new)
        if question.completes:
            self._pending += [(name, rows) for name in question.completes]

    def _complete(self, rows: list[int]) -> None:
        waiting = []
        for name, owners in self._pending:
            here = owners if len(rows) == self._count else [row for row in owners if row in rows]
            if here:
                state = self._taken(self._states[-1][0], here)
                self._anchors[name] = self._placed(self._anchors.get(name, self._unset), here, state)
            if len(here) < len(owners):
                waiting.append((name, [row for row in owners if row not in here]))
        self._pending = waiting

    def _selectable(self, question: Question, rows: list[int]) -> Tensor:
        """States of the question's anchors (rows, A, H)."""
        if not question.anchors:
            return self._unset.new_zeros(len(rows), 0, self._controller.hidden)
        return torch.stack([self._taken(self._anchors[name], rows) for name in question.anchors], dim=1)

    def _taken(self, values: Tensor, rows: list[int]) -> Tensor:
        return values if len(rows) == self._count else values[rows]

    def _placed(self, values: Tensor, rows: list[int], new: Tensor) -> Tensor:
        if len(rows) == self._count:
            return new
        return values.index_copy(0, torch.tensor(rows, device=values.device), new)
