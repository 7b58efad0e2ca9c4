"""A search of another process that is shown while it runs: what is here is the beginning of what its folder says, through a kill and to the
end, where it is what opening the folder makes of it."""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import check_new
from search_engine.commands.live import Begun, Committed
from search_engine.search.local_run import EVENTS, STATE, LocalRun
from tests.patience import PATIENCE
from webapp.core import running
from webapp.core.models import Event, Experiment, Job, ModelArtefact, Run
from webapp.jobs import files, following, states
from webapp.jobs.clock import after
from webapp.jobs.management.commands.up import _lock, _write_address
from webapp.jobs.opening import open_here

from .api_world import browser, make_user, send
from .installation import ROOT, Installation
from .test_opened_runs import answers

pytestmark = pytest.mark.django_db(transaction=True)
CONFIG: dict[str, Any] = {
    "algorithm": "regularized_evolution", "options": {"population": 2, "sample": 2}, "space": "nb201", "datasets": ["digits"], "seed": 3,
    "budget": {"trials": 3}, "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1},
    "finale": {
        "baselines": 1, "onnx": False, "redundancy": False, "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1},
    },
}  # fmt: skip
INSTANT: dict[str, Any] = {"algorithm": "random", "space": "sequence", "budget": {"trials": 40}, "seed": 5}


class Killed(Exception):
    """The process is gone, between a commit and the next."""


class Search:
    """One process of a search and what it says of itself."""

    def __init__(self, config: dict[str, Any], out: Path, *, resume: bool = False) -> None:
        self.run = LocalRun(check_new(config, out.parent), out.parent, out, resume=resume, slice_seconds=0.0)
        self.out = out
        self.lines = [Begun(config=self.run.checked.config.model_dump(mode="json"), events=self.run.seq).model_dump_json()]
        self.sizes: list[int] = []

    def until(self, commits: int | None = None) -> Search:
        """Run to the end, or until so many commits and half a line more."""

        def committed(size: int) -> None:
            self.sizes.append(size)
            charged = self.run.coordinator.meter.totals()
            self.lines.append(Committed(size=size, text="at work", fraction=0.5, eta_seconds=3.0, charged=charged).model_dump_json())
            if len(self.sizes) == commits:
                raise Killed

        self.run.committed = committed
        try:
            self.run.run()
        except Killed:
            with (self.out / EVENTS).open("ab") as file:
                file.write(b'{"seq":9')
        return self

    def followed(self, owner: Any, shown: Callable[[Run], None] = lambda run: None) -> str:
        return following.follow(owner, self.out, io.BytesIO("\n".join([*self.lines, '{"size":1', ""]).encode()), shown)


@pytest.fixture
def owner() -> Any:
    return make_user("ada")


def said(out: Path, size: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / EVENTS).read_bytes()[:size].splitlines()]


def test_through_a_kill_to_the_end_it_is_what_opening_makes_of_it(owner: Any, tmp_path: Path) -> None:
    client, out = browser(owner), tmp_path / "out"
    killed = Search(CONFIG, out).until(4)
    seen: list[Run] = []
    assert "interrupted" in killed.followed(owner, seen.append)
    [run] = Run.objects.all()
    assert [each.pk for each in seen] == [run.pk] and seen[0].state == Run.State.RUNNING
    there = send(client, "GET", f"runs/{run.pk}").json()
    assert (there["state"], there["reason"], there["elsewhere"]) == ("paused", following.INTERRUPTED, str(out))
    assert not Job.objects.exists()
    assert there["progress"]["text"] == "at work" and there["charged"]["samples"] == killed.run.coordinator.meter.totals()["samples"]
    events = send(client, "GET", f"runs/{run.pk}/events?limit=500").json()["events"]
    assert [event["seq"] for event in events] == [event["seq"] for event in said(out, killed.sizes[-1])]
    assert {"queued", "pausing"}.isdisjoint(event["data"].get("what") for event in events)

    resumed = Search(CONFIG, out, resume=True).until()
    assert "downloads included" in resumed.followed(owner)
    run = Run.objects.get()
    assert (run.state, run.followed, Experiment.objects.get().runs.get()) == (Run.State.COMPLETED, "", run)
    opened = open_here(owner, out, lambda done, words: None).runs.get()
    assert opened.pk != run.pk and answers(client, run) == answers(client, opened)
    assert [model.bundle_sha256 for model in run.models.order_by("index")] == [
        model.bundle_sha256 for model in opened.models.order_by("index")
    ]
    assert all((files.run_dir(run.pk).parent.parent / model.bundle_path).is_dir() for model in run.models.exclude(bundle_path=""))
    assert list(Event.objects.filter(run=run).order_by("seq").values_list("seq", "time", "kind", "data")) == list(
        Event.objects.filter(run=opened).order_by("seq").values_list("seq", "time", "kind", "data")
    )


