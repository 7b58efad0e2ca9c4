"""Uploads and imports as tests do them: through the API, and with a worker of this process."""

from __future__ import annotations

import base64
import random
from typing import Any

from django.core.cache import cache
from django.test import Client

from search_engine.datasets.own.findings import Column, Findings, Sample, Share, Source, Split
from webapp.core.models import Dataset
from webapp.jobs import own_data, own_files
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .api_world import API, send
from .searches import end

OCTETS = "application/offset+octet-stream"


FINDINGS: dict[str, Any] = Findings(
    kind="vector", task="classification", format="CSV", rows=4, target="kind", class_names=["up", "down"],
    balance=[Share(name="up", count=2, test=1), Share(name="down", count=2, test=1)],
    columns=[Column(name="width", kind="number", inferred="number"), Column(name="kind", kind="target", inferred="target")],
    split=Split(kind="random", test_share=0.5, validation_share=0.5, seed=0, pool=2, test=2, words="at random"), shape=[1],
    samples=[Sample(label="up", part="search", row=["1"])], notices=[], source=Source(name="kinds.csv", bytes=9, sha256="0" * 64),
).model_dump(mode="json")  # fmt: skip
"""What an import may have found."""


def made(owner: Any, state: str = "examined") -> Dataset:
    """A row in that state, with its file, without anybody having worked."""
    row = own_data.begin(owner, 9, "kinds.csv")
    if state != "uploading":
        own_files.source(row.pk).write_bytes(b"width\n1\n2")
        found = FINDINGS if state == "examined" else None
        Dataset.objects.filter(pk=row.pk).update(state=state, received=9, findings=found, progress={})
        row.refresh_from_db()
    return row


def brought(owner: Any, state: str = "examining") -> Dataset:
    """The row of a run that somebody brings, in that state."""
    row = own_data.begin(owner, 9, "run.nascope.zip", purpose=Dataset.Purpose.RUN)
    Dataset.objects.filter(pk=row.pk).update(state=state, received=9)
    row.refresh_from_db()
    return row


def table(rows: int = 120, seed: int = 3) -> bytes:
    """A CSV that can be learnt: the class is the sign of x + y."""
    chance = random.Random(seed)
    lines = ["width,height,colour,kind"]
    for _ in range(rows):
        x, y = chance.uniform(-1, 1), chance.uniform(-1, 1)
        lines.append(f"{x:.4f},{y:.4f},{chance.choice(['red', 'blue'])},{'up' if x + y > 0 else 'down'}")
    return ("\n".join(lines) + "\n").encode()


def metadata(**pairs: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def create(client: Client, size: int, name: str = "kinds.csv", **more: str) -> Any:
    """POST uploads."""
    cache.clear()
    said: dict[str, str] = {key: more.pop(key) for key in ("title", "previous", "purpose") if key in more}
    pairs = {"filename": name, **said}
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": metadata(**pairs), **more}
    return client.generic("POST", API + "uploads", b"", headers=headers)


def append(client: Client, address: str, offset: int, body: bytes, **more: str) -> Any:
    """PATCH."""
    cache.clear()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), **more}
    return client.generic("PATCH", address, body, content_type=OCTETS, headers=headers)


def uploaded(client: Client, content: bytes, name: str = "kinds.csv", **more: str) -> str:
    """The id of a file that is there, whole."""
    made = create(client, len(content), name, **more)
    assert made.status_code == 201, made.content
    assert append(client, made["Location"], 0, content).status_code == 204
    return str(made["Location"].rsplit("/", 1)[1])


def worked(jobs: int = 1) -> None:
    """A worker does what waits."""
    session = Session("cpu")
    try:
        for _ in range(jobs):
            assert serve_one(session)
    finally:
        end([session])


def shown(client: Client, pk: str) -> dict[str, Any]:
    answer = send(client, "GET", f"own-datasets/{pk}")
    assert answer.status_code == 200, answer.content
    return answer.json()  # type: ignore[no-any-return]


def kept(client: Client, content: bytes | None = None, name: str = "kinds.csv", **more: str) -> Dataset:
    """A set that searches can use."""
    pk = uploaded(client, content or table(), name, **more)
    worked()
    assert shown(client, pk)["state"] == "examined", shown(client, pk)
    assert send(client, "POST", f"own-datasets/{pk}/keep").status_code == 202
    worked()
    row = Dataset.objects.get(pk=pk)
    assert row.state == "ready", row.reason
    return row
