"""FILE COMMAND...: `manage.py COMMAND...` in a process whose clock on the wall is off by so many seconds as FILE says at each moment."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_real = time.time


def _offset() -> float:
    try:
        return float(OFFSET.read_text() or 0)
    except FileNotFoundError:
        return 0.0


if __name__ == "__main__":
    OFFSET = Path(sys.argv[1])
    time.time = lambda: _real() + _offset()
    import django
    from django.utils import timezone

    timezone.now = lambda: datetime.now(tz=UTC) + timedelta(seconds=_offset())
    django.setup()
    sys.argv = ["manage.py", *sys.argv[2:]]
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