def test_nothing_here_moves_a_search_that_is_elsewhere(owner: Any, tmp_path: Path) -> None:
    client = browser(owner)
    Search(INSTANT, tmp_path / "out").until(1).followed(owner)
    run = Run.objects.get()
    for state in (Run.State.PAUSED, Run.State.RUNNING):
        Run.objects.update(state=state)
        for action in ("pause", "resume", "cancel", "finish", "more"):
            answer = send(client, "POST", f"runs/{run.pk}/{action}", {"unit": "trials", "more": 5} if action == "more" else None)
            assert answer.status_code == 409 and "another process" in answer.json()["detail"], (action, answer.content)
        assert Event.objects.filter(run=run).count() == run.counter.last_seq and not Run.objects.get().ending
    assert send(client, "GET", "health/ready").json()["checks"]["open_runs"] == "0", "it waits for no worker"
    assert send(browser(make_user("eve")), "GET", f"runs/{run.pk}").status_code == 404


def test_what_begins_another_run_here_may_begin_while_the_search_is_elsewhere(owner: Any, tmp_path: Path) -> None:
    client = browser(owner)
    Search(CONFIG, tmp_path / "out").until(8).followed(owner)
    run = Run.objects.get()
    best = send(client, "POST", f"runs/{run.pk}/best")
    assert best.status_code == 201 and best.json()["runs"][0]["elsewhere"] == "", best.content
    clone = send(client, "POST", f"runs/{run.pk}/clone", {})
    assert clone.status_code == 201 and (clone.json()["elsewhere"], clone.json()["state"]) == ("", "queued"), clone.content
    # Of which the beginning lies in the folder.
    Run.objects.filter(pk=run.pk).update(config={**run.config, "population": {"title": "of another"}})
    refused = send(client, "POST", f"runs/{run.pk}/clone", {})
    assert refused.status_code == 409 and "what it began with is there" in refused.json()["detail"], refused.content


def test_after_its_end_it_is_given_more_budget_as_what_was_opened_is(owner: Any, tmp_path: Path) -> None:
    client = browser(owner)
    Search(INSTANT, tmp_path / "out").until().followed(owner)
    open_here(owner, tmp_path / "out", lambda done, words: None)
    said = [send(client, "POST", f"runs/{run.pk}/more", {"unit": "trials", "more": 5}) for run in Run.objects.all()]
    assert len(said) == 2 and said[0].status_code == said[1].status_code and said[0].json() == said[1].json()


def test_a_follower_that_vanished_leaves_an_interrupted_run_and_not_before(owner: Any, tmp_path: Path) -> None:
    Search(INSTANT, tmp_path / "out").until(1).followed(owner)
    Run.objects.update(state=Run.State.RUNNING, reason="", followed_seen=after(-following.SILENT_SECONDS + 20))
    following.interrupt_silent()
    assert Run.objects.get().state == Run.State.RUNNING
    Run.objects.update(followed_seen=after(-following.SILENT_SECONDS - 1))
    following.interrupt_silent()
    assert (Run.objects.get().state, Run.objects.get().reason) == (Run.State.PAUSED, following.INTERRUPTED)
    # It had only slept, with the machine.
    following.beat(Run.objects.get().pk)
    assert (Run.objects.get().state, Run.objects.get().reason) == (Run.State.RUNNING, "")


