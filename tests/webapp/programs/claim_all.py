"""claim_all: claim jobs until there is none. Prints the numbers of the trials won."""

import json

from tests.webapp.builders import make_worker
from webapp.jobs.claim import claim

if __name__ == "__main__":
    worker = make_worker()
    won = []
    misses = 0
    while misses < 3:
        job = claim(worker)
        if job is None:
            misses += 1
        else:
            won.append(int(job.source.partition(":")[2]))
    print(json.dumps(won))
