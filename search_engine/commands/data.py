"""`data add | list | show | remove`: own files as data sets, and `run --dataset FILE`, which adds the file first."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, get_args

from ..base.errors import BadInput
from ..base.quoting import shown
from ..datasets.own.choices import Choices, Kind, SplitKind, Task
from ..datasets.own.draft import Tell, silent
from ..datasets.own.findings import Findings, Manifest
from ..datasets.own.formulas import neutral
from ..datasets.own.stored import hold, is_own, manifest, manifests, own_folder, remove, set_folder
from .config_file import read_number

KEEPER = "command-line"
NUMBERS = {"test_share": False, "validation_share": False, "seed": True, "side": True, "channels": True}
"""Choices that are numbers -> whether whole."""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "data",
        help="own files as data sets: add, list, show, remove",
        description=f"Files of one's own become data sets, which lie in {own_folder()} (NASCOPE_HOME/own). A file with the same choices is "
        "the same set; other choices or another file make a new one.",
    )
    words = parser.add_subparsers(dest="data_command", required=True, metavar="add|list|show|remove")
    adding = words.add_parser("add", help="read a file and keep it as a data set", description="Read a file and keep it as a data set.")
    adding.add_argument("file", help="CSV, TSV, Parquet, a zip of pictures, .npz, .npy, a zip of idx files, time series (.npz, .ts)")
    adding.add_argument("--dry-run", action="store_true", help="say what is in the file and keep nothing")
    add_choices(adding)
    adding.add_argument("--json", action="store_true", help="print what was found as JSON on stdout; no progress")
    adding.set_defaults(act=_add)
    listing = words.add_parser("list", help="list the stored sets")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(act=_list)
    for name, text, act in (("show", "say what a stored set is", _show), ("remove", "delete a stored set", _remove)):
        one = words.add_parser(name, help=text)
        one.add_argument("id", help="an id that `data list` says")
        one.add_argument("--json", action="store_true", help="for machines")
        one.set_defaults(act=act)


def add_choices(parser: Any) -> None:
    """The words by which an import is settled; all that is left open is proposed by the file."""
    parser.add_argument("--target", metavar="COLUMN", help="the column (or array) that is to be predicted")
    parser.add_argument("--task", choices=get_args(Task), help="default: as the target looks")
    parser.add_argument("--title", help="what the set is called; default: the file's name")
    parser.add_argument(
        "--type", action="append", default=[], metavar="COLUMN=KIND", help=f"what becomes of a column: {', '.join(get_args(Kind))}"
    )
    parser.add_argument("--split", choices=get_args(SplitKind), help="how the test part is set aside; default: as the file proposes")
    parser.add_argument("--split-column", metavar="COLUMN", help="whose groups, times or parts the split follows")
    for name, text in (
        ("test-share", "share of the examples that is for the test; default .2"), ("split-seed", "of the split; default 0"),
        ("side", "pixels to which pictures are brought"), ("channels", "of pictures: 1 grey, 3 colour"),
    ):
        parser.add_argument(f"--{name}", help=text)
    parser.add_argument("--series", choices=("series", "values", "statistics"), help="series as they are, or as vectors")
    parser.add_argument("--encoding", help="of a text; default: UTF-8, or a guess that is said")
    parser.add_argument("--separator", help="between cells; default: as the first lines look")
    parser.add_argument("--decimal", choices=(".", ","), help="in numbers; default: as the first lines look")
    parser.add_argument("--duplicates", choices=("keep", "drop"), help="examples that repeat another; default keep")


GIVEN = ("target", "task", "title", "split", "split_column", "test_share", "side", "channels", "series", "encoding", "separator", "decimal",
         "duplicates")


def choices_of(parsed: argparse.Namespace) -> Choices:
    """Raises BadInput naming the choice."""
    values: dict[str, Any] = {name: getattr(parsed, name) for name in GIVEN if getattr(parsed, name) is not None}
    if parsed.split_seed is not None:
        values["seed"] = parsed.split_seed
    for name, whole in NUMBERS.items():
        if name in values:
            values[name] = read_number(name, values[name], whole=whole)
    types: dict[str, str] = {}
    for item in parsed.type:
        name, equals, kind = item.rpartition("=")
        if not equals or kind not in get_args(Kind):
            raise BadInput("type", f"{shown(item)} is not COLUMN=KIND with a kind of {', '.join(get_args(Kind))}")
        types[name] = kind
    if values.get("separator") == "\\t":
        values["separator"] = "\t"
    try:
        return Choices.model_validate({**values, "types": types})
    except ValueError as error:
        from pydantic import ValidationError

        from ..catalogue.config import from_pydantic

        if isinstance(error, ValidationError):
            raise from_pydantic("", error) from None
        raise


def are_given(parsed: argparse.Namespace) -> bool:
    """Whether any word of `add_choices` stands there."""
    return bool(parsed.type) or parsed.split_seed is not None or any(getattr(parsed, name) is not None for name in GIVEN)


def import_file(name: str, choices: Choices, *, quiet: bool = False) -> Manifest:
    """The stored set of a file; its progress and its notes on stderr."""
    from ..datasets.own.importing import keep

    made = keep(Path(name), choices, tell=silent if quiet else progress())
    hold(made.id, KEEPER)
    if not quiet:
        _end_progress()
    return made


def progress() -> Tell:
    """One line on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        return silent

    def tell(done: float, words: str) -> None:
        print(f"\r\033[K{100 * done:3.0f} % {words}", end="", file=sys.stderr, flush=True)

    return tell


