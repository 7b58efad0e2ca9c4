"""Searches and trainings in this process, in the folder that the command line would write."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_engine.base.errors import BadInput
from search_engine.base.home import data_folder

from .run import Run

if TYPE_CHECKING:
    from search_engine.catalogue.config import RunConfig
    from search_engine.search.local_run import LocalRun


class Stopped(KeyboardInterrupt):
    """The search was interrupted (Ctrl-C, a notebook's stop button) and stands at a checkpoint; `out` is its folder. The message says how
    to go on."""

    def __init__(self, out: Path, how: str) -> None:
        super().__init__(f"stopped at a checkpoint in {out}; go on with {how}")
        self.out = out


def search(
    data: Any = None,
    algorithm: Any = None,
    *,
    space: Any = None,
    target: str | None = None,
    choices: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    space_options: Mapping[str, Any] | None = None,
    data_options: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    trials: int | None = None,
    samples: float | None = None,
    flops: float | None = None,
    seconds: float | None = None,
    training: Mapping[str, Any] | None = None,
    finale: Mapping[str, Any] | None = None,
    start: Any = None,
    model: Any = None,
    seed: int | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    quiet: bool = False,
    live: bool = False,
    config: Mapping[str, Any] | str | Path | None = None,
    **settings: Any,
) -> Run:
    """Run one search to its end and return what it found.

    `data`: the id of a data set (see `datasets()`), a list of ids for a search on several, the path of a file, a pandas DataFrame with
    `target`, arrays `(X, y)` or `{"train": (X, y), "test": (X, y)}`, or a DatasetEntry. What is no data set yet is kept as one (equal data
    with equal `choices`, the fields of an import such as task, types, split, test_share, are the same set).
    `algorithm`: an id, an AlgorithmEntry, or the options of one algorithm. `space`: an id, a SpaceEntry, or a SearchSpace; by default the
    algorithm's first. `options`, `space_options`, `data_options`, `training`, `finale`: what differs from the defaults.
    Budget: one of `trials`, `samples`, `flops`, `seconds`, where the algorithm has no plan of its own.
    `start`: an architecture (text, `architecture(...)`, `Run.best`, a run) or several, which the first population begins with.
    `model`: a run or the folder or zip of a download that the search begins with, where the algorithm can.
    `config`: a run config (a mapping, or a YAML or JSON file), which the arguments change; `settings`: its other fields (`objective`,
    `folds`, `threads`, `together`, `device`, ...).
    `out`: the folder, by default a new one under `runs`; with `resume` the run in it goes on. `quiet`: no progress line and no notes.
    `live`: show it in the browser of the local NAScope (`nascope up`) while it runs; the address is printed. Where none runs, a
    line says so, and the search runs without it.

    Raises BadInput naming the field, and Stopped after a checkpoint when it is interrupted.
    """
    from search_engine.catalogue import registry
    from search_engine.commands.run import starting_from

    values = _config_values(config)
    if algorithm is not None:
        from .choosing import the_algorithm

        values["algorithm"], own = the_algorithm(algorithm)
        options = {**own, **(options or {})}
    if not values.get("algorithm"):
        raise BadInput("algorithm", f"name one of: {', '.join(registry.algorithms())}")
    _choose(values, data, target, choices, space, quiet=quiet)
    for field, given in (("options", options), ("space_options", space_options), ("training", training), ("finale", finale)):
        if given:
            values[field] = {**values.get(field, {}), **given}
    if data_options:
        values["dataset_options"] = [data_options] if isinstance(data_options, Mapping) else list(data_options)
    budget = {"trials": trials, "samples": samples, "flops": flops, "seconds": seconds}
    if any(amount is not None for amount in budget.values()):
        values["budget"] = {kind: amount for kind, amount in budget.items() if amount is not None}
    if seed is not None:
        values["seed"] = seed
    weights = None
    if model is not None:
        from search_engine.bundle.reopened import reopen

        given_model = reopen(_bundle_of(model))
        values["model"], weights = given_model.config, given_model.weights
    run_config = _validated({**values, **settings})
    individuals = None
    if start is not None:
        from .architectures import text_of

        several = start if isinstance(start, list | tuple) else [start]
        texts = [_genome_only(text_of(item)) for item in several]
        run_config, individuals = starting_from(run_config, texts, data_folder())
    how = "nascope.search(..., out={out!r}, resume=True) and the same arguments"
    return _driven(run_config, out, how, resume=resume, quiet=quiet, weights=weights, individuals=individuals, live=live)


def train(
    architecture: Any,
    data: Any = None,
    *,
    space: Any = None,
    target: str | None = None,
    choices: Mapping[str, Any] | None = None,
    space_options: Mapping[str, Any] | None = None,
    data_options: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    train_on: str | None = None,
    seeds: int | None = None,
    ensemble: bool | None = None,
    finale: Mapping[str, Any] | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    quiet: bool = False,
    live: bool = False,
    **settings: Any,
) -> Run:
    """Train one architecture from scratch, test it once and write the download, as the finale of a search does; random architectures of
    about its size stand beside it (`finale={"baselines": 0}`: none).

    `architecture`: a text, what `nascope.architecture` gives, `Run.best`, a run, or the Path of a download. `epochs`: how long.
    `train_on`: "train" (default) or "train_and_validation", which leaves no validation score. `seeds`: so many trainings, each from new
    weights and tested once; the model is the best of them by validation, and its metrics have `test_accuracy_seeds_mean`,
    `test_accuracy_seeds_se` (standard error) and `test_accuracy_seed_1`, ... With `ensemble` the model is all of them in one. `finale`:
    what else differs from the defaults, for example `{"training": {"batch_size": 32}}`. The other arguments are those of `search`. Raises
    BadInput and Stopped like it.
    """
    from search_engine.algorithms.given_architecture import ENTRY
    from search_engine.commands.architecture import given_config

    from .architectures import text_of

    values: dict[str, Any] = {"algorithm": ENTRY.id}
    _choose(values, data, target, choices, space, quiet=quiet)
    values["space_options"] = {**values.get("space_options", {}), **(space_options or {})}
    values["finale"] = {**(finale or {}), **_given({"train_on": train_on, "seeds": seeds, "ensemble": ensemble})}
    if epochs is not None:
        values["finale"]["training"] = {**values["finale"].get("training", {}), "epochs": epochs}
    if data_options:
        values["dataset_options"] = [data_options]
    if seed is not None:
        values["seed"] = seed
    run_config = given_config(_validated({**values, **settings}), text_of(architecture), values.get("space", ""))
    how = "nascope.train(..., out={out!r}, resume=True) and the same arguments"
    return _driven(run_config, out, how, resume=resume, quiet=quiet, live=live)


def more(
    run: Run | str | Path, *, out: str | Path | None = None, resume: bool = False, quiet: bool = False, live: bool = False, **amount: float
) -> Run:
    """Go on with a search that is over under a larger budget, in the new folder `out` (by default one under `runs`), and return what it
    then found. `run`: it, or its folder. `amount`: one number by the name of what ended it, `trials=50`, `samples=1e6`, `epochs=20`;
    `run.result["more"]` says which. It does what one long search would have done from there on; its finale visits the test split again.
    `out`, `quiet` and `live` are those of `search`.

    Raises BadInput where the search cannot go on, and Stopped like `search`.
    """
    from search_engine.commands.more import longer_run, of_a_finished_run

    folder = run.folder if isinstance(run, Run) else Path(run)
    if len(amount) != 1:
        raise BadInput("more", "name how much more, by what ended the search: trials=50, for example")
    if resume and out is None:
        raise BadInput("out", "name the folder of the run that is to go on")
    [(unit, further)] = amount.items()
    checked, there = of_a_finished_run(folder)
    new = _new_folder(checked.config.algorithm) if out is None else Path(out)
    longer = longer_run(folder, checked, there, unit, further, new, resume=resume)
    how = f"nascope.more({str(folder)!r}, {unit}={further}, out={{out!r}}, resume=True)"
    return _to_the_end(longer, how, quiet=quiet, live=live)


def finish(run: Run | str | Path, *, quiet: bool = False, live: bool = False) -> Run:
    """End the search of an interrupted run, or of the one in that folder, where it is; train and test the best of it. Returns the run as it
    then is. `quiet` and `live` are those of `search`. Raises BadInput where it is finished already, and Stopped like `search`."""
    from search_engine.commands.more import ending_run

    ending = ending_run(run.folder if isinstance(run, Run) else Path(run))
    return _to_the_end(ending, "nascope.finish({out!r})", quiet=quiet, live=live)


def _driven(
    config: RunConfig, out: str | Path | None, how: str, *, resume: bool, quiet: bool, weights: bytes | None = None,
    individuals: Any = None, live: bool = False,
) -> Run:
    """The run of that config to its end; `how`: what to call to go on with it."""
    from search_engine.catalogue.config import check_new
    from search_engine.commands.run import as_begun, open_run, say_before

    if resume and out is None:
        raise BadInput("out", "name the folder of the run that is to go on")
    data_dir, folder = data_folder(), _new_folder(config.algorithm) if out is None else Path(out)
    checked = as_begun(config, data_dir, folder) if resume else check_new(config, data_dir)
    run = open_run(checked, data_dir, folder, resume=resume, weights=weights, individuals=individuals)
    if not quiet:
        say_before(checked, run.coordinator.resources.data_warnings)
    return _to_the_end(run, how, quiet=quiet, live=live)


def _to_the_end(run: LocalRun, how: str, *, quiet: bool, live: bool) -> Run:
    from search_engine.commands.live import shown
    from search_engine.commands.run import drive
    from search_engine.search.local_run import Interrupted

    try:
        with shown(run, live):
            result = drive(run, bar=not quiet and (sys.stderr.isatty() or in_notebook()))
    except Interrupted:
        raise Stopped(run.out, how.format(out=str(run.out))) from None
    if not quiet and result["status"] != "completed":
        print(f"the run in {run.out} {result['status']}: {result['reason']}", file=sys.stderr)
    return Run(run.out, trusted=True)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is not None."""
    return {name: value for name, value in values.items() if value is not None}


def in_notebook() -> bool:
    """Whether a Jupyter kernel shows what is written, which is no terminal and follows a progress line all the same."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def _new_folder(algorithm: str) -> Path:
    """The first free one of runs/ALGORITHM-1, runs/ALGORITHM-2, ..."""
    number = 1
    while (folder := Path("runs") / f"{algorithm}-{number}").exists():
        number += 1
    return folder


def _config_values(config: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    if config is None:
        return {}
    if isinstance(config, str | Path):
        from search_engine.commands.config_file import read_config

        return read_config(str(config))
    if isinstance(config, Mapping):
        return dict(config)
    raise BadInput("config", f"give a mapping of fields, or the path of a file with them, not {type(config).__name__}")


def _choose(
    values: dict[str, Any], data: Any, target: str | None, choices: Mapping[str, Any] | None, space: Any, *, quiet: bool
) -> None:
    """Put the ids of space and data into the values of a config."""
    from .choosing import the_data, the_space

    if space is not None:
        values["space"], own = the_space(space)
        if own:
            values["space_options"] = {**values.get("space_options", {}), **own}
    if data is not None or target is not None or choices:
        values["datasets"] = the_data(data, target, choices, quiet=quiet)


def _validated(values: dict[str, Any]) -> RunConfig:
    from search_engine.catalogue.config import RunConfig, parse

    return parse("", RunConfig, values)  # type: ignore[no-any-return]


def _genome_only(text: str) -> str:
    """Of what says a space and its options beside, the genome: the search has a space of its own, which the genome must be of."""
    import json

    from search_engine.spaces.written import is_json, read_json

    text = text.strip()
    genome = read_json(text).get("genome") if is_json(text) else None
    return json.dumps(genome) if isinstance(genome, dict) else text


def _bundle_of(given: Any) -> Path:
    if isinstance(given, Run):
        if given.bundle is None:
            raise BadInput("model", f"{given.folder} has no model: {given.model_reason}")
        return given.bundle
    if isinstance(given, str | Path):
        return Path(given)
    raise BadInput("model", f"give a run, or the folder or zip of a download, not {type(given).__name__}")
