"""make_run CONFIG: an owner, an experiment and a run with this config (JSON). Prints the run's id."""

import json
import sys

from tests.webapp.builders import make_run

if __name__ == "__main__":
    print(json.dumps(str(make_run(json.loads(sys.argv[1])).pk)))
