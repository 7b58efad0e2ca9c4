"""Options that do nothing in the company they are set in: refused where the search would be another one, else said before the start."""

from __future__ import annotations

from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue.advice import advice
from search_engine.catalogue.config import check


def checked(algorithm: str, options: dict[str, Any], **more: Any) -> Any:
    return check({"algorithm": algorithm, "options": options, **more})


@pytest.mark.parametrize(
    ("algorithm", "options", "word"),
    [
        ("darts", {"xi": 5.0}, "xi has no effect"),
        ("gumbel_softmax", {"estimator": "exact", "xi": 2.0}, "estimator, xi have no effect"),
        ("gumbel_softmax", {"evaluate": "all"}, "evaluate has no effect"),
        ("variational", {"problem": "free_energy", "xi": 5.0}, "xi has no effect"),
    ],
)
def test_what_does_nothing_is_said(algorithm: str, options: dict[str, Any], word: str) -> None:
    (sentence,) = advice(checked(algorithm, options))
    assert word in sentence


@pytest.mark.parametrize(
    ("algorithm", "options"),
    [("darts", {}), ("darts", {"xi": 5.0, "estimator": "exact"}), ("gumbel_softmax", {"levels": "bilevel", "estimator": "exact"})],
)
def test_what_does_something_is_not(algorithm: str, options: dict[str, Any]) -> None:
    assert advice(checked(algorithm, options)) == []


@pytest.mark.parametrize(
    ("algorithm", "options", "field", "more"),
    [
        ("darts", {"warm_up_epochs": 15}, "options.warm_up_epochs", {}),
        ("darts", {"epochs": 30, "warm_up_epochs": 10, "shrink_stages": 3}, "options.warm_up_epochs", {}),
        ("gumbel_softmax", {}, "space_options.constraint",
         {"space": "primitives_sum", "space_options": {"constraint": "real"}, "datasets": ["sincos"]}),
        ("variational", {"lambda_prior_q_end": 2.0}, "options.lambda_prior_q_end", {}),
        ("variational", {"levels": "one", "lambda_prior_l": 3.0}, "options.levels", {}),
        ("variational", {"learn_precision": False, "hyperprior_shape": 1.0}, "options.hyperprior_shape", {}),
        ("variational", {"problem": "free_energy", "lambda_prior_q": 2.0}, "options.lambda_prior_q", {}),
    ],
)
def test_what_would_be_another_search_is_refused(algorithm: str, options: dict[str, Any], field: str, more: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        checked(algorithm, options, **more)
    assert caught.value.field == field


def test_a_surrogate_of_the_margin_says_that_many_classes_have_none() -> None:
    assert advice(checked("adanet", {"surrogate": "exponential"}, datasets=["digits"])) == [
        "surrogate has no effect: it needs data of two classes."
    ]
    assert advice(checked("adanet", {"surrogate": "exponential"}, datasets=["breast_cancer"])) == []
