"""How a module is constructed, as a tree: torch's own layers by their arguments, other modules by reference.

The arguments of a layer are read back from its attributes, which in torch carry the names of the constructor's parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from .errors import BundleError
from .recording import is_layer


@dataclass(frozen=True)
class Literal:
    """A constant argument. `name` is the parameter's, `default` its default where it may be left out."""

    value: Any
    name: str
    keyword: bool = False
    default: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Construction:
    """`head(...)` with prefixed items; `own` instead of a head where the module's class is written out in the bundle."""

    head: str
    items: tuple[tuple[str, Literal | Construction], ...]
    brackets: str = "()"
    own: nn.Module | None = None


def construction(module: nn.Module) -> Construction:
    """Raises BundleError for a layer that cannot be written down."""
    if not is_layer(module):
        return Construction("", (), own=module)
    head = f"nn.{type(module).__name__}"
    if getattr(nn, type(module).__name__, None) is not type(module):
        raise BundleError(f"a layer of type {type(module).__name__} cannot be written as code")
    if isinstance(module, nn.Sequential):
        if all(name.isdigit() for name in module._modules):
            return Construction(head, tuple(("", construction(child)) for child in module))
        raise BundleError("a Sequential with named layers cannot be written as code")
    if isinstance(module, nn.ModuleList):
        inner = Construction("", tuple(("", construction(child)) for child in module), "[]")
        return Construction(head, (("", inner),))
    if isinstance(module, nn.ModuleDict):
        inner = Construction("", tuple((f'"{name}": ', construction(child)) for name, child in module.items()), "{}")
        return Construction(head, (("", inner),))
    return Construction(head, tuple(_arguments(module)))


def _parameters(kind: type[nn.Module]) -> tuple[inspect.Parameter, ...]:
    skipped = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return tuple(item for item in found if item.kind not in skipped and item.name not in ("device", "dtype"))


def _arguments(module: nn.Module) -> Iterator[tuple[str, Literal]]:
    for parameter in _parameters(type(module)):
        name, default = parameter.name, parameter.default
        if name == "bias":
            value: Any = getattr(module, "bias", None) is not None
            # Without affine weights there is no bias whatever the argument says.
            value = value or getattr(module, "affine", True) is False or getattr(module, "elementwise_affine", True) is False
        elif hasattr(module, name):
            value = getattr(module, name)
        elif default is None:
            # A deprecated alias that torch does not keep; if it ever matters, the written code differs and is refused.
            continue
        else:
            raise BundleError(f"the argument '{name}' of a {type(module).__name__} cannot be read back")
        value = _plain(value, default, sides=name in _SIDES)
        if not isinstance(value, bool | int | float | str | tuple | None):
            raise BundleError(f"the argument '{name}' of a {type(module).__name__} cannot be written as code")
        required = default is inspect.Parameter.empty
        yield "", Literal(value, name, keyword=not required, default=default)


_SIDES = ("kernel_size", "stride", "padding", "dilation")


def _plain(value: Any, default: Any, *, sides: bool) -> Any:
    """(3, 3) -> 3, as people write it, and (3,) -> 3 where it is a side of a kernel or the like."""
    if isinstance(value, list | tuple):
        items = tuple(value)
        return items[0] if len(set(items)) == 1 and not isinstance(default, tuple) and (sides or len(items) > 1) else items
    return value
