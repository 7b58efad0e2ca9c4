"""A person's own data: examined, changed, kept, searched by their owner alone, and removed, whoever dies meanwhile."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from search_engine.datasets.own import stored
from webapp.core.models import Dataset, DatasetUse, Experiment, Job, Run
from webapp.jobs import imports, own_data, own_files, reaper
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .api_world import BODY, browser, make_user, send
from .installation import Installation
from .own_world import kept, shown, table, uploaded, worked
from .searches import end

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH: dict[str, Any] = {
    **BODY, "space": "mlp", "budget": {"trials": 1}, "finale": {"baselines": 0, "redundancy": False}, "dataset_options": [],
}


@pytest.fixture(autouse=True)
def _nothing_kept() -> Any:
    yield
    for manifest in stored.manifests():
        stored.remove(manifest.id, own_data.KEEPER)


@pytest.fixture
def client() -> Any:
    return browser(make_user("ada"))


def act(client: Any, pk: Any, what: str, body: Any = None) -> Any:
    return send(client, "POST", f"own-datasets/{pk}/{what}", body)


def test_from_a_file_to_a_search_on_it(client: Any) -> None:
    pk = uploaded(client, table(), title="Kinds")
    assert shown(client, pk)["state"] == "uploaded"
    worked()
    row = shown(client, pk)
    assert (row["state"], row["findings"]["target"], row["findings"]["task"], row["rows"]) == ("examined", "kind", "classification", 120)
    assert row["findings"]["source"]["name"] == "kinds.csv" and row["progress"] is None
    assert {column["name"]: column["kind"] for column in row["findings"]["columns"]}["colour"] == "category"

    assert act(client, pk, "examine", {"types": {"colour": "dropped"}, "test_share": 0.5, "title": "Two kinds"}).status_code == 202
    worked()
    row = shown(client, pk)
    assert (row["title"], row["findings"]["split"]["test"], row["choices"]["types"]) == ("Two kinds", 60, {"colour": "dropped"})

    assert act(client, pk, "keep").status_code == 202
    worked()
    row = shown(client, pk)
    assert (row["state"], row["dataset"][:4], row["stored"] > 0) == ("ready", "own-", True), row["reason"]
    assert not own_files.folder(Dataset.objects.get().pk).exists(), "what is kept needs no upload any more"
    listed = [item for item in send(client, "GET", "datasets").json() if item["own"]]
    assert [(item["id"], item["own"], item["title"]) for item in listed] == [(row["dataset"], pk, "Two kinds")]
    pairs = [item for item in send(client, "GET", "compatibility").json() if item["dataset"] == row["dataset"]]
    assert ("random", "mlp") in {(item["algorithm"], item["space"]) for item in pairs}

    made = send(client, "POST", "experiments", {**SEARCH, "datasets": [row["dataset"]]})
    assert made.status_code == 201, made.content
    uses = send(client, "GET", f"datasets/{row['dataset']}/uses").json()["results"]
    assert [(use["experiment"], use["runs"], use["open_runs"]) for use in uses] == [(made.json()["id"], 1, 1)]


def test_nobody_else_finds_it_anywhere(client: Any) -> None:
    row = kept(client)
    eve = browser(make_user("eve"))
    body = {**SEARCH, "datasets": [row.registry_id]}
    mine = send(client, "POST", "experiments/validate", body).json()
    assert mine["valid"], mine
    for path in ("experiments", "estimates"):
        answer = send(eve, "POST", path, body)
        assert (answer.status_code, answer.json()["field"], answer.json()["code"]) == (400, "datasets.0", "unknown_id"), path
    problem = send(eve, "POST", "experiments/validate", body).json()["problems"][0]
    assert (problem["field"], problem["code"]) == ("datasets.0", "unknown_id")
    assert problem["message"].replace(row.registry_id, "own-0000000000000000") == send(
        eve, "POST", "experiments/validate", {**body, "datasets": ["own-0000000000000000"]}
    ).json()["problems"][0]["message"], "as for one that never was"
    for path in ("datasets", "compatibility", "presets", "algorithms"):
        assert row.registry_id not in send(eve, "GET", path).content.decode(), path
    assert send(eve, "GET", f"datasets/{row.registry_id}/uses").status_code == 404
    assert send(eve, "POST", f"datasets/{row.registry_id}/look").status_code == 404
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/examine"), ("POST", "/keep"), ("POST", "/cancel")):
        assert send(eve, method, f"own-datasets/{row.pk}{path}", {} if method == "POST" else None).status_code == 404
    assert Dataset.objects.filter(pk=row.pk, state="ready").exists()


def test_the_same_file_of_two_people_is_stored_once_and_stays_until_the_last_removes_it(client: Any) -> None:
    first = kept(client, title="Hers")
    eve = browser(make_user("eve"))
    second = kept(eve, name="secret.csv", title="Not hers")
    assert (first.registry_id, first.digest) == (second.registry_id, second.digest)
    assert "secret" not in send(client, "GET", f"own-datasets/{first.pk}").content.decode()
    (listed,) = [item for item in send(eve, "GET", "datasets").json() if item["own"]]
    assert listed["title"] == "Not hers" and "Hers" not in str(shown(eve, str(second.pk)))
    assert send(client, "DELETE", f"own-datasets/{first.pk}").status_code == 204
    assert stored.manifest(second.registry_id) is not None
    assert send(eve, "DELETE", f"own-datasets/{second.pk}").status_code == 204
    assert stored.manifest(second.registry_id) is None and list(stored.own_folder().glob("[0-9a-f]*")) == []


def test_the_very_same_set_is_not_kept_twice(client: Any) -> None:
    kept(client, title="Kinds")
    pk = uploaded(client, table(), "again.csv")
    worked()
    act(client, pk, "keep")
    worked()
    row = shown(client, pk)
    assert row["state"] == "examined" and "as 'Kinds'" in row["reason"]


def test_a_new_version_is_another_set_and_the_old_one_stays(client: Any) -> None:
    first = kept(client, title="Kinds")
    second = kept(client, table(seed=4), previous=str(first.pk))
    assert (second.version, second.previous, second.title) == (2, first, "Kinds") and second.registry_id != first.registry_id
    assert stored.manifest(first.registry_id) is not None
    assert send(client, "DELETE", f"own-datasets/{first.pk}").status_code == 204
    second.refresh_from_db()
    assert second.previous is None and second.state == "ready"


def test_removing_says_what_depends_on_it(client: Any) -> None:
    row = kept(client)
    made = send(client, "POST", "experiments", {**SEARCH, "datasets": [row.registry_id], "seeds": [1, 2]}).json()
    refused = send(client, "DELETE", f"own-datasets/{row.pk}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert "1 experiment with 2 runs uses it" in refused.json()["detail"]
    running = send(client, "DELETE", f"own-datasets/{row.pk}?in_use=remove")
    assert (running.status_code, running.json()["code"]) == (409, "wrong_state")
    assert "2 runs on it have not ended" in running.json()["detail"]
    Run.objects.update(state="completed")
    assert send(client, "DELETE", f"own-datasets/{row.pk}?in_use=remove").status_code == 204
    assert Experiment.objects.count() == 1 and send(client, "GET", f"experiments/{made['id']}").status_code == 200
    again = send(client, "POST", "experiments", {**SEARCH, "datasets": [row.registry_id]})
    assert (again.status_code, again.json()["field"]) == (400, "datasets.0")


def test_what_built_in_data_are_used_by_is_known_too(client: Any) -> None:
    made = send(client, "POST", "experiments", {**SEARCH, "datasets": ["digits"]}).json()
    assert [use["experiment"] for use in send(client, "GET", "datasets/digits/uses").json()["results"]] == [made["id"]]
    assert send(client, "GET", "datasets/wine/uses").json()["results"] == []
    assert send(browser(make_user("eve")), "GET", "datasets/digits/uses").json()["results"] == []
    assert send(client, "DELETE", f"experiments/{made['id']}").status_code == 204 and not DatasetUse.objects.exists()


# ---------------------------------------------------------------- what goes wrong


def bomb() -> bytes:
    """300 MB of nothing in 300 kB."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a/1.png", "b/1.png"):
            archive.writestr(name, bytes(150_000_000))
    return whole.getvalue()


