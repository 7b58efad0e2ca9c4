"""`--live`: a search of this process is shown in the browser of the local NAScope while it runs.

A process of the web application (`python -m webapp follow DIR`) reads the run's folder. It is told over its standard input, a JSON object
a line: first the run's config, then after every commit how many bytes of `events.jsonl` are said for good and how far the search is. Where
that input ends, the search has: at its end, at a checkpoint, or killed. The search waits for nothing but the address at the beginning and,
when all is written, the end of that process: one that is slow, or gone, leaves it alone.

Both processes are the same user's, on one machine, with the database between the second and the browser: no port is opened for it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from ..search.local_run import LocalRun

ANSWER_SECONDS = 60.0
"""How long the search waits for the address of its page."""
END_SECONDS = 600.0
"""How long it waits for its models to be copied, when it is over."""
SOON = 3.0
"""After so long it is said what is waited for."""
TEXT = 300
"""Characters of what is under way."""
LINE = 1 << 24
"""Bytes of a line; a config with an architecture in it has thousands."""


class Begun(BaseModel):
    """The first line: which run it is."""

    model_config = ConfigDict(extra="forbid")

    config: dict[str, Any]
    events: int
    """How many it has said already: more than none where it goes on."""


class Committed(BaseModel):
    """Every further line: what the folder holds for good."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    size: int
    """Bytes of `events.jsonl`."""
    text: str
    fraction: float | None
    """Of all work; of the present stage where the whole is not known, None where that has no end either."""
    eta_seconds: float | None
    charged: dict[str, float]


class Answer(BaseModel):
    """A line that the follower says: the address of the run's page, or why there is none; at its end, what became of the run."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["shown", "not_shown", "ended"]
    text: str


def add_choice(parser: argparse.ArgumentParser, when: str = "") -> None:
    """The word `--live`. `when`: before its help."""
    parser.add_argument(
        "--live", action="store_true", help=f"{when}show it in the browser of the local NAScope (`nascope up`) while it runs"
    )


@contextlib.contextmanager
def shown(run: LocalRun, wanted: bool) -> Iterator[None]:
    """Show `run` while it is driven inside, where `wanted`. What it has to say stands on stderr; nothing that goes wrong with it ends the
    search."""
    follower = _begun(run) if wanted else None
    try:
        yield
    finally:
        if follower is not None:
            follower.end()


def _say(text: str) -> None:
    print(f"live: {text}", file=sys.stderr)


def _begun(run: LocalRun) -> Follower | None:
    if os.name != "posix":
        _say("it needs Linux or macOS (on Windows: WSL); the search runs without it")
        return None
    try:
        follower = Follower(run)
    except OSError as error:
        _say(f"the program that shows it could not be started ({error.strerror}); the search runs without it")
        return None
    answer = follower.answer(ANSWER_SECONDS)
    if answer is None or answer.kind != "shown":
        _say(f"{answer.text if answer else 'the program that shows it does not answer'}; the search runs without it")
        follower.leave()
        return None
    _say(answer.text)
    run.committed = follower.committed
    return follower


class Follower:
    """The process that shows a run, seen from the search."""

    def __init__(self, run: LocalRun) -> None:
        """Raises OSError where no process can be started."""
        self._run = run
        # Beside this package, from whatever folder the search was started.
        path = os.pathsep.join(filter(None, (str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "webapp.settings", "PYTHONPATH": path}
        # A session of its own: neither Ctrl-C nor the end of the terminal ends it before it has written what the search left. -P: nothing
        # that lies in the present folder is taken for ours.
        self._process = subprocess.Popen(  # nosec B603 # our own words, no shell
            [sys.executable, "-P", "-m", "webapp", "follow", str(run.out.resolve())], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment, start_new_session=True,
        )  # fmt: skip
        config = run.checked.config.model_dump(mode="json")
        # Large (a config of thousands of characters) and unread as yet: before the pipe is told never to wait.
        self._write(Begun(config=config, events=run.seq))
        os.set_blocking(self._input.fileno(), False)

    @property
    def _input(self) -> IO[bytes]:
        return cast(IO[bytes], self._process.stdin)

    @property
    def _output(self) -> IO[bytes]:
        return cast(IO[bytes], self._process.stdout)

    def committed(self, size: int) -> None:
        """Tell what is written. A line for which there is no room is left out: the next one says more."""
        run, stage, left = self._run, self._run.stage(), self._run.left()
        fraction = run.share_done()
        if fraction is None and stage.total:
            fraction = min(1.0, stage.done / stage.total)
        self._write(Committed(
            size=size, text=stage.text[:TEXT], fraction=fraction, eta_seconds=None if left is None else left.seconds,
            charged=run.coordinator.meter.totals(),
        ))  # fmt: skip

    def _write(self, line: BaseModel) -> None:
        # Below PIPE_BUF (4,096 bytes) a line is written whole or not at all.
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ValueError):
            os.write(self._input.fileno(), line.model_dump_json().encode() + b"\n")

    def answer(self, seconds: float) -> Answer | None:
        """The next line that it says; None where it says nothing in that time, or has ended."""
        ready, _, _ = select.select([self._output], [], [], seconds)
        line = self._output.readline() if ready else b""
        try:
            return Answer.model_validate_json(line)
        except ValidationError:
            return None

    def leave(self) -> None:
        """It is not needed."""
        self._input.close()
        self._output.close()

    def end(self) -> None:
        """The search is over, or stands at a checkpoint: wait until all of it is in the browser."""
        self._input.close()
        try:
            answer = self.answer(SOON)
            if answer is None and self._process.poll() is None:
                _say("the rest of it goes to the browser (Ctrl-C: without waiting for that)")
                answer = self.answer(END_SECONDS)
        except KeyboardInterrupt:
            _say("the rest of it goes to the browser by itself")
        else:
            missing = f"the browser does not show all of it; once it has ended, `nascope open {self._run.out}` brings the rest"
            _say(answer.text if answer else missing)
        self.leave()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
