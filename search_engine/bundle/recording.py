"""What each module of a network computes, seen in one forward pass.

A `TorchFunctionMode` sees every torch function that a module calls itself, hooks see every child that it calls; together they are the
module's forward, with loops over edges and choices of operations already carried out. The network runs on two batch sizes: a number
that follows the batch size is recognised and written as such, any other number that differs is refused.
"""

from __future__ import annotations

import inspect
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode, resolve_name

from .errors import BundleError

Tree = Any
"""Nested lists, tuples and dicts of constants, `Value` and `BatchSize`."""


@dataclass(frozen=True)
class Value:
    """A tensor: an input by its name or an own parameter or buffer (`origin` is text), a result by its statement's number."""

    origin: int | str
    path: tuple[int | str, ...] = ()
    """Where it stands inside a list or dict."""


@dataclass(frozen=True)
class BatchSize:
    """The number of examples, as a number."""


@dataclass
class Statement:
    """One call: of a child (`callee` is its path) or of a torch function (`callee` is the name by which torch resolves it)."""

    is_module: bool
    callee: str
    args: list[Tree]
    kwargs: dict[str, Tree]
    results: int | None = None
    """None for one tensor, else how many there are in a list."""


@dataclass
class Frame:
    """The forward pass of one module: named inputs (without those that were None), statements in order, output."""

    module: nn.Module
    inputs: dict[str, Tree] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    output: Tree = None


def is_layer(module: nn.Module) -> bool:
    """Whether torch itself brings the module's class."""
    return type(module).__module__.startswith("torch.nn.")


def record(network: nn.Module, shape: tuple[int, ...]) -> dict[nn.Module, Frame]:
    """The frame of every module of a network on the CPU that is not torch's own. `shape` is one example's.

    Raises BundleError where the computation cannot be written down.
    """
    first, second = (_Recorder(network).run(torch.zeros(size, *shape)) for size in (2, 3))
    for module, frame in first.items():
        _settle_batch_size(frame, second[module])
    return first


class _Open:
    """A frame that is being filled: which tensor objects are known under which value (kept alive, so that ids stay unique)."""

    def __init__(self, module: nn.Module) -> None:
        self.frame = Frame(module)
        self.children = {id(child): name for name, child in module.named_modules(remove_duplicate=False)}
        self._known: dict[int, tuple[Value, torch.Tensor]] = {}
        for name, tensor in [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]:
            self.learn(tensor, Value(f"self.{name}"))

    def learn(self, tensor: torch.Tensor, value: Value) -> None:
        self._known[id(tensor)] = (value, tensor)

    def learn_tree(self, tree: Any, origin: int | str, path: tuple[int | str, ...] = ()) -> None:
        """Know every tensor of a nested input or result."""
        if isinstance(tree, torch.Tensor):
            self.learn(tree, Value(origin, path))
        elif isinstance(tree, list | tuple | dict):
            for key, item in tree.items() if isinstance(tree, dict) else enumerate(tree):
                self.learn_tree(item, origin, (*path, key))

    def refer(self, tree: Any) -> Tree:
        """The tree with its tensors replaced by their values."""
        if isinstance(tree, torch.Tensor):
            if id(tree) not in self._known:
                name = type(self.frame.module).__name__
                raise BundleError(f"{name} computes with a tensor that is neither its input nor its parameter nor its buffer")
            return self._known[id(tree)][0]
        if isinstance(tree, list | tuple):
            return [self.refer(item) for item in tree] if isinstance(tree, list) else tuple(self.refer(item) for item in tree)
        if isinstance(tree, dict):
            return {key: self.refer(item) for key, item in tree.items()}
        return tree

    def add(self, statement: Statement, result: Any) -> None:
        statement.results = None if isinstance(result, torch.Tensor) else len(result)
        self.frame.statements.append(statement)
        self.learn_tree(result, len(self.frame.statements) - 1)


