"""`python -m webapp COMMAND`: what `manage.py` does, for processes that are started by others and for an installed NAScope, which has no
`manage.py`."""

import sys

from webapp.command_line import run

if __name__ == "__main__":
    sys.exit(run(["manage.py", *sys.argv[1:]]))
