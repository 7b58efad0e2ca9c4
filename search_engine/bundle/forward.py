"""A recorded forward pass as readable Python: the body of a module's `forward`."""

from __future__ import annotations

import re
from typing import Any

from torch import nn
from torch.nn import functional as F

from .errors import BundleError
from .recording import BatchSize, Frame, Statement, Tree, Value

LONGEST = 100
"""A nested expression longer than this gets lines of its own."""

_ATOM, _POWER, _UNARY, _PRODUCT, _SUM, _COMPARISON = range(6)
_OPERATORS = {
    "add": ("+", _SUM), "sub": ("-", _SUM), "mul": ("*", _PRODUCT), "truediv": ("/", _PRODUCT), "div": ("/", _PRODUCT),
    "matmul": ("@", _PRODUCT), "pow": ("**", _POWER), "gt": (">", _COMPARISON), "lt": ("<", _COMPARISON),
    "ge": (">=", _COMPARISON), "le": ("<=", _COMPARISON), "eq": ("==", _COMPARISON),
}
_NOUNS = {"add": "total", "cat": "joined", "stack": "stacked", "getitem": "part", "mul": "product", "sub": "difference", "pad": "padded"}


def child_path(module: nn.Module, path: str) -> str:
    """How `self` reaches the child `path`: attributes, list positions, dict keys."""
    text, current = "self", module
    for part in path.split("."):
        if isinstance(current, nn.ModuleDict):
            text += f'["{part}"]'
        elif isinstance(current, nn.ModuleList | nn.Sequential):
            text += f"[{part}]"
        else:
            text += f".{part}"
        current = getattr(current, part) if not isinstance(current, nn.ModuleDict) else current[part]
    return text


def write_forward(frame: Frame) -> list[str]:
    """The lines of `def forward(...)`, indented for a class body."""
    return _Writer(frame).lines()


