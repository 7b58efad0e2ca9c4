"""Uploads: what is sent arrives, whatever breaks in between; nobody writes beyond what was said, in another's place, or two at once."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from webapp.core import room
from webapp.core.models import Dataset, Job
from webapp.jobs import own_data, own_files

from .api_world import API, browser, make_user, send
from .own_world import append, create, metadata, table, uploaded

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def client() -> Any:
    return browser(make_user("ada"))


def offset(client: Any, address: str) -> int:
    answer = client.head(address, headers={"Tus-Resumable": "1.0.0"})
    assert (answer.status_code, answer["Cache-Control"], answer["Upload-Length"]) == (200, "no-store", str(len(CONTENT)))
    return int(answer["Upload-Offset"])


def test_a_file_comes_in_pieces_and_is_then_looked_at(client: Any) -> None:
    made = create(client, len(CONTENT), "C:\\data\\../wines.csv", title="Wines")
    assert (made.status_code, made["Tus-Resumable"]) == (201, "1.0.0")
    address = made["Location"]
    assert offset(client, address) == 0
    assert append(client, address, 0, CONTENT[:5000])["Upload-Offset"] == "5000"
    assert offset(client, address) == 5000
    row = Dataset.objects.get()
    assert (row.state, row.received, row.file_name, row.title) == ("uploading", 5000, "wines.csv", "Wines")
    assert not Job.objects.exists()
    assert append(client, address, 5000, CONTENT[5000:]).status_code == 204
    row.refresh_from_db()
    assert (row.state, row.received) == ("uploaded", len(CONTENT))
    assert own_files.source(row.pk).read_bytes() == CONTENT
    assert Job.objects.get().kind == "import"
    again = append(client, address, len(CONTENT), b"")
    assert (again.status_code, again.json()["state"]) == (409, "uploaded")


def test_what_the_server_can_do_is_asked_for(client: Any) -> None:
    answer = client.options(API + "uploads")
    assert answer.status_code == 204
    assert set(answer["Tus-Extension"].split(",")) == {"creation", "expiration", "checksum", "termination"}
    assert answer["Tus-Max-Size"] == str(django_settings.NASCOPE_UPLOAD_BYTES)
    other = client.head(API + "uploads", headers={"Tus-Resumable": "0.2"})
    assert (other.status_code, other["Tus-Version"]) == (412, "1.0.0")
    assert create(client, 5, **{"Tus-Resumable": "0.2"}).status_code == 412


@pytest.mark.parametrize("wrong", [4999, 5001, 0])
def test_a_wrong_offset_writes_nothing(client: Any, wrong: int) -> None:
    address = create(client, len(CONTENT))["Location"]
    append(client, address, 0, CONTENT[:5000])
    answer = append(client, address, wrong, CONTENT[5000:])
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (409, "wrong_offset", "Upload-Offset")
    assert offset(client, address) == 5000


def test_more_bytes_than_were_said_are_refused_and_none_of_them_kept(client: Any) -> None:
    address = create(client, len(CONTENT))["Location"]
    append(client, address, 0, CONTENT[:5000])
    answer = append(client, address, 5000, CONTENT[5000:] + b"!")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert offset(client, address) == 5000
    assert append(client, address, 5000, CONTENT[5000:]).status_code == 204


def test_a_second_writer_waits(client: Any) -> None:
    address = create(client, len(CONTENT))["Location"]
    with own_files.appending(Dataset.objects.get().pk):
        answer = append(client, address, 0, CONTENT)
    assert (answer.status_code, answer.json()["code"]) == (423, "locked")
    assert append(client, address, 0, CONTENT).status_code == 204


def test_somebody_elses_upload_is_none(client: Any) -> None:
    address = create(client, len(CONTENT))["Location"]
    stranger = browser(make_user("eve"))
    assert append(stranger, address, 0, CONTENT).status_code == 404
    assert stranger.head(address).status_code == stranger.delete(address).status_code == 404
    assert append(browser(), address, 0, CONTENT).status_code == 401
    assert offset(client, address) == 0


def test_a_cancelled_upload_leaves_nothing(client: Any) -> None:
    address = create(client, len(CONTENT))["Location"]
    pk = Dataset.objects.get().pk
    append(client, address, 0, CONTENT[:100])
    assert own_files.folder(pk).is_dir()
    assert client.delete(address, headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert not own_files.folder(pk).exists() and not Dataset.objects.exists()
    assert client.head(address).status_code == 404


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_is_held_against_what_came(client: Any, algorithm: str) -> None:
    address = create(client, len(CONTENT))["Location"]
    right = f"{algorithm} {base64.b64encode(hashlib.new(algorithm, CONTENT[:5000]).digest()).decode()}"
    answer = append(client, address, 0, CONTENT[1:5001], **{"Upload-Checksum": right})
    assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
    assert offset(client, address) == 0
    assert append(client, address, 0, CONTENT[:5000], **{"Upload-Checksum": right}).status_code == 204
    unknown = append(client, address, 5000, CONTENT[5000:], **{"Upload-Checksum": "md5 AAAA"})
    assert (unknown.status_code, unknown.json()["field"]) == (400, "Upload-Checksum")


@pytest.mark.parametrize("length", ["", "-1", "1e3", "0", "9" * 19, "\u0663"])
def test_a_length_is_a_whole_number_of_bytes(client: Any, length: str) -> None:
    answer = client.generic("POST", API + "uploads", b"", headers={"Upload-Length": length.encode().decode("latin-1")})
    assert (answer.status_code, answer.json()["field"]) == (400, "Upload-Length")
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("said", ["filename !", "filename " + base64.b64encode(b"\xff\xfe").decode(), "fn eA, x y", "filename"])
def test_metadata_that_are_none_are_refused(client: Any, said: str) -> None:
    answer = client.generic("POST", API + "uploads", b"", headers={"Upload-Length": "5", "Upload-Metadata": said})
    if said == "filename":
        # A name without a value is an empty one.
        assert answer.status_code == 201 and Dataset.objects.get().file_name == "unnamed"
        return
    assert (answer.status_code, answer.json()["field"]) == (400, "Upload-Metadata")


def test_a_name_is_shown_and_never_a_path(client: Any) -> None:
    for name in ("../../etc/passwd", "/etc/passwd", "..", "a\x00b", "x" * 500, "über.csv"):
        made = create(client, 5, name)
        assert made.status_code == 201
        row = Dataset.objects.get(pk=made.json()["id"])
        assert own_files.source(row.pk).parent.parent == own_files.uploads() and own_files.source(row.pk).name == "source"
        assert "/" not in row.file_name and len(row.file_name) <= 200
    assert not Path("/etc/passwd/source").exists()


def test_the_bytes_must_be_sent_as_such(client: Any) -> None:
    address = create(client, len(CONTENT))["Location"]
    answer = client.generic("PATCH", address, CONTENT, content_type="application/json", headers={"Upload-Offset": "0"})
    assert answer.status_code == 415
    assert offset(client, address) == 0


# ---------------------------------------------------------------- room


def refused(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_file_that_is_too_large_is_refused_before_its_first_byte(client: Any, settings: Any) -> None:
    settings.NASCOPE_UPLOAD_BYTES = 1000
    assert refused(create(client, 1001)) == (413, "too_large")
    assert create(client, 1000).status_code == 201


def test_a_person_has_so_much_room_open_uploads_counted(client: Any, settings: Any) -> None:
    settings.NASCOPE_OWNER_BYTES = 3000
    assert create(client, 2000).status_code == 201
    answer = create(client, 1001)
    assert refused(answer) == (413, "quota") and "remove a data set first" in answer.json()["detail"]
    assert create(browser(make_user("eve")), 3000).status_code == 201, "the room of another person is another's"
    settings.NASCOPE_DATA_BYTES = 5500
    assert refused(create(client, 1000)) == (507, "no_space")


def test_so_many_uploads_may_be_open(client: Any, settings: Any) -> None:
    settings.NASCOPE_OPEN_UPLOADS = 2
    assert [create(client, 5).status_code for _ in range(3)] == [201, 201, 413]


def test_the_disk_must_have_room_for_what_was_promised_to_others_too(client: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda: settings.NASCOPE_MIN_FREE_BYTES + 3000)
    assert create(client, 2000).status_code == 201
    assert refused(create(client, 1001)) == (507, "no_space")
    assert create(client, 1000).status_code == 201


def test_the_same_wish_is_granted_once(client: Any) -> None:
    first, second = (create(client, 50, **{"Idempotency-Key": "a"}) for _ in range(2))
    assert first["Location"] == second["Location"] and Dataset.objects.count() == 1
    assert create(client, 51, **{"Idempotency-Key": "a"}).status_code == 422
    assert create(client, 50, "other.csv", **{"Idempotency-Key": "a"}).status_code == 422


# ---------------------------------------------------------------- what is left alone


def test_an_abandoned_upload_is_removed_and_one_that_goes_on_is_not(client: Any) -> None:
    old, new = (create(client, len(CONTENT)).json()["id"] for _ in range(2))
    Dataset.objects.filter(pk=old).update(touched=timezone.now() - timedelta(hours=25))
    with own_files.appending(Dataset.objects.get(pk=old).pk):
        own_data.housekeep()
    assert Dataset.objects.count() == 2, "somebody writes to it this moment"
    own_data.housekeep()
    assert [str(row.pk) for row in Dataset.objects.all()] == [new]
    assert [path.name for path in own_files.uploads().glob(f"{old}")] == []


def test_files_of_no_row_go_after_a_while() -> None:
    pk = uuid4()
    own_files.begin(pk)
    own_data.housekeep()
    assert own_files.folder(pk).is_dir(), "its row may be about to be committed"
    os.utime(own_files.folder(pk), (1, 1))
    own_data.housekeep()
    assert not own_files.folder(pk).exists()


def test_files_go_with_their_owner(client: Any) -> None:
    pk = Dataset.objects.get(pk=create(client, 5).json()["id"]).pk
    Dataset.objects.get().owner.delete()
    assert not own_files.folder(pk).exists()


def test_a_process_that_died_after_the_last_byte_is_made_up_for(client: Any) -> None:
    """Its bytes are there, and nobody was told."""
    address = create(client, len(CONTENT))["Location"]
    row = Dataset.objects.get()
    own_files.source(row.pk).write_bytes(CONTENT)
    assert offset(client, address) == len(CONTENT)
    row.refresh_from_db()
    assert row.state == "uploaded" and Job.objects.count() == 1


def test_a_list_shows_what_came(client: Any) -> None:
    uploaded(client, table())
    create(client, 5)
    listed = send(client, "GET", "own-datasets").json()["results"]
    assert [(row["state"], row["received"]) for row in listed] == [("uploading", 0), ("uploaded", len(table()))]
    assert send(client, "GET", "data-room").json()["taken"] == len(table()) + 5
    assert send(browser(make_user("eve")), "GET", "own-datasets").json()["results"] == []
    assert metadata(a="b") == "a Yg=="
