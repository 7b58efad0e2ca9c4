"""make_jobs N: a run with N trial jobs, numbered from 0."""

import json
import sys

from tests.webapp.builders import make_job, make_run
from webapp.core.models import Job

if __name__ == "__main__":
    run = make_run()
    Job.objects.filter(run=run).update(runnable=False)
    for index in range(int(sys.argv[1])):
        make_job(run, "trial", index)
    print(json.dumps(str(run.pk)))
