"""The console script `nascope`: one door to the engine's command line and to the web application's.

What it does itself is to find which of them a word belongs to. `up`, `open` and `manage` are Django's commands; the others are those of
`python -m search_engine`, which calls `check` and `estimate` `contract` and `check`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from . import own_packages

ESTIMATE, SUITE = "estimate", "check"
WEB = {
    "up": "start the web application: server, workers, a login link",
    "open": "open a run of the command line in the web application",
    "manage": "another command of the web application: login_link, worker, changepassword, ...",
}
"""Commands of the web application, with their help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 failure, 2 bad input."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if found := own_packages.complaint():
        return _told(found)
    if words and words[0] in WEB:
        return _web(words)
    from search_engine import commands

    return commands.main(words, commands.parser("nascope", estimate=ESTIMATE, suite=SUITE, others=WEB))


def _web(words: list[str]) -> int:
    if os.name != "posix":
        return _told(f"'nascope {words[0]}' needs Linux or macOS (on Windows: WSL); 'nascope run' searches without the web application")
    # Whoever works on a project of his own with Django may have its settings named here.
    os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
    from webapp.command_line import run

    if words[0] == "manage":
        # Without a word it lists what there is.
        return run(["nascope manage", *(words[1:] or ["help"])])
    return run(["nascope", *words])


def _told(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1
