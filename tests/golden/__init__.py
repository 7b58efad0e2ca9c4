"""Golden digests: what the searches said when their numbers were last meant to change.

    python -m tests.golden check                     run every search, compare its science with the stored digest
    python -m tests.golden write                     store the digests of searches that have none, or whose change CHANGELOG.md explains
    python -m tests.golden compare OTHER_CHECKOUT    run every search here and there: which differ, and where first
    python -m tests.golden machine                   what this machine's digests are stored under

Names of searches (`quick/darts`, `matrix/enas`) after a command restrict it to these.

**What is run** (`searches`): the quick run of every built-in algorithm on its default space and data, as the contract suite runs it, and
the searches of the worker matrix. Each is one `python -m search_engine run`, in a process of its own, with one thread.

**What is stored** (`digests.json`): of each search the SHA-256 of its science (the payloads sorted by key, without numbers of the log and
times), the same for each kind of event, and four hexadecimal digits for each event, by which the first event that differs is found.

**For which machine** (`machine`): equal bits are promised for equal versions on equal hardware only. Digests are stored under the versions
of what computes, torch's CPU capability, and a digest of arithmetic done on the spot; the searches run with torch's own arithmetic
(NASCOPE_NATIVE=0), whether or not this machine has a compiler. On another machine nothing is stored to compare with,
and the tests skip; there `compare` makes both sides:

    git worktree add ../before main
    python -m tests.golden compare ../before

**A digest changes only with a reason** (`record`). `write` replaces a digest only when the newest version in CHANGELOG.md has a line for
that algorithm, and one that was not yet used:

    ### Science

    - `enas`: the baseline starts from the first reward instead of 0.

The line is stored beside the digest; a test finds it in CHANGELOG.md.

No search is run for the sake of its digest in the test suites: the contract suite and the worker matrix compare what they have run anyway.
"""

import os

# One thread, as in the searches and in tests/conftest.py. NumPy's products read it when NumPy is loaded: with two threads `arithmetic` is
# another one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["NASCOPE_NATIVE"] = "0"
