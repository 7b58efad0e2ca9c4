"""A search by trials of which only the rule is left to write."""

from __future__ import annotations

from typing import Any, ClassVar

from search_engine.spaces.decision_infos import declare

from ..base import Context, Finalist, OptionsT, Result, TrialPhase
from .kept import Stateful, from_tree, to_tree
from .pace import FramePace
from .ranking import Ranking
from .trial_tally import Marginals, Plane, TrialTally


class TrialSearch(TrialPhase[OptionsT]):
    """Override `ask`, and `tell` where the search learns from results. Everything else comes along: told trials are counted and ranked,
    figures are said when a frame is due, and a checkpoint holds all of it and the attributes that `keeps` names.

    >>> import random
    >>> from search_engine.algorithms.base import Proposal, SteadyConfig
    >>> from search_engine.events import Cost, EventLog
    >>> from search_engine.spaces.data_shape import DataShape
    >>> from search_engine.spaces.sequence import SequenceConfig, SequenceSpace

    >>> class Mutations(TrialSearch[SteadyConfig]):
    ...     keeps = ("latest",)
    ...     def begin(self, context, handover):
    ...         super().begin(context, handover)
    ...         self.latest = None
    ...     def ask(self):
    ...         space, rng = self.context.space, self.context.rng
    ...         return [Proposal(space.sample(rng) if self.latest is None else space.mutate(self.latest, rng)[0])]
    ...     def tell(self, results):
    ...         self.latest = results[-1].genome
    ...         super().tell(results)

    >>> search, space = Mutations(), SequenceSpace(SequenceConfig(n=5), DataShape((1,), 2))
    >>> search.begin(Context(space, SteadyConfig(), seed=0, rng=random.Random(0), metric="reward", log=EventLog("run")), None)
    >>> for number in range(3):
    ...     [proposal] = search.ask()
    ...     search.tell([Result(number, proposal.genome, "completed", {"reward": number / 2}, Cost())])
    >>> [finalist.value for finalist in search.best()]
    [1.0, 0.5, 0.0]
    >>> sorted(search.state_dict())
    ['latest', 'ranking', 'tally']
    """

    keeps: ClassVar[tuple[str, ...]] = ()
    """Attributes that a checkpoint holds beside the common ones: JSON values, genomes, sets and tuples, or what has `state_dict` and
    `load_state_dict`. `begin` gives each of them the value that it has before the first trial."""
    shows_marginals: ClassVar[bool] = False
    """Whether the picture is how often each choice of each decision was tried and how good it was, where the space has decisions; where
    these are two, also every point of their plane."""

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.pace = FramePace()
        self.tally = TrialTally()
        self.ranking = Ranking(context.metric)
        self.schemata: Stateful | None = None
        """Of a population whose schemata are followed, where a run wants that; a search that offers it sets it in its `begin`."""
        shown = self.shows_marginals and "decisions" in context.space.offers
        self.marginals = Marginals(context.space, context.metric) if shown else None
        self.plane = Plane(context.space, context.metric) if shown and Plane.fits(context.space) else None
        if shown:
            context.emit(declare(context.space), 0)

    # ---- tell

    def tell(self, results: list[Result]) -> None:
        """Count and rank `results`, and say the figures if they are due. Call it last: the figures are those after learning."""
        before = self.tally.told
        self.count(results)
        if self.frame_due(before):
            self.say(self.figures(results[-1]))

    def count(self, results: list[Result]) -> None:
        """The first half of `tell`, for a search that says its figures at times of its own."""
        for result in results:
            self.tally.add(result)
            self.ranking.add(result, self.context.space.hash(result.genome))
            for picture in (self.marginals, self.plane):
                if picture is not None:
                    picture.add(result)

    def frame_due(self, before: int) -> bool:
        """Whether figures are due, now that as many trials were told as `tally` says and `before` of them earlier."""
        return self.pace.due(self.tally.told, before)

    def figures(self, latest: Result) -> dict[str, float]:
        """Numbers to draw over the trials; `latest` was told last. The share of failures is among them anyway."""
        return {}

    def say(self, figures: dict[str, float]) -> None:
        told = self.tally.told
        self.context.emit(self.tally.metrics(figures), told)
        for picture in (self.marginals, self.plane):
            if picture is not None:
                self.context.emit(picture.frame(told), told)

    # ---- result and state

    def best(self) -> list[Finalist]:
        return self.ranking.finalists()

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = {"tally": self.tally.state_dict(), "ranking": self.ranking.state_dict()}
        if self.marginals is not None:
            state["marginals"] = self.marginals.state_dict()
        if self.plane is not None:
            state["plane"] = self.plane.state_dict()
        if self.schemata is not None:
            state["schemata"] = self.schemata.state_dict()
        return state | {name: to_tree(getattr(self, name)) for name in self.keeps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.tally.load_state_dict(state["tally"])
        self.ranking.load_state_dict(state["ranking"])
        if self.marginals is not None:
            self.marginals.load_state_dict(state["marginals"])
        if self.plane is not None and "plane" in state:
            # A search that an earlier version left has none: it draws the points from here on.
            self.plane.load_state_dict(state["plane"])
        for name in self.keeps:
            setattr(self, name, from_tree(state[name], like=getattr(self, name)))
        if self.schemata is not None:
            self.schemata.load_state_dict(state["schemata"])