def _end_progress() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _add(parsed: argparse.Namespace) -> int:
    from ..datasets.own.importing import examine

    choices = choices_of(parsed)
    found: Findings
    if parsed.dry_run:
        found = examine(Path(parsed.file), choices, tell=silent if parsed.json else progress())
        _end_progress()
    else:
        found = import_file(parsed.file, choices, quiet=parsed.json)
    if parsed.json:
        print(found.model_dump_json(indent=2))
    else:
        _say(found)
    return 0


def _list(parsed: argparse.Namespace) -> int:
    found = manifests()
    if parsed.json:
        print(json.dumps([_short(item) for item in found], indent=2))
        return 0
    for item in found:
        print(f"{item.id:<24}{item.title}\n{'':<24}{_in_a_line(item)}")
    if not found:
        print(f"no stored data sets in {own_folder()}; add one: python -m search_engine data add FILE")
    return 0


def _show(parsed: argparse.Namespace) -> int:
    kept = _kept(parsed.id)
    if parsed.json:
        print(kept.model_dump_json(indent=2))
    else:
        _say(kept)
    return 0


def _remove(parsed: argparse.Namespace) -> int:
    kept = _kept(parsed.id)
    others = remove(kept.id, KEEPER)
    said = f"{kept.id} ({kept.title}) is removed. Runs and models that were made of it stay; a run that uses it cannot go on, and the " \
        "folders of runs of the command line are not looked through"
    if others:
        said = f"{kept.id} ({kept.title}) stays here: it was brought by others, too ({', '.join(others)})"
    print(json.dumps({"removed": kept.id, "kept_by": others}) if parsed.json else said)
    return 0


def _kept(name: str) -> Manifest:
    found = manifest(name)
    if found is None:
        there = ", ".join(item.id for item in manifests()) or "none"
        raise BadInput("id", f"there is no stored data set {shown(name)}; there are: {there}", code="unknown_id")
    return found


def _short(item: Manifest) -> dict[str, Any]:
    place = set_folder(item.id)
    return {
        "id": item.id, "title": item.title, "kind": item.kind, "task": item.task, "rows": item.rows, "target": item.target,
        "shape": item.shape, "classes": len(item.class_names) if item.task == "classification" else None, "test": item.split.test,
        "source": item.source.model_dump(), "made": item.made, "folder": str(place) if place else None,
    }


def _in_a_line(item: Findings) -> str:
    what = f"{len(item.class_names)} classes" if item.task == "classification" else "a number"
    shape = " x ".join(map(str, item.shape))
    return f"{item.rows:,} examples of shape {shape}, '{neutral(item.target)}' is predicted ({what}); from {neutral(item.source.name)}"


def _say(found: Findings) -> None:
    if isinstance(found, Manifest):
        print(f"{found.id}: {found.title}")
    print(f"{_in_a_line(found)} ({found.format})")
    print(f"{found.split.words}")
    for column in found.columns:
        figures = f" {column.least:g} to {column.largest:g}" if column.least is not None and column.largest is not None else ""
        several = f" {column.distinct:,} distinct" if column.kind in ("category", "target", "group") else figures
        missing = f", {column.missing:,} missing" if column.missing else ""
        print(f"  {column.kind:<10}{neutral(column.name)[:60]}:{several}{missing}{f' ({column.why})' if column.why else ''}")
    total = sum(item.count for item in found.balance)
    for item in found.balance[:20]:
        print(f"  {item.count:>9,} ({100 * item.count / total:.1f} %) {neutral(item.name)[:60]}, {item.test:,} of them for the test")
    if len(found.balance) > 20:
        print(f"  and {len(found.balance) - 20:,} more classes")
    for note in found.notices:
        print(f"note: {note.message}")


def is_file(name: str) -> bool:
    """Whether a word after --dataset is a file rather than the id of a data set."""
    return not is_own(name) and ("/" in name or "." in name or Path(name).is_file())
