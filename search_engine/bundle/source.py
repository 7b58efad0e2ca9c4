"""`model.py`: one network as readable code that needs torch alone.

Every module class of the network that is not torch's own becomes a class of the file. What it computes is what one forward pass of it
was seen to compute (`recording`, `forward`), so loops over genomes become plain statements; what it consists of is read from the
module tree (`layers`). Modules that differ in numbers only share one class, whose constructor takes those numbers. Attribute names are
the network's, so its state fits. A module may carry `source_name`, the wanted name of its class.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from .errors import BundleError
from .forward import write_forward
from .layers import Construction, Literal, construction
from .printing import Printed
from .recording import is_layer, record

_SHORT = {"in_channels": "channels_in", "out_channels": "channels_out", "num_features": "channels", "in_features": "features_in",
          "out_features": "features_out", "kernel_size": "kernel"}

_FUNCTIONS = '''def build_model() -> nn.Module:
    """The network with fresh weights."""
    return NETWORK()


def load_model(weights: Path = Path(__file__).with_name("model.safetensors")) -> nn.Module:
    """The trained network, ready to use: from normalised inputs (see preprocessing.json) to logits, values or reconstructions."""
    from safetensors.torch import load_file

    model = build_model()
    model.load_state_dict(load_file(weights))
    return model.eval()
'''


@dataclass
class _Definition:
    """One class of the file: the modules that share it, and which of its numbers are arguments."""

    modules: list[nn.Module]
    forward: list[str]
    name: str = ""
    parameters: list[str] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    """For each parameter, the first of the constants that it stands for."""
    of_constant: dict[int, str] = field(default_factory=dict)
    """Which constants are parameters, and of which name."""


def write_model(network: nn.Module, shape: tuple[int, ...], description: str) -> str:
    """The text of `model.py`. `shape` is one example's, `description` goes into the file's docstring.

    The file defines the classes and `build_model()`; the network's state dict (see `model_state`) fits what that returns. The network
    must lie on the CPU and have a class of its own (`as_network`). Raises BundleError where it cannot be written down.
    """
    return _Source(network, shape).text(description)


def model_state(network: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and all buffers by name, on the CPU, contiguous, each with memory of its own."""
    tensors = [*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)]
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors}


class _Source:
    def __init__(self, network: nn.Module, shape: tuple[int, ...]) -> None:
        self._network = network
        self._frames = record(network, shape)
        self._definitions: list[_Definition] = []
        self._of: dict[nn.Module, _Definition] = {}
        self._keys: dict[nn.Module, Any] = {}
        self._group()
        for definition in self._definitions:
            self._settle(definition)

    # ---- which modules share a class

    def _group(self) -> None:
        by_key: dict[Any, _Definition] = {}
        names: dict[str, int] = {}
        for module in _children_first(self._network):
            if is_layer(module):
                continue
            if module not in self._frames:
                raise BundleError(f"{type(module).__name__} is part of the network but takes no part in its computation")
            forward = write_forward(self._frames[module])
            key = (_title(module), tuple(forward), tuple((name, self._shape(item)) for name, item in _attributes(module)))
            self._keys[module] = key
            if key not in by_key:
                title = _title(module)
                names[title] = names.get(title, 0) + 1
                by_key[key] = _Definition([], forward, title if names[title] == 1 else f"{title}{names[title]}")
                self._definitions.append(by_key[key])
            by_key[key].modules.append(module)
            self._of[module] = by_key[key]

    def _shape(self, item: Literal | Construction) -> Any:
        """What must be equal in modules of one class: everything but the constants' values."""
        if isinstance(item, Literal):
            return item.name
        if item.own is not None:
            return ("own", self._keys[item.own])
        return (item.head, item.brackets, tuple((prefix, self._shape(part)) for prefix, part in item.items))

    def _constants(self, module: nn.Module) -> list[Literal]:
        """The constants in the constructor of `module`'s class, in order, with the arguments that it gives to classes of the file."""
        return [constant for _, item in _attributes(module) for constant in self._constants_of(item)]

    def _constants_of(self, item: Literal | Construction) -> Iterator[Literal]:
        if isinstance(item, Literal):
            yield item
        elif item.own is not None:
            definition = self._of[item.own]
            given = self._constants(item.own)
            for name, column in zip(definition.parameters, definition.columns, strict=True):
                yield Literal(given[column].value, name)
        else:
            for _, part in item.items:
                yield from self._constants_of(part)

    def _settle(self, definition: _Definition) -> None:
        """Constants in which the class's modules differ become parameters; equal columns share one."""
        rows = [self._constants(module) for module in definition.modules]
        by_values: dict[tuple[Any, ...], str] = {}
        for place in range(len(rows[0])):
            values = tuple(row[place].value for row in rows)
            if all(value == values[0] for value in values):
                continue
            if values not in by_values:
                wanted = self._wanted(values, rows)
                name, count = wanted, 1
                while name in definition.parameters:
                    count += 1
                    name = f"{wanted}_{count}"
                by_values[values] = name
                definition.parameters.append(name)
                definition.columns.append(place)
            definition.of_constant[place] = by_values[values]

    @staticmethod
    def _wanted(values: tuple[Any, ...], rows: list[list[Literal]]) -> str:
        """A name for the constants with these values: `channels` where they go in and come out, else the first one's own."""
        names = [rows[0][place].name for place in range(len(rows[0])) if tuple(row[place].value for row in rows) == values]
        if {"in_channels", "out_channels"} <= set(names):
            return "channels"
        return _SHORT.get(names[0], names[0])

    # ---- text

    def text(self, description: str) -> str:
        main = self._of[self._network]
        classes = "\n\n\n".join(self._class(item) for item in self._definitions)
        imports = "import torch\nfrom torch import nn"
        if re.search(r"\bF\.", classes):
            imports += "\nfrom torch.nn import functional as F"
        parts = [f'"""{description}\n"""', "from __future__ import annotations", "from pathlib import Path", imports]
        return "\n\n".join(parts) + f"\n\n\n{classes}\n\n\n" + _FUNCTIONS.replace("NETWORK", main.name)

    def _class(self, definition: _Definition) -> str:
        module = definition.modules[0]
        arguments = "".join(f", {name}: int" for name in definition.parameters)
        lines = [f"class {definition.name}(nn.Module):"]
        about = _about(module)
        if about:
            lines += [f'    """{about}"""', ""]
        attributes = _attributes(module)
        if attributes:
            lines += [f"    def __init__(self{arguments}) -> None:", "        super().__init__()"]
        constants = iter(enumerate(self._constants(module)))
        for name, item in attributes:
            lines.append(_assignment(name, self._printed(item, constants, definition)))
        if attributes:
            lines.append("")
        return "\n".join([*lines, *definition.forward])

    def _printed(self, item: Literal | Construction, constants: Iterator[tuple[int, Literal]], definition: _Definition) -> Printed | str:
        if isinstance(item, Literal):
            return _constant(next(constants), definition)
        if item.own is not None:
            child = self._of[item.own]
            return Printed(child.name, tuple(("", _constant(next(constants), definition)) for _ in child.parameters))
        items: list[tuple[str, str | Printed]] = []
        for prefix, part in item.items:
            if not isinstance(part, Literal):
                items.append((prefix, self._printed(part, constants, definition)))
                continue
            place, literal = next(constants)
            if place not in definition.of_constant and part.keyword and _same(literal.value, part.default):
                continue
            items.append((f"{part.name}=" if part.keyword else prefix, _constant((place, literal), definition)))
        return Printed(item.head, tuple(items), item.brackets)