HOSTILE = {
    "bomb.zip": bomb, "empty.csv": lambda: b"\n\n\n", "text.csv": lambda: b"just words and nothing else", "cut.zip": lambda: bomb()[:1000],
    "one.csv": lambda: b"x,y\n" + b"1,a\n" * 50, "binary.csv": lambda: bytes(range(256)) * 50,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_used_is_told_and_leaves_nothing(client: Any, name: str) -> None:
    pk = uploaded(client, HOSTILE[name](), name)
    worked()
    row = shown(client, pk)
    assert row["state"] == "failed" and len(row["reason"]) > 20 and "Traceback" not in row["reason"], row
    assert act(client, pk, "keep").status_code == 409
    assert send(client, "DELETE", f"own-datasets/{pk}").status_code == 204
    assert not own_files.folder(Dataset(pk=pk).pk).exists() and list(stored.own_folder().glob("*")) == []


def test_choices_that_cannot_be_are_told_and_can_be_changed(client: Any) -> None:
    pk = uploaded(client, table())
    worked()
    wrong = act(client, pk, "examine", {"test_share": 3, "colour": "red"})
    assert wrong.status_code == 400 and {item["field"] for item in wrong.json()["problems"]} == {"test_share", "colour"}
    assert act(client, pk, "examine", {"target": "depth"}).status_code == 202
    worked()
    row = shown(client, pk)
    assert row["state"] == "failed" and "depth" in row["reason"]
    assert act(client, pk, "examine", {}).status_code == 202
    worked()
    assert shown(client, pk)["state"] == "examined"


def test_a_cancelled_examination_can_be_begun_again(client: Any) -> None:
    pk = uploaded(client, table())
    assert act(client, pk, "cancel").json()["state"] == "failed"
    assert not Job.objects.filter(state="ready").exists()
    assert act(client, pk, "cancel").status_code == 409
    assert act(client, pk, "examine", {}).status_code == 202
    worked()
    assert act(client, pk, "keep").json()["state"] == "keeping"
    assert act(client, pk, "keep").status_code == 409
    assert act(client, pk, "cancel").json()["state"] == "examined", "what was found stays"


@pytest.mark.parametrize("way", ["cancel", "delete"])
def test_work_under_way_ends_when_it_is_not_wanted_any_more(client: Any, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pk = uploaded(client, table())
    worked()
    act(client, pk, "keep")
    monkeypatch.setattr(imports, "TELL_SECONDS", 0.0)
    told = imports._Teller.__call__
    heard: list[str] = []

    def not_wanted(self: Any, done: float, words: str) -> None:
        if not heard:
            heard.append(words)
            if way == "cancel":
                own_data.cancel(self.row)
            else:
                own_data.delete(self.row)
        told(self, done, words)

    monkeypatch.setattr(imports._Teller, "__call__", not_wanted)
    worked()
    assert heard
    assert list(stored.own_folder().glob("*")) == [], "nothing is stored, and nothing left"
    if way == "cancel":
        assert shown(client, pk)["state"] == "examined"
    else:
        assert not Dataset.objects.exists()


def test_a_worker_that_is_asked_to_stop_gives_it_back_and_counts_no_failure(client: Any) -> None:
    pk = uploaded(client, table())
    session = Session("cpu")
    session.stopping.set()
    try:
        assert serve_one(session)
    finally:
        end([session])
    job = Job.objects.get()
    assert (job.state, job.failures, shown(client, pk)["state"]) == ("ready", 0, "examining")
    worked()
    assert shown(client, pk)["state"] == "examined"


def test_a_preview_that_nobody_keeps_is_removed(client: Any) -> None:
    pk = uploaded(client, table())
    worked()
    Dataset.objects.update(touched=timezone.now() - timedelta(days=8))
    reaper.housekeep()
    assert not Dataset.objects.exists() and not own_files.folder(Dataset(pk=pk).pk).exists()
    kept(client)
    Dataset.objects.update(touched=timezone.now() - timedelta(days=800))
    reaper.housekeep()
    assert Dataset.objects.count() == 1, "what is kept stays"


# ---------------------------------------------------------------- looks at built-in data


def test_what_there_is_to_see_of_built_in_data(client: Any) -> None:
    assert send(client, "GET", "datasets/wine/look").status_code == 404
    asked = send(client, "POST", "datasets/wine/look")
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    assert send(browser(make_user("eve")), "POST", "datasets/wine/look").json()["state"] == "queued"
    assert Job.objects.filter(kind="look").count() == 1, "asked once, whoever asks"
    worked()
    result = send(client, "GET", "datasets/wine/look").json()["result"]
    assert (result["kind"], result["shape"], len(result["samples"]), len(result["features"])) == ("vector", [13], 24, 13)
    assert [share["name"] for share in result["balance"]] and {sample["part"] for sample in result["samples"]} == {"search"}
    assert send(client, "POST", "datasets/nothing/look").status_code == 404
    assert send(client, "POST", "datasets/learn_to_count/look").json()["code"] == "no_samples"


def test_files_that_are_not_here_are_told(client: Any) -> None:
    send(client, "POST", "datasets/mnist/look")
    worked()
    answer = send(client, "GET", "datasets/mnist/look").json()
    assert answer["state"] == "failed" and "mnist" in answer["reason"]
    assert send(client, "POST", "datasets/mnist/look").json()["state"] == "queued", "perhaps they are there by now"


# ---------------------------------------------------------------- a worker dies


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["examine", "keep"])
def test_a_kill_of_the_worker_costs_time_and_nothing_else(installation: Installation, phase: str, tmp_path: Path) -> None:
    """Its process is killed in the middle: the lease runs out, another begins again, and nothing is left behind."""
    answer = installation.answer("import_after_kill", phase, NASCOPE_LEASE_SECONDS="1", NASCOPE_HEARTBEAT_SECONDS="0.2")
    assert answer == {"state": "examined" if phase == "examine" else "ready", "failures": 1, "left": []}


