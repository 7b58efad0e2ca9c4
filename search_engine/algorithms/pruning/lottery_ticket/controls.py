"""What lottery tickets are compared with: the same training from other starts, after the search and at its own expense.

A sparse network that learns well shows nothing by itself: it may be the sparsity, or the training, that makes it easy. Frankle & Carbin
(2019, sections 2 and 3) change one thing at a time: the same mask over weights drawn anew (then the first weights mattered), and as many
weights at random places (then the mask mattered).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search_engine.algorithms.base import Context, Finalist
from search_engine.algorithms.step_search import StepSearch
from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.events import ChartsFrame, ControlScored, Cost, Report
from search_engine.spaces.tasks import SCORES

from .search import LotteryTicketConfig

if TYPE_CHECKING:
    import torch

    from search_engine.spaces.plain_network import PlainNetworkSpace
    from search_engine.supernets import plain_network

    from . import charts as ticket_charts
    from . import masked_training, rounds
    from .rounds import Round
else:
    masked_training = lazy_module("search_engine.algorithms.pruning.lottery_ticket.masked_training")
    plain_network = lazy_module("search_engine.supernets.plain_network")
    rounds = lazy_module("search_engine.algorithms.pruning.lottery_ticket.rounds")
    ticket_charts = lazy_module("search_engine.algorithms.pruning.lottery_ticket.charts")

NAMES = {"reinitialised": "re-initialised", "random_mask": "random mask"}
"""Of the curves."""
WORDS = {"reinitialised": "the ticket's mask over weights drawn anew", "random_mask": "as many weights of each layer at random places"}
MATTERS = {"reinitialised": "the first weights under the mask matter", "random_mask": "which weights the mask keeps matters"}


class TicketControls(StepSearch[LotteryTicketConfig]):
    """Some of the search's rounds again from other starts, condition after condition, round after round. `step` is one optimiser step."""

    name = "controls"
    title = "Controls: other starts than the tickets'"
    control = True
    paired_with = 0
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.space: PlainNetworkSpace = context.space  # type: ignore[assignment]
        options, found = self.options, handover or {"rounds": [], "initial": {}, "early": {}}
        network = plain_network.open_dense(self.space, constants=options.removed_weights != "zero")
        self.ticket = rounds.Ticket(
            self.space, dict(found["initial"]), dict(found["early"]), network.prefixes, options.kept_weights, options.keep_sign,
            options.removed_weights, context.seed,
        )  # fmt: skip
        self.tickets = [rounds.Round(**item) for item in found["rounds"]]
        self.compared = _spread(self.tickets[1:], options.compared_rounds)
        self.training = masked_training.MaskedTraining(
            network, self.samples, self.space.task, options, context.seed, context.device, context.amp
        )
        self.results: dict[str, list[Round]] = {name: [] for name in options.controls}
        if self.jobs:
            self.training.begin(self._start(0))

    @property
    def jobs(self) -> list[tuple[str, Round]]:
        """(condition, round of the search) in the order in which they are trained."""
        return [(name, one) for name in self.options.controls for one in self.compared]

    def _start(self, job: int) -> dict[str, torch.Tensor]:
        name, one = self.jobs[job]
        return self.ticket.reinitialised(one) if name == "reinitialised" else self.ticket.random_mask(one)

    @property
    def horizon(self) -> int:
        return len(self.jobs) * self.options.steps

    def step(self) -> Cost:
        """One optimiser step. Raises TrialFailure for a loss that is not finite."""
        cost = Cost()
        if self.training.due:
            cost = cost.plus(self.training.score())
        cost = cost.plus(self.training.step())
        self.done += 1
        if self.training.due:
            cost = cost.plus(self.training.score())
        if self.training.ended:
            self._end_job()
        return self.spend(cost)

    def _end_job(self) -> None:
        job = self.done // self.options.steps - 1
        name, one = self.jobs[job]
        curve = [list(point) for point in self.training.curve]
        self.results[name].append(rounds.Round(one.number, dict(one.kept), one.share, curve, {}, {}))
        found = ticket_charts.charts(self.tickets, None, self._named(), self.options.early_step, SCORES[self.space.task])
        self.context.emit(ChartsFrame(step=self.done, charts=found), self.done)
        if one is self.compared[-1]:
            self._say_control(name)
        if self.finished:
            last = {f"{name}_{key}": value for name in self.results for key, value in self._figures(name).items()}
            self.context.emit(Report(name="tickets", title="Tickets beside their controls", charts=found, values=last), self.done)
        else:
            self.training.begin(self._start(job + 1))

    def _named(self) -> dict[str, list[Round]]:
        return {NAMES[name]: items for name, items in self.results.items()}

    # ---- what is said

    def _figures(self, name: str) -> dict[str, float]:
        """Ticket and control at the sparsest compared round."""
        ticket, control, early = self.compared[-1], self.results[name][-1], self.options.early_step
        return {
            "share": ticket.share, "ticket": ticket.score, "control": control.score, "ticket_early": ticket.score_at(early),
            "control_early": control.score_at(early), "early_step": float(early),
        }  # fmt: skip

    def _say_control(self, name: str) -> None:
        values = self._figures(name)
        score, early = SCORES[self.space.task], int(values["early_step"])
        ahead = values["ticket_early"] > values["control_early"] and values["ticket"] >= values["control"]
        remark = f"The ticket was ahead, as it is where {MATTERS[name]}." if ahead else "The ticket was not ahead."
        share = ticket_charts.share_name(values["share"])
        message = (
            f"With {share} of the weights, {WORDS[name]}: validation {score} {values['control_early']:.3f} after {early} steps and "
            f"{values['control']:.3f} at the end; the ticket {values['ticket_early']:.3f} and {values['ticket']:.3f}. {remark}"
        )
        title = f"Control: {WORDS[name]}"
        self.context.emit(ControlScored(name=name, title=title, message=observed(message), values=values), self.done)

    def best(self) -> list[Finalist]:
        return []

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "training": self.training.state_dict(),
            "results": {name: [item.to_tree() for item in items] for name, items in self.results.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.training.load_state_dict(state["training"])
        self.results = {name: [rounds.Round(**item) for item in items] for name, items in state["results"].items()}


def _spread(items: list[Round], most: int) -> list[Round]:
    """At most so many of them, evenly spread, the last one always among them."""
    if len(items) <= most:
        return items
    return [items[round((place + 1) * len(items) / most) - 1] for place in range(most)]
