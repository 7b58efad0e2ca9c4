"""A run that was computed elsewhere, opened here: the API answers of it what it answers of a run that was computed here; it goes out as one
file and comes back the same; what does not fit leaves nothing, and neither does a kill."""

from __future__ import annotations

import io
import json
import zipfile
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from search_engine.archives.exporting import export_folder
from search_engine.commands import main
from webapp.api.experiment_body import plan
from webapp.core.models import Dataset, Event, Experiment, Job, ModelArtefact, Run, TestVisit
from webapp.jobs import files, own_data, own_files, run_imports

from .api_world import browser, make_user, send
from .installation import Installation
from .own_world import uploaded, worked
from .searches import serve_all

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1}
TRIALS: dict[str, Any] = {
    "algorithms": [{"id": "regularized_evolution", "options": {"population": 2, "sample": 2}}], "space": "nb201",
    "datasets": ["digits"], "seeds": [3], "budget": {"trials": 3}, "training": SMALL,
    "finale": {"baselines": 1, "export": True, "onnx": False, "training": SMALL},
}  # fmt: skip
GRADIENTS: dict[str, Any] = {
    "algorithms": [{"id": "darts", "options": {"steps": 4, "batch_size": 8}}], "space": "cell",
    "space_options": {"nodes": 1, "search_cells": 1, "search_channels": 2}, "datasets": ["digits"],
    "finale": {"export": False, "baselines": 0, "training": SMALL},
}  # fmt: skip
INSTANT: dict[str, Any] = {"algorithms": [{"id": "random"}], "space": "sequence", "budget": {"trials": 6}, "seeds": [5]}


def computed(body: dict[str, Any], folder: Path) -> Path:
    """The same by the command line."""
    planned, problems = plan(body, None)
    assert planned is not None, problems
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(planned.runs[0].checked.config.model_dump(mode="json")))
    assert main(["run", str(folder / "run.json"), "--out", str(folder / "out"), "--json"]) == 0
    return folder / "out"


def native(client: Any, body: dict[str, Any]) -> Run:
    made = send(client, "POST", "experiments", body)
    assert made.status_code == 201, made.content
    run = Run.objects.get(pk=made.json()["runs"][0]["id"])
    serve_all(run)
    return run


def opened(client: Any, content: bytes, name: str = "run.nascope.zip") -> dict[str, Any]:
    """What became of an upload, after a worker was at it."""
    pk = uploaded(client, content, name, purpose="run")
    worked()
    row: dict[str, Any] = send(client, "GET", f"run-imports/{pk}").json()
    return row


def exported(folder: Path) -> bytes:
    target = folder.with_name("exported.zip")
    target.unlink(missing_ok=True)
    export_folder(folder, target)
    return target.read_bytes()


def downloaded(client: Any, path: str) -> bytes:
    answer = send(client, "GET", path)
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content) if not answer.is_async else _collected(answer)


def _collected(answer: Any) -> bytes:
    from asgiref.sync import async_to_sync

    async def all_of_it() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(all_of_it)()


# ---------------------------------------------------------------- what the API says

TIMES = {"time", "times", "created", "started", "finished", "at", "touched", "bundle_checked", "checked", "seconds", "sha256", "size",
         "elapsed"}
"""Differ between two computations of one thing. A download names its day and its speed, so its digest does, too."""
SEQS = {"seq", "seqs", "as_of_seq", "last_seq", "born_seq", "born", "marks", "ticks"}
HOW = {"device", "worker", "imported", "experiment", "run", "progress", "eta_seconds", "latency", "more", "took"}
"""Nothing comes with an opened run with which its search could go on."""


