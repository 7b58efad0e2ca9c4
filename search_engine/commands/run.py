"""`run`: one search in this process, with a progress bar on a terminal, checkpoints, and `--resume`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..base.errors import BadInput
from ..base.given_config import GivenConfig
from ..base.home import data_folder
from ..base.observation import beside_random
from ..base.population_config import PopulationConfig
from ..base.quoting import shown
from ..bundle.reopened import Reopened, reopen
from ..catalogue import registry
from ..catalogue.advice import advice
from ..catalogue.config import BUDGET_KINDS, CheckedRun, RunConfig, check, check_new
from ..catalogue.starts import genomes_of, population_from, population_size
from ..search.failures import sentences
from ..search.forecast import in_words
from ..search.local_run import Interrupted, LocalRun, kept_config
from ..search.random_baselines import TITLE as RANDOM
from ..search.resources import Resources
from ..search.work import Progress
from ..spaces import populations
from ..spaces.populations import Individuals
from ..spaces.populations import read as read_population
from . import data, live
from .config_file import read_config, read_number, read_value
from .scores import score_lines
from .stopping import Stopping

PLACES = {"space": "space_options", "data": "dataset_options", "training": "training", "finale": "finale", "options": "options"}
"""First part of a dotted `--set` key -> field of the run config. Without a dot the key is an option of the algorithm."""
BUDGET_FORMS = ", ".join(f"{kind}=N" for kind in BUDGET_KINDS[:-1]) + f" or {BUDGET_KINDS[-1]}=N"
TOP = ("folds", "objective", "count_repeats", "structure_every", "threads", "together", "device", "amp", "max_failures")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="run one search",
        description="Run one search. Either name a CONFIG.yaml, or give the algorithm and what differs from its defaults.",
    )
    add_choices(parser)
    parser.add_argument("--out", required=True, help="folder for events.jsonl, result.json and model/")
    parser.add_argument(
        "--start", action="append", default=[], metavar="ARCHITECTURE",
        help="an architecture as its space writes it, or a genome's JSON (- = from standard input), that the search's population begins "
        "with; may be given several times",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    live.add_choice(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout; no progress bar")
    parser.add_argument("--slice-seconds", default="2", help="seconds between two checkpoints; default 2")
    parser.set_defaults(act=act)


def add_choices(parser: argparse.ArgumentParser) -> None:
    """The words by which a run is described; `run_config` reads them."""
    parser.add_argument("config", nargs="?", help="a YAML or JSON file with the fields of the run config")
    parser.add_argument("--algorithm", help="registry id, see `algorithms`")
    parser.add_argument("--space", help="registry id, see `spaces`; default: the algorithm's first")
    parser.add_argument("--dataset", help="registry id, or several with commas, see `datasets`; or a file of one's own, see `data add`")
    parser.add_argument("--seed", help="a whole number; default 0")
    parser.add_argument("--model", metavar="BUNDLE", help="a model's download, zip or folder, that the search begins with")
    parser.add_argument(
        "--population", metavar="FILE",
        help="the initial population of another run of the same space, its folder or population.json in it, that the search begins with",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the algorithm, or training.KEY, finale.KEY, finale.training.KEY, space.KEY, data.KEY, threads, device, ...",
    )
    parser.add_argument("--budget", metavar="KIND=N", help=BUDGET_FORMS)
    data.add_choices(parser.add_argument_group("where --dataset is a file"))


def act(parsed: argparse.Namespace) -> int:
    data_dir, out = data_folder(), Path(parsed.out)
    slice_seconds = read_number("slice-seconds", parsed.slice_seconds)
    given = given_model(parsed)
    config = run_config(parsed, given)
    individuals = None
    if parsed.start:
        if parsed.population:
            raise BadInput("start", "--start and --population both name what the search begins with; give one of them")
        config, individuals = starting_from(config, [read_text(text) for text in parsed.start], data_dir)
    checked = as_begun(config, data_dir, out) if parsed.resume else check_new(config, data_dir)
    run = open_run(
        checked, data_dir, out, resume=parsed.resume, slice_seconds=slice_seconds, weights=None if given is None else given.weights,
        population=Path(parsed.population) if parsed.population else None, individuals=individuals,
    )
    say_before(checked, run.coordinator.resources.data_warnings)
    return to_the_end(run, parsed, f"--resume --out {parsed.out}")


def to_the_end(run: LocalRun, parsed: argparse.Namespace, further: str) -> int:
    """Drive the run as the words `--json` and `--live` say, and say what came of it. `further`: what goes on with it. Returns the exit
    status."""
    try:
        with live.shown(run, parsed.live):
            result = drive(run, bar=not parsed.json and sys.stderr.isatty())
    except Interrupted:
        print(f"stopped at a checkpoint; go on with {further}", file=sys.stderr)
        return 1
    if not result["reproducible"]:
        print(f"note: not reproducible to the bit: {result['reproducible_note']}", file=sys.stderr)
    if parsed.json:
        print(json.dumps(result, indent=2))
    else:
        summary(result, run.out)
    return 0 if result["status"] == "completed" else 1


def open_run(
    checked: CheckedRun, data_dir: Path, out: Path, *, resume: bool = False, slice_seconds: float = 2.0, weights: bytes | None = None,
    population: Path | None = None, individuals: Individuals | None = None,
) -> LocalRun:
    """The run in its folder, ready to be driven (`drive`). `individuals`: those of the population that its config names, where they lie in
    no file. Raises BadInput."""
    run = LocalRun(checked, data_dir, out, resume=resume, slice_seconds=slice_seconds, weights=weights, population=population)
    if individuals is not None and checked.config.population is not None:
        populations.keep(checked.config.population, individuals, out)
    if checked.dataset.provides == "samples":
        from ..training.device import configure

        configure(checked.config.threads)
        _refuse_too_large(checked, data_dir, resumed=resume)
    return run


def drive(run: LocalRun, *, bar: bool) -> dict[str, Any]:
    """The run to its end, with a progress bar on stderr where `bar`; returns what `result.json` holds. Raises Interrupted after a
    checkpoint when it is asked to stop (`Stopping`)."""
    shown_on = ProgressBar(run.checked) if bar else None
    try:
        with Stopping() as stopping:
            return run.run(stop=stopping.asked, report=shown_on.update if shown_on else None)
    finally:
        if shown_on:
            shown_on.close()


def starting_from(config: RunConfig, texts: Sequence[str], data_dir: Path) -> tuple[RunConfig, Individuals]:
    """The config of a search whose first individuals are the architectures of these texts (`catalogue.starts`), and all of them. Raises
    BadInput(field "start")."""
    if config.population is not None:
        raise BadInput("start", "the config names a population that the search begins with already; give one of the two")
    checked = check_new(config, data_dir)
    population_size(checked.options, checked.algorithm.title)
    space = Resources(checked, data_dir).space
    title = checked.algorithm.title
    population, individuals = population_from(genomes_of(texts, space), space, checked.options, config.seed, title)
    return config.model_copy(update={"population": population}), individuals


def read_text(text: str) -> str:
    """An architecture's text as it is given on a command line: `-` stands for what comes on standard input."""
    return sys.stdin.read() if text == "-" else text


