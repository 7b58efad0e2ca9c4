"""How much one unit of a run may need, and the refusal of a config whose unit needs more.

Bytes and FLOPs bound it, which are counted (`unit_needs`) and equal on every machine; seconds depend on the machine, so they only warn.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import BadInput
from ..base.memory import in_words, memory_here
from ..catalogue.config import CheckedRun
from ..catalogue.recipes import changes
from .unit_needs import Counted, Kind, Limits, UnitNeed, changed, kinds, need_of, unit_needs

RULE = 3
"""Rises when an equal config may be answered otherwise: what is counted of a unit, how it is forecast, what bounds it."""
CPU_FLOPS = 4e11
"""Of one unit, for each thread: about 15 s of one core that computes convolutions."""
CUDA_FLOPS = 1e14
LONG_SECONDS = 5.0
"""A unit that takes longer on this machine is spoken of before the start."""


@dataclass(frozen=True)
class Bounds:
    """What a unit may need at most. `memory` in bytes, the whole process counted."""

    memory: float
    flops: float
    source: str = "this machine has"
    """Whose memory it is, before "N GB"."""

    @staticmethod
    def of_this_process(checked: CheckedRun) -> Bounds:
        """Of a search from the command line: the memory of the machine (or container). NASCOPE_UNIT_FLOPS replaces the bound in FLOPs; 0 =
        none."""
        return Bounds(memory_here(), flops_bound(checked))


def flops_bound(checked: CheckedRun) -> float:
    """FLOPs that one unit may take on the run's device. Raises BadInput where the environment says something else than a number."""
    given = os.environ.get("NASCOPE_UNIT_FLOPS", "")
    try:
        own = float(given) if given else None
    except ValueError:
        raise BadInput("NASCOPE_UNIT_FLOPS", f"'{given}' is not a number: give FLOPs, for example 4e11; 0 = no bound") from None
    if own is not None:
        return own or float("inf")
    return CUDA_FLOPS if _on_cuda(checked) else CPU_FLOPS * checked.config.threads


def _on_cuda(checked: CheckedRun) -> bool:
    import torch

    return checked.config.device != "cpu" and torch.cuda.is_available()


def may_be_large(checked: CheckedRun) -> bool:
    """Whether any size of the config is above its default; of the finale, above the recipe, which a new config has in full. Free of torch
    and quick: where none is, nothing needs to be counted."""
    sizes = [
        (name, value, type(owner).model_fields[name].get_default(call_default_factory=True))
        for owner in (checked.options, checked.space_options, checked.config.training, checked.config)
        for name, value in owner.model_dump().items()
    ]
    sizes += [(name, used, own) for name, (own, used) in changes(checked).items()]
    return any(
        _larger(value, default)
        for name, value, default in sizes if name not in (*_LENGTHS, *_COUNTED_ELSEWHERE) and _halved(value) is not None
    )


def refuse_too_large(checked: CheckedRun, data_dir: Path, bounds: Bounds) -> list[UnitNeed]:
    """What the units of the run need (`unit_needs`), where that is within the bounds.

    Raises BadInput (code "too_large") that names the field which makes the largest difference, and a value of it that would be right.
    """
    limits = Limits(bounds.memory, bounds.flops)
    needs = unit_needs(checked, data_dir, limits)
    of_kind = {need.what: need for need in needs}
    for kind in kinds(checked):
        need = of_kind.get(kind.what)
        if need is not None and not _fits(need, bounds):
            raise _refusal(checked, data_dir, kind, need, bounds)
    return needs


def _fits(need: UnitNeed, bounds: Bounds) -> bool:
    return need.memory <= bounds.memory and need.flops <= bounds.flops


