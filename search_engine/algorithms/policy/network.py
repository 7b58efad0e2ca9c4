"""The controller: an autoregressive LSTM over a space's decisions.

Sources: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017 (the policy as a sequence of softmax choices,
set-selection attention for skip connections); Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018
(one layer, logits divided by a temperature and squashed by c tanh, the mean of the selected anchors as the next input).

One LSTM step answers one question (`questions`). Its input is what the previous answer was: the chosen index, embedded, or the selected
anchors' states; before the first question it is a learned start token. Decisions of one kind share head and embeddings; a decision that
picks among earlier places scores them by attention. A decision that is inactive for a sequence takes no step there: it changes no state,
no probability and no entropy.

Shapes: B sequences, S steps, H hidden units, n choices, D decisions of a question, A anchors of a question. Log-probabilities and
entropies are natural (nats).
"""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from search_engine.spaces.decisions import Choices, DecisionList

from .questions import Question, questions_of, start_anchors
from .recurrence import Attention, Recurrence

INITIAL_RANGE = 0.1
"""All parameters start uniform in +-0.1 (Pham et al. 2018), which makes the first policy nearly uniform."""

Rng = random.Random | torch.Generator


@dataclass(frozen=True)
class Sampled:
    """One sequence of choices and what the policy thought of it, as plain numbers (`Controller.score` gives gradients)."""

    choices: Choices
    log_prob: float
    """Sum of log pi over the drawn decisions."""
    entropy: float
    """Sum of the entropies of the drawn decisions' distributions."""
    drawn: tuple[int, ...]
    """Places of the active decisions that were drawn rather than kept."""


@dataclass
class _Answer:
    """What one question, or one kind's questions, gave for some sequences."""

    rows: list[int]
    """Sequence of each line below."""
    places: Tensor
    """(lines, D): decisions."""
    log_p: Tensor
    """(lines, D, n)."""
    chosen: Tensor
    """(lines, D)."""


Decide = Callable[[Question, list[int], Callable[[], Tensor]], Tensor]
"""(question, the sequences it is active for, what gives its log-probabilities (rows, D, n)) -> choices (rows, D)."""