def test_a_run_whose_follower_died_is_completed_where_its_folder_is_opened(owner: Any, tmp_path: Path) -> None:
    Search(INSTANT, tmp_path / "out").until(1).followed(owner)
    run = Run.objects.get()
    Search(INSTANT, tmp_path / "out", resume=True).until()
    assert open_here(owner, tmp_path / "out", lambda done, words: None).runs.get() == run
    assert Run.objects.get().state == Run.State.COMPLETED and Event.objects.filter(run=run).count() == Run.objects.get().counter.last_seq
    assert open_here(owner, tmp_path / "out", lambda done, words: None).runs.get() != run, "opened again it is another one"


def test_it_goes_on_at_once_where_search_and_follower_were_killed_together(owner: Any, tmp_path: Path) -> None:
    Search(INSTANT, tmp_path / "out").until(1).followed(owner)
    Run.objects.update(state=Run.State.RUNNING, reason="")
    Search(INSTANT, tmp_path / "out", resume=True).until().followed(owner)
    assert Run.objects.get().state == Run.State.COMPLETED


def test_another_search_in_the_same_folder_is_another_run(owner: Any, tmp_path: Path) -> None:
    Search(INSTANT, tmp_path / "out").until(1).followed(owner)
    for path in (tmp_path / "out").glob("state*"):
        path.unlink()
    (tmp_path / "out" / EVENTS).unlink()
    Search(INSTANT, tmp_path / "out").until().followed(owner)
    assert sorted(Run.objects.values_list("state", flat=True)) == [Run.State.COMPLETED, Run.State.PAUSED]


def test_a_copied_folder_is_another_run(owner: Any, tmp_path: Path) -> None:
    Search(INSTANT, tmp_path / "out").until(1).followed(owner)
    first = Run.objects.get()
    shutil.copytree(tmp_path / "out", tmp_path / "copy")
    Search(INSTANT, tmp_path / "copy", resume=True).until().followed(owner)
    assert Run.objects.get(pk=first.pk).state == Run.State.PAUSED and Run.objects.exclude(pk=first.pk).get().state == Run.State.COMPLETED
    Search(INSTANT, tmp_path / "out", resume=True).until().followed(owner)
    assert set(Run.objects.values_list("state", flat=True)) == {Run.State.COMPLETED} and Run.objects.count() == 2


def test_what_the_folder_holds_is_bounded_and_checked_as_where_it_is_opened(owner: Any, tmp_path: Path, settings: Any) -> None:
    settings.NASCOPE_OPEN_EVENTS = 12
    with pytest.raises(BadInput, match="more than 12 events"):
        Search(INSTANT, tmp_path / "many").until().followed(owner)
    run = Run.objects.get()
    assert run.state == Run.State.PAUSED and run.reason.startswith(following.NOT_WHOLE) and "12 events" in run.reason
    states.delete_run(run.pk)
    settings.NASCOPE_OPEN_EVENTS = 1_000
    changed = Search(INSTANT, tmp_path / "changed").until()
    path = changed.out / EVENTS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[4], lines[3], *lines[5:]]))
    with pytest.raises(BadInput, match="line 4 has the number 5 where 4 should come"):
        changed.followed(owner)
    assert Run.objects.get().reason.startswith(following.NOT_WHOLE)
    linked = Search(INSTANT, tmp_path / "linked").until()
    shutil.move(linked.out / EVENTS, tmp_path / "elsewhere.jsonl")
    (linked.out / EVENTS).symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(BadInput, match="it is a link"):
        linked.followed(owner)


def test_a_download_is_offered_when_its_files_are_here_and_not_before(owner: Any, tmp_path: Path) -> None:
    search = Search(CONFIG, tmp_path / "out").until()
    (tmp_path / "out" / "result.json").rename(tmp_path / "result.json")
    assert "interrupted" in search.followed(owner)
    model = ModelArtefact.objects.get(index=0)
    assert (model.bundle_path, model.reason) == ("", following.LATER)
    assert send(browser(owner), "GET", f"models/{model.pk}/download").status_code == 404
    (tmp_path / "result.json").rename(tmp_path / "out" / "result.json")
    assert "downloads included" in Search(CONFIG, tmp_path / "out", resume=True).until().followed(owner)
    model.refresh_from_db()
    assert model.reason == "" and send(browser(owner), "GET", f"models/{model.pk}/download").status_code == 200


