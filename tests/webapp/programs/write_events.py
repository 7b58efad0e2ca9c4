"""write_events RUN SOURCE COUNT: append COUNT structure frames under this source, one transaction each, repeating every tenth."""

import json
import sys

from django.db import transaction

from tests.webapp.builders import frame
from webapp.core.locks import lock_run
from webapp.events.store import append

if __name__ == "__main__":
    run_id, source, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    written = 0
    for step in range(count):
        # A repetition must insert nothing, also while others write.
        for _ in range(2 if step % 10 == 0 else 1):
            with transaction.atomic():
                written += len(append(lock_run(run_id), [frame(step, [float(step)], source)]))  # type: ignore[arg-type]
    print(json.dumps(written))
