"""`check`: what a run would be and what one unit of it takes, and what to know before it, without starting it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..base.home import data_folder
from ..base.memory import in_words
from ..catalogue.advice import advice
from ..catalogue.config import check_new
from ..search.resources import Resources
from .run import add_choices, given_model, run_config, say_before


def add_parser(commands: Any, name: str) -> None:
    parser = commands.add_parser(
        name,
        help="say whether a run could be started, what one unit of it takes, and what to know of it and of its data",
        description="Check a run without starting it: exit status 0 where it could be started, 2 with what is wrong. What the neediest "
        "piece of work between two checks for a stop takes stands on stdout; what to know before the start (of the settings, and of the "
        "data) comes on stderr.",
    )
    add_choices(parser)
    parser.add_argument("--json", action="store_true", help="print what was found as JSON on stdout")
    parser.set_defaults(act=act)


def act(parsed: argparse.Namespace) -> int:
    """Raises BadInput where something cannot work, or where one unit needs more than this machine has."""
    from ..search.bounds import Bounds, refuse_too_large

    data_dir = data_folder()
    checked = check_new(run_config(parsed, given_model(parsed)), data_dir)
    if checked.dataset.provides == "samples":
        from ..training.device import configure

        configure(checked.config.threads)
    bounds = Bounds.of_this_process(checked)
    needs = refuse_too_large(checked, data_dir, bounds)
    of_the_data = Resources(checked, data_dir).data_warnings
    if parsed.json:
        units = [{"what": need.what, "memory": need.memory, "flops": need.flops} for need in needs]
        limits = {"memory": bounds.memory, "flops": bounds.flops}
        print(json.dumps({"units": units, "bounds": limits, "advice": advice(checked), "data": of_the_data}, indent=2))
        return 0
    say_before(checked, of_the_data)
    config = checked.config
    print(f"{config.algorithm} on {', '.join(config.datasets)}, {config.space}, seed {config.seed}: could be started")
    for need in needs:
        print(f"one {need.what}: {in_words(need.memory)} of memory, {need.flops:.2g} FLOPs")
    return 0