def test_a_second_server_that_is_refused_leaves_the_address_of_the_first(settings: Any, tmp_path: Path) -> None:
    settings.NASCOPE_HOME = tmp_path
    assert running.address() is None
    held = _lock(running.lock_path())
    assert running.address() is None, "it is still starting"
    _write_address(held, "127.0.0.1", 8123)
    with pytest.raises(Exception, match="already running"):
        _lock(running.lock_path())
    assert running.address() == "http://127.0.0.1:8123"
    held.close()
    assert running.address() is None
    again = _lock(running.lock_path())
    assert running.lock_path().read_text() == ""
    again.close()


def test_a_run_that_was_deleted_here_is_not_made_again_until_its_search_goes_on(owner: Any, tmp_path: Path) -> None:
    first = Search(INSTANT, tmp_path / "out").until(1)
    first.followed(owner)
    run = Run.objects.get()
    second = Search(INSTANT, tmp_path / "out", resume=True).until()
    assert "deleted" in second.followed(owner, lambda shown: states.delete_run(shown.pk))
    assert not Run.objects.exists()
    third = Search(INSTANT, tmp_path / "out", resume=True).until()
    assert "downloads included" in third.followed(get_user_model().objects.get(pk=owner.pk))
    assert Run.objects.get().pk != run.pk and Run.objects.get().state == Run.State.COMPLETED


# ---------------------------------------------------------------- processes of their own

WORDS = ["-m", "search_engine", "run", "--algorithm", "random", "--space", "sequence", "--json", "--live"]


@contextmanager
def served(home: Path) -> Iterator[None]:
    """As long as a server of that home holds its lock."""
    with (home / "supervisor.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("http://127.0.0.1:8123")
        file.flush()
        yield


def in_the_database(installation: Installation) -> list[Any]:
    """State, followed folder and events of the only run."""
    asked = "import json; from webapp.core.models import Event, Run; " \
        "print(json.dumps([[run.state, run.followed, Event.objects.filter(run=run).count()] for run in Run.objects.all()]))"
    [found] = json.loads(installation.manage("shell", "-v", "0", "-c", asked).strip().splitlines()[-1])
    return list(found)


@pytest.mark.slow
def test_a_killed_search_of_the_command_line_and_the_one_that_goes_on(installation: Installation, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with served(installation.home):
        search = installation.start(*WORDS, "--budget", "trials=6000", "--out", str(out))
        assert search.stderr is not None
        address = next(line for line in search.stderr if line.startswith("live: "))
        assert address.startswith("live: the search is in the browser: http://127.0.0.1:8123/runs/")
        until = time.monotonic() + PATIENCE
        commits: set[int] = set()
        while len(commits) < 2:
            # Of a commit its follower is told before the next one.
            assert time.monotonic() < until and search.poll() is None
            commits |= {(out / STATE).stat().st_mtime_ns} if (out / STATE).exists() else set()
            time.sleep(0.02)
        search.kill()
        search.wait()
        while (found := in_the_database(installation))[0] == "running":
            assert time.monotonic() < until
        written = len((out / EVENTS).read_bytes().splitlines())
        assert found[:2] == ["paused", str(out)] and 1 < found[2] <= written
        resumed = installation.start(*WORDS, "--budget", "trials=6000", "--out", str(out), "--resume")
        _, said_then = resumed.communicate(timeout=PATIENCE)
        assert resumed.returncode == 0, said_then
        assert address in said_then and "the whole run is in the browser" in said_then
    assert in_the_database(installation) == ["completed", "", len((out / EVENTS).read_bytes().splitlines())]


def test_without_a_server_the_search_says_so_and_runs(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, *WORDS, "--budget", "trials=5", "--out", str(tmp_path / "out")], cwd=ROOT, capture_output=True, text=True,
        env={**environment, "NASCOPE_HOME": str(tmp_path / "home")}, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert f"live: no NAScope is running on {tmp_path / 'home'} (`nascope up` starts it); the search runs without it" in done.stderr
    assert done.returncode == 0 and json.loads((tmp_path / "out" / "result.json").read_text())["status"] == "completed"
