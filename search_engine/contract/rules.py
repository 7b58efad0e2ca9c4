"""The promises of an algorithm, one function each: it returns where the promise holds and raises `Broken` where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..base.errors import BadInput
from ..base.home import ROOT
from ..catalogue import registry
from ..catalogue.config import check, parse
from ..events import FRAME_KINDS, PICTURES
from ..spaces.tasks import SCORES
from .searches import Searches, events, science

HEAVY = ("torch", "sklearn", "onnx", "django")


class Broken(Exception):
    """A promise that is not kept, and how one sees it."""


def equal_bits(searches: Searches) -> None:
    """Slices of one unit, each from a fresh object and the checkpoint's bytes, give the same science and the same result."""
    whole, torn = searches.undisturbed(), searches.torn()
    wanted, found = science(whole / "events.jsonl"), science(torn / "events.jsonl")
    if wanted != found:
        first = min(set(wanted) ^ set(found))
        raise Broken(
            f"after a reload the search said something else, first at {first[2]} of {first[0]}, step {first[1]}: what changes must be in "
            "state_dict, and draws come from context.rng"
        )
    results = [searches.result(folder) for folder in (whole, torn)]
    for result in results:
        result["budget"].pop("seconds")
    if results[0] != results[1]:
        different = sorted(key for key in results[0].keys() | results[1].keys() if results[0].get(key) != results[1].get(key))
        raise Broken(f"after a reload the result differs in {', '.join(different)}")


def another_seed(searches: Searches) -> None:
    """Another seed gives another search: the search itself, not only what is trained after it."""
    searched = [
        [row for row in science(folder / "events.jsonl") if not row[0].startswith("final:")]
        for folder in (searches.reseeded(), searches.undisturbed())
    ]
    if not searched[0]:
        raise Broken("the search says no science at all")
    if searched[0] == searched[1]:
        raise Broken("seeds 3 and 4 give the same search: draw from context.rng, or from generators seeded with context.seed")


def ends_with_a_model(searches: Searches) -> None:
    """The run ends with a finalist, its scores on validation and test data, and a model."""
    folder = searches.undisturbed()
    result = searches.result(folder)
    if not result["best"] or result["stop_reason"] not in ("budget", "horizon", "exhausted"):
        raise Broken(f"it ended by {result['stop_reason']} with {len(result['best'])} finalists")
    # The score of the run's task: a regression and a reconstruction have r2 instead.
    scored = set(result["best"][0]["metrics"])
    if not any({f"val_{score}", f"test_{score}"} <= scored for score in SCORES.values()):
        raise Broken(f"the finalist has no score of both parts, only {', '.join(sorted(scored)) or 'none'}")
    if result["model"] != "model/" or not list((folder / "model").rglob("model.py")):
        raise Broken("there is no model to take away")
    if result["best"][0]["genome"]["space"] != registry.space(result["space"]).id:
        raise Broken("the finalist is of another space than the run")


def own_recipe(searches: Searches) -> None:
    """A finalist that brings weights is trained by a recipe of its method: what was found for a start under one training is not shown
    under another."""
    folder, entry = searches.undisturbed(), registry.algorithm(searches.algorithm)
    retrained = {row["data"]["index"] for row in events(folder) if row["kind"] == "finalist" and row["data"]["finish"] == "retrain"}
    bring = {index for index in retrained if (folder / "artefacts" / f"final-{index}.safetensors").exists()}
    if bring and not entry.recipe:
        raise Broken("finalists bring weights: set AlgorithmEntry.recipe (docs/add-an-algorithm.md)")
    if retrained and entry.finisher:
        raise Broken("who has a finisher trains nothing in the finale")


def charged(searches: Searches) -> None:
    """Samples are charged, FLOPs where the entry says so, and no science payload holds a time."""
    folder = searches.undisturbed()
    budget = searches.result(folder)["budget"]
    if not budget["samples"] > 0:
        raise Broken("no samples were charged")
    # A budget of what nobody counts would never end the search.
    if (budget["flops"] > 0) != ("flops" in registry.algorithm(searches.algorithm).budgets):
        raise Broken(f"{budget['flops']:g} FLOPs were charged, and `budgets` says otherwise")
    if any(row["kind"] == "trial_told" and row["data"]["cost"]["seconds"] != 0 for row in events(folder)):
        raise Broken("a told trial holds a time: science must not depend on the clock")