def say_before(checked: CheckedRun, data_warnings: Sequence[str]) -> None:
    """What a person should know before the start, on stderr: of the config, and of the data."""
    for sentence in advice(checked):
        print(f"note: {sentence}", file=sys.stderr)
    for sentence in data_warnings:
        print(f"note on the data: {sentence}", file=sys.stderr)


def _refuse_too_large(checked: CheckedRun, data_dir: Path, *, resumed: bool) -> None:
    """Raises BadInput where one unit of a new run needs more than this machine has. Where no size is above its default none is counted."""
    from ..search.bounds import Bounds, may_be_large, refuse_too_large

    if not resumed and may_be_large(checked):
        refuse_too_large(checked, data_dir, Bounds.of_this_process(checked))


def as_begun(config: RunConfig, data_dir: Path, out: Path) -> CheckedRun:
    """The config of a run that is resumed, if there is one: it keeps what it was begun with. Raises BadInput."""
    begun = kept_config(out)
    if begun is not None and config.model is None and begun.get("model") is not None:
        # Its weights lie in the run's folder.
        config = config.model_copy(update={"model": GivenConfig.model_validate(begun["model"])})
    if begun is not None and config.population is None and begun.get("population") is not None:
        config = config.model_copy(update={"population": PopulationConfig.model_validate(begun["population"])})
    checked = check_new(config, data_dir)
    if begun is not None and checked.config.model_dump(mode="json") != begun:
        # It may have been begun with a config that was complete, or before anything was completed. What is neither is refused by the run.
        as_given = check(config, data_dir)
        return as_given if as_given.config.model_dump(mode="json") == begun else checked
    return checked


