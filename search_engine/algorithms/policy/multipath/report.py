"""What a search of several data sets tells the world: every data set's probabilities and path, what they share, the joint genome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from search_engine.algorithms.base import Context
from search_engine.events import DerivedGenome, DomainPolicy, DomainsFrame, Metrics, encode_floats
from search_engine.spaces.decisions import Choices
from search_engine.spaces.genomes import Genome
from search_engine.supernets.path_costs import PathCosts

from .domain_policies import DomainPolicies


def shared_modules(paths: Sequence[Choices]) -> int:
    """How many modules are on the paths of two data sets or more."""
    used = [(layer, module) for path in paths for layer, module in enumerate(path)]
    return sum(used.count(module) > 1 for module in set(used))


def sharing(paths: Sequence[Choices], costs: PathCosts) -> dict[str, float]:
    """What the paths have in common: modules (a ratio of 1 = nothing shared, of the number of data sets = one path for all), and the
    parameters of the joint network against those of one network per data set."""
    union = {(layer, module) for path in paths for layer, module in enumerate(path)}
    return {
        "shared_modules": shared_modules(paths),
        "union_modules": len(union),
        "sharing_ratio": sum(len(path) for path in paths) / len(union),
        "parameters": costs.union_parameters(paths),
        "parameters_separate": sum(costs.path_parameters(domain, path) for domain, path in enumerate(paths)),
    }


class DomainsReport:
    """Says the science events of a multi-domain search. Metrics are means over the steps since the last report: over the data sets
    under their bare names, each data set's own with its number (`val_accuracy_1`)."""

    def __init__(self, context: Context, costs: PathCosts) -> None:
        self._context = context
        self._space: Any = context.space
        self._costs = costs
        names = [data.dataset for data in context.domains]
        self._names = [name if names.count(name) == 1 else f"{name} ({place})" for place, name in enumerate(names, start=1)]
        self._sums: list[dict[str, float]] = [{} for _ in names]
        self._counts: list[dict[str, int]] = [{} for _ in names]
        self._derived: Genome | None = None

    def count(self, domain: int, **values: float) -> None:
        """Numbers of one data set in one step, to be averaged until the next report."""
        for name, value in values.items():
            self._sums[domain][name] = self._sums[domain].get(name, 0.0) + value
            self._counts[domain][name] = self._counts[domain].get(name, 0) + 1

    def due(self, step: int, last: bool) -> bool:
        return last or step % self._context.structure_every == 0

    def say(self, step: int, samples: float, policies: DomainPolicies, *, picture: bool = True, **now: float) -> None:
        """Metrics (the means so far, and `now` as it is) and, with `picture`, the frame and the joint genome where it changed."""
        paths = [policies.greedy(domain) for domain in range(len(self._names))]
        means = [
            {name: total / counts[name] for name, total in sums.items()} for sums, counts in zip(self._sums, self._counts, strict=True)
        ]
        self._sums, self._counts = [{} for _ in means], [{} for _ in means]
        common = sharing(paths, self._costs)
        if picture:
            self._say_picture(step, policies, paths, means, common)
        values = {**now, **common}
        for name in means[0]:
            values[name] = sum(item[name] for item in means) / len(means)
            values |= {f"{name}_{number}": item[name] for number, item in enumerate(means, start=1)}
        self._context.emit(Metrics(step=step, samples=samples, values=values), step)

    def _say_picture(
        self, step: int, policies: DomainPolicies, paths: list[Choices], means: list[dict[str, float]], common: dict[str, float]
    ) -> None:
        decisions = self._space.decisions
        frame = DomainsFrame(
            step=step,
            layers=len(decisions),
            modules=list(decisions[0].choices),
            domains=[
                DomainPolicy(
                    name=name,
                    probabilities=encode_floats(policies.probabilities(domain)),
                    path=[choice for choice in paths[domain] if choice is not None],
                    values=means[domain],
                )
                for domain, name in enumerate(self._names)
            ],
            values=common,
        )
        self._context.emit(frame, step)
        self._say_derived(step, self._space.genome_of_paths(paths))

    def _say_derived(self, step: int, genome: Genome) -> None:
        if genome == self._derived:
            return
        before = None if self._derived is None else self._space.paths(self._derived)
        pairs = [] if before is None else zip(before, self._space.paths(genome), strict=True)
        changed = sum(old != new for one, other in pairs for old, new in zip(one, other, strict=True))
        self._derived = genome
        space = self._space
        event = DerivedGenome(
            step=step, genome=genome.to_json(), genome_hash=space.hash(genome), string=space.to_string(genome), changed_edges=changed
        )
        self._context.emit(event, step)

    def state_dict(self) -> dict[str, Any]:
        return {
            "sums": [dict(item) for item in self._sums],
            "counts": [dict(item) for item in self._counts],
            "derived": None if self._derived is None else self._derived.to_json(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums = [dict(item) for item in state["sums"]]
        self._counts = [dict(item) for item in state["counts"]]
        self._derived = None if state["derived"] is None else Genome.from_json(state["derived"])
