"""Multilayer perceptrons with their training: architecture and training hyper-parameters are decided together.

The default decisions are the number of hidden layers, a width for each (inactive beyond that number), one activation, batch
normalisation, the optimiser, a learning rate from the chosen optimiser's own scale (the others' are inactive), and the epochs.
`preset = "seed004"` is the example of Maziarz's Auto-ML slides instead: one hidden layer, its size, activation, batch normalisation,
optimiser, initialisation with pretrained weights or not, epochs; 3 x 3 x 2 x 3 x 2 x 3 = 324 models.

A layer computes activation(norm(W x + b)); with batch normalisation b is left out, since the norm has its own (Ioffe and Szegedy 2015,
section 3.2). Images are flattened.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..base.errors import BadInput
from ..base.works_with import WorksWith, one_of
from .base import SpaceConfig, SpaceEntry
from .decision_space import DecisionSpace
from .decisions import Decision, DecisionList
from .genomes import Genome

if TYPE_CHECKING:
    import networkx as nx

WIDTHS = ("16", "32", "64", "128", "256")
ACTIVATIONS = ("relu", "tanh", "sigmoid")
YES_NO = ("no", "yes")
OPTIMIZERS = ("sgd", "adam", "adagrad")
LEARNING_RATES = {
    # A factor of about three to either side of what each optimiser is commonly started with; SGD is the trainer's, with momentum 0.9.
    "sgd": ("0.01", "0.03", "0.1"),
    "adam": ("0.0003", "0.001", "0.003"),
    "adagrad": ("0.003", "0.01", "0.03"),
}
EPOCHS = ("5", "10", "20")

PRESET_WIDTHS = ("64", "256", "1024")
PRESET_ACTIVATIONS = ("tanh", "sigmoid", "relu")
PRESET_EPOCHS = ("25", "50", "100")
PRESET_RATES = {"sgd": 0.03, "adam": 0.001, "adagrad": 0.01}
"""The slides leave the learning rate open: the middle of the default decisions."""

RATE_FALL = 100.0
"""How far the cosine schedule lowers a genome's learning rate until the last step."""


class MLPConfig(SpaceConfig):
    """Options of the perceptron space."""

    works_with: ClassVar[WorksWith] = {"pretraining_epochs": {"pretraining": one_of(True)}}

    preset: Literal["default", "seed004"] = Field(
        default="default", title="Decisions",
        description="default: layers, widths, activation, batch normalisation, optimiser, learning rate and epochs. seed004: the 324 "
        "models of Maziarz's Auto-ML slides (hidden layer 64/256/1024, tanh/sigmoid/ReLU, batch norm, SGD/Adam/AdaGrad, "
        "pretrained initialisation, 25/50/100 epochs).",
    )
    max_layers: int = Field(default=3, ge=1, le=6, title="Most hidden layers", description="Genomes have 1 to this many hidden layers.")
    shared_width: bool = Field(
        default=False, title="One width for all layers", description="Decide one width for all hidden layers instead of one for each."
    )
    pretraining: bool = Field(
        default=False, title="Decide on pretraining",
        description="Also decide whether the hidden layers start from weights that were pretrained as auto-encoders, without labels.",
    )
    pretraining_epochs: int = Field(
        default=5, ge=1, le=1000, title="Pretraining epochs",
        description="Passes over the training inputs for each hidden layer of a genome that asks for pretraining; they are paid for.",
    )
    epochs_divisor: int = Field(
        default=1, ge=1, le=100, title="Divide epochs by",
        description="A genome's epochs are divided by this (at least one remains), for quick looks; 1 = as the genome says.",
    )

    @model_validator(mode="after")
    def _preset_is_fixed(self) -> Self:
        for name in ("max_layers", "shared_width", "pretraining"):
            if self.preset == "seed004" and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"the preset 'seed004' fixes the decisions: leave out {name}")
        return self


