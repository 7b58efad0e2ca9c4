"""What a search of several data sets tells the world: every data set's probabilities and path, what they share, the joint genome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from search_engine.algorithms.base import Context
from search_engine.algorithms.derived_genomes import DerivedGenomes
from search_engine.algorithms.means import Means
from search_engine.events import DomainPolicy, DomainsFrame, Metrics, encode_floats
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
        self._means = [Means() for _ in names]
        self._derived = DerivedGenomes(context, self._changed_modules, "module")

    def count(self, domain: int, **values: float) -> None:
        """Numbers of one data set in one step, to be averaged until the next report."""
        self._means[domain].count(**values)

    def due(self, step: int, last: bool) -> bool:
        return last or step % self._context.structure_every == 0

    def say(self, step: int, samples: float, policies: DomainPolicies, *, picture: bool = True, **now: float) -> None:
        """Metrics (the means so far, and `now` as it is) and, with `picture`, the frame and the joint genome where it changed."""
        paths = [policies.greedy(domain) for domain in range(len(self._names))]
        means = [item.take() for item in self._means]
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
        self._derived.say(step, self._space.genome_of_paths(paths))

    def _changed_modules(self, genome: Genome, before: Genome | None) -> int:
        """None for the first paths: they have changed nothing."""
        pairs = [] if before is None else zip(self._space.paths(before), self._space.paths(genome), strict=True)
        return sum(old != new for one, other in pairs for old, new in zip(one, other, strict=True))

    def state_dict(self) -> dict[str, Any]:
        return {"means": [item.state_dict() for item in self._means], "derived": self._derived.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for item, saved in zip(self._means, state["means"], strict=True):
            item.load_state_dict(saved)
        self._derived.load_state_dict(state["derived"])
