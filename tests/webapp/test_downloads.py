"""A download is what was recorded, or it is not sent: every kind of damage to its zip, with and without the folder it was packed from."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError

from search_engine.search.work import WorkSpec
from tests.damage import DAMAGE
from webapp.core import room
from webapp.core.models import Event, Job, ModelArtefact, Run
from webapp.jobs import contents, downloads, files, scrub, slices
from webapp.jobs import recorded as recorded_files
from webapp.jobs.downloads import NEVER_PLACED
from webapp.jobs.scrub import Scrub

from .api_world import API, browser, fill, make_experiment, make_user, send, streamed
from .builders import make_run
from .searches import serve_all
from .test_model_files import EXPORTED

FOUND = {
    "flipped": "does not have the digest", "cut": "bytes where", "emptied": "has 0 bytes where", "missing": "is not there",
    "replaced": "bytes where|does not have the digest", "unreadable": "cannot be read",
}


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process remembers of a full database ends with the test."""
    monkeypatch.setattr(room, "_refused", float("-inf"))


@pytest.fixture
def model(db: None) -> ModelArtefact:
    run = make_experiment(make_user("ada")).runs.get()
    fill(run)
    Run.objects.filter(pk=run.pk).update(state="completed")
    Job.objects.create(owner_id=run.owner_id, run=run, kind="final", source="final:0", state="taken", spec={"kind": "final", "index": 0})
    return run.models.get()


def zip_of(model: ModelArtefact) -> Path:
    return files.bundle_file(model.run_id, model.bundle_sha256)


def folder_of(model: ModelArtefact) -> Path:
    return Path(django_settings.NASCOPE_HOME) / model.bundle_path


def download(model: ModelArtefact) -> Any:
    return browser(model.run.owner).get(f"{API}models/{model.pk}/download")


def recorded(model: ModelArtefact) -> tuple[str, int | None]:
    row = ModelArtefact.objects.get(pk=model.pk)
    return row.bundle_sha256, row.bundle_size


def said(model: ModelArtefact) -> list[str]:
    rows = Event.objects.filter(run=model.run_id, kind="ops", data__what__in=("damaged", "whole")).order_by("seq")
    return [row.data["message"] for row in rows]


def spoil_the_folder(model: ModelArtefact) -> None:
    (folder_of(model) / "model.py").write_text("print('garbage')\n")


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_damaged_zip_is_packed_again_where_that_gives_the_recorded_bytes(model: ModelArtefact, damage: Callable[[Path], None]) -> None:
    before, whole = recorded(model), zip_of(model).read_bytes()
    damage(zip_of(model))
    response = download(model)
    assert response.status_code == 200 and hashlib.sha256(streamed(response)).hexdigest() == model.bundle_sha256
    assert recorded(model) == before and zip_of(model).read_bytes() == whole
    assert said(model) == []


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("folder", [spoil_the_folder, lambda model: shutil.rmtree(folder_of(model))], ids=["garbage", "gone"])
def test_a_zip_that_nothing_can_make_whole_is_not_sent(
    model: ModelArtefact, damage: Callable[[Path], None], folder: Callable[[ModelArtefact], None]
) -> None:
    before = recorded(model)
    damage(zip_of(model))
    folder(model)
    refused = download(model).json()
    assert (refused["status"], refused["code"]) == (409, "damaged")
    assert refused["detail"].startswith("the download is damaged: its file ") and "made again from the record" in refused["detail"]
    assert recorded(model) == before, "nothing vouches for what is there now"
    shown = send(browser(model.run.owner), "GET", f"models/{model.pk}").json()["bundle"]
    assert shown["damage"] in refused["detail"] and shown["checked"] is not None and shown["rebuild"] == "possible"
    assert re.search(FOUND[damage.__name__], shown["damage"])
    assert len(said(model)) == 1, "it is said once"
    download(model)
    assert len(said(model)) == 1
    assert not list(zip_of(model).parent.glob(".*")), "nothing half packed is left"


