"""The form of the one file.

    manifest.json                  `Manifest`; the last member, since it has the digests of all others
    runs/<n>/events.jsonl          one `search_engine.events.EventRecord` a line
    runs/<n>/result.json           of a run of the command line
    runs/<n>/population.json       where the run kept its initial population
    runs/<n>/model/, artefacts/    as they lie in the run's folder
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..algorithms.given import WEIGHTS
from ..base.errors import BadInput
from ..search.local_run import EVENTS, RESULT, versions
from ..spaces import populations

FORMAT = 1
"""Rises when an earlier version could not read the file any more."""
MANIFEST = "manifest.json"
SUFFIX = ".nascope.zip"
MOST_RUNS = 1_000
FILES = (EVENTS, RESULT, populations.FILE, WEIGHTS)
"""Of a run's folder, each where it is there."""
FOLDERS = ("model", "artefacts")

Text = Annotated[str, Field(max_length=2_000)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Time = Annotated[float, Field(ge=0, le=1e11, description="seconds since the epoch")]
Words = Annotated[dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=200)]], Field(max_length=50)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FileRecord(_Part):
    """One file of the archive."""

    size: int = Field(ge=0)
    sha256: Digest


class Amounts(_Part):
    """What a run was charged."""

    samples: Amount = 0.0
    trials: int = Field(default=0, ge=0, le=2**53)
    seconds: Amount = 0.0
    flops: Amount = 0.0


class RunRecord(_Part):
    """What is known of a run beside its events. It has ended."""

    folder: str = Field(pattern=r"^runs/[0-9]{1,4}$")
    config: dict[str, Any] = Field(description="search_engine.catalogue.config.RunConfig")
    state: Literal["completed", "failed", "cancelled"]
    reason: Text = ""
    started: Time | None = None
    finished: Time | None = None
    device: Literal["", "cpu", "cuda"] = ""
    arithmetic: Words = {}
    versions: Words = Field(default={}, description="of the programs that computed it")
    reproducible: bool = True
    reproducible_note: Text = ""
    charged: Amounts = Amounts()
    spent_samples: Amount = 0.0
    spent_seconds: Amount = 0.0
    events: int = Field(default=0, ge=0)
    bundles: dict[Annotated[str, Field(max_length=100)], Digest] = Field(
        default={}, description="folder of a model -> digest of its download, as recorded where the run was"
    )


class Manifest(_Part):
    """What the archive is."""

    format: Literal[1] = 1
    kind: Literal["run", "experiment"]
    name: str = Field(max_length=200)
    made: Time
    versions: Words = Field(description="of the programs that wrote the archive")
    machine: str = Field(default="", max_length=200, description="where it was written, in words")
    runs: list[RunRecord] = Field(min_length=1, max_length=MOST_RUNS)
    files: dict[Annotated[str, Field(max_length=300)], FileRecord]
    digest: str = ""

    @model_validator(mode="after")
    def _each_once(self) -> Manifest:
        folders = [run.folder for run in self.runs]
        if len(set(folders)) != len(folders):
            raise ValueError("two of its runs lie in one folder")
        for run in self.runs:
            if f"{run.folder}/{EVENTS}" not in self.files:
                raise ValueError(f"it lists no {run.folder}/{EVENTS}")
        return self

    def sealed(self) -> Manifest:
        """With its digest."""
        return self.model_copy(update={"digest": self.own_digest()})

    def own_digest(self) -> str:
        """Of all that it says, the files' digests among it."""
        said = self.model_dump(mode="json", exclude={"digest"})
        return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def here() -> dict[str, Any]:
    """The fields of a manifest that say who writes it."""
    return {"versions": versions(), "machine": f"{platform.system()} {platform.machine()}"}


def belongs(name: str, folders: set[str]) -> bool:
    """Whether a file of that name may lie in an archive with these folders of runs."""
    parts = PurePosixPath(name).parts
    if len(parts) < 3 or "/".join(parts[:2]) not in folders or ".." in parts:
        return False
    inside = "/".join(parts[2:])
    return inside in FILES or of_a_model(inside) or parts[2] in FOLDERS


def of_a_model(name: str) -> bool:
    """Whether it is what was measured of the speed of a run's only model, which lies beside the model's folder."""
    return name == "model.latency.json"


def read_manifest(data: bytes) -> Manifest:
    """Raises BadInput (field manifest.json) where it is none that this version reads, or says another digest than its own."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        raise BadInput(MANIFEST, "it is no JSON: export the run again", code="damaged") from None
    said = tree.get("format") if isinstance(tree, dict) else None
    if type(said) is not int:
        raise BadInput(MANIFEST, "it names no format, as the manifest of an export of NAScope does", code="not_a_run")
    if said != FORMAT:
        who = tree.get("versions", {}).get("nascope", "another version") if isinstance(tree.get("versions"), dict) else "another version"
        words = f"it has format {said} (written by NAScope {str(who)[:40]}); this version, {versions()['nascope']}, reads format {FORMAT}"
        raise BadInput(MANIFEST, f"{words}: open it with that version, or export it with this one", code="other_version")
    try:
        manifest = Manifest.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInput(MANIFEST, f"{place or 'it'}: {first['msg']}; export the run again", code="damaged") from None
    if manifest.digest != manifest.own_digest():
        raise BadInput(MANIFEST, "its digest is not that of what it says: the file was changed or damaged; export it again", code="damaged")
    return manifest
