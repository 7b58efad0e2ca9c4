#!/usr/bin/env python
"""Django's command line: `manage.py up` starts everything, `manage.py worker` one worker."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    from webapp.command_line import run

    sys.exit(run(sys.argv))
