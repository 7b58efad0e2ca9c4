"""The finale: after the search, the best genomes are finished, tested once, and made into models. Nobody else may open a test split
(`sealed`).

The coordinator starts it with the finalists of the last phase, ranked on validation. Where the data set gives samples, each finalist is
work of its own (`final:I`); where a table or an objective answered, the finale reads the table's final metrics itself and there is no
model. Beside them several random architectures of about the best one's size are finished in the same way (`random_baselines`), because a
search is worth only what it adds to chance; their work is opened last, so that a download does not wait for them.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..catalogue.config import CheckedRun
from ..datasets.base import Objective, Samples, Table
from ..events import Cost, Fidelity, FinalistChosen, ModelScored, Score
from ..spaces.genomes import Genome
from .phase_work import finalist_tree
from .random_baselines import random_baselines
from .resources import Resources
from .scores import FORMULA, OF_THE_SEARCH, finished_scores, looked_up, search_score
from .sealed import final_figures
from .work import WorkSpec

NO_MODEL = {
    "table": "the trials were answered from a benchmark table; nothing was trained here",
    "objective": "the trials were scored by a formula; there is no network",
}


def model_folder(checked: CheckedRun, index: int) -> str:
    """Where finalist `index` has its bundle, relative to the run's folder. One finalist: `model`; several (asked for, or one per data
    set): `model/<index>`."""
    several = checked.config.finale.finalists > 1 or checked.algorithm.domains.one_finalist_each
    return f"model/{index}" if several else "model"


def latency_file(folder: str) -> str:
    """Where what was measured of a model's speed lies: beside its bundle's `folder`, of which it is no part."""
    return f"{folder}.latency.json"


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

    @property
    def ended_early(self) -> str:
        """What a training was ended by, where one was by its bound in seconds."""
        said = [outcome["ended_early"] for outcome in self.outcomes.values() if outcome.get("ended_early")]
        return f"a final training {said[0]}" if said else ""

    def start(self, finalists: list[dict[str, Any]], baselines: list[dict[str, Any]]) -> None:
        """Choose the entrants, say so, and open their work. `finalists` are best first within every set of data sets."""
        checked = self._run.checked
        chosen: list[dict[str, Any]] = []
        for domains in dict.fromkeys(tuple(item["domains"]) for item in finalists):
            own = [item for item in finalists if tuple(item["domains"]) == domains]
            chosen += [{**item, "role": "finalist"} for item in own[: checked.config.finale.finalists]]
        if checked.config.finale.baselines:
            trained = isinstance(self._run.resources.dataset, Samples)
            # Only what is trained anew from nothing is finished as a random one is.
            if not baselines and chosen[0]["init"] is None and (chosen[0]["finish"] == "retrain" or not trained):
                baselines = [finalist_tree(item) for item in random_baselines(checked, self._run.resources, chosen[0])]
            chosen += [{**item, "role": "baseline"} for item in baselines]
        self.entrants = chosen
        dataset = self._run.resources.dataset
        for index, entrant in enumerate(chosen):
            self._announce(index, entrant)
            if isinstance(dataset, Samples):
                arguments = {name: entrant[name] for name in ("genome", "finish", "role", "value", "domains")}
                arguments["search"] = [score.model_dump() for score in self._search_score(entrant)]
                self._run.open(WorkSpec(kind="final", index=index, arguments=arguments), entrant["init"])
            else:
                self._score_untrained(index, entrant, dataset)

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

    def _search_score(self, entrant: dict[str, Any]) -> list[Score]:
        """What the search ranked it by, if it did: one score or none."""
        if entrant["value"] is None:
            return []
        checked = self._run.checked
        fidelity = Fidelity.model_validate(entrant["fidelity"] or {"text": checked.algorithm.metric_note or OF_THE_SEARCH})
        return [search_score(checked, entrant["value"], fidelity, entrant["selected_from"], entrant["metric"])]

    def _score_untrained(self, index: int, entrant: dict[str, Any], dataset: Table | Objective) -> None:
        genome = Genome.from_json(entrant["genome"])
        hash_, string = self._run.describe(genome)
        if isinstance(dataset, Table):
            metrics, fidelity = final_figures(dataset, genome, string), looked_up(dict(dataset.final_at))
        else:
            metrics, fidelity = {self._run.checked.metric: dataset.reward(genome)}, FORMULA
        scores = [
            *self._search_score(entrant),
            *finished_scores(self._run.checked, metrics, fidelity, task=self._run.checked.dataset.task),
        ]
        visits = int(any(score.kind == "test" for score in scores))
        reason = NO_MODEL[self._run.checked.dataset.provides]
        self._run.say(
            ModelScored(
                index=index, role=entrant["role"], genome_hash=hash_, metrics=metrics, scores=scores, visits=visits, bundle=False,
                reason=reason,
            ),
            index,
        )
        self.outcomes[index] = {
            "status": "completed",
            "reason": "",
            "metrics": metrics,
            "scores": [score.model_dump() for score in scores],
            "by_class": [],
            "warnings": [],
            "assessment": None,
            "visits": visits,
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
                ModelScored(
                    index=index, role=entrant["role"], genome_hash=hash_, metrics={}, scores=self._search_score(entrant), bundle=False,
                    reason=outcome["reason"],
                ),
                index,
            )

    def state_dict(self) -> dict[str, Any]:
        return {"entrants": self.entrants, "outcomes": {str(index): outcome for index, outcome in self.outcomes.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.entrants = state["entrants"]
        self.outcomes = {int(index): outcome for index, outcome in state["outcomes"].items()}