def pictures_declared(searches: Searches) -> None:
    """Every live picture of the run is in its entry's `structure`, so that the browser knows their order, and the first one is there."""
    said = {row["kind"] for row in events(searches.undisturbed())}
    declared = registry.algorithm(searches.algorithm).structure
    drawn = {name for name, kinds in PICTURES.items() if said & set(kinds) & FRAME_KINDS}
    if missing := drawn - set(declared):
        raise Broken(f"what is drawn must be declared: {', '.join(sorted(missing))} in AlgorithmEntry.structure")
    if not declared or not said & set(PICTURES[declared[0]]):
        raise Broken("what is declared first in AlgorithmEntry.structure must be drawn")


def options_documented(searches: Searches) -> None:
    """What the form shows: a description and a default for every option; numbers have a range."""
    for name, field in registry.algorithm(searches.algorithm).config.model_json_schema()["properties"].items():
        if not field.get("description") or "default" not in field:
            raise Broken(f"the option {name} needs a description and a default")
        for kind in (field, *field.get("anyOf", [])):
            if kind.get("type") not in ("integer", "number"):
                continue
            if not {"minimum", "exclusiveMinimum"} & set(kind) or not {"maximum", "exclusiveMaximum"} & set(kind):
                raise Broken(f"the option {name} needs a lower and an upper bound")


def unknown_option_refused(searches: Searches) -> None:
    """An option that there is not is refused by its name."""
    try:
        parse("options", registry.algorithm(searches.algorithm).config, {"not_an_option": 1})
    except BadInput as refused:
        if "not_an_option" in refused.field and "no such option" in refused.message:
            return
        raise Broken(f"an unknown option is refused without its name: {refused}") from None
    raise Broken("an unknown option is taken without a word: derive the config from AlgorithmConfig")


NO_NARROWER: Mapping[tuple[str, str], dict[str, Any]] = {}


def combinations_pass(searches: Searches, narrower: Mapping[tuple[str, str], dict[str, Any]] | None = None) -> None:
    """Every space and data set that the entry claims to fit passes the check of a run.

    `narrower`: options of a space (by space and data set) whose defaults are too wide for the data. None = a refusal of such options is no
    fault of the algorithm's.
    """
    rows = [row for row in registry.compatibility() if row["algorithm"] == searches.algorithm]
    if not rows:
        raise Broken("it fits no space and data set at all")
    for row in rows:
        budget = {"trials": 5} if "trials" in row["budgets"] else {"samples": 1000}
        datasets = [row["dataset"]] * registry.algorithm(row["algorithm"]).domains.least
        options = (narrower or NO_NARROWER).get((row["space"], row["dataset"]), {})
        config = {"algorithm": row["algorithm"], "space": row["space"], "space_options": options, "datasets": datasets, "budget": budget}
        try:
            check(config)
        except BadInput as refused:
            if narrower is None and refused.field.startswith("space_options"):
                continue
            raise Broken(f"on {row['space']} and {row['dataset']} a run is refused: {refused}") from None


def light_import(searches: Searches) -> None:
    """The list of algorithms is there without torch, for the web process."""
    code = (
        "import sys; from search_engine.catalogue import registry; from search_engine.commands import listing; "
        f"registry.algorithm({searches.algorithm!r}); listing.algorithms(); listing.spaces(); "
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    done = subprocess.run(  # nosec B603 # our own words, no shell
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Broken(f"the algorithms cannot be listed: {done.stderr.strip().splitlines()[-1:]}")
    if done.stdout.strip():
        raise Broken(f"listing it imports {done.stdout.strip()}: import heavy packages where they are used, or by search_engine.base.lazy")


@dataclass(frozen=True)
class Rule:
    """One promise: `says` in a sentence, `holds` raises Broken."""

    says: str
    holds: Callable[[Searches], None]


RULES = (
    Rule("it is listed without torch", light_import),
    Rule("every option has a description, a default and a range", options_documented),
    Rule("an option that there is not is refused by its name", unknown_option_refused),
    Rule("every space and data set that it fits passes the check of a run", combinations_pass),
    Rule("its quick run ends with a finalist, scores and a model", ends_with_a_model),
    Rule("samples are charged, and no science holds a time", charged),
    Rule("what it draws is declared", pictures_declared),
    Rule("a finalist that brings weights is trained by its method's recipe", own_recipe),
    Rule("another seed gives another search", another_seed),
    Rule("a reload after every unit gives equal bits", equal_bits),
)
