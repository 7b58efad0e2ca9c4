"""`architecture`: what a text describes, how it is drawn, and its training with everything that a finished run has."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..algorithms.given_architecture import ENTRY
from ..base.errors import BadInput
from ..base.home import data_folder
from ..bundle.reopened import architecture_text, data_shape
from ..catalogue import registry
from ..catalogue.architectures import Architecture, read
from ..catalogue.config import RunConfig, check_new
from ..spaces.data_shape import DataShape
from . import data, live
from .run import PLACES, TOP, as_begun, open_run, read_text, run_config, say_before, to_the_end

OF_ITS_TRAINING = ("out", "dataset", "seed", "resume", "live", "epochs", "train_on", "seeds", "ensemble")
"""Words that mean something only with --train."""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "architecture",
        help="read an architecture from text; draw it, or train and test it",
        description="Read an architecture: a NAS-Bench-201 string, DARTS' Genotype, a genome's JSON, or with --space whatever that space "
        "writes. Says what it is; --draw gives its graph as JSON, --train finishes it as what a search finds is finished, beside random "
        "ones of about its size. `run --start` begins a search with it.",
    )
    parser.add_argument("text", help="the architecture, or a model's download (folder or zip) that has it; - reads it from standard input")
    parser.add_argument("--space", help="registry id, see `spaces`; default: as the text says")
    parser.add_argument("--draw", action="store_true", help="print its graphs, node by node and edge by edge, as JSON")
    parser.add_argument("--train", action="store_true", help="train it, test it once and write the download, in the folder --out")
    parser.add_argument("--dataset", help="for --train: registry id, see `datasets`, or a file of one's own; default: the space's first")
    parser.add_argument("--out", help="for --train: folder for events.jsonl, result.json and model/")
    parser.add_argument("--seed", help="for --train: a whole number; default 0")
    parser.add_argument("--resume", action="store_true", help="for --train: go on with the run in that folder")
    live.add_choice(parser, "for --train: ")
    parser.add_argument("--epochs", metavar="N", help="for --train: how long; default: 12")
    parser.add_argument(
        "--train-on", metavar="PARTS", help="for --train: train (default) or train_and_validation, which leaves no validation score"
    )
    parser.add_argument(
        "--seeds", metavar="N", help="for --train: so many trainings from different seeds, each tested once; the model is the best by "
        "validation",
    )
    parser.add_argument("--ensemble", action="store_true", help="for --train: the model is all --seeds trainings in one")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="space.KEY, and for --train finale.KEY, finale.training.KEY, ..."
    )
    parser.add_argument("--json", action="store_true", help="print what was found, or the result, as JSON on stdout")
    data.add_choices(parser.add_argument_group("where --dataset is a file"))
    parser.set_defaults(act=act)


def act(parsed: argparse.Namespace) -> int:
    given = [name for name in OF_ITS_TRAINING if getattr(parsed, name)]
    if given and not parsed.train:
        raise BadInput(given[0], f"--{given[0].replace('_', '-')} belongs to --train")
    if parsed.draw and parsed.train:
        raise BadInput("draw", "--draw prints the architecture, --train trains it; give one of them")
    parsed.config = parsed.model = parsed.population = parsed.budget = None
    parsed.algorithm = ENTRY.id
    place = Path(parsed.text)
    download = _is_download(place)
    text, shape = (architecture_text(place), data_shape(place)) if download else (read_text(parsed.text), None)
    if parsed.train:
        parsed.set = [*parsed.set, *_as_settings(parsed)]
        return _train(parsed, text, shape)
    space_options = _space_options(parsed)
    found = read(text, parsed.space or "", space_options, shape)
    if parsed.draw:
        print(json.dumps(found.to_json()["drawings"], indent=2))
    elif parsed.json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        _say(found)
    return 0


def _is_download(place: Path) -> bool:
    """Whether the text names one: no architecture is written like a folder or a zip that is there."""
    try:
        return place.is_dir() or (place.suffix == ".zip" and place.is_file())
    except (OSError, ValueError):
        return False


def _as_settings(parsed: argparse.Namespace) -> list[str]:
    """What says how it is trained, as `--set` says it."""
    names = {"epochs": "finale.training.epochs", "train_on": "finale.train_on", "seeds": "finale.seeds"}
    found = [f"{key}={value}" for name, key in names.items() if (value := getattr(parsed, name)) is not None]
    return [*found, "finale.ensemble=true"] if parsed.ensemble else found


def _space_options(parsed: argparse.Namespace) -> dict[str, Any]:
    """What `--set` says of the space. Raises BadInput for what belongs to a training."""
    for item in parsed.set:
        key = item.partition("=")[0]
        if "=" in item and (key in TOP or (key.partition(".")[0] in PLACES and not key.startswith("space."))):
            raise BadInput("set", f"{key} belongs to --train; space.KEY sets an option of the space")
    return run_config(parsed).space_options


def _say(found: Architecture) -> None:
    print(found.string)
    print(f"space: {found.space}" + "".join(f", {name} {value}" for name, value in found.space_options.items()))
    print(f"hash: {found.hash}")
    for name, graph in found.drawings.items():
        print(f"{name}: {len(graph.nodes)} nodes, {len(graph.edges)} edges")


def given_config(config: RunConfig, text: str, space: str = "", shape: DataShape | None = None) -> RunConfig:
    """The config of a run that trains the architecture of this text, otherwise as `config` says. `shape`: of the data that it was for,
    where that of its own is not known before they are read. Raises BadInput."""
    options = config.space_options
    if config.datasets:
        entry = registry.dataset(config.datasets[0])
        [own] = config.dataset_options or [{}]
        shape = entry.shape_of(entry.config.model_validate(own)) or shape
    found = read(text, space, options, shape)
    genome = json.dumps(found.genome.to_json(), sort_keys=True)
    return config.model_copy(
        update={"algorithm": ENTRY.id, "space": found.space, "space_options": found.space_options, "options": {"architecture": genome}}
    )


def _train(parsed: argparse.Namespace, text: str, shape: DataShape | None) -> int:
    if not parsed.out:
        raise BadInput("out", "--train needs --out FOLDER")
    data_dir, out = data_folder(), Path(parsed.out)
    config = given_config(run_config(parsed), text, parsed.space or "", shape)
    checked = as_begun(config, data_dir, out) if parsed.resume else check_new(config, data_dir)
    run = open_run(checked, data_dir, out, resume=parsed.resume)
    say_before(checked, run.coordinator.resources.data_warnings)
    return to_the_end(run, parsed, f"--resume --out {parsed.out}")
