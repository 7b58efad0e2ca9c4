"""Print when the events of the contract's runs happened as the server counts it: the page, which counts for itself what it sees live, is held
against this (tests/run/timeline.test.ts). The events get times of all kinds: at once, soon, after a pause, and back where a clock was set."""

import json
import sys
from itertools import cycle
from pathlib import Path

FRONTEND = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(FRONTEND.parent))

from webapp.api.past import past_columns
from webapp.events.past.fold import Fact, Past

GAPS = (0.0, 0.001, 0.05, 0.3, 700.0, -1.0, 1.999)


def main() -> None:
    runs = json.loads((FRONTEND / "tests" / "fixtures" / "contract.json").read_text())["runs"]
    parts = []
    for name, run in runs.items():
        past, time, times = Past("reward"), 1e9, []
        for record, gap in zip(run["events"], cycle(GAPS)):
            time += gap
            times.append(time)
            past.add(Fact(**{**record, "time": time}))
        parts.append(f" {json.dumps(name)}: {json.dumps({'times': times, 'timeline': past_columns(past)['timeline']})}")
    sys.stdout.write("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
