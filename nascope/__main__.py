"""`python -m nascope`: see `nascope.console`."""

import sys

from .console import main

if __name__ == "__main__":
    sys.exit(main())