class _Plain:
    """An answer without ids, times and numbers of events: what is left must be equal."""

    def __init__(self, run: Run) -> None:
        self._science = list(Event.objects.filter(run=run, science=True).order_by("seq").values_list("seq", flat=True))
        self._ids: dict[str, int] = {}

    def of(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            if value.get("kind") in ("ops",):
                return None
            return {name: self.of(item, name) for name, item in value.items() if name not in TIMES | HOW}
        if key in SEQS and isinstance(value, list):
            # Each as the difference to the one before.
            places = [self.of(seq, key) for seq in accumulate(value)]
            return sorted(set(places)) if key == "seqs" else places
        if isinstance(value, list):
            kept = [self.of(item, key) for item in value]
            return [item for item in kept if item is not None] if value and isinstance(value[0], dict) else kept
        if isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
            return f"id {self._ids.setdefault(value, len(self._ids))}"
        if key in SEQS and isinstance(value, int):
            # Here the machinery says more: so many events of science until then.
            return bisect_right(self._science, value)
        return value


def answers(client: Any, run: Run, *, moments: int = 4) -> dict[str, Any]:
    """Everything that the run's pages read."""
    plain = _Plain(run)
    science = list(Event.objects.filter(run=run, science=True).order_by("seq").values_list("seq", flat=True))
    paths = {
        "run": f"runs/{run.pk}", "snapshot": f"runs/{run.pk}/snapshot", "events": f"runs/{run.pk}/events?limit=500",
        "trials": f"trials?run={run.pk}&limit=100", "candidates": f"candidates?run={run.pk}&limit=100",
        "models": f"models?run={run.pk}",
    }
    for number in range(1, moments + 1):
        paths[f"moment {number}"] = f"runs/{run.pk}/moment?at={science[number * len(science) // (moments + 1)]}"
    found = {}
    for name, path in paths.items():
        answer = send(client, "GET", path)
        assert answer.status_code == 200, (path, answer.content)
        found[name] = plain.of(answer.json())
    for genome in send(client, "GET", f"genomes?run={run.pk}&limit=100").json()["results"]:
        found[f"genome {genome['hash']}"] = plain.of({**genome, "id": "", "candidates": None})
    return found


def differences(left: Any, right: Any, path: str = "") -> list[str]:
    """Where two answers differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        keys = sorted(set(left) | set(right))
        return [line for key in keys for line in differences(left.get(key, "absent"), right.get(key, "absent"), f"{path}.{key}")]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [line for place, pair in enumerate(zip(left, right, strict=True)) for line in differences(*pair, f"{path}.{place}")]
    return [] if left == right else [f"{path}: {str(left)[:200]} != {str(right)[:200]}"]


@pytest.mark.parametrize("body", [
    pytest.param(INSTANT, id="instant"), pytest.param(TRIALS, id="trials", marks=pytest.mark.slow),
    pytest.param(GRADIENTS, id="gradients", marks=pytest.mark.slow),
])  # fmt: skip
def test_the_api_answers_as_of_a_run_that_was_computed_here(body: dict[str, Any], tmp_path: Path) -> None:
    client = browser(make_user("ada"))
    here = native(client, body)
    row = opened(client, exported(computed(body, tmp_path)))
    assert (row["state"], row["reason"], row["runs"], row["progress"]) == ("ready", "", 1, None), row
    there = Run.objects.get(experiment=row["experiment"])
    assert Event.objects.filter(run=there).count() == there.counter.last_seq
    found = differences(answers(client, here), answers(client, there))
    assert not found, "\n".join(found[:40])
    assert TestVisit.objects.filter(run_id=there.pk).count() == TestVisit.objects.filter(run_id=here.pk).count()


# ---------------------------------------------------------------- out, and in again


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the command line, which took a moment."""
    return computed(INSTANT, tmp_path_factory.mktemp("run"))


@pytest.fixture
def client() -> Any:
    return browser(make_user("ada"))


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_goes_out_comes_back_the_same(client: Any) -> None:
    body = {**INSTANT, "seeds": [1, 2]}
    assert send(client, "POST", "experiments", body).status_code == 201
    first = Experiment.objects.get()
    for run in first.runs.all():
        serve_all(run)
    one = downloaded(client, f"experiments/{first.pk}/export")
    row = opened(client, one)
    assert (row["state"], row["runs"]) == ("ready", 2), row
    second = Experiment.objects.exclude(pk=first.pk).get()
    other = members(downloaded(client, f"experiments/{second.pk}/export"))
    before = members(one)
    told, manifest = json.loads(before.pop("manifest.json")), json.loads(other.pop("manifest.json"))
    assert before == other and len(before) >= 2
    assert [{**run, "versions": {}} for run in manifest["runs"]] == [{**run, "versions": {}} for run in told["runs"]]
    shown = send(client, "GET", f"experiments/{second.pk}").json()
    assert (shown["imported"]["origin"], shown["imported"]["digest"], shown["imported"]["version"]) == ("archive", told["digest"], "0.1.0")
    assert send(client, "GET", f"experiments/{first.pk}").json()["imported"] is None
    assert shown["config"]["seeds"] == [1, 2]
    planned, problems = plan(shown["config"], None)
    assert planned is not None, problems
    assert [run.checked.config.model_dump() for run in planned.runs] == [run.config for run in second.runs.order_by("position")]
    assert not Run.objects.filter(experiment=second).exclude(state="completed").exists()
    assert not Job.objects.filter(run__experiment=second).exists()


def test_one_run_of_an_experiment_goes_out_alone(client: Any) -> None:
    run = native(client, INSTANT)
    answer = send(client, "GET", f"runs/{run.pk}/export")
    assert answer["Content-Disposition"] == 'attachment; filename="random-sequence-seed5.nascope.zip"'
    answer.close()
    manifest = json.loads(members(downloaded(client, f"runs/{run.pk}/export"))["manifest.json"])
    assert (manifest["kind"], len(manifest["runs"]), manifest["runs"][0]["events"]) == ("run", 1, run.counter.last_seq)


def test_what_has_not_ended_stays(client: Any) -> None:
    made = send(client, "POST", "experiments", INSTANT).json()
    for path in (f"runs/{made['runs'][0]['id']}/export", f"experiments/{made['id']}/export"):
        refused = send(client, "GET", path)
        assert (refused.status_code, "not ended" in refused.json()["detail"]) == (409, True), path
    send(client, "POST", f"runs/{made['runs'][0]['id']}/cancel")
    row = opened(client, downloaded(client, f"experiments/{made['id']}/export"))
    assert row["state"] == "ready", row["reason"]
    run = Run.objects.get(experiment=row["experiment"])
    assert (run.state, run.reason) == ("cancelled", "cancelled by its owner")
    again = send(client, "POST", f"runs/{run.pk}/resume")
    assert (again.status_code, again.json()["detail"]) == (409, "a run that is cancelled cannot be resumed")


def test_the_zipped_folder_of_a_run_is_opened_too(client: Any, folder: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.rglob("*"):
            archive.write(path, f"my run/{path.relative_to(folder)}")
        archive.writestr("__MACOSX/my run/._events.jsonl", b"x")
    row = opened(client, packed.getvalue(), "my run.zip")
    assert row["state"] == "ready", row["reason"]
    imported = Experiment.objects.get().imported
    assert imported is not None
    assert (imported["origin"], imported["file"], imported["digest"], imported["version"]) == ("zipped folder", "my run.zip", "", "0.1.0")


def test_the_command_opens_a_folder_for_its_owner(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_user("ada")
    before = set(own_files.uploads().glob("*"))
    call_command("open", str(folder), user="ada")
    experiment = Experiment.objects.get()
    assert f"/experiments/{experiment.pk}" in capsys.readouterr().out
    assert (experiment.owner.username, experiment.runs.count(), Dataset.objects.count()) == ("ada", 1, 0)
    with pytest.raises(CommandError, match="--user: there is nobody called 'eve'"):
        call_command("open", str(folder), user="eve")
    with pytest.raises(CommandError, match=r"result\.json: it is missing, so the run has not ended"):
        call_command("open", str(without(folder, "result.json")))
    assert Experiment.objects.count() == 1 and set(own_files.uploads().glob("*")) == before


def without(folder: Path, name: str) -> Path:
    """A copy of the folder that lacks a file."""
    import shutil

    copy = folder.with_name("lacking")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    (copy / name).unlink()
    return copy


# ---------------------------------------------------------------- whose it is


def test_nobody_else_sees_it(client: Any, folder: Path) -> None:
    row = opened(client, exported(folder))
    eve = browser(make_user("eve"))
    assert send(eve, "GET", "run-imports").json()["results"] == []
    assert send(eve, "GET", f"run-imports/{row['id']}").status_code == 404
    assert send(eve, "GET", f"experiments/{row['experiment']}/export").status_code == 404
    assert [item["id"] for item in send(client, "GET", "run-imports").json()["results"]] == [row["id"]]
    assert send(client, "GET", "own-datasets").json()["results"] == [], "it is no data set"
    assert send(client, "GET", f"own-datasets/{row['id']}").status_code == 404
    assert send(client, "POST", f"own-datasets/{row['id']}/examine", {}).status_code == 404
    assert send(client, "DELETE", f"run-imports/{row['id']}").status_code == 204
    assert Experiment.objects.get().runs.count() == 1, "what it became stays"


def test_a_run_on_data_that_are_somebody_elses_is_refused(client: Any, folder: Path) -> None:
    content = changed(exported(folder), lambda manifest: manifest["runs"][0]["config"].update(datasets=["own-0123456789abcdef"]))
    row = opened(client, content)
    assert row["state"] == "failed" and "you have no data set 'own-0123456789abcdef' here: bring the same file" in row["reason"]


def test_the_list_takes_as_many_queries_for_many(client: Any, django_assert_num_queries: Any) -> None:
    from .own_world import brought

    owner = get_user_model().objects.get()
    counted = []
    for _ in range(2):
        for _ in range(3):
            brought(owner, "failed")
        with django_assert_num_queries(4) as found:
            assert send(client, "GET", "run-imports").status_code == 200
        counted.append(len(found))
    assert counted[0] == counted[1]


# ---------------------------------------------------------------- what does not fit


def changed(content: bytes, change: Callable[[dict[str, Any]], Any], files: dict[str, bytes] | None = None) -> bytes:
    """The archive with another manifest, whose digest is right again, and perhaps other files, whose digests are right, too."""
    from hashlib import sha256

    from search_engine.archives.form import Manifest

    held = {**members(content), **(files or {})}
    manifest = json.loads(held.pop("manifest.json"))
    for name, data in (files or {}).items():
        manifest["files"][name] = {"size": len(data), "sha256": sha256(data).hexdigest()}
    change(manifest)
    sealed = Manifest.model_construct(**manifest)
    try:
        text = Manifest.model_validate(manifest).sealed().model_dump_json()
    except ValueError:
        text = json.dumps(manifest)
    assert sealed is not None
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", text)
    return packed.getvalue()


def edited(content: bytes, edit: Callable[[list[dict[str, Any]]], Any]) -> bytes:
    """The archive with other events, all its digests right."""
    lines = [json.loads(line) for line in members(content)["runs/0/events.jsonl"].splitlines()]
    edit(lines)
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return changed(content, lambda manifest: manifest["runs"][0].update(events=0), {"runs/0/events.jsonl": data})


def _first(lines: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(line for line in lines if line["kind"] == kind)


UNFIT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a genome of another space": (
        lambda content: edited(content, lambda lines: _first(lines, "candidate_born")["data"].update(genome={"colour": 1})),
        "runs/0/events.jsonl: its events do not fit together",
    ),
    "a kind from the future": (
        lambda content: edited(content, lambda lines: _first(lines, "trial_told").update(kind="dream", data={"kind": "dream"})),
        "is of the kind 'dream', which this version, 0.1.0, does not know",
    ),
    "nul": (
        lambda content: edited(content, lambda lines: _first(lines, "trial_told")["data"].update(reason="a\0b")), "",
    ),
    "no algorithm": (
        lambda content: changed(content, lambda manifest: manifest["runs"][0]["config"].update(algorithm="alchemy")),
        "runs/0: its configuration: algorithm: there is no 'alchemy'",
    ),
    "truncated": (lambda content: content[: len(content) // 2], "it is no zip file that can be read"),
    "not a run": (lambda content: b"just words and nothing else", "it is no zip file that can be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNFIT)
def test_what_does_not_fit_is_told_and_leaves_nothing(client: Any, folder: Path, name: str) -> None:
    change, words = UNFIT[name]
    row = opened(client, change(exported(folder)))
    if row["state"] == "ready":
        # This database holds what another one refuses.
        assert not words
        return
    assert row["state"] == "failed" and words in row["reason"] and "Traceback" not in row["reason"], row
    left = (Experiment.objects.count(), Run.objects.count(), Event.objects.count(), ModelArtefact.objects.count())
    assert left == (0, 0, 0, 0)
    assert [path.name for path in own_files.folder(Dataset.objects.get().pk).glob("*")] == ["source"]
    assert not any(files.run_dir(run_imports.run_id(Dataset.objects.get().pk, place)).exists() for place in range(3))
    assert send(client, "DELETE", f"run-imports/{row['id']}").status_code == 204
    assert not own_files.folder(row["id"]).exists()


def test_it_is_bounded(client: Any, folder: Path, settings: Any) -> None:
    content = exported(folder)
    settings.NASCOPE_OPEN_EVENTS = 5
    assert "it has more than 5 events" in opened(client, content)["reason"]
    settings.NASCOPE_OPEN_EVENTS, settings.NASCOPE_OPEN_BYTES = 1_000, 1_000
    assert "it claims to unpack to more than" in opened(client, content)["reason"]


def test_a_cancelled_one_leaves_nothing(client: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.jobs import imports

    pk = uploaded(client, exported(folder), "run.zip", purpose="run")
    monkeypatch.setattr(imports, "TELL_SECONDS", 0.0)
    told = imports._Teller.__call__

    def not_wanted(self: Any, done: float, words: str) -> None:
        if words.startswith("reading"):
            assert send(client, "POST", f"run-imports/{pk}/cancel").status_code in (202, 409)
        told(self, done, words)

    monkeypatch.setattr(imports._Teller, "__call__", not_wanted)
    worked()
    row = send(client, "GET", f"run-imports/{pk}").json()
    assert (row["state"], row["reason"], Experiment.objects.count()) == ("failed", "cancelled: upload it again", 0)


def test_what_was_opened_leaves_the_list_after_a_while(client: Any, folder: Path) -> None:
    from datetime import timedelta

    from django.utils import timezone

    opened(client, exported(folder))
    Dataset.objects.update(touched=timezone.now() - timedelta(days=8))
    own_data.housekeep()
    assert not Dataset.objects.exists() and Experiment.objects.count() == 1


# ---------------------------------------------------------------- a worker dies


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["unpacking", "writing", "placed"])
def test_a_kill_of_the_worker_leaves_nothing_or_all(installation: Installation, moment: str) -> None:
    answer = installation.answer("open_after_kill", moment, NASCOPE_LEASE_SECONDS="1", NASCOPE_HEARTBEAT_SECONDS="0.2")
    assert answer["after"][:3] == [0, 0, 0], "nothing is seen of it"
    whole = [1, 1, answer["events"], 1]
    assert (answer["again"], answer["state"]) == (whole, "ready")
    assert (answer["removed"], answer["uploads"]) == (whole, []), "of the second, which was killed and then removed, nothing is left"