class _Writer:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._uses: dict[int | str, list[int]] = {}
        self._paths: dict[int | str, list[tuple[int | str, ...]]] = {}
        for number, statement in enumerate(frame.statements):
            self._count((statement.args, statement.kwargs), number)
        self._count(frame.output, len(frame.statements))
        self._selected = {number: paths[0] for number, paths in self._paths.items() if len(set(paths)) == 1}
        self._names: dict[int | str, str] = {name: name for name in frame.inputs}
        self._taken = set(self._names) | {"self"}
        self._inlined: dict[int, tuple[str, int]] = {}

    def _count(self, tree: Tree, number: int) -> None:
        if isinstance(tree, Value):
            self._uses.setdefault(tree.origin, []).append(number)
            if isinstance(tree.origin, int):
                self._paths.setdefault(tree.origin, []).append(tree.path)
        elif isinstance(tree, BatchSize):
            self._uses.setdefault(next(iter(self._frame.inputs)), []).append(number)
        elif isinstance(tree, slice):
            self._count((tree.start, tree.stop, tree.step), number)
        elif isinstance(tree, list | tuple | dict):
            for item in tree.values() if isinstance(tree, dict) else tree:
                self._count(item, number)

    def lines(self) -> list[str]:
        arguments = ", ".join(f"{name}: {_annotation(tree)}" for name, tree in self._frame.inputs.items())
        result = _annotation(self._frame.output)
        lines = [f"    def forward(self, {arguments}) -> {result}:"]
        for number, statement in enumerate(self._frame.statements):
            if number not in self._uses:
                continue
            text, rank = self._call(statement)
            # Where one element of a list is all that is used, only that one is kept.
            text += _accessors(self._selected.get(number, ()))
            if self._may_inline(number, text):
                self._inlined[number] = (text, rank)
                continue
            name = self._choose_name(number, statement)
            lines.append(f"        {name} = {_broken(text, len(name))}")
            self._names[number] = name
        lines.append(f"        return {self._text(self._frame.output)}")
        return lines

    # ---- names

    def _may_inline(self, number: int, text: str) -> bool:
        users = self._uses[number]
        if len(users) != 1 or len(text) > LONGEST:
            return False
        if users[0] == len(self._frame.statements):
            return isinstance(self._frame.output, Value)
        # A chain of layers reads better one to a line.
        return not (self._frame.statements[number].is_module and self._frame.statements[users[0]].is_module)

    def _choose_name(self, number: int, statement: Statement) -> str:
        output = self._frame.output
        if isinstance(output, list | tuple) and Value(number) in output:
            return self._new_name(f"node_{list(output).index(Value(number))}")
        first = statement.args[0] if statement.args else None
        if isinstance(first, list) and len(first) == 1:
            first = first[0]
        only = _tensors((statement.args, statement.kwargs)) == 1
        if only and isinstance(first, Value) and self._is_single(first) and self._is_last_use(first.origin, number):
            # The last use of a variable hands its name on: x = self.stem(x).
            return self._names[first.origin]
        if statement.is_module:
            return self._new_name(re.sub(r"\W+", "_", statement.callee))
        noun = _bare(statement.callee)
        return self._new_name(_NOUNS.get(noun, noun))

    def _is_single(self, value: Value) -> bool:
        """Whether the value's variable holds one tensor."""
        return value.origin in self._names and value.path == self._selected.get(value.origin, ())

    def _is_last_use(self, origin: int | str, number: int) -> bool:
        """Whether nothing after statement `number` reads the variable, also no expression that waits to be written into a later one."""
        name = re.compile(rf"\b{self._names[origin]}\b")
        waiting = [text for inlined, (text, _) in self._inlined.items() if self._uses[inlined][0] > number]
        return max(self._uses[origin]) <= number and not any(name.search(text) for text in waiting)

    def _new_name(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name

    # ---- expressions

    def _call(self, statement: Statement) -> tuple[str, int]:
        rest = [f"{name}={self._text(item)}" for name, item in statement.kwargs.items()]
        if statement.is_module:
            arguments = [self._text(item) for item in statement.args] + rest
            return f"{child_path(self._frame.module, statement.callee)}({', '.join(arguments)})", _ATOM
        name = statement.callee
        if name.endswith(".__get__"):
            return f"{self._operand(statement.args[0], _ATOM)}.{name.split('.')[-2]}", _ATOM
        if name.startswith("torch.Tensor."):
            return self._method(_bare(name), statement.args, rest)
        if name == "torch.nn.functional.pad":
            # torch fills these in; written out they say nothing.
            rest = [item for item in rest if item not in ("mode='constant'", "value=None")]
        arguments = [self._text(item) for item in statement.args] + rest
        return f"{_function(name)}({', '.join(arguments)})", _ATOM

    def _method(self, name: str, args: list[Tree], rest: list[str]) -> tuple[str, int]:
        if name == "getitem":
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            return f"{self._operand(args[0], _ATOM)}[{', '.join(self._index(item) for item in index)}]", _ATOM
        if name == "neg":
            return f"-{self._operand(args[0], _UNARY)}", _UNARY
        reverse = name[1:] if name.startswith("r") and name[1:] in _OPERATORS else ""
        if (name in _OPERATORS or reverse) and len(args) == 2 and not rest:
            left, right = (args[1], args[0]) if reverse else (args[0], args[1])
            sign, rank = _OPERATORS[reverse or name]
            # Left-associative: a right operand of equal rank keeps its brackets, for equal rounding.
            return f"{self._operand(left, rank)} {sign} {self._operand(right, rank - 1)}", rank
        arguments = [self._text(item) for item in args[1:]] + rest
        return f"{self._operand(args[0], _ATOM)}.{name}({', '.join(arguments)})", _ATOM

    def _operand(self, tree: Tree, loosest: int) -> str:
        text, rank = self._expression(tree)
        return text if rank <= loosest else f"({text})"

    def _text(self, tree: Tree) -> str:
        return self._expression(tree)[0]

    def _expression(self, tree: Tree) -> tuple[str, int]:
        if isinstance(tree, Value):
            return self._value(tree)
        if isinstance(tree, BatchSize):
            return f"{next(iter(self._frame.inputs))}.shape[0]", _ATOM
        if isinstance(tree, list | tuple):
            whole = self._whole_list(tree)
            if whole:
                return whole, _ATOM
            inner = ", ".join(self._text(item) for item in tree)
            if isinstance(tree, list):
                return f"[{inner}]", _ATOM
            return f"({inner}{',' if len(tree) == 1 else ''})", _ATOM
        if tree is None or isinstance(tree, bool | int | float | str):
            return repr(tree), _UNARY if isinstance(tree, int | float) and tree < 0 else _ATOM
        if str(tree).startswith("torch."):
            return str(tree), _ATOM
        raise BundleError(f"{type(self._frame.module).__name__} computes with {tree!r}, which cannot be written as code")

    def _value(self, value: Value) -> tuple[str, int]:
        path = () if value.origin in self._selected else value.path
        if isinstance(value.origin, int) and value.origin in self._inlined:
            text, rank = self._inlined[value.origin]
            return (text + _accessors(path), _ATOM) if path else (text, rank)
        if value.origin in self._names:
            return self._names[value.origin] + _accessors(path), _ATOM
        return child_path(self._frame.module, str(value.origin).removeprefix("self.")), _ATOM

    def _whole_list(self, items: Any) -> str:
        """The variable whose list this is, element for element; else empty."""
        first = items[0] if items else None
        if not isinstance(first, Value) or not first.path or first.origin in self._selected:
            return ""
        whole = [Value(first.origin, (place,)) for place in range(len(items))]
        if list(items) != whole or self._length(first.origin) != len(items):
            return ""
        return self._value(Value(first.origin))[0]

    def _length(self, origin: int | str) -> int | None:
        if isinstance(origin, int):
            return self._frame.statements[origin].results
        given = self._frame.inputs.get(origin)
        return len(given) if isinstance(given, list | tuple) else None

    def _index(self, item: Any) -> str:
        if item is Ellipsis:
            return "..."
        if isinstance(item, slice):
            start, stop, step = ("" if part is None else self._text(part) for part in (item.start, item.stop, item.step))
            return f"{start}:{stop}" + (f":{step}" if step else "")
        return self._text(item)


def _tensors(tree: Tree) -> int:
    """How many tensors stand in a tree."""
    if isinstance(tree, list | tuple | dict):
        return sum(_tensors(item) for item in (tree.values() if isinstance(tree, dict) else tree))
    return isinstance(tree, Value)


def _broken(text: str, before: int) -> str:
    """A long sum, one term to a line."""
    if before + len(text) <= LONGEST + 10:
        return text
    depth, terms = 0, [""]
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and text[place : place + 3] == " + ":
            terms.append("")
        terms[-1] += character
    if len(terms) == 1:
        return text
    return "(\n" + "\n".join(f"            {term.strip()}" for term in terms) + "\n        )"


def _annotation(tree: Tree) -> str:
    return "torch.Tensor" if isinstance(tree, Value) else "list[torch.Tensor]"


def _accessors(path: tuple[int | str, ...]) -> str:
    return "".join(f"[{part!r}]" for part in path)


def _bare(name: str) -> str:
    """The last part of a function's name without underscores of operators: `torch.Tensor.__iadd__` -> `add`."""
    last = name.rsplit(".", 1)[-1]
    if last.startswith("__") and last.endswith("__"):
        last = last[2:-2]
        if last.startswith("i") and last[1:] in _OPERATORS:
            last = last[1:]
    return last


def _function(name: str) -> str:
    last = name.rsplit(".", 1)[-1]
    if name.startswith("torch.nn.functional.") or (name.startswith("torch._C") and hasattr(F, last)):
        return f"F.{last}"
    if re.fullmatch(r"torch(\.(special|linalg|fft))?\.[a-z]\w*", name):
        return name
    raise BundleError(f"the call of {name} cannot be written as code")
