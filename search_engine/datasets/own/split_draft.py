"""What a draft says of its split, whatever it was made of."""

from __future__ import annotations

import numpy as np

from ...base.errors import BadInput
from .choices import Choices, SplitKind
from .draft import Draft
from .findings import Share, Split
from .splitting import POOL, TEST, TRAIN, VALIDATION, words


def finished_split(draft: Draft, kind: SplitKind, column: str | None, choices: Choices) -> None:
    """Put the split in words, and see that every part can do what it is for. Raises BadInput(field "split")."""
    roles = draft.roles
    counts = {role: int((roles == role).sum()) for role in (POOL, TRAIN, VALIDATION, TEST)}
    if counts[TEST] < 1 or counts[POOL] + counts[TRAIN] < 2:
        raise BadInput("split", f"it leaves {counts[POOL] + counts[TRAIN]} example(s) for training and {counts[TEST]} for the test; both "
                       "need some", code="too_small")
    draft.split = Split(
        kind=kind, column=column, test_share=choices.test_share, validation_share=choices.validation_share, seed=choices.seed,
        train=counts[TRAIN], validation=counts[VALIDATION], pool=counts[POOL], test=counts[TEST],
        words=words(kind, column, choices.seed, roles),
    )
    if draft.task != "classification":
        return
    rest = np.bincount(draft.targets[roles != TEST], minlength=len(draft.class_names))
    absent = [name for name, count in zip(draft.class_names, rest, strict=True) if count == 0]
    if absent:
        names = ", ".join(f"'{name}'" for name in absent[:5])
        draft.note("absent", f"Outside the test part there is no example of {names}: no network can learn it. Choose another "
                             "split.", len(absent))


def balance(draft: Draft) -> list[Share]:
    """How often each class stands; of a regression, how the targets lie in ten equal parts of their range."""
    test = draft.roles == TEST
    if draft.task == "classification":
        count = len(draft.class_names)
        all_of, of_test = np.bincount(draft.targets, minlength=count), np.bincount(draft.targets[test], minlength=count)
        return [
            Share(name=name, count=int(found), test=int(tested))
            for name, found, tested in zip(draft.class_names, all_of, of_test, strict=True)
        ]
    edges = np.linspace(draft.targets.min(), draft.targets.max(), 11)
    found, tested = np.histogram(draft.targets, edges)[0], np.histogram(draft.targets[test], edges)[0]
    return [
        Share(name=f"{edges[place]:g} to {edges[place + 1]:g}", count=int(found[place]), test=int(tested[place])) for place in range(10)
    ]


def say_balance(draft: Draft) -> None:
    """What an accuracy hides where one class is much larger."""
    if draft.task != "classification":
        return
    shares = balance(draft)
    largest, smallest = max(shares, key=lambda item: item.count), min(shares, key=lambda item: item.count)
    if largest.count >= 3 * smallest.count:
        share = largest.count / len(draft.targets)
        draft.note("unequal", f"The classes are unequal: {100 * share:.1f} % are '{largest.name}', "
                              f"{100 * smallest.count / len(draft.targets):.1f} "
                   f"% are '{smallest.name}'. Always answering '{largest.name}' has an accuracy of {share:.2f}.")
