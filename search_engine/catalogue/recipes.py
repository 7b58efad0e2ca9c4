"""How the finale trains: the recipe of an algorithm, what a config changes of it, and what that means, in words.

Finalist, baselines and every control of a run are finished by one recipe, so that they differ by what they are and not by how they were
trained. Which one that is, the entry says (`AlgorithmEntry.recipe`): a claim that was found under one training must not be shown under
another. Where it says nothing, the house's recipe holds; a search whose trials trained its candidates finishes them as they were trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from .few_examples import OF_THE_FINALE, long_enough

if TYPE_CHECKING:
    from ..algorithms.base import AlgorithmEntry
    from .checked import Checked

HOUSE = TrainingConfig(epochs=12)
"""For architectures that are retrained from scratch: the same for every method, so that their networks can be compared."""

TRIED = (
    "The best candidate is trained anew from new weights as the trials trained theirs, only longer and on all of the training part: it was "
    "chosen under that training."
)
DERIVED = (
    "The derived architecture is trained from scratch by the house's recipe, beside random ones of about its size trained in the same way: "
    "the claim is about the architecture, and the super-network's weights were shared with every other one."
)
AS_IT_IS = "Nothing is trained: the network is tested as the search left it."
"""What a finale does where its entry has no words of its own."""

HOW = (
    "batch_size", "optimizer", "learning_rate", "final_learning_rate", "momentum", "weight_decay", "gradient_clip", "label_smoothing",
    "augment", "class_weights",
)
"""What a finale takes over from the trials' training: how a step is made. How long, how wide and on how much is a trial's economy."""


def recipe(checked: Checked) -> TrainingConfig:
    """The algorithm's own. Classes that the search weighs, its finale weighs too, whatever else it trains by: which architecture is the
    best depends on what counts.

    >>> from search_engine.catalogue.config import check
    >>> recipe(check({"algorithm": "darts"})) == HOUSE
    True
    >>> found = recipe(check({"algorithm": "random", "budget": {"trials": 5}, "training": {"optimizer": "adam", "epochs": 20}}))
    >>> found.optimizer, found.epochs
    ('adam', 20)
    """
    entry, used = checked.algorithm, checked.config.training
    weights = {"class_weights": used.class_weights}
    if entry.recipe:
        return TrainingConfig.model_validate(HOUSE.changed({**weights, **load_object(entry.recipe)(checked.options, checked.space)}))
    if "trials" in entry.needs:
        how = {name: getattr(used, name) for name in HOW}
        longer = {"steps": used.steps} if used.steps else {"epochs": max(used.epochs, HOUSE.epochs)}
        return long_enough(checked, TrainingConfig.model_validate(HOUSE.changed({**how, **longer})), OF_THE_FINALE)
    return long_enough(checked, TrainingConfig.model_validate(HOUSE.changed(weights)), OF_THE_FINALE)


def changes(checked: Checked) -> dict[str, tuple[Any, Any]]:
    """The fields in which the finale trains otherwise than by the algorithm's recipe: (the recipe's value, the one that holds)."""
    if not checked.finishes:
        return {}
    own, used = _effective(recipe(checked)), _effective(checked.finale_training)
    return {name: (own.get(name), used.get(name)) for name in {**own, **used} if own.get(name) != used.get(name)}


def _effective(training: TrainingConfig) -> dict[str, Any]:
    """Without the fields that say nothing beside the others: epochs where the length is in steps, momentum where the optimiser has none."""
    silent = {"epochs" if training.steps else "steps"} | ({"momentum"} if training.optimizer != "sgd" else set())
    return training.model_dump(exclude=silent)


def in_words(training: TrainingConfig) -> str:
    """A training as a reader wants it.

    >>> in_words(TrainingConfig(steps=300, batch_size=60, optimizer="adam", learning_rate=0.0012, final_learning_rate=0.0012))
    '300 steps in batches of 60, Adam at 0.0012, weight decay 0.0003, augmentation auto'
    """
    names = {"sgd": "SGD", "adam": "Adam", "adagrad": "Adagrad"}
    rate = f"{training.learning_rate:g}"
    if training.final_learning_rate != training.learning_rate:
        rate += f" falling to {training.final_learning_rate:g}"
    parts = [
        f"{training.steps:,} steps" if training.steps else f"{training.epochs:,} {'epoch' if training.epochs == 1 else 'epochs'}",
        f"{names[training.optimizer]} at {rate}",
        f"weight decay {training.weight_decay:g}" if training.weight_decay else "no weight decay",
        f"augmentation {training.augment}" if training.augment != "none" else "no augmentation",
    ]
    parts[0] += f" in batches of {training.batch_size}"
    return ", ".join(parts)


def overridden(checked: Checked) -> dict[str, Any] | None:
    """What a run says of a finale that a person has train otherwise than by the method's recipe: of every such field of `finale.training`
    the method's own value and the one that is used (null where the field says nothing beside the others), and in words what that means for
    the comparison. None where the recipe is the method's own, and where nothing is trained.

    >>> from search_engine.catalogue.config import check
    >>> found = overridden(check({"algorithm": "darts", "finale": {"training": {"epochs": 3}}}))
    >>> found["fields"]
    {'epochs': {'own': 12, 'used': 3}}
    >>> overridden(check({"algorithm": "darts"})) is None
    True
    """
    found = changes(checked)
    if not found:
        return None
    return {"fields": {name: {"own": own, "used": used} for name, (own, used) in found.items()}, "meaning": warnings(checked)[0]}


def warnings(checked: Checked) -> list[str]:
    """What it means that a config has the finale train otherwise than by the algorithm's recipe; nothing where it does not."""
    found = changes(checked)
    if not found:
        return []
    differences = ", ".join(f"{name} {_text(used)} instead of {_text(own)}" for name, (own, used) in found.items() if used is not None)
    meaning = checked.algorithm.other_recipe or (
        "Finalist and baselines are still trained alike and can be compared with each other; with other runs only if these are finished in "
        "the same way."
    )
    return [f"The finale trains otherwise than the method's recipe has it ({differences}). {meaning}"]


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def what_it_does(entry: AlgorithmEntry) -> str:
    """What the finale of an algorithm does with the finalists, and why."""
    if entry.finale:
        return entry.finale
    return AS_IT_IS if entry.finisher else TRIED if "trials" in entry.needs else DERIVED


