"""The process that reads a file: `python -m search_engine.datasets.own.child`, asked by `importing` with one line of JSON on stdin.

It holds itself to its bounds before it looks at the file, tells how far it is as lines of JSON, and ends with one line that has the result
or the error. Nobody else's memory is touched by what a file does to it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from ...base.errors import BadInput
from ...base.memory import in_words
from .bounds import Bounds
from .choices import Choices

EVERY = 0.2
"""Seconds between two words about how far it is."""


def hold_to(bounds: Bounds) -> None:
    """Limits of this process that nothing in it can lift."""
    try:
        import resource
    except ImportError:  # no Unix
        return
    # Data, not address space: libraries reserve much that they never touch, and mapped files are no memory of ours.
    for kind, most in ((resource.RLIMIT_DATA, bounds.memory), (resource.RLIMIT_FSIZE, bounds.bytes), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        limit = int(most) if hard == resource.RLIM_INFINITY else min(int(most), hard)
        resource.setrlimit(kind, (limit, limit))


def main() -> int:
    """Do what stdin asks. Exit status 0 where the answer stands on stdout, be it an error of the input."""
    asked = json.loads(sys.stdin.readline())
    bounds, choices = Bounds.model_validate(asked["bounds"]), Choices.model_validate(asked["choices"])
    # Whatever a library prints must not look like an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    last = [0.0]

    def send(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    def tell(done: float, words: str) -> None:
        now = time.monotonic()
        if now - last[0] >= EVERY:
            last[0] = now
            send({"done": done, "words": words})

    hold_to(bounds)
    try:
        result = _answer(asked, Path(asked["path"]), asked["name"], choices, bounds, tell)
        send({"result": result, "peak": _peak()})
    except BadInput as error:
        send({"error": [error.field, error.message, error.code]})
    except MemoryError:
        message = f"reading it needs more than the {in_words(bounds.memory)} of memory that an import may have: give fewer rows or pictures"
        send({"error": ["file", message, "too_large"]})
    return 0


def _answer(asked: dict[str, Any], path: Path, name: str, choices: Choices, bounds: Bounds, tell: Any) -> Any:
    from .keeping import keep_draft
    from .reading import findings_of, read_draft, source_of

    tell(0.0, "looking at the file")
    source = source_of(path, name, bounds)
    draft = read_draft(path, name, choices, bounds, tell)
    found = findings_of(draft, source)
    if asked["folder"] is None:
        return found.model_dump(mode="json")
    return keep_draft(draft, found, choices, Path(asked["folder"]), tell).model_dump(mode="json")


def _peak() -> int:
    """Bytes of main memory that this process had at most."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main())