def _refusal(checked: CheckedRun, data_dir: Path, kind: Kind, need: UnitNeed, bounds: Bounds) -> BadInput:
    """Each size that was raised is halved in turn; what then needs least has the field that dominates."""
    limits = Limits(bounds.memory, bounds.flops)
    of_memory = need.memory > bounds.memory
    bound = bounds.memory if of_memory else bounds.flops
    counted = Counted.of(kind, checked, data_dir, limits)

    def amount(found: UnitNeed) -> float:
        return found.memory if of_memory else found.flops

    def needed(name: str, value: Any) -> float | None:
        if counted is not None and name in counted.wanted:
            return None if counted.at(counted.wanted).at_least else amount(counted.at({**counted.wanted, name: value}))
        try:
            found = need_of(kind, changed(checked, {name: value}), data_dir, limits)
        except BadInput:
            return None
        return None if found is None or found.at_least else amount(found)

    raised = _raised(checked, kind)
    tried = {name: got for name, value in raised.items() if (got := needed(name, _halved(value))) is not None}
    name = min(tried, key=lambda item: tried[item]) if tried else next(iter(raised), kind.training or "options")
    least = "at least " if need.at_least else ""
    if of_memory:
        says = f"one {kind.what} would need {least}{in_words(need.memory)} of memory, and {bounds.source} {in_words(bound)}"
    else:
        says = f"one {kind.what} would take {least}{need.flops:.2g} FLOPs, which nothing can interrupt, and {bound:.2g} are allowed"
    value, got = raised.get(name), tried.get(name)
    while got is not None and got > bound and (value := _halved(value)) is not None:
        got = needed(name, value)
    if value is not None and got is not None and got <= bound:
        value = _halved(value) if value == raised[name] else value
        right = f"{value:,}" if isinstance(value, int) else ", ".join(map(str, value))
        return BadInput(name, f"{says}; with {right} here it would be {_amount(got, of_memory)}", code="too_large")
    return BadInput(name, f"{says}; make it smaller here, and what else was made larger", code="too_large")


def _amount(value: float, of_memory: bool) -> str:
    return in_words(value) if of_memory else f"{value:.2g} FLOPs"


def _raised(checked: CheckedRun, kind: Kind) -> dict[str, Any]:
    """The whole numbers of the config that concern the kind and are larger than their defaults, by their dotted names; and the sizes of its
    batches, whatever they are."""
    owners: dict[str, Any] = {"space_options": checked.space_options}
    if kind.training:
        owners[kind.training] = checked.finale_training if kind.training == "finale.training" else checked.config.training
    else:
        owners["options"] = checked.options
    found: dict[str, Any] = {}
    for place, owner in owners.items():
        for name, field in type(owner).model_fields.items():
            value, default = getattr(owner, name), field.get_default(call_default_factory=True)
            batch = f"{place}.{name}" in kind.batches
            if _halved(value) is not None and name not in _LENGTHS and (batch or _larger(value, default)):
                found[f"{place}.{name}"] = value
    if kind.training == "training" and checked.config.together > 1:
        found["together"] = checked.config.together
    return found


USUAL = 32
"""Where 0 leaves a size to the space, so much is no more than it would choose."""


def _larger(value: Any, default: Any) -> bool:
    try:
        return bool(sum(value) > sum(default) if isinstance(value, tuple | list) else value > (default or USUAL))
    except TypeError:
        return True


_COUNTED_ELSEWHERE = ("seed", "train_examples", "max_failures", "structure_every", "threads", "count_repeats")
_LENGTHS = ("epochs", "steps", "early_stop", "generations", "window", "folds")
"""How often something is done says nothing of what it takes at once."""


def _halved(value: Any) -> Any:
    """Half of a size, or of each of several; None where there is nothing to halve."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value // 2 if value > 1 else None
    if isinstance(value, tuple | list) and value and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        return [max(1, item // 2) for item in value] if max(value) > 1 else None
    return None


def long_units(seconds: float) -> list[str]:
    """What to know before the start where the longest timed unit took so long."""
    if seconds <= LONG_SECONDS:
        return []
    return [f"One step takes about {seconds:.0f} s on this machine: a stop, a pause and other people's searches wait for its end."]

