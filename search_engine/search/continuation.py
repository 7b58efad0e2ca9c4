"""More budget for a search that is over: what a run keeps so that a new one can go on from the point where the first was cut.

    continue/search.safetensors     the coordinator, before the first proposal that the budget or the plan cut
    continue/outcomes.safetensors   what trials gave that were open then and were finished since: finished, though the search was not told
    continue/phase.safetensors      of a search by steps: its phase, before the first step that it did not take, or before its last one
                                    where its plan ended it, since a search that ends says more at that step than one that goes on

A new run begins with these, with the events up to there, and with the same config but for a larger budget (or plan): what it then does is
what one long run would have done from there on, to the bit. What was said after the turning point (the finale with its visit to the test
split) is the first run's alone. The files are written under names that hold nothing of who wrote them: two workers that lose a lease to
each other write equal ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..algorithms import given
from ..base import checkpoint
from ..base.errors import BadInput, CheckpointMismatch
from ..catalogue.config import BUDGET_KINDS, Budget, CheckedRun, RunConfig
from ..events import EventRecord, Ops, PhaseStarted
from ..spaces import populations
from . import data_record

ROOM = "continue"
SEARCH, OUTCOMES, PHASE = f"{ROOM}/search.safetensors", f"{ROOM}/outcomes.safetensors", f"{ROOM}/phase.safetensors"
TURNED = "turned"
"""The event of the machinery (`Ops.what`) that marks the point in the log."""
VERSION = 1
OF_THE_START = (data_record.FILE, populations.FILE, given.WEIGHTS)
"""What else of a run's folder its search reads."""

ENDED = {
    "exhausted": "no architecture is left to try: more budget would bring nothing",
    "repeated": "it found nothing new any more: more budget would bring more of the same",
    "collapsed": "it has settled on a few architectures: more budget would bring more of the same",
    "settled": "it has settled by its own rule: more budget would bring nothing",
    "stopped": "a stop rule of the algorithm ended it early: more budget would bring nothing",
}
"""Why a search that ended so has nothing to go on with, after "this search cannot go on: "."""
FIXED_LENGTH = (
    "its plan ended it, not a budget, and what it does follows the planned length (rates, temperatures, stages, or its last round), so "
    "that a longer plan is another search: begin a new one"
)
WEIGHTS = "its trials begin with weights of earlier ones, which went when it ended: begin a new one with a larger budget"
OLD = "it was made by a version that kept nothing to go on with, or its files are gone: begin a new one with a larger budget"


# ---------------------------------------------------------------- what a run keeps


def keep_search(run_dir: Path, state: dict[str, Any], option: str, charged: float) -> None:
    """Write the coordinator's state at the turning point. `option`: of the algorithm, by which its plan gets longer; empty where the budget
    ended it, of which so much is `charged`."""
    checkpoint.write(run_dir / SEARCH, {"version": VERSION, "option": option, "charged": charged, "coordinator": state}, sealed=True)


def keep_outcomes(run_dir: Path, outcomes: dict[str, dict[str, Any]]) -> None:
    """Write what the open trials of the turning point gave since, by their numbers."""
    if outcomes:
        checkpoint.write(run_dir / OUTCOMES, {"version": VERSION, "outcomes": outcomes}, sealed=True)


def forget(run_dir: Path, *, phase: bool) -> None:
    """Remove what an earlier phase kept; `phase`: also the checkpoint of one by steps, which has not just been placed."""
    for name in (SEARCH, OUTCOMES, *([PHASE] if phase else [])):
        (run_dir / name).unlink(missing_ok=True)


# ---------------------------------------------------------------- what can be asked for


@dataclass(frozen=True)
class Possible:
    """Whether a search can go on, in which units more can be asked for, and why it cannot."""

    unit: str = ""
    """Of what more can be had: a kind of budget, or an option of the algorithm (`epochs`, `steps`, `generations`); empty = nothing."""
    have: float = 0
    """How much of it there was."""
    why_not: str = ""

    @property
    def is_option(self) -> bool:
        return bool(self.unit) and self.unit not in BUDGET_KINDS


