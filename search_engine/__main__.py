"""`python -m search_engine`: see `search_engine.commands`."""

import sys

from .commands import main

if __name__ == "__main__":
    sys.exit(main())