def test_damage_that_is_mended_is_no_longer_said(model: ModelArtefact) -> None:
    whole = zip_of(model).read_bytes()
    zip_of(model).write_bytes(b"")
    shutil.rmtree(folder_of(model))
    download(model)
    zip_of(model).write_bytes(whole)
    assert download(model).status_code == 200
    assert ModelArtefact.objects.get(pk=model.pk).bundle_damage == ""
    assert said(model) == [
        f"the download of Best is damaged: its file has 0 bytes where {len(whole)} are recorded", "the download of Best is whole again",
    ]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_the_scrub_finds_what_nobody_asked_for(model: ModelArtefact, settings: Any, damage: Callable[[Path], None]) -> None:
    before = recorded(model)
    damage(zip_of(model))
    spoil_the_folder(model)
    Scrub().tick()
    row = ModelArtefact.objects.get(pk=model.pk)
    assert row.bundle_checked is not None and re.search(FOUND[damage.__name__], row.bundle_damage)
    assert recorded(model) == before and len(said(model)) == 1


def test_the_scrub_reads_no_more_than_it_may_and_goes_on_where_it_was(
    model: ModelArtefact, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = zip_of(model).stat().st_size
    settings.NASCOPE_SCRUB_BYTES = 100
    monkeypatch.setattr(scrub, "LEAST", 0)
    read: list[int] = []
    real = recorded_files.Reading.read

    def counted(self: recorded_files.Reading, most: int) -> int:
        count = real(self, most)
        read.append(count)
        return count

    monkeypatch.setattr(recorded_files.Reading, "read", counted)
    sweep = Scrub()
    for done in range(0, size, 100):
        assert ModelArtefact.objects.get(pk=model.pk).bundle_checked is None and sum(read) == done
        sweep.tick()
    sweep.tick()
    checked = ModelArtefact.objects.get(pk=model.pk).bundle_checked
    assert checked is not None and sum(read) == size
    for _ in range(3):
        sweep.tick()
    assert sum(read) == size, "it was looked at"
    settings.NASCOPE_SCRUB_DAYS = 0.0
    other = Scrub()
    other.tick()
    assert sum(read) == size + 100, "it is due again"
    settings.NASCOPE_SCRUB_BYTES = 0
    other.tick()
    assert sum(read) == size + 100, "it is switched off"


def test_a_model_whose_run_ended_before_its_zip_was_there_says_so(model: ModelArtefact) -> None:
    zip_of(model).unlink()
    ModelArtefact.objects.filter(pk=model.pk).update(bundle_sha256="", bundle_size=None)
    Run.objects.filter(pk=model.run_id).update(state="running")
    assert download(model).json()["code"] == "not_ready"
    Scrub().tick()
    assert ModelArtefact.objects.get(pk=model.pk).bundle_damage == ""
    Run.objects.filter(pk=model.run_id).update(state="cancelled")
    Scrub().tick()
    assert ModelArtefact.objects.get(pk=model.pk).bundle_damage == NEVER_PLACED
    assert recorded(model) == ("", None), "what lies in the folder is not vouched for"


def test_work_that_is_done_again_does_not_record_its_download_anew(model: ModelArtefact) -> None:
    before, job = recorded(model), Job.objects.get(run=model.run, kind="final")
    again: Any = SimpleNamespace(spec=WorkSpec(kind="final", index=0))
    slices._offer(job, again, {"bundle_size": 1, "bundle_sha256": "f" * 64})
    assert recorded(model) == before
    ModelArtefact.objects.filter(pk=model.pk).update(bundle_sha256="")
    slices._offer(job, again, {"bundle_size": 1, "bundle_sha256": "f" * 64})
    assert recorded(model) == ("f" * 64, 1)


def test_what_is_whole_or_under_way_is_not_made_again(model: ModelArtefact) -> None:
    client = browser(model.run.owner)
    refused = send(client, "POST", f"models/{model.pk}/rebuild")
    assert refused.status_code == 409 and "not known to be damaged" in refused.json()["detail"]
    ModelArtefact.objects.filter(pk=model.pk).update(bundle_damage="its file is not there")
    Run.objects.filter(pk=model.run_id).update(state="running")
    assert "has not ended" in send(client, "POST", f"models/{model.pk}/rebuild").json()["detail"]
    Run.objects.filter(pk=model.run_id).update(state="completed")
    for _ in range(2):
        asked = send(client, "POST", f"models/{model.pk}/rebuild")
        assert asked.status_code == 202 and asked.json()["bundle"]["rebuild"] == "waiting"
    assert Job.objects.filter(kind="rebuild").count() == 1
    assert send(browser(make_user("bob")), "POST", f"models/{model.pk}/rebuild").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_lost_download_is_made_again_from_the_record_with_the_same_bytes(settings: Any) -> None:
    settings.NASCOPE_RESIDENT_JOBS = 0
    run = make_run(EXPORTED)
    serve_all(run)
    model = run.models.get()
    before, science = recorded(model), Event.objects.filter(run=run, science=True).count()
    charged = run.counter.spent_samples
    shutil.rmtree(folder_of(model))
    zip_of(model).unlink()
    assert download(model).status_code == 409
    assert send(browser(run.owner), "POST", f"models/{model.pk}/rebuild").status_code == 202
    settings.NASCOPE_SLICE_SECONDS = 0.0
    assert serve_all(run) > 2, "in slices, each from its checkpoint"
    row = ModelArtefact.objects.get(pk=model.pk)
    assert (row.rebuild, row.rebuild_reason, row.bundle_damage) == ("", "", "")
    assert recorded(model) == before and hashlib.sha256(zip_of(model).read_bytes()).hexdigest() == before[0]
    assert download(model).status_code == 200
    run.refresh_from_db()
    assert (run.state, run.counter.spent_samples, Event.objects.filter(run=run, science=True).count()) == ("completed", charged, science)
    assert {path.name for path in files.run_dir(run.pk).iterdir()} <= {"model", "model.latency.json", "bundles", "artefacts", "continue"}

    # What comes out otherwise is not put in place of what is recorded.
    settings.NASCOPE_SLICE_SECONDS = 60.0
    ModelArtefact.objects.filter(pk=model.pk).update(bundle_sha256="f" * 64)
    shutil.rmtree(folder_of(model))
    assert download(row).status_code == 409
    assert send(browser(run.owner), "POST", f"models/{model.pk}/rebuild").status_code == 202
    serve_all(run)
    row = ModelArtefact.objects.get(pk=model.pk)
    assert (row.rebuild, row.bundle_sha256) == ("failed", "f" * 64) and "other bytes than what is recorded" in row.rebuild_reason
    shown = send(browser(run.owner), "GET", f"models/{model.pk}").json()["bundle"]
    assert shown["rebuild"] == "possible" and shown["repair"].startswith("the last attempt failed: what was made has other bytes")


def _full(*_: Any, **__: Any) -> None:
    raise OperationalError("database or disk is full")


def test_a_full_database_lets_everybody_download(model: ModelArtefact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "settle", _full)
    response = download(model)
    assert response.status_code == 200 and hashlib.sha256(streamed(response)).hexdigest() == model.bundle_sha256


def test_no_room_to_pack_a_zip_again_is_no_damage(model: ModelArtefact, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    zip_of(model).unlink()
    with monkeypatch.context() as full:
        full.setattr(files, "pack_bundle", no_room)
        assert download(model).status_code == 507
        with pytest.raises(OSError, match="No space left"):
            Scrub().tick()
    assert ModelArtefact.objects.get(pk=model.pk).bundle_damage == "" and said(model) == []
    assert download(model).status_code == 200


def test_a_rebuild_that_meets_a_full_disk_says_so_and_may_be_wished_again(model: ModelArtefact, monkeypatch: pytest.MonkeyPatch) -> None:
    zip_of(model).write_bytes(b"")
    shutil.rmtree(folder_of(model))
    download(model)
    assert send(browser(model.run.owner), "POST", f"models/{model.pk}/rebuild").status_code == 202
    with monkeypatch.context() as full:
        full.setattr(room, "free_bytes", lambda: 1000)
        assert send(browser(model.run.owner), "POST", f"models/{model.pk}/rebuild").json()["code"] == "no_space"
        serve_all(model.run)
    row = ModelArtefact.objects.get(pk=model.pk)
    assert (row.rebuild, row.rebuild_reason) == ("failed", "the disk is full: free some space, then ask again")
    assert send(browser(model.run.owner), "POST", f"models/{model.pk}/rebuild").status_code == 202


# ---- parts alone


def with_parts(model: ModelArtefact) -> dict[str, bytes]:
    """The model's download, packed from a folder that has parts; returns them."""
    folder = folder_of(model)
    parts = {"onnx": b"onnx" * 100_000, "card": b"# Card\n"}
    (folder / "model.onnx").write_bytes(parts["onnx"])
    (folder / "MODEL_CARD.md").write_bytes(parts["card"])
    found = {"error": 0.125, "examples": 8, "bins": [{"low": 0.0, "high": 1.0, "examples": 8, "confidence": 0.5, "accuracy": 0.375}]}
    (folder / "manifest.json").write_text(json.dumps({"calibration": found}))
    path, sha256 = files.pack_bundle(model.run_id, folder)
    ModelArtefact.objects.filter(pk=model.pk).update(bundle_sha256=sha256, bundle_size=path.stat().st_size)
    model.refresh_from_db()
    return parts


def test_a_part_is_sent_alone_and_is_that_of_the_whole(model: ModelArtefact) -> None:
    parts = with_parts(model)
    client = browser(model.run.owner)
    said = send(client, "GET", f"models/{model.pk}/contents").json()
    assert {item["part"]: item["size"] for item in said["parts"]} == {name: len(data) for name, data in parts.items()}
    assert said["calibration"]["error"] == 0.125 and said["calibration"]["bins"][0]["accuracy"] == 0.375 and said["latency"] is None
    for name, data in parts.items():
        response = client.get(f"{API}models/{model.pk}/download?part={name}")
        assert response.status_code == 200 and streamed(response) == data
        assert response["Content-Length"] == str(len(data)) and contents.PARTS[name] in response["Content-Disposition"]  # type: ignore[index]
    assert client.get(f"{API}models/{model.pk}/download?part=program").status_code == 404
    assert client.get(f"{API}models/{model.pk}/download?part=model.py").status_code == 400


def test_a_part_of_a_damaged_download_is_not_sent(model: ModelArtefact) -> None:
    with_parts(model)
    zip_of(model).write_bytes(zip_of(model).read_bytes()[:-1])
    shutil.rmtree(folder_of(model))
    assert browser(model.run.owner).get(f"{API}models/{model.pk}/download?part=card").status_code == 409


def test_what_was_measured_lies_beside_the_folder(model: ModelArtefact) -> None:
    with_parts(model)
    passes = {"seconds": 0.001, "repeats": 50}
    found = {"one": passes, "many": {"examples": 100, **passes}, "threads": 1, "processor": "a processor", "torch": "2"}
    folder_of(model).with_name("model.latency.json").write_text(json.dumps(found))
    said = send(browser(model.run.owner), "GET", f"models/{model.pk}/contents").json()["latency"]
    assert said["one"] == {**passes, "examples": 1, "low": None, "high": None}
    assert said["many"]["examples"] == 100 and said["processor"] == "a processor"
