"""What failed in a run, or gave figures that mean little, as its result and its summary tell it: counted from the events, so that nothing
of it is left out."""

from __future__ import annotations

from typing import Any

from ..events import ControlScored, Event, ModelScored, Notice, TrialTold

MOST_DOUBTS = 20
"""Sentences about doubtful trials that are kept; all such trials are counted."""
MOST_REASONS = 20
"""Different reasons that are kept; what comes after them is counted under `OTHERS`."""
SHOWN_DOUBTS = 3
"""Of these so many are printed."""
OTHERS = "other reasons"
FAILING_NOTICES = ("redundancy", "doubt")
"""Notices that say of something that it could not be done, or of the losses of a search by steps that they mean little."""


class Failures:
    """Failed trials by reason, and sentences about what else failed (a control, a finalist, a download, the study of what can be removed).

    >>> failures = Failures()
    >>> for number, reason in enumerate(("the loss is not a number", "", "the loss is not a number")):
    ...     failed = "failed" if reason else "completed"
    ...     told = TrialTold(number=number, candidate=number, status=failed, reason=reason, charged_samples=0, charged_trials=number)
    ...     failures.see(Event(source="run", step=number, payload=told))
    >>> failures.result()
    {'trials_told': 3, 'trials_failed': 2, 'reasons': {'the loss is not a number': 2}, 'others': [], 'trials_doubted': 0, 'doubts': []}
    """

    def __init__(self) -> None:
        self.trials_told = 0
        self.trials_failed = 0
        self.reasons: dict[str, int] = {}
        self.others: list[str] = []
        self.trials_doubted = 0
        self.doubts: list[str] = []
        """What the first of these say of themselves."""

    def see(self, event: Event) -> None:
        """Count an event; those of one source may be said again only after `load` of a state from before them."""
        payload = event.payload
        if isinstance(payload, TrialTold):
            # What a budget in seconds cut was not tried.
            self.trials_told += payload.status != "cancelled"
            # A reused failure is the same failure again, but that trial failed too.
            if payload.status == "failed":
                self.trials_failed += 1
                known = payload.reason in self.reasons or len(self.reasons) < MOST_REASONS
                reason = payload.reason if known else OTHERS
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
            self.trials_doubted += bool(payload.warnings)
            self.doubts += [f"trial {payload.number}: {said}" for said in payload.warnings][: MOST_DOUBTS - len(self.doubts)]
        elif isinstance(payload, ControlScored) and not payload.values:
            self.others.append(f"{payload.title}: {payload.message}")
        elif isinstance(payload, ModelScored) and not payload.metrics:
            self.others.append(f"{payload.role} {payload.index + 1}: {payload.reason}")
        elif isinstance(payload, Notice) and payload.name in FAILING_NOTICES:
            self.others.append(payload.message)

    def result(self) -> dict[str, Any]:
        """As it stands in `result.json` and in a checkpoint; the most frequent reason first."""
        reasons = dict(sorted(self.reasons.items(), key=lambda item: -item[1]))
        return {
            "trials_told": self.trials_told, "trials_failed": self.trials_failed, "reasons": reasons, "others": list(self.others),
            "trials_doubted": self.trials_doubted, "doubts": list(self.doubts),
        }

    def load(self, state: dict[str, Any]) -> None:
        self.trials_told, self.trials_failed = state["trials_told"], state["trials_failed"]
        self.reasons, self.others = dict(state["reasons"]), list(state["others"])
        # A run that was begun before figures were doubted tells those since.
        self.trials_doubted, self.doubts = state.get("trials_doubted", 0), list(state.get("doubts", []))


def sentences(failures: dict[str, Any]) -> list[str]:
    """A result's `failures` for people: nothing where nothing failed or is doubtful.

    >>> failures = {"trials_told": 3, "trials_failed": 2, "reasons": {"the loss is not a number": 2}, "others": ["no download"]}
    >>> sentences({**failures, "trials_doubted": 1, "doubts": ["trial 2: ..."]})
    ['2 of 3 trials failed: the loss is not a number (2)', 'figures that mean little in 1 of 3 trials:', '  trial 2: ...', 'no download']
    """
    return [*_failed(failures), *_doubted(failures), *failures["others"]]


def _failed(failures: dict[str, Any]) -> list[str]:
    if not failures["trials_failed"]:
        return []
    reasons = failures["reasons"]
    named = "; ".join(f"{reason} ({count:,})" for reason, count in list(reasons.items())[:3])
    more = f"; {len(reasons) - 3} more reasons" if len(reasons) > 3 else ""
    return [f"{failures['trials_failed']:,} of {failures['trials_told']:,} trials failed: {named}{more}"]


def _doubted(failures: dict[str, Any]) -> list[str]:
    """How many trials, and what the first few say of themselves."""
    count, said = failures["trials_doubted"], failures["doubts"]
    if not count:
        return []
    shown = [f"  {sentence}" for sentence in said[:SHOWN_DOUBTS]]
    more = ["  and others"] if count > len(shown) else []
    return [f"figures that mean little in {count:,} of {failures['trials_told']:,} trials:", *shown, *more]
