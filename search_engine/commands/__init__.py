"""The command line: `python -m search_engine run | more | finish | architecture | export | data | algorithms | spaces | datasets | events |
check | contract | catalogue`.

Exit status 0 done, 1 failure (or asked to stop, with a checkpoint), 2 bad input; whatever goes wrong is one clear line on stderr.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from ..base import disk, plugins
from ..base.errors import BadInput, CheckpointMismatch
from ..base.quoting import shortened
from ..base.release import __version__
from ..catalogue import registry
from . import architecture, catalogue, check, contract, data, export, listing, more, run

PROG = "python -m search_engine"
NO_OTHERS: Mapping[str, str] = MappingProxyType({})
LONGEST = 400
"""Characters of a complaint about the words of the command line: it quotes them."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(message if len(message) <= LONGEST else f"{message[: LONGEST - 50]} ... {message[-40:]}")


def parser(
    prog: str = PROG, *, estimate: str = "check", suite: str = "contract", others: Mapping[str, str] = NO_OTHERS
) -> argparse.ArgumentParser:
    """The command line's words. `estimate` and `suite` are what two of the commands are called; `others` are commands (name -> help) that
    whoever shows this help has of his own, and does himself."""
    words = _Parser(prog=prog, description="Neural architecture search from the command line.")
    words.add_argument("--version", action="version", version=f"NAScope {__version__}")
    commands = words.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in others.items():
        commands.add_parser(name, help=text)
    run.add_parser(commands)
    more.add_parsers(commands)
    architecture.add_parser(commands)
    export.add_parser(commands)
    data.add_parser(commands)
    listing.add_parsers(commands)
    check.add_parser(commands, estimate)
    contract.add_parser(commands, suite)
    parser_of_catalogue = commands.add_parser("catalogue", help="print the algorithms with their sources and options as Markdown")
    parser_of_catalogue.set_defaults(act=lambda parsed: print(catalogue.markdown(), end="") or 0)
    return words


def main(arguments: Sequence[str] | None = None, words: argparse.ArgumentParser | None = None) -> int:
    """Run one command of `words` (default: `parser()`); returns the exit status."""
    parsed = (words or parser()).parse_args(arguments)
    # Said below, and not once more by the log.
    plugins.logger.addHandler(logging.NullHandler())
    status = _guarded(parsed)
    for plugin in registry.broken_plugins():
        print(f"warning: {plugin}", file=sys.stderr)
    return status


def _guarded(parsed: argparse.Namespace) -> int:
    """The command's exit status; what ends it early is told in one line."""
    try:
        status = int(parsed.act(parsed))
        # Here, where a full disk can be told, and not at the end of the process.
        sys.stdout.flush()
    except BadInput as error:
        return _told(str(error), 2)
    except CheckpointMismatch as error:
        return _told(f"resume: {error}", 2)
    except KeyboardInterrupt:
        return _told("interrupted", 1)
    except BrokenPipeError:
        _leave_output()
        return 1
    except OSError as error:
        if disk.is_full(error):
            where = f" ({shortened(str(error.filename))})" if error.filename else ""
            further = "; then go on with --resume" if parsed.command in ("run", "more", "architecture") else ""
            status = _told(f"the disk is full{where}: free some space{further}", 1)
        else:
            named = f"{shortened(str(error.filename))}: " if error.filename else ""
            status = _told(f"{named}{error.strerror or error}", 1)
        _leave_output()
    return status


def _told(message: str, status: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return status


def _leave_output() -> None:
    """What waits to be written to a broken standard output is dropped: the interpreter would complain about it once more at its end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