WITH_END = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} [{elapsed}{postfix}]"
WITHOUT_END = "{desc}: {n:.0f} [{elapsed}{postfix}]"


class ProgressBar:
    """tqdm on stderr: the search's progress, the present work's text, and what is left of the whole run."""

    def __init__(self, checked: CheckedRun) -> None:
        from tqdm import tqdm

        limit = checked.budget.limit if checked.budget is not None else None
        self._bar = tqdm(
            total=limit, unit=checked.budget.kind if checked.budget else "step", desc=checked.algorithm.title, dynamic_ncols=True
        )

    def update(self, search: Progress, work: Progress | None, run: LocalRun) -> None:
        shown = run.stage()
        self._bar.total = shown.total
        self._bar.n = shown.done
        # Without tqdm's own time left, which knows of the present stage alone.
        self._bar.bar_format = WITHOUT_END if shown.total is None else WITH_END
        left = run.left()
        self._bar.set_postfix_str(", ".join([shown.text, *([] if left is None else [f"{in_words(left)} left"])]), refresh=False)
        self._bar.refresh()

    def close(self) -> None:
        self._bar.close()


def summary(result: dict[str, Any], out: Path) -> None:
    """What came of a run, on stdout."""
    print(f"{result['algorithm']} on {', '.join(result['datasets'])}, {result['space']}, seed {result['seed']}: {result['reason']}")
    for sentence in result["data_warnings"]:
        print(f"note on the data: {sentence}")
    budget = result["budget"]
    counted = "" if result["count_repeats"] or result["tried"] is None else " (repeats not counted)"
    print(
        f"charged: {budget['trials']:,} trials{counted}, {budget['samples']:,.0f} samples, {budget['flops']:.3g} FLOPs, "
        f"{budget['seconds']:,.1f} device seconds"
    )
    tried = result["tried"]
    if tried is not None:
        repeats = f"repeats: {tried['repeated']:,} trials ({tried['repeated_share']:.0%})"
        print(f"tried: {tried['architectures']:,} distinct architectures; {repeats}")
    for sentence in sentences(result["failures"]):
        print(sentence)
    if "continues" in result:
        print(f"goes on with {result['continues']['folder']}: visits to the test split, with those before: {result['test_visits']}")
    for item in (*result["best"], *result["baseline"]):
        print(f"{item['title']}:\n  {item['string'][:400]}")
        for line in score_lines(item) or [f"no score: {item['model_reason']}"]:
            print(f"  {line}")
    _say_random(result)
    print(
        f"written: {out / 'result.json'}" + (f", {out / result['model']}" if result["model"] else f" (no model: {result['model_reason']})")
    )


def _say_random(result: dict[str, Any]) -> None:
    """Where the best one stands among random ones that were finished in the same way."""
    random = [item["metrics"] for item in result["baseline"] if item["title"] == RANDOM]
    test = result["best"][0]["scores"]["test"] if result["best"] else None
    name: str | None = None if test is None else test["metric"]
    if name is None and result["best"]:
        name = next((name for name in result["best"][0]["metrics"] if _is_score(name)), None)
    others = [metrics[name] for metrics in random if name in metrics]
    if name is not None and others:
        print(beside_random(name, result["best"][0]["metrics"][name], others))


def _is_score(name: str) -> bool:
    return (name.removeprefix("test_") in ("accuracy", "r2", "elbo") and name.startswith("test_")) or name == "reward"


