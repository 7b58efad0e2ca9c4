"""The finale: after the search, the best genomes are finished, tested once, and made into models. Nobody else may open a test split.

The coordinator starts it with the finalists of the last phase, ranked on validation. Where the data set gives samples, each finalist is
work of its own (`final:I`); where a table or an objective answered, the finale reads the table's final metrics itself and there is no
model. Super-network searches get one more entrant: a random genome finished in the same way, because a search is worth only what it
adds to chance.
"""

from __future__ import annotations

import random
from typing import Any, Protocol

from ..algorithms.base import Finalist
from ..base.generators import derive_seed
from ..catalogue.config import CheckedRun
from ..datasets.base import FinalePass, Objective, Part, Samples, Table
from ..events import Cost, FinalistChosen, ModelScored
from ..spaces.genomes import Genome
from .phase_work import finalist_tree
from .resources import Resources
from .work import WorkSpec

NO_MODEL = {
    "table": "the trials were answered from a benchmark table; nothing was trained here",
    "objective": "the trials were scored by a formula; there is no network",
}


def open_test(dataset: Samples) -> Part:
    """The test part, for a finalist that is finished."""
    return dataset.open_test(FinalePass())


def model_folder(checked: CheckedRun, index: int) -> str:
    """Where finalist `index` has its bundle, relative to the run's folder. One finalist: `model`; several (asked for, or one per data
    set): `model/<index>`."""
    several = checked.config.finale.finalists > 1 or checked.algorithm.domains.one_finalist_each
    return f"model/{index}" if several else "model"


class Host(Protocol):
    """What the finale needs of the coordinator."""

    checked: CheckedRun
    resources: Resources

    def describe(self, genome: Genome) -> tuple[str, str]: ...
    def open(self, spec: WorkSpec, arrays: dict[str, Any] | None = None) -> None: ...
    def say(self, payload: Any, step: int) -> None: ...


class Finale:
    """Which entrants there are and what became of them."""

    def __init__(self, host: Host) -> None:
        self._run = host
        self.entrants: list[dict[str, Any]] = []
        self.outcomes: dict[int, dict[str, Any]] = {}

    @property
    def started(self) -> bool:
        return bool(self.entrants)

    @property
    def finished(self) -> bool:
        return len(self.outcomes) == len(self.entrants)

    @property
    def failed_reason(self) -> str:
        """Why no finalist could be finished; empty while one could."""
        own = [outcome for index, outcome in self.outcomes.items() if self.entrants[index]["role"] == "finalist"]
        failed = [outcome for outcome in own if outcome["status"] != "completed"]
        return f"the best architecture could not be finished: {failed[0]['reason']}" if failed and len(failed) == len(own) else ""

    def start(self, finalists: list[dict[str, Any]], baselines: list[dict[str, Any]]) -> None:
        """Choose the entrants, say so, and open their work. `finalists` are best first within every set of data sets."""
        checked = self._run.checked
        chosen: list[dict[str, Any]] = []
        for domains in dict.fromkeys(tuple(item["domains"]) for item in finalists):
            own = [item for item in finalists if tuple(item["domains"]) == domains]
            chosen += [{**item, "role": "finalist"} for item in own[: checked.config.finale.finalists]]
        if checked.config.finale.baseline:
            if not baselines and "gradients" in checked.algorithm.needs and chosen[0]["finish"] == "retrain":
                baselines = [self._random_genome(chosen[0]["domains"])]
            chosen += [{**item, "role": "baseline"} for item in baselines]
        self.entrants = chosen
        dataset = self._run.resources.dataset
        for index, entrant in enumerate(chosen):
            self._announce(index, entrant)
            if isinstance(dataset, Samples):
                arguments = {name: entrant[name] for name in ("genome", "finish", "role", "value", "domains")}
                self._run.open(WorkSpec(kind="final", index=index, arguments=arguments), entrant["init"])
            else:
                self._score_untrained(index, entrant, dataset)

    def _random_genome(self, domains: list[int]) -> dict[str, Any]:
        rng = random.Random(derive_seed(self._run.checked.config.seed, "baseline"))
        genome = self._run.resources.space.sample(rng)
        title = "random architecture, finished in the same way"
        return finalist_tree(Finalist(genome=genome, domains=tuple(domains), title=title))

    def _announce(self, index: int, entrant: dict[str, Any]) -> None:
        genome = Genome.from_json(entrant["genome"])
        hash_, string = self._run.describe(genome)
        title = entrant["title"] or "best architecture found"
        self._run.say(
            FinalistChosen(
                index=index,
                role=entrant["role"],
                title=title,
                genome=entrant["genome"],
                genome_hash=hash_,
                string=string,
                graph=self._run.resources.space.drawings(genome),
                finish=entrant["finish"] if self._run.checked.dataset.provides == "samples" else "none",
                domains=entrant["domains"],
            ),
            index,
        )

    def _score_untrained(self, index: int, entrant: dict[str, Any], dataset: Table | Objective) -> None:
        genome = Genome.from_json(entrant["genome"])
        hash_, string = self._run.describe(genome)
        if isinstance(dataset, Table):
            metrics = dataset.final_metrics(genome, string, FinalePass())
        else:
            metrics = {self._run.checked.metric: dataset.reward(genome)}
        reason = NO_MODEL[self._run.checked.dataset.provides]
        self._run.say(
            ModelScored(index=index, role=entrant["role"], genome_hash=hash_, metrics=metrics, bundle=False, reason=reason), index
        )
        self.outcomes[index] = {
            "status": "completed",
            "reason": "",
            "metrics": metrics,
            "bundle": False,
            "bundle_reason": reason,
            "cost": Cost().model_dump(),
            "seconds": 0.0,
        }

    def deliver(self, index: int, outcome: dict[str, Any]) -> None:
        """Keep the outcome of finished work; a second one for the same entrant is ignored."""
        if not 0 <= index < len(self.entrants) or index in self.outcomes:
            return
        self.outcomes[index] = outcome
        if outcome["status"] != "completed":
            entrant = self.entrants[index]
            hash_, _ = self._run.describe(Genome.from_json(entrant["genome"]))
            self._run.say(
                ModelScored(index=index, role=entrant["role"], genome_hash=hash_, metrics={}, bundle=False, reason=outcome["reason"]), index
            )

    def state_dict(self) -> dict[str, Any]:
        return {"entrants": self.entrants, "outcomes": {str(index): outcome for index, outcome in self.outcomes.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.entrants = state["entrants"]
        self.outcomes = {int(index): outcome for index, outcome in state["outcomes"].items()}
