"""What an ensemble knows of itself while it grows: its subnetworks, their outputs on the training and validation parts, their weights."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from search_engine.base.checkpoint import copied
from search_engine.events import Cost
from search_engine.spaces.ensemble import EnsembleSpace, Subnet
from search_engine.spaces.genomes import Genome
from search_engine.supernets.ensemble_network import EnsembleNetwork, Subnetwork, build_subnetwork
from search_engine.training.batches import DevicePart

CHUNK = 2048
"""Examples per forward pass over a whole part."""


class Member:
    """One subnetwork and, once it is trained, its outputs (m, K) float64 on both parts, on the CPU."""

    def __init__(self, subnet: Subnet, network: Subnetwork) -> None:
        self.subnet = subnet
        self.network = network
        self.train: torch.Tensor | None = None
        self.validation: torch.Tensor | None = None


class GrowingEnsemble:
    """Frozen subnetworks and their mixture weights (N,) float64."""

    def __init__(self, space: EnsembleSpace, train: DevicePart, validation: DevicePart, device: str) -> None:
        self.space = space
        self.parts = {"train": train, "validation": validation}
        self.device = device
        self.members: list[Member] = []
        self.weights = torch.zeros(0, dtype=torch.float64)

    @property
    def subnets(self) -> list[Subnet]:
        return [member.subnet for member in self.members]

    # ---- computing

    def earlier(self, inputs: torch.Tensor) -> list[list[torch.Tensor]]:
        """Layers of every frozen subnetwork on a batch (B, inputs), for a candidate that is connected to them."""
        layers: list[list[torch.Tensor]] = []
        with torch.no_grad():
            for member in self.members:
                layers.append(member.network(inputs, layers))
        return layers

    def logits(self, positions: torch.Tensor) -> torch.Tensor:
        """(B, K) float32: f of the ensemble as it stands on those training examples (positions on the CPU); nothing is computed twice."""
        total = torch.zeros(len(positions), self.space.outputs, dtype=torch.float64)
        for weight, member in zip(self.weights.tolist(), self.members, strict=True):
            assert member.train is not None
            total += weight * member.train[positions]
        return total.float().to(self.device)

    def measure(self, member: Member) -> Cost:
        """Fill in a trained subnetwork's outputs on both parts: once, then it never computes again."""
        outputs = {name: self._outputs(member, part) for name, part in self.parts.items()}
        member.train, member.validation = outputs["train"], outputs["validation"]
        return Cost(forward=sum(len(part) for part in self.parts.values()))

    def _outputs(self, member: Member, part: DevicePart) -> torch.Tensor:
        pieces = []
        with torch.no_grad():
            for first in range(0, len(part), CHUNK):
                inputs = part.normalise(part.raw[first : first + CHUNK]).flatten(1)
                earlier = self.earlier(inputs) if member.subnet.connections else None
                pieces.append(member.network(inputs, earlier)[-1].double().cpu())
        return torch.cat(pieces)

    def stacked(self, candidate: Member | None = None, part: str = "train") -> torch.Tensor:
        """(N, m, K) float64: outputs of all subnetworks, and of a candidate behind them."""
        members = [*self.members, *([candidate] if candidate is not None else [])]
        return torch.stack([getattr(member, part) for member in members])

    def scores(self, weights: torch.Tensor, candidate: Member | None = None, part: str = "validation") -> dict[str, float]:
        """`accuracy` and `loss` (cross-entropy of the network's logits, nats) of a mixture on a part."""
        values = torch.einsum("n,nmk->mk", weights, self.stacked(candidate, part))
        if values.shape[1] == 1:
            values = torch.cat([torch.zeros_like(values), values], dim=1)
        labels = self.parts[part].labels.cpu()
        right = (values.argmax(dim=1) == labels).double().mean()
        return {"accuracy": float(right), "loss": float(functional.cross_entropy(values, labels))}

    # ---- results

    def alone(self, member: Member, weight: torch.Tensor) -> GrowingEnsemble:
        """Another ensemble on the same data that is that one subnetwork, measured as it is now, with that weight."""
        other = GrowingEnsemble(self.space, self.parts["train"], self.parts["validation"], self.device)
        only = Member(member.subnet, member.network)
        other.measure(only)
        other.members, other.weights = [only], weight.double().reshape(1).cpu()
        return other

    def genome_and_network(self) -> tuple[Genome, dict[str, torch.Tensor]]:
        """The genome of what matters, and the state of its network. Subnetworks without weight that nobody reads are left out."""
        weights = [float(torch.tensor(weight, dtype=torch.float32)) for weight in self.weights.tolist()]
        kept = self.space.compact(self.subnets, weights)
        places = {old: new for new, old in enumerate(kept)}
        subnets = [
            item._replace(connections=tuple(places[other] for other in item.connections))
            for item in (self.subnets[place] for place in kept)
        ]
        genome = self.space.genome(subnets, [weights[place] for place in kept])
        network = EnsembleNetwork([self.members[place].network for place in kept], self.space.weights_of(genome), self.space.outputs)
        return genome, copied(network.state_dict())

    # ---- checkpoints

    def state_dict(self) -> dict[str, Any]:
        members = [[member.subnet.depth, member.subnet.width, list(member.subnet.connections)] for member in self.members]
        states = [copied(member.network.state_dict()) for member in self.members]
        return {"members": members, "states": states, "weights": self.weights.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Outputs are not kept but computed again: the same forward passes of the same weights."""
        subnets = [Subnet(depth, width, tuple(connections)) for depth, width, connections in state["members"]]
        self.members = []
        for place, network_state in enumerate(state["states"]):
            network = build_subnetwork(self.space, subnets, place).to(self.device)
            network.load_state_dict(network_state)
            member = Member(subnets[place], network)
            self.measure(member)
            self.members.append(member)
        self.weights = state["weights"]
