"""`more`: more budget for a search that is over, in a new folder; `finish`: the best of one that was interrupted, now."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..base.errors import BadInput
from ..base.home import data_folder
from ..base.quoting import shortened, shown
from ..catalogue.config import CheckedRun, check
from ..search import continuation
from ..search.local_run import RESULT, LocalRun, kept_config
from . import live
from .config_file import read_number
from .run import say_before, to_the_end


def add_parsers(commands: Any) -> None:
    more = commands.add_parser(
        "more",
        help="go on with a finished search under a larger budget",
        description="Go on with a search that is over, under a larger budget, in a new folder: from the point where the first was cut, so "
        "that it does what one long search would have done. Without KIND=N: say what more can be asked for.",
    )
    more.add_argument("run", metavar="RUN", help="folder of a run that is over")
    more.add_argument("amount", metavar="KIND=N", nargs="?", help="how much more of what ended it: trials=50, samples=1e6, epochs=20, ...")
    more.add_argument("--out", help="folder for the new run")
    more.add_argument("--resume", action="store_true", help="go on with the new run in that folder")
    more.set_defaults(act=act_more)
    finish = commands.add_parser(
        "finish",
        help="end an interrupted search where it is and have the best of it",
        description="End the search of an interrupted run where it is, train and test the best of it, and write result and download.",
    )
    finish.add_argument("run", metavar="RUN", help="folder of a run that was interrupted (Ctrl-C, kill)")
    finish.set_defaults(act=act_finish)
    for parser in (more, finish):
        live.add_choice(parser)
        parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout; no progress bar")


def act_more(parsed: argparse.Namespace) -> int:
    folder = Path(parsed.run)
    checked, there = of_a_finished_run(folder)
    if parsed.amount is None:
        print(f"{shortened(str(folder))} had {there.have:,.0f} {there.unit}: go on with `more {parsed.run} {there.unit}=N --out FOLDER`"
              if there.unit else f"{shortened(str(folder))}: this search cannot go on: {there.why_not}")  # fmt: skip
        return 0
    unit, amount = _amount(parsed.amount)
    if parsed.out is None:
        raise BadInput("out", "name a folder for the new run: --out FOLDER")
    run = longer_run(folder, checked, there, unit, amount, Path(parsed.out), resume=parsed.resume)
    say_before(run.checked, run.coordinator.resources.data_warnings)
    return to_the_end(run, parsed, f"more {parsed.run} {parsed.amount} --resume --out {parsed.out}")


def act_finish(parsed: argparse.Namespace) -> int:
    run = ending_run(Path(parsed.run))
    return to_the_end(run, parsed, f"finish {parsed.run}")


def of_a_finished_run(folder: Path) -> tuple[CheckedRun, continuation.Possible]:
    """The config of the run in that folder, and what more it can be given. Raises BadInput(field "run")."""
    checked = _checked(folder)
    path = folder / RESULT
    if not path.exists():
        raise BadInput("run", f"{shortened(str(folder))} is not over: go on with it (run --resume), or end it where it is (finish)")
    try:
        result = json.loads(path.read_bytes())
        reason, charged = str(result["stop_reason"]), {name: float(value) for name, value in result["budget"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise BadInput("run", f"{shortened(str(path))} is not the result of a run") from None
    kind = "" if checked.budget is None else checked.budget.kind
    return checked, continuation.possible(folder, checked, reason, charged.get(kind, 0.0))


def longer_run(
    folder: Path, checked: CheckedRun, there: continuation.Possible, unit: str, more: float, out: Path, *, resume: bool = False
) -> LocalRun:
    """The run that goes on with the one in `folder`, ready to be driven. Raises BadInput."""
    config = continuation.longer(checked.config, there, unit, more)
    if out.resolve() == folder.resolve():
        raise BadInput("out", f"{shortened(str(out))} is the folder of the run that is over: name a new one")
    return LocalRun(check(config, data_folder()), data_folder(), out, resume=resume, beginning=continuation.Beginning.of(folder))


def ending_run(folder: Path) -> LocalRun:
    """The interrupted run in that folder, whose search ends when it is driven on. Raises BadInput(field "run")."""
    checked = _checked(folder)
    if (folder / RESULT).is_file():
        raise BadInput("run", f"{shortened(str(folder))} is finished already: its result is in {RESULT}")
    run = LocalRun(checked, data_folder(), folder, resume=True)
    run.finish_now()
    return run


def _checked(folder: Path) -> CheckedRun:
    config = kept_config(folder)
    if config is None:
        raise BadInput("run", f"{shortened(str(folder))} holds no run that the command line or Python made")
    return check(config, data_folder())


def _amount(text: str) -> tuple[str, float]:
    unit, separator, value = text.partition("=")
    if not separator or not unit or not value:
        raise BadInput("more", f"{shown(text)} is not of the form KIND=N, for example trials=50")
    return unit, float(read_number("more", value))
