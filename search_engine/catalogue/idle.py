"""Settings that do nothing in a combination of algorithm, space and data: declared, refused in a new run, not offered by the form.

A field is idle by its kind (a search that trains no candidates has no use for `training`, inputs that are no images none for augmentation),
by its space (`SpaceEntry.idle`) or its data set (`DatasetEntry.idle`), or because the algorithm says so (`AlgorithmEntry.idle`). Beside
that an option may need the company of another (`base.works_with`): that follows from the values, and is said before the start.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from ..base.errors import BadInput
from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from ..base.works_with import without_effect
from .checked import space_of
from .objective import refusal

if TYPE_CHECKING:
    from ..algorithms.base import AlgorithmEntry
    from ..datasets.base import DatasetEntry
    from ..spaces.base import SpaceEntry
    from .checked import Checked

ConfigT = TypeVar("ConfigT", bound=BaseModel)

TRAINING = tuple(f"training.{name}" for name in TrainingConfig.model_fields)
FINALE_TRAINING = tuple(f"finale.training.{name}" for name in TrainingConfig.model_fields)
BUNDLE = ("finale.export", "finale.onnx", "finale.redundancy")
RETRAINING = ("finale.train_on", "finale.seeds", "finale.ensemble")


@cache
def _of_kind(trials: bool, finishes: bool, samples: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    if not samples:
        why = "a table or a formula answers, and nothing is trained"
        found |= dict.fromkeys((*TRAINING, *FINALE_TRAINING, "finale.seconds", *RETRAINING, *BUNDLE, "amp", "folds"), why)
    if trials:
        found |= {"structure_every": "it moves no super-network whose structure could be recorded"}
    else:
        found |= dict.fromkeys(TRAINING, "it trains no candidates one by one; its own options say how its weights are trained")
        found |= {"folds": "it trains no candidates one by one: its weights are fitted on the training part"}
        found |= {"max_failures": "it has no trials that could fail one by one", "count_repeats": "it has no trials that could repeat"}
    if not finishes:
        why = "its finale trains nothing: the network is taken as the search left it"
        found |= dict.fromkeys((*FINALE_TRAINING, "finale.seconds", *RETRAINING), why)
    return found


def idle(algorithm: AlgorithmEntry, space: SpaceEntry, dataset: DatasetEntry) -> dict[str, str]:
    """By dotted name of a run config's field: why it does nothing there.

    >>> from .registry import algorithm, dataset, space
    >>> idle(algorithm("random"), space("mlp"), dataset("digits"))["training.learning_rate"]
    'every candidate decides it for itself'
    >>> sorted(idle(algorithm("wann"), space("neuron_graph"), dataset("digits")))[-1]
    'training.weight_decay'
    """
    trials, samples = "trials" in algorithm.needs, dataset.provides == "samples"
    found = dict(_of_kind(trials, not algorithm.finisher, samples))
    for name, why in space.idle.items():
        fields = [name] if "." in name else [f"training.{name}", f"finale.training.{name}"]
        found |= {field: why for field in fields if field not in found}
    if samples and not trials and algorithm.weighs_classes:
        del found["training.class_weights"]
    if why := refusal(algorithm, dataset):
        found["objective"] = why
    if dataset.task != "classification":
        smoothing = dict.fromkeys(("training.label_smoothing", "finale.training.label_smoothing"), "real targets have no classes to share")
        weights = dict.fromkeys(("training.class_weights", "finale.training.class_weights"), "real targets have no classes to weigh")
        found = {**smoothing, **weights, **found}
    if samples and dataset.input_kind != "image":
        pictures = dict.fromkeys(("training.augment", "finale.training.augment"), "its inputs are no images that could be shifted or cut")
        found = {**pictures, **found}
    found = {**_there(dataset.idle, algorithm), **found}
    if not algorithm.needs & {"gradients", "weights"}:
        found |= {f"space_options.{name}": "it builds no super-network" for name in space.supernet_options}
    if samples and not _has_baseline(algorithm):
        found["finale.baselines"] = "it brings nothing to compare its finalist with in the same way"
    for item in algorithm.idle:
        if item.holds(space):
            found |= dict.fromkeys(item.fields, item.why)
    return found


def _there(fields: dict[str, str], algorithm: AlgorithmEntry) -> dict[str, str]:
    """Of what somebody else declared, the options that the algorithm has, and all that is no option."""
    own = algorithm.config.model_fields
    return {name: why for name, why in fields.items() if not name.startswith("options.") or name.removeprefix("options.") in own}


def _has_baseline(algorithm: AlgorithmEntry) -> bool:
    """Whether the finale finishes anything beside the finalists: a random architecture (`search.finale`), or the algorithm's own."""
    from ..algorithms.base import Phase
    from .registry import phases_of

    own = any(type(phase).baselines is not Phase.baselines for phase in phases_of(algorithm))
    return own or not algorithm.finisher