class MLPSpace(DecisionSpace[MLPConfig]):
    """See the module's docstring. Content: decision key -> label, for example `{"layers": "1", "width1": "64", ...}`."""

    id: ClassVar[str] = "mlp"

    @cached_property
    def _decisions(self) -> DecisionList:
        return DecisionList(_preset() if self.config.preset == "seed004" else _default(self.config))

    @property
    def decisions(self) -> DecisionList:
        return self._decisions

    # ---- what a genome means

    def widths(self, genome: Genome) -> tuple[int, ...]:
        """Widths of the hidden layers, the first one first."""
        content = genome.content
        layers = int(content.get("layers", "1"))
        return tuple(int(content.get("width") or content[f"width{layer}"]) for layer in range(1, layers + 1))

    def activation(self, genome: Genome) -> str:
        return str(genome.content["activation"])

    def batch_norm(self, genome: Genome) -> bool:
        return bool(genome.content["batch_norm"] == "yes")

    def pretrained(self, genome: Genome) -> bool:
        """Whether its hidden layers are pretrained."""
        return genome.content.get("pretrained") == "yes"

    def training_of(self, genome: Genome) -> dict[str, Any]:
        """`optimizer`, `learning_rate` with the end of its schedule, and `epochs`."""
        optimizer = genome.content["optimizer"]
        rate = float(genome.content.get(f"learning_rate_{optimizer}", PRESET_RATES[optimizer]))
        return {
            "optimizer": optimizer,
            "learning_rate": rate,
            "final_learning_rate": rate / RATE_FALL,
            "epochs": max(1, int(genome.content["epochs"]) // self.config.epochs_divisor),
        }

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """`hidden=64-256 activation=relu batch_norm=yes optimizer=adam learning_rate=0.001 epochs=20`: what was decided, in order."""
        parts = [f"hidden={'-'.join(map(str, self.widths(genome)))}"]
        for decision in self.decisions:
            if decision.key in genome.content and decision.kind not in ("layers", "width"):
                parts.append(f"{decision.kind}={genome.content[decision.key]}")
        return " ".join(parts)

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        pairs = dict(part.partition("=")[::2] for part in text.split())
        widths = pairs.pop("hidden", "").split("-")
        content: dict[str, str] = {}
        for decision in self.decisions:
            if decision.kind == "layers":
                content[decision.key] = str(len(widths))
            elif decision.kind == "width":
                layer = int(decision.key.removeprefix("width") or 1)
                content |= {decision.key: widths[layer - 1]} if layer <= len(widths) else {}
            elif decision.kind == "learning_rate":
                content |= {decision.key: pairs.get("learning_rate", "")} if decision.key.endswith(pairs.get("optimizer", "?")) else {}
            else:
                content[decision.key] = pairs.get(decision.kind, "")
        genome = Genome(self.id, content)
        self.validate(genome)
        if self.to_string(genome) != text.strip():
            raise BadInput("genome", f"a perceptron is written like this: {self.to_string(genome)}")
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """A chain: the input, the hidden layers, the classes."""
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph(training=self.training_of(genome) | {"pretrained": self.pretrained(genome)})
        graph.add_node("input", label=" x ".join(map(str, self.shape.input)), kind="input")
        before = "input"
        for layer, width in enumerate(self.widths(genome), start=1):
            label = f"{width} {self.activation(genome)}{', norm' if self.batch_norm(genome) else ''}"
            graph.add_node(f"hidden{layer}", label=label, kind="hidden")
            graph.add_edge(before, f"hidden{layer}", key="linear", operation="linear")
            before = f"hidden{layer}"
        graph.add_node("output", label=self._outputs, kind="output")
        graph.add_edge(before, "output", key="linear", operation="linear")
        return graph

    @property
    def _outputs(self) -> str:
        count = self.shape.classes
        return f"{count} classes" if self.task == "classification" else "1 value" if count == 1 else f"{count} values"

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The chain with what each layer is, and at its end what the training is."""
        graph = self.to_graph(genome)
        for node, data in graph.nodes(data=True):
            data["match"] = self.to_string(genome) if node == "output" else f"{data['kind']} {data['label']}"
        return graph


def _always(key: str, title: str, choices: tuple[str, ...], kind: str = "") -> Decision:
    return Decision(key=key, title=title, kind=kind or key, choices=choices)


def _default(config: MLPConfig) -> list[Decision]:
    layers = tuple(str(count) for count in range(1, config.max_layers + 1))
    decisions = [_always("layers", "Hidden layers", layers)]
    if config.shared_width:
        decisions.append(_always("width", "Width of the hidden layers", WIDTHS))
    else:
        for layer in range(1, config.max_layers + 1):
            enough = frozenset(range(layer - 1, config.max_layers))
            title = f"Width of hidden layer {layer}"
            decisions.append(Decision(f"width{layer}", title, "width", WIDTHS, when=None if layer == 1 else ("layers", enough)))
    decisions += [
        _always("activation", "Activation", ACTIVATIONS),
        _always("batch_norm", "Batch normalisation", YES_NO),
        _always("optimizer", "Optimiser", OPTIMIZERS),
    ]
    for place, name in enumerate(OPTIMIZERS):
        # One kind: low, middle and high mean the same on each optimiser's scale.
        title, condition = f"Learning rate of {name}", ("optimizer", frozenset({place}))
        decisions.append(Decision(f"learning_rate_{name}", title, "learning_rate", LEARNING_RATES[name], when=condition))
    if config.pretraining:
        decisions.append(_always("pretrained", "Start from pretrained weights", YES_NO))
    return [*decisions, _always("epochs", "Training epochs", EPOCHS)]


def _preset() -> list[Decision]:
    return [
        _always("width", "Hidden layer size", PRESET_WIDTHS),
        _always("activation", "Activation function", PRESET_ACTIVATIONS),
        _always("batch_norm", "Use batch norm", YES_NO),
        _always("optimizer", "Optimiser", OPTIMIZERS),
        _always("pretrained", "Initialise with pretrained weights", YES_NO),
        _always("epochs", "Training epochs", PRESET_EPOCHS),
    ]


ENTRY = SpaceEntry(
    id="mlp",
    title="Perceptrons and their training",
    description="Multilayer perceptrons for vectors and (flattened) images: layers, widths, activation, batch normalisation, optimiser, "
    "learning rate and epochs are searched together.",
    source="the table 'a simple search space' of K. Maziarz's Auto-ML slides, widened; Bengio et al., NIPS 2006 (pretraining)",
    config=MLPConfig,
    space=MLPSpace,
    offers=MLPSpace.offers,
    inputs=frozenset({"image", "vector", "series"}),
    tasks=frozenset({"classification", "regression"}),
    idle={
        **dict.fromkeys(
            ("epochs", "steps", "optimizer", "learning_rate", "final_learning_rate"), "every candidate decides it for itself"
        ),
        **dict.fromkeys(("channels", "layers"), "every candidate decides how wide and how deep it is"),
    },
    builder="search_engine.supernets.mlp_network:build",
    initialiser="search_engine.supernets.mlp_pretraining:pretrain",
)
