"""How a person here calls a command of the web application, for messages that name one."""

from __future__ import annotations

import sys
from pathlib import Path

from django.conf import settings

from search_engine.base.home import checkout


def called(command: str, root: Path | None = None) -> str:
    """`command` as it is typed: by `manage.py` in a checkout and in an image, else by the console script of the installed package."""
    if checkout(root or Path(settings.BASE_DIR)) is not None:
        return f"manage.py {command}"
    return f"nascope {command}" if command == "up" else f"nascope manage {command}"


def process(*words: str) -> list[str]:
    """The command line of another process of this program, to be started in `settings.BASE_DIR`: there its packages are found first."""
    return [sys.executable, "-m", "webapp", *words]