def as_network(network: nn.Module) -> nn.Module:
    """`network` as it is written down: what it gives for that itself (`for_export`, a network that computes the same without what only
    training needs), with a class of its own around it where it is a bare layer of torch's (`write_model` needs one to write out)."""
    plain = getattr(network, "for_export", None)
    if plain is not None:
        network = plain()
    return _Wrapped(network) if is_layer(network) else network


class _Wrapped(nn.Module):
    source_name = "Network"

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layers(x)
        return result


def _children_first(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        yield from _children_first(child)
    yield module


def _title(module: nn.Module) -> str:
    return str(getattr(module, "source_name", type(module).__name__))


def _about(module: nn.Module) -> str:
    """The first paragraph of the class's own description, without quotes that would end it."""
    text = inspect.getdoc(type(module)) or "" if type(module).__doc__ else ""
    first = " ".join(text.split("\n\n")[0].split())
    return first.replace("\\", "\\\\").replace('"""', "'''")


def _attributes(module: nn.Module) -> list[tuple[str, Construction]]:
    """Children, parameters and buffers in the order of registration."""
    found = [(name, construction(child)) for name, child in module._modules.items() if child is not None]
    for name, parameter in module._parameters.items():
        if parameter is not None:
            found.append((name, Construction("nn.Parameter", (("", _empty(parameter)),))))
    for name, buffer in module._buffers.items():
        if buffer is not None:
            found.append((f"buffer:{name}", _empty(buffer)))
    return found


def _empty(tensor: torch.Tensor) -> Construction:
    items: list[tuple[str, Literal | Construction]] = [("", Literal(tuple(tensor.shape), "shape"))]
    head = "torch.empty" if tensor.dtype == torch.float32 else f"torch.empty_{str(tensor.dtype).removeprefix('torch.')}"
    return Construction(head, tuple(items))


def _assignment(name: str, item: Printed | str) -> str:
    if name.startswith("buffer:"):
        before = f'        self.register_buffer("{name.removeprefix("buffer:")}", '
        return before + _typed(item, len(before)) + ")"
    before = f"        self.{name} = "
    return before + _typed(item, len(before))


def _typed(item: Printed | str, before: int) -> str:
    text = item if isinstance(item, str) else item.render(8, before)
    for dtype in ("float64", "int64", "int32", "bool", "uint8"):
        start = f"torch.empty_{dtype}("
        if text.startswith(start):
            return f"torch.empty({text.removeprefix(start)[:-1]}, dtype=torch.{dtype})"
    return text


def _constant(numbered: tuple[int, Literal], definition: _Definition) -> str:
    place, literal = numbered
    return definition.of_constant.get(place, repr(literal.value))


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