class Controller(nn.Module):
    """The policy pi over the choice lists of `decisions`.

    `temperature` divides the logits; `tanh_constant` c > 0 then replaces a logit z by c tanh(z), which bounds how sure the policy can
    be. `generator` initialises the parameters. Runs on the device of its parameters; with a handful of units the CPU is the fastest.
    """

    def __init__(
        self,
        decisions: DecisionList,
        hidden: int = 64,
        layers: int = 1,
        temperature: float = 1.0,
        tanh_constant: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.decisions = decisions
        self.hidden = hidden
        self.temperature = temperature
        self.tanh_constant = tanh_constant
        self.questions = questions_of(decisions)
        self._attends = any(question.attends for question in self.questions)
        heads = {question.kind: question.size for question in self.questions if not question.attends}
        attentions = dict.fromkeys(question.kind for question in self.questions if question.attends)
        self._head_of = {kind: index for index, kind in enumerate(heads)}
        self._attention_of = {kind: index for index, kind in enumerate(attentions)}
        self.starts = start_anchors(decisions)
        # One table for the start token (row 0) and all kinds' choices; `_token` says where a kind's rows begin.
        sizes = list(heads.values())
        self._token = {kind: 1 + sum(sizes[:index]) for index, kind in enumerate(heads)}
        # torch's layers draw their own first values from the global generator, which is nobody's business here.
        with torch.random.fork_rng(devices=[]):
            self.embedding = nn.Embedding(1 + sum(sizes), hidden)
            self.lstm = nn.LSTM(hidden, hidden, layers, batch_first=True)
            self.heads = nn.ModuleList(nn.Linear(hidden, size) for size in sizes)
            self.attentions = nn.ModuleList(Attention(hidden) for _ in attentions)
        self.start_states = nn.Parameter(torch.zeros(len(self.starts), hidden))
        self._check_sizes(heads)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-INITIAL_RANGE, INITIAL_RANGE, generator=generator)
        for question in self.questions:
            if question.attends:
                matrix = torch.tensor(question.selected).reshape(len(question.selected), len(question.anchors))
                self.register_buffer(f"selected_{question.first}", matrix, persistent=False)

    def _check_sizes(self, heads: dict[str, int]) -> None:
        for question in self.questions:
            if not question.attends and heads[question.kind] != question.size:
                raise ValueError(f"decisions of kind '{question.kind}' have {heads[question.kind]} and {question.size} choices")

    # ---------------------------------------------------------------- what callers use

    @torch.no_grad()
    def sample(self, rng: Rng) -> Sampled:
        """One sequence from the policy."""
        return self.walk(rng, ())

    @torch.no_grad()
    def sample_batch(self, rng: Rng, count: int) -> list[Sampled]:
        """`count` sequences, drawn together: much faster than one by one."""
        return self._draw(rng, [()] * count)

    @torch.no_grad()
    def walk_batch(self, rng: Rng, keep: Sequence[Sequence[int | None]]) -> list[Sampled]:
        """`walk` for each of `keep`, drawn together: much faster than one by one."""
        return self._draw(rng, keep)

    @torch.no_grad()
    def walk(self, rng: Rng, keep: Sequence[int | None]) -> Sampled:
        """One sequence in which the entries of `keep` that are not None stay (where their decision is active) and the rest is drawn,
        each given all choices before it, kept or drawn."""
        return self._draw(rng, [keep])[0] if self._attends else self._draw_alone(rng, keep)

    def score(self, batch: Sequence[Sequence[int | None]], only: Sequence[Sequence[int]] | None = None) -> tuple[Tensor, Tensor]:
        """(log pi, entropy) of each choice list, both (B,), with gradients.

        The entropy is the sum of the entropies of the active decisions, each given the choices before it. `only` names, per choice
        list, the places whose log-probability counts (the entropy stays that of all). Raises BadInput for an inadmissible choice list.
        """
        for choices in batch:
            self.decisions.validate(choices)
        answers = self._stepwise(batch) if self._attends else self._in_one_piece(batch)
        weights = None if only is None else self._weights(only)
        log_prob = torch.zeros(len(batch), device=self._device)
        entropy = torch.zeros(len(batch), device=self._device)
        for answer in answers:
            rows = torch.tensor(answer.rows, device=self._device)
            picked = answer.log_p.gather(2, answer.chosen.unsqueeze(2)).squeeze(2)
            if weights is not None:
                picked = picked * weights[rows.unsqueeze(1), answer.places]
            log_prob = log_prob.index_add(0, rows, picked.sum(1))
            entropy = entropy.index_add(0, rows, -(answer.log_p.exp() * answer.log_p).sum((1, 2)))
        return log_prob, entropy

    @torch.no_grad()
    def probabilities(self, prefix: Sequence[int | None] | None = None, greedy: bool = True) -> list[np.ndarray[Any, Any]]:
        """Per decision its distribution (n,), float64, given the choices before it: those of `prefix` where it has one, else the most
        probable ones. All zeros for a decision that is inactive there, and, if not `greedy`, for those behind the prefix."""
        kept = list(prefix or ())
        tables = [np.zeros(len(decision.choices)) for decision in self.decisions]

        def decide(question: Question, rows: list[int], policy: Callable[[], Tensor]) -> Tensor:
            log_p = policy()
            chosen = log_p.argmax(2)
            for column, place in enumerate(question.places):
                if greedy or place <= len(kept):
                    exact = log_p[0, column].double().exp()
                    tables[place] = (exact / exact.sum()).cpu().numpy()
                wanted = kept[place] if place < len(kept) else None
                if wanted is not None:
                    chosen[0, column] = wanted
            return chosen

        self._unroll(1, decide)
        return tables

    @torch.no_grad()
    def greedy(self) -> Choices:
        """The sequence of the most probable choices, one by one."""
        return tuple(self._unroll(1, lambda question, rows, policy: policy().argmax(2))[0])

    # ---------------------------------------------------------------- drawing

    def _draw(self, rng: Rng, kept: Sequence[Sequence[int | None]]) -> list[Sampled]:
        log_probs, entropies = [0.0] * len(kept), [0.0] * len(kept)
        drawn: list[list[int]] = [[] for _ in kept]

        def decide(question: Question, rows: list[int], policy: Callable[[], Tensor]) -> Tensor:
            chosen = [[kept[row][place] if place < len(kept[row]) else None for place in question.places] for row in rows]
            if any(None in picks for picks in chosen):
                for row, picks, tables in zip(rows, chosen, policy().tolist(), strict=True):
                    for column, table in enumerate(tables):
                        if picks[column] is None:
                            probabilities = [math.exp(entry) for entry in table]
                            picks[column] = choice = _pick(probabilities, _uniform(rng))
                            log_probs[row] += table[choice]
                            entropies[row] -= sum(map(operator.mul, probabilities, table))
                            drawn[row].append(question.places[column])
            return torch.tensor(chosen, device=self._device)

        lists = self._unroll(len(kept), decide)
        parts = zip(lists, log_probs, entropies, drawn, strict=True)
        return [Sampled(tuple(choices), log_prob, entropy, tuple(places)) for choices, log_prob, entropy, places in parts]

    def _draw_alone(self, rng: Rng, keep: Sequence[int | None]) -> Sampled:
        """`_draw` for one sequence without anchors, with as few calls into torch as it takes: a search that proposes trial by trial
        spends its time here, and a step's calls cost far more than its arithmetic."""
        layers, embedding, heads = self.lstm.all_weights, self.embedding.weight, [*self.heads]
        zeros = embedding.new_zeros(1, self.hidden)
        states = [(zeros, zeros)] * len(layers)
        value = embedding[:1]
        choices: list[int | None] = []
        drawn: list[int] = []
        log_prob = entropy = 0.0
        for place, question in enumerate(self.questions):
            if not self.decisions.active(place, choices):
                choices.append(None)
                continue
            for layer, weights in enumerate(layers):
                states[layer] = torch.lstm_cell(value, states[layer], *weights)
                value = states[layer][0]
            choice = keep[place] if place < len(keep) else None
            if choice is None:
                logits = self.squash(heads[self._head_of[question.kind]](value))
                table = functional.log_softmax(logits, dim=1)[0].tolist()
                probabilities = [math.exp(entry) for entry in table]
                choice = _pick(probabilities, _uniform(rng))
                log_prob += table[choice]
                entropy -= sum(map(operator.mul, probabilities, table))
                drawn.append(place)
            choices.append(choice)
            token = self._token[question.kind] + choice
            value = embedding[token : token + 1]
        return Sampled(tuple(choices), log_prob, entropy, tuple(drawn))

    # ---------------------------------------------------------------- the recurrence

    def _unroll(self, count: int, decide: Decide) -> list[list[int | None]]:
        """Walk `count` sequences through all questions; returns their choices."""
        lists: list[list[int | None]] = [[] for _ in range(count)]
        recurrence = Recurrence(self, count)
        for question in self.questions:
            rows = [row for row, choices in enumerate(lists) if self.decisions.active(question.first, choices)]
            answers: dict[int, list[int]] = {}
            if rows:
                recurrence.step(rows)
                chosen = decide(question, rows, partial(recurrence.log_probabilities, question, rows))
                recurrence.answer(question, rows, chosen)
                answers = dict(zip(rows, chosen.tolist(), strict=True))
            for row, choices in enumerate(lists):
                choices.extend(answers.get(row, [None] * len(question.places)))
        return lists

    def _stepwise(self, batch: Sequence[Sequence[int | None]]) -> list[_Answer]:
        """Teacher forcing, question by question: what attention over anchors needs."""
        answers = []

        def decide(question: Question, rows: list[int], policy: Callable[[], Tensor]) -> Tensor:
            chosen = torch.tensor([[batch[row][place] for place in question.places] for row in rows], device=self._device)
            places = torch.tensor(question.places, device=self._device).expand(len(rows), -1)
            answers.append(_Answer(rows, places, policy(), chosen))
            return chosen

        self._unroll(len(batch), decide)
        return answers

    def _in_one_piece(self, batch: Sequence[Sequence[int | None]]) -> list[_Answer]:
        """Teacher forcing without anchors: every input is known beforehand, so the LSTM runs over whole sequences at once, and the
        heads over all steps of their kind. Equal to `_stepwise` up to rounding, several times faster.

        Each sequence is its active questions from the left; what is padded behind its end is never read.
        """
        steps = [[question for question in self.questions if choices[question.first] is not None] for choices in batch]
        length = max((len(questions) for questions in steps), default=0)
        tokens = np.zeros((len(batch), length), np.int64)
        lines: dict[str, list[tuple[int, int, int, int]]] = {kind: [] for kind in self._head_of}
        for row, (questions, choices) in enumerate(zip(steps, batch, strict=True)):
            for step, question in enumerate(questions):
                choice = choices[question.first]
                assert choice is not None
                lines[question.kind].append((row, step, question.first, choice))
                if step + 1 < len(questions):
                    tokens[row, step + 1] = self._token[question.kind] + choice
        if not length:
            return []
        states, _ = self.lstm(self.embedding(torch.from_numpy(tokens).to(self._device)))
        answers = []
        for kind, entries in lines.items():
            if entries:
                table = torch.tensor(entries, device=self._device)
                log_p = functional.log_softmax(self.squash(self.head(kind)(states[table[:, 0], table[:, 1]])), dim=1)
                answers.append(_Answer([entry[0] for entry in entries], table[:, 2:3], log_p.unsqueeze(1), table[:, 3:4]))
        return answers

    # ---------------------------------------------------------------- parts

    @property
    def _device(self) -> torch.device:
        return self.embedding.weight.device

    def head(self, kind: str) -> nn.Module:
        """The logits' layer of a kind: (..., H) -> (..., n)."""
        return self.heads[self._head_of[kind]]

    def attention(self, kind: str) -> nn.Module:
        """The anchors' scores of a kind."""
        return self.attentions[self._attention_of[kind]]

    def token(self, kind: str) -> int:
        """Row of `embedding` where a kind's choices begin."""
        return self._token[kind]

    def selected(self, question: Question) -> Tensor:
        """(D x n, A): 1 where a choice selects an anchor."""
        return getattr(self, f"selected_{question.first}")  # type: ignore[no-any-return]

    def squash(self, logits: Tensor) -> Tensor:
        """The logits as the policy uses them: divided by the temperature, then bounded."""
        if self.temperature != 1.0:
            logits = logits / self.temperature
        return self.tanh_constant * torch.tanh(logits) if self.tanh_constant else logits

    def _weights(self, only: Sequence[Sequence[int]]) -> Tensor:
        weights = torch.zeros(len(only), len(self.decisions))
        for row, places in enumerate(only):
            weights[row, list(places)] = 1.0
        return weights.to(self._device)


def _uniform(rng: Rng) -> float:
    if isinstance(rng, random.Random):
        return rng.random()
    return float(torch.rand((), generator=rng, device=rng.device, dtype=torch.float64))


def _pick(probabilities: list[float], uniform: float) -> int:
    """Inverse of the distribution function. The last choice takes what rounding leaves."""
    total = 0.0
    for choice, probability in enumerate(probabilities):
        total += probability
        if uniform < total:
            return choice
    return len(probabilities) - 1
