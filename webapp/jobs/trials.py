"""The trials that a job is for: one, or a group that is trained together (search_engine.search.group_work)."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db.models import BigIntegerField, UUIDField

from search_engine.events.sources import in_words
from search_engine.search.group_work import group_outcome

from ..core.models import Job, RunCounter, Trial
from ..core.statements import Given, Update, padded

NAMED = 8
"""So many trials of a group are named in a sentence."""


def members(job: Job) -> list[int]:
    """Numbers of the trials of a group, in ask order; none where the job is for one trial, or for something else."""
    return [member["index"] for member in job.spec.get("arguments", {}).get("members", ())]


def title(job: Job) -> str:
    """What a sentence calls the job: its source, or the trials of a group."""
    numbers = [str(number) for number in members(job)]
    if not numbers:
        return in_words(job.source)
    shown = numbers if len(numbers) <= NAMED else [*numbers[: NAMED - 1], f"{len(numbers) - NAMED + 1} more"]
    return f"trials {', '.join(shown[:-1])} and {shown[-1]} together"


def consequence(job: Job) -> str:
    """What follows where the machine failed the job, as the end of a sentence; "" where nothing does."""
    return "; they and all later ones are trained one by one" if members(job) else ""


def said_before(job: Job) -> bool:
    """Whether events of the job's source may be stored although nobody has held it yet: those of a group that its trial was in, or those of
    the search that its phase goes on with, of which a slice that was lost may have said more before that one was ended."""
    return not {"said", "taken_up"}.isdisjoint(job.spec.get("arguments", {}))


def begin(job: Job, counter: RunCounter) -> None:
    """The trials of a job that was just claimed run. Call with the run locked."""
    numbers = padded(members(job) or [int(job.source.partition(":")[2])])
    _runs(len(numbers)).execute(run=counter.run_id, **{f"number{place}": number for place, number in enumerate(numbers)})


@cache
def _runs(places: int) -> Update:
    return Update(
        lambda: (
            Trial.objects.filter(
                run_id=Given("run", UUIDField()), state=Trial.State.QUEUED,
                number__in=[Given(f"number{place}", BigIntegerField()) for place in range(places)],
            ),
            {"state": Trial.State.RUNNING},
        )
    )


def failed(job: Job, outcome: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a job that failed for good, `outcome` being that of any other: of a group, every trial's own. How far they came is
    not known; whoever tries them again looks what was said."""
    numbers = members(job)
    if not numbers:
        return outcome
    own = {**outcome, "seconds": outcome["seconds"] / len(numbers), "said": 0}
    return group_outcome({f"trial:{number}": own for number in numbers})
