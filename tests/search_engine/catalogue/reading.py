"""Which fields of its config a run reads: the configs' classes are watched while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from pydantic import BaseModel

from search_engine.algorithms.base import Context
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import recipes
from search_engine.catalogue.config import CheckedRun, FinaleConfig, RunConfig
from search_engine.search import coordinator, estimate, final_work, trial_work


class Reading:
    """`fields`: dotted names as a config has them, for example `options.steps`, `training.epochs`, `finale.onnx`, `threads`."""

    def __init__(self, checked: CheckedRun) -> None:
        self.fields: set[str] = set()
        self._checked = checked
        self._trainings: dict[int, tuple[TrainingConfig, str, frozenset[str]]] = {}
        """By identity: whose it is, and what of it somebody else decided (a genome, a proposal)."""
        self._off = 0

    def training(self, config: TrainingConfig, whose: str, decided: frozenset[str] = frozenset()) -> TrainingConfig:
        # Held, so that no later object gets the same identity.
        self._trainings[id(config)] = (config, whose, decided)
        return config

    def note(self, item: BaseModel, name: str) -> None:
        # How often frames are due is handed on to every phase; who asks its context for it uses it.
        if self._off or name not in type(item).model_fields or name == "structure_every":
            return
        if isinstance(item, TrainingConfig):
            _, whose, decided = self._trainings.get(id(item), (None, "", frozenset()))
            if whose and name not in decided:
                self.fields.add(f"{whose}.{name}")
            return
        places: dict[type[BaseModel], str] = {
            RunConfig: "", FinaleConfig: "finale.", type(self._checked.options): "options.",
            type(self._checked.space_options): "space_options.",
        }
        self.fields.add(f"{places[type(item)]}{name}")

    def of_genome(self, base: TrainingConfig, space: Any, genome: Any, fidelity: dict[str, Any]) -> TrainingConfig:
        """In the place of `genome_training`."""
        self._off += 1
        try:
            made = _genome_training(base, space, genome, fidelity)
            decided = set(space.training_of(genome)) | set(fidelity)
        finally:
            self._off -= 1
        if made is base:
            return made
        # A length in epochs replaces one in steps.
        decided |= {"steps"} if "epochs" in decided else set()
        _, whose, _ = self._trainings.get(id(base), (None, "", frozenset()))
        return self.training(made, whose, frozenset(decided))

    def quietly(self, function: Any) -> Any:
        """The same function, whose reads do not count."""

        def called(*args: Any) -> Any:
            self._off += 1
            try:
                return function(*args)
            finally:
                self._off -= 1

        return called


_genome_training = trial_work.genome_training


@contextmanager
def reading(checked: CheckedRun) -> Iterator[Reading]:
    """Watch what is read of the config of `checked` in the block."""
    found = Reading(checked)
    found.training(checked.config.training, "training")
    made = found.training(checked.finale_training, "finale.training")
    watched = {RunConfig, FinaleConfig, TrainingConfig, type(checked.options), type(checked.space_options)}

    def get(self: BaseModel, name: str) -> Any:
        found.note(self, name)
        return object.__getattribute__(self, name)

    def of_context(self: Context, name: str) -> Any:
        if name == "structure_every":
            found.fields.add(name)
        return object.__getattribute__(self, name)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(Context, "__getattribute__", of_context, create=True))
        for module in (trial_work, final_work, coordinator, estimate):
            stack.enter_context(mock.patch.object(module, "genome_training", found.of_genome))
        # A new run's recipe is written into its config: what it was made of is read no more.
        stack.enter_context(mock.patch.object(recipes, "recipe", found.quietly(recipes.recipe)))
        stack.enter_context(mock.patch.object(CheckedRun, "finale_training", property(lambda self: made)))
        for kind in watched:
            stack.enter_context(mock.patch.object(kind, "__getattribute__", get, create=True))
        yield found
