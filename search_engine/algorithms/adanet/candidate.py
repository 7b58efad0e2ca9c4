"""One candidate of an iteration: a subnetwork that is trained beside the frozen ensemble, with a weight of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from search_engine.base.checkpoint import copied
from search_engine.events import Cost
from search_engine.spaces.ensemble import Subnet
from search_engine.supernets.ensemble_network import build_subnetwork
from search_engine.training.batches import BatchOrder

from .ensemble import GrowingEnsemble, Member
from .objective import SurrogateName, losses


class Candidate:
    """Minimises  1/m sum Phi(f(x_i) + w h(x_i)) + c |w|  over h and w while f stands still: what is left to do for h is what f does
    not do yet. w is only a help here; the mixture weights are found afterwards, all together."""

    def __init__(
        self, ensemble: GrowingEnsemble, subnet: Subnet, order: BatchOrder, *, penalty: float, surrogate: SurrogateName, rate: float
    ) -> None:
        """Fresh weights from torch's global generator. `penalty` is c = lambda r(h) + beta, `rate` Adam's."""
        self.ensemble = ensemble
        self.order = order
        self.penalty = penalty
        self.surrogate = surrogate
        network = build_subnetwork(ensemble.space, [*ensemble.subnets, subnet], len(ensemble.members)).to(ensemble.device)
        self.member = Member(subnet, network)
        self.weight = nn.Parameter(torch.ones((), device=ensemble.device))
        self.optimiser = torch.optim.Adam([*network.parameters(), self.weight], lr=rate)
        self.trained = 0

    def train(self) -> tuple[float, Cost]:
        """One step of Adam on the next minibatch; its mean loss (not finite where training diverged) and its cost."""
        part, positions = self.ensemble.parts["train"], self.order.indices(self.trained)
        raw, labels = part.take(positions)
        inputs = raw.flatten(1)
        earlier = self.ensemble.earlier(inputs) if self.member.subnet.connections else None
        outputs = self.ensemble.logits(positions) + self.weight * self.member.network(inputs, earlier)[-1]
        loss = losses(outputs, labels, self.surrogate).mean()
        self.optimiser.zero_grad(set_to_none=True)
        (loss + self.penalty * self.weight.abs()).backward()
        self.optimiser.step()
        self.trained += 1
        # Connected candidates run the frozen subnetworks forward as well.
        frozen = len(labels) * len(self.ensemble.members) if earlier is not None else 0
        return float(loss.detach()), Cost(forward_backward=len(labels), forward=frozen)

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": copied(self.member.network.state_dict()),
            "weight": copied(self.weight),
            "optimiser": copied(self.optimiser.state_dict()),
            "trained": self.trained,
            "measured": self.member.train is not None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.member.network.load_state_dict(state["network"])
        with torch.no_grad():
            self.weight.copy_(state["weight"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.trained = state["trained"]
        if state["measured"]:
            self.ensemble.measure(self.member)
