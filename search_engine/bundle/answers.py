"""What a download takes, and what it answered of a few examples: the forms in which both are told."""

from __future__ import annotations

import base64
import json
import zipfile
from typing import Any, BinaryIO, Literal

from pydantic import BaseModel, Field

from .inputs import input_kind, table_columns

ROOT = "model/"
"""The folder in the zip. A network of several data sets has several."""
MOST_SETTINGS = 20_000_000
MOST_SAMPLE = 1_000_000
MOST_CATEGORIES = 500
"""So many of a column's categories are listed."""
MOST_EXAMPLES = 10
"""So many examples are answered at once."""

FormKind = Literal["picture", "row", "series", "array"]


class AskedColumn(BaseModel):
    """A column of a row."""

    name: str
    kind: Literal["number", "category"]
    categories: list[str] = Field(default=[], description="those that the model knows; none where there are too many to list")
    may_miss: bool = Field(description="whether it may be left empty")


class AskedSample(BaseModel):
    """The sample in the download."""

    file: str
    text: str = Field(description="of a table: its lines")
    picture: str = Field(description="of a picture: the file in base64")
    labels: list[str] = Field(description="what is true of its examples; none where it is made of means")


class InputForm(BaseModel):
    """What one gives to a model to be told something."""

    kind: FormKind = Field(description="array: of numbers that are no picture, as .npy or .npz")
    task: Literal["classification", "regression"]
    shape: list[int] = Field(description="of one example: channels, height and width; channels and moments; or columns")
    columns: list[AskedColumn] = Field(description="of a row, in the model's order; empty where it has no names")
    targets: list[str] = Field(description="names of what it tells: classes, or values")
    sample: AskedSample | None


class NotAskable(Exception):
    """A download of which nothing can be asked here; the text says why."""


class ClassProbability(BaseModel):
    """A class and its probability."""

    name: str
    probability: float


class TargetValue(BaseModel):
    """A value of the target, in its units."""

    name: str
    value: float


class AnsweredExample(BaseModel):
    """What a model says of one example: classes, the likeliest first, or values."""

    classes: list[ClassProbability] = []
    values: list[TargetValue] = []


class AnsweredPicture(BaseModel):
    """What became of a picture."""

    width: int
    height: int
    format: str
    taken: list[int] = Field(description="channels, height and width of what the model was given of it")


class Answered(BaseModel):
    """What a model says of examples."""

    examples: list[AnsweredExample]
    notes: list[str] = Field(description="what there is to know of the input: columns that were not used, categories that are not known")
    picture: AnsweredPicture | None
    seconds: float = Field(description="what the worker needed, from the question to the answer")
    model_seconds: float = Field(description="of them in predict.py: reading code and weights, preparing the input, the network")


def form_of(archive: BinaryIO) -> InputForm:
    """What the download in a zip takes. Raises NotAskable, and the errors of a zip that cannot be read."""
    with zipfile.ZipFile(archive) as files:
        settings, manifest = (_json(files, name) for name in ("preprocessing.json", "manifest.json"))
        task, shape = settings["task"], list(settings["input_shape"])
        if task == "reconstruction":
            raise NotAskable("it rebuilds its inputs: there is no answer to show; predict.py in the download encodes and decodes them")
        kind = input_kind(settings)
        columns = [_column(column) for column in table_columns(settings)]
        if kind == "row":
            columns = [AskedColumn(name=name, kind="number", may_miss=False) for name in settings["feature_names"]]
        kinds: dict[str, FormKind] = {"columns": "row", "row": "row", "series": "series"}
        return InputForm(
            kind=kinds.get(kind) or ("picture" if shape[0] in (1, 3) else "array"), task=task, shape=shape, columns=columns,
            targets=settings["class_names"], sample=_sample(files, manifest),
        )


def _column(column: dict[str, Any]) -> AskedColumn:
    category = column["kind"] == "category"
    known = column["known"] if category and len(column["known"]) <= MOST_CATEGORIES else []
    return AskedColumn(name=column["name"], kind=column["kind"], categories=known, may_miss=category or column["fill"] is not None)


def _json(files: zipfile.ZipFile, name: str) -> dict[str, Any]:
    try:
        info = files.getinfo(ROOT + name)
    except KeyError:
        raise NotAskable("it was made for several data sets: try its parts, which lie in the download") from None
    if info.file_size > MOST_SETTINGS:
        raise NotAskable(f"its {name} has {info.file_size:,} bytes, more than are read here")
    value: dict[str, Any] = json.loads(files.read(info))
    return value


def _sample(files: zipfile.ZipFile, manifest: dict[str, Any]) -> AskedSample | None:
    said = manifest.get("sample")
    name = ROOT + said["file"] if said else ""
    if not said or name not in files.namelist() or files.getinfo(name).file_size > MOST_SAMPLE:
        return None
    data, text, picture = files.read(name), "", ""
    if name.endswith(".csv"):
        text = data.decode("utf-8")
    elif name.endswith(".png"):
        picture = base64.b64encode(data).decode()
    labels = [", ".join(map(str, label)) if isinstance(label, list) else str(label) for label in said["labels"]]
    return AskedSample(file=said["file"], text=text, picture=picture, labels=labels)
