"""`manage.py`, `python -m webapp`, `nascope manage`: Django's command line, whose failures for want of a folder, of space or of a
database are one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from search_engine.base import disk
from search_engine.base.quoting import shortened


def run(arguments: Sequence[str]) -> int:
    """Returns the exit status where the command does not end the process itself: 0 done, 1 what could not be used is named on stderr."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import Error

    try:
        try:
            assert settings.INSTALLED_APPS  # reads the settings: what is wrong in the environment shows here
        except (ImproperlyConfigured, ValueError) as error:
            return _told(f"a setting cannot be used: {error}")
        execute_from_command_line(list(arguments))
    except OSError as error:
        named = f"{shortened(str(error.filename))}: " if error.filename else ""
        if disk.is_full(error):
            return _told(f"{named}the disk is full; free some space")
        return _told(f"{named}{error.strerror or error}; NASCOPE_HOME names the folder for all that is written")
    except Error as error:
        return _told(f"the database cannot be used: {' '.join(str(error).split())} (DATABASE_URL, or db.sqlite3 in NASCOPE_HOME)")
    return 0


def _told(message: str) -> int:
    print(f"error: {shortened(message, 500)}", file=sys.stderr)
    return 1
