"""What a grown ensemble is compared with: networks whose structure nobody chose, trained with the same optimiser on as many samples as
the whole search was charged, rejected candidates included."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from search_engine.base.checkpoint import copied
from search_engine.base.lazy import lazy_module
from search_engine.base.observation import observed
from search_engine.events import ControlScored, Cost
from search_engine.spaces.ensemble import LARGEST_WIDTH, EnsembleSpace, Subnet

from ..base import Context, Finalist
from ..step_search import StepSearch
from .search import AdaNetConfig, ControlName

if TYPE_CHECKING:
    import torch
    from torch.nn import functional

    from search_engine.supernets import ensemble_network, mlp_network
    from search_engine.training import batches, evaluation
else:
    torch = lazy_module("torch")
    functional = lazy_module("torch.nn.functional")
    ensemble_network = lazy_module("search_engine.supernets.ensemble_network")
    mlp_network = lazy_module("search_engine.supernets.mlp_network")
    batches = lazy_module("search_engine.training.batches")
    evaluation = lazy_module("search_engine.training.evaluation")


class BoostingControl(StepSearch[AdaNetConfig]):
    """One network trained as a whole with softmax cross-entropy. One step is one optimiser step. It draws no picture."""

    control = True
    state_version = 2
    condition: ClassVar[ControlName]

    def __init__(self) -> None:
        self.name = self.condition

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.space: EnsembleSpace = context.space  # type: ignore[assignment]
        self.grown = handover
        data = self.samples
        self.part, self.validation = self.on_device(data.train, data.validation)
        self.order = batches.BatchOrder(len(data.train), self.options.batch_size, self.condition, context.seed)
        if handover is not None:
            self.network = self._draw(handover).to(context.device)
            self.optimiser = torch.optim.Adam(self.network.parameters(), lr=self.options.learning_rate)

    @abstractmethod
    def _draw(self, grown: dict[str, Any]) -> torch.nn.Module:
        """The untrained network; parameters come from torch's global generator."""

    @abstractmethod
    def describe(self) -> str:
        """What it is, in words."""

    @property
    def horizon(self) -> int:
        """Steps for as many samples as the search was charged; none where the search left nothing to compare with."""
        return 0 if self.grown is None else math.ceil(self.grown["samples"] / self.order.examples * self.order.per_epoch)

    def step(self) -> Cost:
        """One step of Adam. Raises TrialFailure where the loss is not finite."""
        inputs, labels = self.part.take(self.order.indices(self.done))
        loss = functional.cross_entropy(self.network(inputs), labels)
        self.require_finite("the loss of the control", float(loss.detach()))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.done += 1
        cost = Cost(forward_backward=len(labels))
        if self.finished:
            self._conclude()
            cost = cost.plus(Cost(forward=len(self.validation)))
        return self.spend(cost)

    def _conclude(self) -> None:
        assert self.grown is not None
        scores = evaluation.evaluate_on(self.network, self.validation)
        parameters = sum(item.numel() for item in self.network.parameters())
        own, grown = scores["accuracy"], self.grown["val_accuracy"]
        standing = "above" if grown > own else "not above"
        message = f"{self.describe()}, {parameters:,} parameters, {self.grown['samples']:,.0f} samples: validation accuracy {own:.3f}. "
        message += f"AdaNet's ensemble: {grown:.3f} with {self.grown['parameters']:,} parameters, {standing} this control."
        values = {
            "val_accuracy": own, "val_loss": scores["loss"], "parameters": float(parameters), "samples": float(self.grown["samples"]),
            "adanet_val_accuracy": grown, "adanet_parameters": float(self.grown["parameters"]),
        }
        self.context.emit(ControlScored(name=self.condition, title=self.title, message=observed(message), values=values), self.done)

    def best(self) -> list[Finalist]:
        return []

    def state_dict(self) -> dict[str, Any]:
        if self.grown is None:
            return super().state_dict()
        return {
            **super().state_dict(), "network": copied(self.network.state_dict()), "optimiser": copied(self.optimiser.state_dict()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        if self.grown is not None:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])


class PlainNetwork(BoostingControl):
    """One perceptron of tanh units, as deep as the ensemble's deepest subnetwork (at least one hidden layer), as wide as gives the number
    of parameters nearest to the ensemble's."""

    condition = "plain_network"
    title = "Control: one plain network"

    def _draw(self, grown: dict[str, Any]) -> torch.nn.Module:
        self.depth = max(1, grown["deepest"])
        self.width = plain_width(self.space.inputs, self.space.shape.classes, self.depth, grown["parameters"])
        return mlp_network.MLPNetwork(self.space.inputs, (self.width,) * self.depth, "tanh", False, self.space.shape.classes)

    def describe(self) -> str:
        layers = "layer" if self.depth == 1 else "layers"
        return f"One plain network, {self.depth} hidden {layers} of {self.width} units"


class RandomDepths(BoostingControl):
    """As many subnetworks of the same width as the ensemble has, of random depths no deeper than its deepest (at least 1), trained
    together with their mixture weights."""

    condition = "random_depths"
    title = "Control: random depths"

    def _draw(self, grown: dict[str, Any]) -> torch.nn.Module:
        deepest = max(1, grown["deepest"])
        # Its place in the stream of the phase's own generator: equal on every build, also on a rebuild for a checkpoint.
        members = [Subnet(self.context.rng.randint(0, deepest), self.options.width) for _ in range(grown["subnetworks"])]
        self.depths = [member.depth for member in members]
        subnetworks = [ensemble_network.build_subnetwork(self.space, members, place) for place in range(len(members))]
        return ensemble_network.EnsembleNetwork(subnetworks, (1.0,) * len(members), self.space.outputs)

    def describe(self) -> str:
        return f"Subnetworks of random depths {', '.join(map(str, self.depths))}, trained together"


def plain_width(inputs: int, classes: int, depth: int, parameters: int) -> int:
    """The width of `depth` hidden layers whose number of weights and biases is nearest to `parameters`."""

    def count(width: int) -> int:
        return (inputs + 1) * width + (depth - 1) * (width + 1) * width + (width + 1) * classes

    low, high = 1, LARGEST_WIDTH
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if count(middle) < parameters else (low, middle)
    return min((max(1, low - 1), low), key=lambda width: abs(count(width) - parameters))


CONTROLS: dict[ControlName, type[BoostingControl]] = {"plain_network": PlainNetwork, "random_depths": RandomDepths}
