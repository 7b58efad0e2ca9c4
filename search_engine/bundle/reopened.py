"""A bundle read again, as the beginning of another search. Nothing of it is run: three files are read, each within bounds."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..base.errors import BadInput
from ..base.given_config import GivenConfig
from ..base.quoting import shortened
from ..spaces.data_shape import DataShape

MOST_TEXT = 20_000_000
"""Bytes of a JSON file of a bundle; a drawing of a large network takes a few MB."""
MOST_WEIGHTS = 2_000_000_000
"""Bytes of the weights."""
NAMES = {"architecture.json": MOST_TEXT, "manifest.json": MOST_TEXT, "model.safetensors": MOST_WEIGHTS}


@dataclass(frozen=True)
class Reopened:
    """A network out of a bundle."""

    config: GivenConfig
    weights: bytes
    """The file of its weights, as `config` has its digest."""


def reopen(place: Path) -> Reopened:
    """The network in the bundle `place`, a folder or a zip. Raises BadInput (field "model") saying what is wrong with it."""
    found = _files(place)
    weights = found["model.safetensors"]
    config = given_config(_json(found, "architecture.json"), _json(found, "manifest.json"), shortened(place.name))
    if hashlib.sha256(weights).hexdigest() != config.weights:
        raise BadInput("model", f"{shortened(str(place))} is damaged: the weights are not those of its manifest")
    return Reopened(config, weights)


def architecture_text(place: Path) -> str:
    """The architecture in the bundle `place`, a folder or a zip, as the text that `catalogue.architectures.read` takes: of an ensemble that
    of each of its networks. Raises BadInput (field "model") saying what is wrong with it."""
    found = _json(_files(place, ("architecture.json",)), "architecture.json")
    try:
        genome = {"space": found["space"], "content": found["genome"]}
        return json.dumps({"space": found["space"], "space_options": found["space_options"], "genome": genome})
    except KeyError as error:
        raise BadInput("model", f"its architecture.json does not say {error}: give a download of NAScope") from None


def data_shape(place: Path) -> DataShape:
    """That of the data which the network in the bundle `place` is for. Raises BadInput (field "model")."""
    manifest = _json(_files(place, ("manifest.json",)), "manifest.json")
    try:
        data = manifest["dataset"]
        return DataShape(tuple(map(int, data["input_shape"])), int(data["outputs"]), manifest["evaluation"]["task"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("model", f"its manifest.json does not say what data it is for ({type(error).__name__})") from None


def given_config(architecture: dict[str, Any], manifest: dict[str, Any], title: str) -> GivenConfig:
    """What a bundle's two JSON files say of its network. Raises BadInput (field "model") where they do not say it."""
    try:
        data = manifest["dataset"]
        together = manifest.get("retraining", {})
        if together.get("ensemble"):
            raise BadInput("model", f"it is an ensemble of {together['seeds']} networks: give one network", code="incompatible")
        return GivenConfig(
            weights=manifest["files"]["model.safetensors"]["sha256"],
            space=architecture["space"],
            space_options=architecture["space_options"],
            genome=architecture["genome"],
            input=data["input_shape"],
            outputs=data.get("outputs") or len(data["class_names"]),
            training=manifest.get("training") or {},
            title=title,
        )
    except (AttributeError, KeyError, TypeError, ValidationError) as error:
        raise BadInput("model", f"it does not say what its network is ({type(error).__name__}): give a download of NAScope") from None


def _files(place: Path, names: Iterable[str] = NAMES) -> dict[str, bytes]:
    name = shortened(str(place))
    try:
        if place.is_dir():
            return {item: _of_folder(place, item) for item in names}
        with zipfile.ZipFile(place) as archive:
            return {item: _member(archive, item) for item in names}
    except FileNotFoundError as error:
        raise BadInput("model", f"there is no {shortened(str(error.filename))}; give a model's download, zip or folder") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError):
        raise BadInput("model", f"{name} is no zip file that can be read; give a model's download, zip or folder") from None
    except OSError as error:
        raise BadInput("model", f"{name} cannot be read: {error.strerror or error}") from None


def _of_folder(folder: Path, name: str) -> bytes:
    _require_bounded(name, (folder / name).stat().st_size)
    return (folder / name).read_bytes()


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of the one folder in a zip, or of its root."""
    own = [info for info in archive.infolist() if info.filename.count("/") <= 1 and info.filename.rpartition("/")[2] == name]
    if len(own) != 1:
        raise BadInput("model", f"the zip holds {'no' if not own else 'several'} {name}; give a model's download")
    _require_bounded(name, own[0].file_size)
    with archive.open(own[0]) as file:
        # What the zip's list says of its size binds nobody.
        data = file.read(NAMES[name] + 1)
    _require_bounded(name, len(data))
    return data


def _require_bounded(name: str, size: int) -> None:
    if size > NAMES[name]:
        raise BadInput("model", f"its {name} has {size:,} bytes; at most {NAMES[name]:,} are read")


def _json(found: dict[str, bytes], name: str) -> dict[str, Any]:
    try:
        value = json.loads(found[name])
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise BadInput("model", f"its {name} is no JSON") from None
    if not isinstance(value, dict):
        raise BadInput("model", f"its {name} is not of the form of a bundle's")
    return value