def possible(run_dir: Path, checked: CheckedRun, stop_reason: str, charged: float = 0.0) -> Possible:
    """What a run in that folder can go on with; `stop_reason`: why its search ended (empty while it has not); `charged`: of its budget, at
    its end, when the trials that were open at the turning point had been told."""
    if not stop_reason:
        return Possible(why_not="its search is not over")
    if stop_reason in ENDED:
        return Possible(why_not=ENDED[stop_reason])
    if any(getattr(phase, "keeps_weights", False) for phase in checked.phases()):
        return Possible(why_not=WEIGHTS)
    try:
        kept = checkpoint.read(run_dir / SEARCH, sealed=True)
    except (CheckpointMismatch, OSError):
        return Possible(why_not=FIXED_LENGTH if stop_reason == "horizon" else OLD)
    if kept["option"]:
        return Possible(kept["option"], getattr(checked.options, kept["option"]))
    if checked.budget is None:
        # Its owner ended it: there is no number that was used up.
        return Possible(why_not="it had no budget, and its owner ended it: begin a new one, or train what it found for longer")
    return Possible(checked.budget.kind, checked.budget.limit if stop_reason == "budget" else max(charged, kept["charged"]))


def longer(config: RunConfig, there: Possible, unit: str, more: float) -> RunConfig:
    """The config of the run that goes on: the same with `more` of `unit`. Raises BadInput(field "more", or "unit" where it is no unit that
    this search can have more of)."""
    if not there.unit:
        raise BadInput("more", f"this search cannot go on: {there.why_not}")
    if unit != there.unit:
        raise BadInput("unit", f"this search was ended by its {there.unit} ({there.have:,.0f}): ask for more {there.unit}, not {unit}")
    if not 0 < more < float("inf"):
        raise BadInput("more", f"give a number of further {unit} above 0")
    if unit in ("trials",) or there.is_option:
        if more != int(more):
            raise BadInput("more", f"give a whole number of further {unit}")
        more = int(more)
    if there.is_option:
        return config.model_copy(update={"options": {**config.options, unit: int(there.have) + more}})
    try:
        budget = Budget.model_validate({unit: there.have + more})
    except ValidationError as error:
        raise BadInput("more", f"{there.have + more:,.0f} {unit}: {error.errors()[0]['msg']}") from None
    return config.model_copy(update={"budget": budget})


# ---------------------------------------------------------------- what a new run begins with


@dataclass(frozen=True)
class Beginning:
    """Everything of a run that another one begins with."""

    source: Path
    """The first run's folder."""
    coordinator: dict[str, Any]
    outcomes: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, run_dir: Path) -> Beginning:
        """Raises BadInput(field "more") where the run keeps nothing, or its files are damaged."""
        try:
            kept = checkpoint.read(run_dir / SEARCH, sealed=True)
            outcomes = checkpoint.read(run_dir / OUTCOMES, sealed=True)["outcomes"] if (run_dir / OUTCOMES).exists() else {}
        except (CheckpointMismatch, OSError) as error:
            raise BadInput("more", f"this search cannot go on: {error}") from error
        return cls(run_dir, kept["coordinator"], outcomes)

    def place(self, out: Path) -> None:
        """Put the files that the search needs into the new run's folder: what it knows of its data, and its phase."""
        for name in (PHASE, *OF_THE_START):
            if (self.source / name).is_file():
                checkpoint.write_bytes(out / name, (self.source / name).read_bytes())

    @property
    def reused(self) -> frozenset[str]:
        """Sources of the trials that were open at the turning point and need not be done again."""
        return frozenset(f"trial:{number}" for number in self.outcomes)

    @property
    def anew(self) -> frozenset[str]:
        """Sources of those that are: what they said so far, they say again."""
        rounds = self.coordinator["rounds"] or {"open": [], "results": {}}
        waiting = {f"trial:{trial['number']}" for trial in rounds["open"] if trial["copy_of"] is None}
        return frozenset(waiting - self.reused - {f"trial:{number}" for number in rounds["results"]})

    def events(self, records: Iterable[EventRecord], horizon: int | None) -> Iterator[EventRecord]:
        """Of the first run's events those that the new one begins with, in order. `horizon`: that of its present phase."""
        turned, index = False, self.coordinator["phase_index"]
        for record in records:
            if isinstance(record.data, Ops):
                turned = turned or record.data.what == TURNED
            elif record.science and record.source not in self.anew and (not turned or record.source in self.reused):
                if isinstance(record.data, PhaseStarted) and record.data.phase == index:
                    record = record.model_copy(update={"data": record.data.model_copy(update={"horizon": horizon})})
                yield record