class _Recorder(TorchFunctionMode):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network
        self._frames: dict[nn.Module, Frame] = {}
        # One entry per running module; None inside a layer of torch's, whose own computation needs no writing.
        self._stack: list[_Open | None] = []
        # The statement of each running module in its caller, written when it is entered: then the caller still knows its arguments.
        self._calls: list[Statement | None] = []
        self._paused = False

    def run(self, inputs: torch.Tensor) -> dict[nn.Module, Frame]:
        was_training = self._network.training
        self._network.eval()
        with ExitStack() as stack:
            for module in self._network.modules():
                stack.callback(module.register_forward_pre_hook(self._enter, with_kwargs=True).remove)
                stack.callback(module.register_forward_hook(self._leave, with_kwargs=True).remove)
            stack.enter_context(torch.no_grad())
            stack.enter_context(self)
            self._network(inputs)
        self._network.train(was_training)
        return self._frames

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        caller = self._stack[-1] if self._stack else None
        self._calls.append(None if caller is None else _call(caller, module, args, kwargs))
        if is_layer(module):
            self._stack.append(None)
            return args, kwargs
        top = _Open(module)
        # Fresh objects, so that two inputs are told apart where the caller gives one tensor twice.
        args, kwargs = self._fresh(args), self._fresh(kwargs)
        for name, value in _named(module, args, kwargs).items():
            top.learn_tree(value, name)
            top.frame.inputs[name] = top.refer(value)
        self._stack.append(top)
        return args, kwargs

    def _fresh(self, tree: Any) -> Any:
        self._paused = True
        fresh = _views(tree)
        self._paused = False
        return fresh

    def _leave(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        if not _holds_tensor(output):
            kind = type(output).__name__
            raise BundleError(f"{type(module).__name__} returns {kind}: only tensors and lists of tensors can be written as code")
        # Fresh again, so that the output of an identity is told from its input.
        fresh = self._fresh(output)
        top = self._stack.pop()
        if top is not None:
            top.frame.output = top.refer(output)
            self._frames.setdefault(module, top.frame)
        call = self._calls.pop()
        caller = self._stack[-1] if self._stack else None
        if caller is not None and call is not None:
            caller.add(call, fresh)
        return fresh

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        top = self._stack[-1] if self._stack else None
        if top is not None and not self._paused and _holds_tensor(result):
            top.add(Statement(False, _name_of(func), top.refer(list(args)), top.refer(kwargs or {})), result)
        return result


def _name_of(func: Any) -> str:
    name = resolve_name(func)
    if name is None:
        raise BundleError(f"the call of {func!r} cannot be written as code")
    return str(name)


def _named(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a call by name, without those that are None."""
    given = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    return {name: value for name, value in given.items() if value is not None}


def _call(caller: _Open, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Statement:
    """The call of a child as its caller writes it; a generated `forward` takes what is not None, by position."""
    if id(module) not in caller.children:
        raise BundleError(f"{type(caller.frame.module).__name__} calls a module that is not its child")
    positional, named = (list(args), kwargs) if is_layer(module) else (list(_named(module, args, kwargs).values()), {})
    return Statement(True, caller.children[id(module)], caller.refer(positional), caller.refer(named))


def _holds_tensor(result: Any) -> bool:
    if isinstance(result, list | tuple):
        return bool(result) and all(isinstance(item, torch.Tensor) for item in result)
    return isinstance(result, torch.Tensor)


def _views(tree: Any) -> Any:
    """The tree with every tensor as another object on the same memory."""
    if isinstance(tree, torch.Tensor):
        return tree.view_as(tree)
    if isinstance(tree, list | tuple):
        return [_views(item) for item in tree] if isinstance(tree, list) else tuple(_views(item) for item in tree)
    if isinstance(tree, dict):
        return {key: _views(item) for key, item in tree.items()}
    return tree


def _settle_batch_size(frame: Frame, other: Frame) -> None:
    """Replace the numbers of `frame` (recorded on two examples) that follow the batch size, given the same on three."""
    name = type(frame.module).__name__
    if len(frame.statements) != len(other.statements):
        raise BundleError(f"{name} takes other steps for another batch size")
    for statement, twin in zip(frame.statements, other.statements, strict=True):
        if (statement.is_module, statement.callee) != (twin.is_module, twin.callee):
            raise BundleError(f"{name} takes other steps for another batch size")
        statement.args = _merged(statement.args, twin.args, name)
        statement.kwargs = _merged(statement.kwargs, twin.kwargs, name)
    frame.output = _merged(frame.output, other.output, name)


def _merged(first: Tree, second: Tree, name: str) -> Tree:
    if isinstance(first, list | tuple) and isinstance(second, list | tuple) and len(first) == len(second):
        items = [_merged(a, b, name) for a, b in zip(first, second, strict=True)]
        return items if isinstance(first, list) else tuple(items)
    if isinstance(first, dict) and isinstance(second, dict) and list(first) == list(second):
        return {key: _merged(first[key], second[key], name) for key in first}
    if first == second:
        return first
    if (first, second) == (2, 3):
        return BatchSize()
    raise BundleError(f"{name} computes with {first!r} on two examples and {second!r} on three: it cannot be written for any batch size")
