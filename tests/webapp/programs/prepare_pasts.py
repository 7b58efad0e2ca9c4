"""Ticks as the reaper does until the run's keyframe holds event number LAST, or LAST is 0 and nothing is far behind. Prints how often.

    python -m tests.webapp.programs.prepare_pasts RUN LAST AT_ONCE
"""

from __future__ import annotations

import json
import sys
import time

import django

if __name__ == "__main__":
    django.setup()
    from tests.patience import PATIENCE
    from webapp.core.models import Keyframe
    from webapp.events import keyframes

    run_id, last, at_once = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    keyframes.AT_ONCE, keyframes.FAR, keyframes.REST_SECONDS = at_once, 1, 0.0
    reaper, ticks, until = keyframes.Keyframes(), 0, time.monotonic() + PATIENCE
    while Keyframe.objects.filter(run_id=run_id, seq__gte=last).first() is None:
        reaper.tick()
        ticks += 1
        if time.monotonic() > until:
            sys.exit(f"the keyframe never came to event {last}")
    print(json.dumps(ticks))
