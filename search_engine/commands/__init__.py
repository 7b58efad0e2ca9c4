"""The command line: `python -m search_engine algorithms | spaces | datasets | events | catalogue | run`.

Exit status 0 done, 1 failure (or interrupted, with a checkpoint), 2 bad input with one clear line on stderr.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from ..base import plugins
from ..base.errors import BadInput
from ..catalogue import registry
from . import catalogue, listing, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m search_engine", description="Neural architecture search from the command line.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing.add_parsers(commands)
    run.add_parser(commands)
    parser_of_catalogue = commands.add_parser("catalogue", help="print the algorithms with their sources and options as Markdown")
    parser_of_catalogue.set_defaults(act=lambda parsed: print(catalogue.markdown(), end="") or 0)
    parsed = parser.parse_args(arguments)
    # Said below, and not once more by the log.
    plugins.logger.addHandler(logging.NullHandler())
    try:
        status = int(parsed.act(parsed))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    except BrokenPipeError:
        return 1
    for plugin in registry.broken_plugins():
        print(f"warning: {plugin}", file=sys.stderr)
    return status
