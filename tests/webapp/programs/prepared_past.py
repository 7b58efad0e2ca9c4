"""Whether a run's keyframe is what all of its events add up to, one after the other.

    python -m tests.webapp.programs.prepared_past RUN
"""

from __future__ import annotations

import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    from webapp.core.models import Keyframe
    from webapp.events.keyframes import facts
    from webapp.events.past.fold import Past

    kept = list(Keyframe.objects.filter(run_id=sys.argv[1]))
    past = Past("val_accuracy")
    for fact in facts(kept[0].run_id, 0, 2**62):
        past.add(fact)
    print(json.dumps({"seq": kept[0].seq, "equal": bytes(kept[0].body) == past.written(), "keyframes": len(kept)}))
