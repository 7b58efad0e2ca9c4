"""The operations of the OpenAPI document, somebody's objects for each, and one request that leaves nothing behind."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import yaml
from django.core.cache import cache as throttled
from django.db import transaction
from django.utils import timezone

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.search import continuation
from search_engine.search.local_run import LocalRun
from webapp.core.models import ApiToken, Estimate, Genome, Job, ModelArtefact, Run
from webapp.jobs import files, looks, states

from .api_world import BODY, GROUP, PASSWORD, browser, fill, make_experiment, make_user, streamed
from .asked_world import askable, asked
from .own_world import brought, made

DOCUMENT = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml").read_text())
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]

BODIES: dict[str, Any] = {
    "ArchitectureBody": {"text": "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"},
    "ExperimentBody": BODY,
    "LoginBody": {"username": "ada", "password": PASSWORD},
    "CloneBody": {"seed": 3},
    "MoreBody": {"unit": "trials", "more": 5},
    "TokenBody": {"name": "laptop"},
    "Choices": {"test_share": 0.5},
}
"""What is right, by the name of the schema."""


@cache
def _kept() -> Path:
    """What a finished search keeps for a longer one."""
    folder = Path(tempfile.mkdtemp())
    LocalRun(check({"algorithm": "random", "space": "sequence", "budget": {"trials": 3}}), folder, folder / "run").run()
    return folder / "run" / continuation.ROOM


def title(path: str, method: str) -> str:
    return f"{method.upper()} {path}"


class World:
    """The owner's objects in every state, and the links that lists gave out."""

    def __init__(self) -> None:
        owner = make_user("ada")
        self.client = browser(owner)
        self._cookies = {name: morsel.value for name, morsel in self.client.cookies.items()}
        run = make_experiment(owner).runs.get()
        fill(run)
        paused, damaged = make_experiment(owner).runs.get(), make_experiment(owner).runs.get()
        states.pause(paused.pk)
        begun, over = make_experiment(owner).runs.get(), make_experiment(owner).runs.get()
        Run.objects.filter(pk=begun.pk).update(state=Run.State.RUNNING, started=timezone.now())
        Run.objects.filter(pk=over.pk).update(state=Run.State.COMPLETED, more={"unit": "trials", "have": 3})
        shutil.copytree(_kept(), files.run_dir(over.pk) / continuation.ROOM, dirs_exist_ok=True)
        self.ids: dict[str, list[Any]] = {
            "runs": [run.pk, paused.pk, damaged.pk, begun.pk, over.pk],
            "experiments": [run.experiment_id, damaged.experiment_id],
            "genomes": [Genome.objects.filter(run=run).first().pk],  # type: ignore[union-attr]
            "models": [askable(owner).pk, ModelArtefact.objects.get(run=run).pk, self._damaged(damaged)],
            "predictions": [asked(owner).pk],
            "tokens": [ApiToken.issue(owner, "laptop")[0].pk],
            "atlas": ["nikulenkov-2022-figure-12", "nikulenkov-2022-table-3"],
            "uploads": [made(owner, "uploading").pk],
            "own-datasets": [made(owner).pk, made(owner, "uploaded").pk],
            "run-imports": [brought(owner, "ready").pk, brought(owner).pk],
            "datasets": ["digits"],
            "estimates": [Estimate.objects.create(owner=owner, config_digest="0" * 64, configs=[]).pk],
        }
        self.query: dict[str, list[str]] = {
            "run": [str(run.pk)], "experiment": [str(run.experiment_id)], "group": [GROUP], "edge": ["0", "1"]
        }
        looks.request(owner, registry.dataset("digits"))
        self.cursors: dict[str, str] = {}
        for path, method in OPERATIONS:
            names = {item["name"] for item in DOCUMENT["paths"][path][method].get("parameters", [])}
            if method == "get" and "cursor" in names:
                query = {"limit": 1, **({"run": run.pk} if "run" in names else {})}
                page = self.client.get(path.replace("{dataset}", "digits"), query).json()
                self.cursors[path] = page["next"] or ""
        self.query["cursor"] = [cursor for cursor in self.cursors.values() if cursor]

    def _damaged(self, run: Run) -> Any:
        """A download that can be made again."""
        fill(run)
        Job.objects.filter(run=run).update(source="final:0", state=Job.State.TAKEN)
        Run.objects.filter(pk=run.pk).update(state=Run.State.COMPLETED)
        ModelArtefact.objects.filter(run=run).update(bundle_damage="cut short")
        return ModelArtefact.objects.get(run=run).pk

    def ids_of(self, path: str) -> list[str]:
        """Of what the path names by `{id}`."""
        return [str(found) for found in self.ids[path.split("/")[3]]]

    def send(self, path: str, method: str, address: str, body: bytes = b"", **more: Any) -> httpx.Response:
        """The operation (`path`, `method`) at this address; whatever it changes is undone. It answers as the document says, or refuses."""
        throttled.clear()
        self.client.cookies.load(self._cookies)
        with transaction.atomic():
            answer = self.client.generic(method.upper(), address, body, **{"content_type": "application/json", **more})
            transaction.set_rollback(True)
        content = streamed(answer) if answer.streaming else answer.content
        what = (title(path, method), address, more, body[:2000], answer.status_code, content[:500])
        assert answer.status_code < 500 or (path.endswith("health/ready") and answer.status_code == 503), what
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json", what
            problem = {"$ref": "#/components/schemas/ProblemDocument", "components": DOCUMENT["components"]}
            jsonschema.validate(answer.json(), problem)
        else:
            assert str(answer.status_code) in DOCUMENT["paths"][path][method]["responses"], what
        request = httpx.Request(method.upper(), f"http://testserver{path}")
        made = httpx.Response(answer.status_code, headers=list(answer.items()), content=content, request=request)
        made.elapsed = timedelta(0)
        return made
