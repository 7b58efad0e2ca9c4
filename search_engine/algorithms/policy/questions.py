"""Which decisions one LSTM step answers, and what an answer feeds into the next step. Torch-free.

A *question* is one step of the controller. It is one decision, or a run of neighbouring decisions that pick anchors, belong to one row
of the matrix and hang on the same condition: the skip connections into one layer. Those are drawn independently of each other from one
state, as in Pham et al. 2018 (section 2.3, macro search).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search_engine.spaces.decisions import Decision, DecisionList


@dataclass(frozen=True)
class Question:
    """One step. `places` are the decisions that it answers; they have equally many choices and are active together."""

    places: tuple[int, ...]
    kind: str
    size: int
    """Choices of each decision."""
    attends: bool
    """Whether its choices are scored by attention over anchors instead of by a head."""
    anchors: tuple[str, ...]
    """Anchors that any choice selects, each once."""
    selected: tuple[tuple[float, ...], ...]
    """(decisions x choices, anchors): 1 where that choice selects that anchor."""
    completes: tuple[str, ...]
    """Anchors whose places are complete after this question."""

    @property
    def first(self) -> int:
        return self.places[0]


def questions_of(decisions: DecisionList) -> tuple[Question, ...]:
    """The steps of a controller over `decisions`, in order."""
    runs: list[list[int]] = []
    for place, decision in enumerate(decisions):
        if runs and _together(decisions[runs[-1][-1]], decision):
            runs[-1].append(place)
        else:
            runs.append([place])
    return tuple(_question(decisions, run) for run in runs)


def _together(before: Decision, here: Decision) -> bool:
    if before.selects is None or here.selects is None or here.row is None or before.anchor is not None:
        return False
    return (before.kind, before.row, before.when, len(before.choices)) == (here.kind, here.row, here.when, len(here.choices))


def _question(decisions: DecisionList, places: Sequence[int]) -> Question:
    members = [decisions[place] for place in places]
    selects = [names for member in members for names in member.selects or ()]
    anchors = tuple(dict.fromkeys(name for names in selects for name in names))
    return Question(
        places=tuple(places),
        kind=members[0].kind,
        size=len(members[0].choices),
        attends=members[0].selects is not None,
        anchors=anchors,
        selected=tuple(tuple(float(anchor in names) for anchor in anchors) for names in selects),
        completes=tuple(member.anchor for member in members if member.anchor is not None),
    )


def start_anchors(decisions: DecisionList) -> tuple[str, ...]:
    """Anchors that are selected although no decision, or only a conditional one, completes them: they need a learned state."""
    always = {decision.anchor for decision in decisions if decision.when is None}
    named = (name for decision in decisions for names in decision.selects or () for name in names)
    return tuple(name for name in dict.fromkeys(named) if name not in always)
