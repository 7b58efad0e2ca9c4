"""What both ways to choose share: the seed, trials that go on from morphed weights, the tree of networks, the champion, the finale."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

from search_engine.events import Champion, Fidelity
from search_engine.spaces.genomes import Genome
from search_engine.spaces.growing_convnet.adoption import adopted
from search_engine.spaces.growing_convnet.morphs import Morph, describe_all
from search_engine.spaces.growing_convnet.network import Network
from search_engine.spaces.growing_convnet.space import GrowingConvnetSpace

from ..base import GIVEN, GROWN, Context, Finalist, Inherit, Proposal, Result
from ..trials.search import TrialSearch
from .lineage import Difference, Grown, Lineage, Told, drawn
from .options import NetworkMorphismConfig

SEED = 0
"""The seed network's candidate."""


class MorphismSearch(TrialSearch[NetworkMorphismConfig]):
    """Override `ask`, and `choose`, which is called with the results once they stand in the lineage."""

    title = "Network morphism"
    finite = True
    keeps_weights = True
    goes_on = True
    stop_reason: Literal["exhausted", "repeated", "horizon", "settled"] = "horizon"
    keeps: ClassVar[tuple[str, ...]] = ("lineage", "kept", "genomes", "asked", "step", "gone")

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.space = cast(GrowingConvnetSpace, context.space)
        self.lineage = Lineage()
        self.genomes: dict[str, Genome] = {}
        """Of the networks whose weights are kept, by candidate."""
        self.kept: list[int] = []
        """Candidates whose weights are kept."""
        self.gone: list[int] = []
        """Those whose weights have gone since the last `forgotten`."""
        self.asked = 0
        self.step = 0

    # ---- ask

    def seed(self) -> Proposal:
        """The network that growth starts from: the seed with fresh weights, or the finished one that the run begins with, trained on as its
        children will be."""
        given = self.context.given
        if given is None:
            proposal = Proposal(self.space.seed(), operator="seed", fidelity={"epochs": self.options.seed_epochs})
        else:
            genome = self.space.genome(adopted(given.space, given.genome).network)
            proposal = Proposal(
                genome, operator="the model it began with", fidelity=self.options.trial_fidelity, inherit=Inherit(GIVEN, morphs=())
            )
        return self._asked(proposal, None, [])

    def child(self, parent: int, morphs: Sequence[Morph], network: Network) -> Proposal:
        """`network`, which grows from candidate `parent` by `morphs`, trained on from its morphed weights."""
        noise = self.options.noise
        done = tuple({**morph, "noise": noise} if morph["op"] == "wider" and noise else morph for morph in morphs)
        proposal = Proposal(
            self.space.genome(network), parents=(parent,), operator=describe_all(morphs), fidelity=self.options.trial_fidelity,
            inherit=Inherit(parent, morphs=done),
        )
        return self._asked(proposal, parent, morphs)

    def _asked(self, proposal: Proposal, parent: int | None, morphs: Sequence[Morph]) -> Proposal:
        number = self.asked
        self.asked += 1
        self.lineage.asked[number] = Grown.of(number, parent, self.step, morphs, self.space.network(proposal.genome))
        return proposal

    def network_of(self, number: int) -> Network:
        """Of a candidate whose weights are kept."""
        return self.space.network(self.genomes[str(number)])

    # ---- tell

    def tell(self, results: list[Result]) -> None:
        metric = self.context.metric
        for result in results:
            value = result.metrics[metric] if result.ok else None
            self.lineage.told[result.number] = Told(value, result.metrics.get(GROWN) if result.ok else None)
        before = self.lineage.chosen[-1] if self.lineage.chosen else None
        network_before = None if before is None else self.network_of(before)
        for result in results:
            if result.ok and result.reused_from is None:
                self.kept.append(result.number)
                self.genomes[str(result.number)] = result.genome
            else:
                self.gone.append(result.number)
        self.choose(results)
        self.count(results)
        self._say(results[-1], before, network_before)

    @abstractmethod
    def choose(self, results: list[Result]) -> None:
        """Append to `lineage.chosen` from what the search goes on, and `keep` what it needs."""

    def keep(self, wanted: set[int]) -> None:
        """Forget the weights of all others but the seed's, which is trained on beside the finalist."""
        for number in [number for number in self.kept if number not in wanted and number != SEED]:
            self.kept.remove(number)
            del self.genomes[str(number)]
            self.gone.append(number)

    def forgotten(self) -> list[int]:
        gone, self.gone = self.gone, []
        return gone

    # ---- result

    @property
    def _current(self) -> int | None:
        return self.lineage.chosen[-1] if self.lineage.chosen else None

    def best(self) -> list[Finalist]:
        """The network from which the search would go on: it alone is trained on."""
        if self._current is None:
            return []
        number = self._current
        fidelity = f"grown and trained on, {self.options.epochs} epochs a step"
        return [Finalist(self.genomes[str(number)], value=self._value(number), candidate=number, fidelity=fidelity)]

    def baselines(self) -> list[Finalist]:
        """What growing added: the same architecture from fresh weights, and the seed trained on."""
        if self._current is None:
            return []
        found = [Finalist(self.genomes[str(self._current)], title="the grown architecture, from fresh weights")]
        if str(SEED) in self.genomes and self._current != SEED:
            what = "the seed network" if self.context.given is None else "the model it began with"
            found.append(Finalist(self.genomes[str(SEED)], candidate=SEED, title=f"{what}, trained on"))
        return found

    def _value(self, number: int) -> float:
        value = self.lineage.told[number].value
        assert value is not None
        return value

    # ---- report

    def _say(self, latest: Result, before: int | None, network_before: Network | None) -> None:
        told, current = self.tally.told, self._current
        values = self.figures(latest)
        self.say(values)
        self.context.emit(self.lineage.frame(told, self.context.metric, values), told)
        if current is None or current == before:
            return
        network = self.network_of(current)
        difference = Difference.between(network_before, network)
        seeded = self.lineage.asked[current].parent is None and self.context.given is None
        epochs = self.options.seed_epochs if seeded else self.options.epochs
        self.context.emit(
            Champion(
                generation=self.step, value=self._value(current), metric=self.context.metric,
                fidelity=Fidelity(text=f"as the search left it, trained for {epochs} epochs since it grew"),
                selected_from=told, genome=self.genomes[str(current)].to_json(), genome_hash=self.space.hash(self.genomes[str(current)]),
                graph=drawn(network), added_nodes=difference.added_nodes, added_edges=difference.added_edges,
                removed_edges=difference.removed_edges, changed_nodes=difference.changed_nodes,
            ),
            told,
        )

    def figures(self, latest: Result) -> dict[str, float]:
        """The current network, and how far morphs alone moved the accuracy of the networks so far, at most (0 = the function is kept)."""
        changes = [abs(change) for number in self.lineage.told if (change := self.lineage.change(number)) is not None]
        found = {"largest_change_by_morphs": max(changes)} if changes else {}
        if self._current is not None:
            size = self.network_of(self._current).size
            found |= {"current": self._value(self._current), "parameters": float(size.parameters), "megaflops": size.flops / 1e6}
        return found