def given_model(parsed: argparse.Namespace) -> Reopened | None:
    """The network that the run begins with, if one is named. Raises BadInput."""
    return reopen(Path(parsed.model)) if parsed.model else None


def run_config(parsed: argparse.Namespace, given: Reopened | None = None) -> RunConfig:
    """The run config from file and options. Raises BadInput naming the option."""
    values: dict[str, Any] = read_config(parsed.config) if parsed.config else {}
    if given is not None:
        values["model"] = given.config
    if parsed.population:
        values["population"] = read_population(Path(parsed.population))[0]
    if parsed.algorithm:
        values["algorithm"] = parsed.algorithm
    if "algorithm" not in values:
        raise BadInput("algorithm", "give --algorithm ID, such as random (`algorithms` lists them), or a config file")
    if parsed.space is not None:
        values["space"] = parsed.space
    if parsed.seed is not None:
        values["seed"] = read_number("seed", parsed.seed, whole=True)
    if parsed.dataset:
        values["datasets"] = _datasets(parsed)
    elif data.are_given(parsed):
        raise BadInput("dataset", "--target, --split and what else settles a file need --dataset FILE")
    if parsed.budget:
        values["budget"] = _budget(parsed.budget)
    for item in parsed.set:
        _assign(values, item)
    _take_preset(values)
    try:
        return RunConfig.model_validate(values)
    except ValueError as error:
        from pydantic import ValidationError

        from ..catalogue.config import from_pydantic

        if isinstance(error, ValidationError):
            raise from_pydantic("", error) from None
        raise


def _datasets(parsed: argparse.Namespace) -> list[str]:
    """The ids, of a file that is imported now its own."""
    if not data.is_file(parsed.dataset):
        if data.are_given(parsed):
            raise BadInput("dataset", f"{shown(parsed.dataset)} is no file: --target, --split and the like settle a file when it is read")
        return [name for name in parsed.dataset.split(",") if name]
    made = data.import_file(parsed.dataset, data.choices_of(parsed), quiet=parsed.json)
    for note in made.notices:
        print(f"note on the file: {note.message}", file=sys.stderr)
    if not parsed.json:
        print(f"{made.source.name} is the data set {made.id}; {made.split.words}", file=sys.stderr)
    return [made.id]


def _take_preset(values: dict[str, Any]) -> None:
    """`space.preset` stands for its options; others that are given are taken as they are. Raises BadInput."""
    options = values.get("space_options")
    if not isinstance(options, dict) or "preset" not in options:
        return
    space = registry.space(values["space"]) if values.get("space") else registry.spaces_for(registry.algorithm(values["algorithm"]))[0]
    if "preset" not in space.config.model_fields:
        rest = {name: value for name, value in options.items() if name != "preset"}
        values["space_options"] = {**space.preset(str(options["preset"])).options, **rest}


def _budget(text: str) -> dict[str, float | int]:
    kind, _, amount = text.partition("=")
    if kind not in BUDGET_KINDS or not amount:
        raise BadInput("budget", f"{shown(text)} is not a budget; write {BUDGET_FORMS}")
    return {kind: read_number("budget", amount, whole=kind == "trials")}


def _assign(values: dict[str, Any], item: str) -> None:
    key, equals, text = item.partition("=")
    if not equals or not key:
        raise BadInput("set", f"{shown(item)} is not KEY=VALUE")
    value = read_value("set", text)
    place, *names = key.split(".")
    if not names:
        names, path = [key], [] if key in TOP else ["options"]
    elif place not in PLACES:
        raise BadInput("set", f"{shown(key)} starts with none of {', '.join(PLACES)}")
    else:
        path = [PLACES[place], *names[:-1]]
    target: Any = values
    for part in path:
        target = target.setdefault(part, [{}] if part == "dataset_options" else {})
        if part == "dataset_options" and isinstance(target, list) and target:
            target = target[0]
        if not isinstance(target, dict):
            raise BadInput("set", f"{shown(key)} cannot be set: {part} is given as {shown(target)}")
    target[names[-1]] = value
