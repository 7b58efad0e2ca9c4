"""`run`: one search in this process, with a progress bar on a terminal, checkpoints, and `--resume`."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Any

import yaml

from ..base.errors import BadInput
from ..catalogue.advice import advice
from ..catalogue.config import CheckedRun, RunConfig, check, check_new
from ..search.local_run import Interrupted, LocalRun, kept_config
from ..search.work import Progress
from .listing import data_directory

PLACES = {"space": "space_options", "data": "dataset_options", "training": "training", "finale": "finale", "options": "options"}
"""First part of a dotted `--set` key -> field of the run config. Without a dot the key is an option of the algorithm."""
TOP = ("structure_every", "threads", "together", "device", "amp", "max_failures")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="run one search",
        description="Run one search. Either name a CONFIG.yaml, or give the algorithm and what differs from its defaults.",
    )
    parser.add_argument("config", nargs="?", help="a YAML or JSON file with the fields of the run config")
    parser.add_argument("--algorithm", help="registry id, see `algorithms`")
    parser.add_argument("--space", help="registry id, see `spaces`; default: the algorithm's first")
    parser.add_argument("--dataset", help="registry id, or several with commas, see `datasets`")
    parser.add_argument("--seed", type=int, help="default 0")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the algorithm, or training.KEY, finale.KEY, finale.training.KEY, space.KEY, data.KEY, threads, device, ...",
    )
    parser.add_argument("--budget", metavar="KIND=N", help="samples=N, trials=N or seconds=N")
    parser.add_argument("--out", required=True, help="folder for events.jsonl, result.json and model/")
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout; no progress bar")
    parser.add_argument("--slice-seconds", type=float, default=2.0, help="seconds between two checkpoints")
    parser.set_defaults(act=act)


def act(parsed: argparse.Namespace) -> int:
    data_dir = data_directory()
    checked = _checked(parsed, data_dir)
    run = LocalRun(checked, data_dir, Path(parsed.out), resume=parsed.resume, slice_seconds=parsed.slice_seconds)
    if checked.dataset.provides == "samples":
        from ..training.device import configure

        configure(checked.config.threads)
    stopping: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: stopping.append(number))
    for sentence in advice(checked):
        print(f"note: {sentence}", file=sys.stderr)
    bar = None if parsed.json or not sys.stderr.isatty() else ProgressBar(checked)
    try:
        result = run.run(stop=lambda: bool(stopping), report=bar.update if bar else None)
    except Interrupted:
        print(f"stopped at a checkpoint; go on with --resume --out {parsed.out}", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGINT, before)
        if bar:
            bar.close()
    if not result["reproducible"]:
        print(f"note: not reproducible to the bit: {result['reproducible_note']}", file=sys.stderr)
    if parsed.json:
        print(json.dumps(result, indent=2))
    else:
        _summary(result, Path(parsed.out))
    return 0 if result["status"] == "completed" else 1


def _checked(parsed: argparse.Namespace, data_dir: Path) -> CheckedRun:
    """A new run's config is completed; a run that is resumed keeps what it was begun with."""
    config = run_config(parsed)
    begun = kept_config(Path(parsed.out)) if parsed.resume else None
    as_given = begun is not None and begun["options"] == config.options
    return check(config, data_dir) if as_given else check_new(config, data_dir)


class ProgressBar:
    """tqdm on stderr: the search's progress, and the present work's text."""

    def __init__(self, checked: CheckedRun) -> None:
        from tqdm import tqdm

        limit = checked.budget.limit if checked.budget is not None else None
        self._bar = tqdm(
            total=limit, unit=checked.budget.kind if checked.budget else "step", desc=checked.algorithm.title, dynamic_ncols=True
        )

    def update(self, search: Progress, work: Progress | None, run: LocalRun) -> None:
        shown = work if work is not None and (search.total is None or run.coordinator.finale.started) else search
        self._bar.total = shown.total
        self._bar.n = shown.done
        self._bar.set_postfix_str((work or search).text, refresh=False)
        self._bar.refresh()

    def close(self) -> None:
        self._bar.close()


def _summary(result: dict[str, Any], out: Path) -> None:
    print(f"{result['algorithm']} on {', '.join(result['datasets'])}, {result['space']}, seed {result['seed']}: {result['reason']}")
    budget = result["budget"]
    print(f"charged: {budget['trials']:,} trials, {budget['samples']:,.0f} samples")
    for item in (*result["best"], *result["baseline"]):
        scores = ", ".join(f"{name} {value:.4f}" for name, value in item["metrics"].items() if "accuracy" in name or name == "reward")
        print(f"{item['title']}: {scores}\n  {item['string'][:400]}")
    print(
        f"written: {out / 'result.json'}" + (f", {out / result['model']}" if result["model"] else f" (no model: {result['model_reason']})")
    )


def run_config(parsed: argparse.Namespace) -> RunConfig:
    """The run config from file and options. Raises BadInput naming the option."""
    values: dict[str, Any] = _read_file(parsed.config) if parsed.config else {}
    if parsed.algorithm:
        values["algorithm"] = parsed.algorithm
    if "algorithm" not in values:
        raise BadInput("algorithm", "give --algorithm ID or a config file")
    for name in ("space", "seed"):
        if getattr(parsed, name) is not None:
            values[name] = getattr(parsed, name)
    if parsed.dataset:
        values["datasets"] = [name for name in parsed.dataset.split(",") if name]
    if parsed.budget:
        values["budget"] = _budget(parsed.budget)
    for item in parsed.set:
        _assign(values, item)
    try:
        return RunConfig.model_validate(values)
    except ValueError as error:
        from pydantic import ValidationError

        from ..catalogue.config import from_pydantic

        if isinstance(error, ValidationError):
            raise from_pydantic("", error) from None
        raise


def _read_file(name: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(Path(name).read_text())
    except FileNotFoundError:
        raise BadInput("config", f"there is no file {name}") from None
    except yaml.YAMLError as error:
        raise BadInput("config", f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise BadInput("config", f"{name} must hold a mapping of fields (algorithm, space, ...)")
    return values


def _budget(text: str) -> dict[str, float | int]:
    kind, _, amount = text.partition("=")
    if kind not in ("trials", "samples", "seconds") or not amount:
        raise BadInput("budget", f"'{text}' is not a budget; write trials=N, samples=N or seconds=N")
    try:
        return {kind: int(amount) if kind == "trials" else float(amount)}
    except ValueError:
        raise BadInput("budget", f"'{amount}' is not a number") from None


def _assign(values: dict[str, Any], item: str) -> None:
    key, equals, text = item.partition("=")
    if not equals or not key:
        raise BadInput("set", f"'{item}' is not KEY=VALUE")
    try:
        value = yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        value = text
    if isinstance(value, str):
        # YAML 1.1 reads 1e-3 as a string; people mean the number.
        with contextlib.suppress(ValueError):
            value = float(value)
    parts = key.split(".")
    if len(parts) == 1:
        target = values if key in TOP else values.setdefault("options", {})
    else:
        place = PLACES.get(parts[0])
        if place is None:
            raise BadInput("set", f"'{key}' starts with none of {', '.join(PLACES)}")
        if place == "dataset_options":
            target = values.setdefault(place, [{}])[0]
        else:
            target = values.setdefault(place, {})
        for part in parts[1:-1]:
            target = target.setdefault(part, {})
    target[parts[-1]] = value