def given(config: BaseModel, field: str) -> Any:
    """The value of a dotted field in a config or in dicts."""
    value: Any = config
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part)
    return value


def used_in_vain(checked: Checked) -> dict[str, str]:
    """The idle fields to which the config gives another value than the one that holds without it, with the reasons. A config that was
    completed says its finale's whole recipe, what does nothing there, too."""
    from .recipes import recipe

    found, finale = {}, "finale.training."
    for field, why in idle(checked.algorithm, checked.space, checked.dataset).items():
        value = _value(checked, field)
        if value == _default_of(checked, field):
            continue
        if field.startswith(finale) and checked.finishes and value == getattr(recipe(checked), field.removeprefix(finale)):
            continue
        found[field] = why
    return found


def _part(checked: Checked, field: str) -> tuple[BaseModel, str]:
    """The config in which a dotted field stands, and its name there."""
    head, _, name = field.partition(".")
    own = {"options": checked.options, "space_options": checked.space_options}.get(head)
    return (checked.config, field) if own is None else (own, name)


def _value(checked: Checked, field: str) -> Any:
    return given(*_part(checked, field))


def _default_of(checked: Checked, field: str) -> Any:
    config, name = _part(checked, field)
    head, _, rest = name.partition(".")
    default = type(config).model_fields[head].get_default(call_default_factory=True)
    return given(default, rest) if rest else default


def without(config: ConfigT, fields: Iterable[str]) -> ConfigT:
    """The config with these fields at their defaults."""
    values = config.model_dump()
    for field in fields:
        *path, name = field.split(".")
        place = values
        for part in path:
            place = place[part]
        place.pop(name, None)
    return type(config).model_validate(values)


def refuse_idle(checked: Checked) -> None:
    """Raise BadInput naming the first field that is given and does nothing."""
    for field, why in used_in_vain(checked).items():
        who = f"{checked.algorithm.title} on '{checked.space.id}'"
        raise BadInput(field, f"{who} does not use it: {why}; leave it at its default", code="idle")


def without_company(checked: Checked) -> dict[str, str]:
    """By dotted name, the fields that do nothing beside the other values, whatever they are: what they would need."""
    around = {f"space_options.{name}": value for name, value in checked.space_options.model_dump(mode="json").items()}
    parts = {
        "options": checked.options, "space_options": checked.space_options, "training": checked.config.training,
        "finale": checked.config.finale, "finale.training": checked.finale_training,
    }
    found = {f"{place}.{name}": need for place, values in parts.items() for name, need in without_effect(values, around).items()}
    space = space_of(checked) if checked.algorithm.company else None
    if space is not None:
        found |= {f"options.{name}": need for name, need in load_object(checked.algorithm.company)(checked.options, space).items()}
    return found


def _own_window(checked: Checked) -> tuple[str, int]:
    return "options.window", checked.algorithm.window


def said(checked: Checked) -> list[str]:
    """What is given and does nothing in the company of the other values, in plain sentences."""
    groups: dict[str, list[str]] = {}
    known = idle(checked.algorithm, checked.space, checked.dataset)
    for field, needed in without_company(checked).items():
        # What a recipe says beside the point was not given by anybody, nor was the window that is written into every new run.
        written = field.startswith("finale.training.") or (field, _value(checked, field)) in (("options.window", 1), _own_window(checked))
        if field not in known and not written and _value(checked, field) != _default_of(checked, field):
            groups.setdefault(needed, []).append(field.removeprefix("options."))
    return [
        f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} no effect: {'it needs' if len(names) == 1 else 'they need'} {needed}."
        for needed, names in groups.items()
    ]