def sentences(checked: Checked) -> list[str]:
    """How a run is finished, for its page: what the finale does, by which recipe, and what is to be said of it."""
    if checked.dataset.provides != "samples":
        return []
    said = [what_it_does(checked.algorithm)]
    if not checked.finishes:
        return said
    own = ", the method's own recipe" if recipe(checked) != HOUSE else ", the house's recipe"
    whose = "" if changes(checked) else own
    trained = f"Every network of the finale is trained alike{whose}: {in_words(checked.finale_training)}."
    return [*said, trained, *retraining(checked), *warnings(checked)]


def retraining(checked: Checked) -> list[str]:
    """What it means that the finale trains on more than the training part, or several times; nothing where it does neither.

    >>> from search_engine.catalogue.config import check
    >>> retraining(check({"algorithm": "darts", "finale": {"seeds": 3}}))[0][:70]
    'Each finalist is trained 3 times, from different seeds and new weights'
    """
    finale, found = checked.config.finale, []
    if finale.train_on != "train":
        found.append(
            "Trained on the training and the validation part together: no validation score of the finished network is left, and the test "
            "score, taken once of each network, is the only one."
        )
    if finale.seeds > 1:
        beside = ", and random architectures beside it once" if finale.baselines else ""
        chosen = (
            "the download is all of them as an ensemble, which answers with the mean of their probabilities (of numbers the mean)"
            if finale.ensemble
            else "the download is the first of them, since no validation score is left to choose by"
            if finale.train_on != "train"
            else "the download is the one with the best validation score"
        )
        found.append(
            f"Each finalist is trained {finale.seeds} times, from different seeds and new weights{beside}; each network is tested once, "
            f"the mean of their test scores stands with its standard error, and {chosen}."
        )
    return found
