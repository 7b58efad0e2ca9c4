#!/usr/bin/env python
"""Django's command line: `manage.py up` starts everything, `manage.py worker` one worker."""

import sys

if __name__ == "__main__":
    from webapp.command_line import run

    sys.exit(run(sys.argv))
