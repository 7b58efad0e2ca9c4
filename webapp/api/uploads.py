"""Uploads that can be interrupted and go on: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with its extensions creation,
expiration, checksum and termination.

POST says how long the file is and what it is called; HEAD says how much of it is there; PATCH appends from there on, as far as its bytes
reach before the line breaks; DELETE cancels. One request writes at a time. Of a PATCH that says a checksum only all of it is taken, or
nothing. Once the last byte is there, a worker looks at the file
(webapp.api.own_datasets; webapp.api.run_files where it is a run).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.utils.http import http_date
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.base.errors import BadInput
from webapp.core import room
from webapp.core.models import Dataset
from webapp.jobs import own_data, own_files

from . import shapes
from .base import OwnedView
from .idempotency import once
from .problems import Problem, ProblemDocument, no_space
from .streamed import ClientLeft, pieces_of
from .throttles import CreateRate, UploadRate

VERSION = "1.0.0"
CONTENT_TYPE = "application/offset+octet-stream"
ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
"""The protocol asks for SHA-1; it guards against a bad line here, not against people."""
LOOK_BYTES = 16_000_000
"""After so many bytes it is asked again whether the disk has room."""
LONGEST_NAME = 200

TUS = OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, description="the protocol's version", default=VERSION)
LENGTH = OpenApiParameter(
    "Upload-Length", OpenApiTypes.INT64, OpenApiParameter.HEADER, required=True, description="bytes of the whole file"
)
OFFSET = OpenApiParameter(
    "Upload-Offset", OpenApiTypes.INT64, OpenApiParameter.HEADER, required=True,
    description="where the body belongs: as many bytes are there",
)
METADATA = OpenApiParameter(
    "Upload-Metadata", str, OpenApiParameter.HEADER,
    description="`name base64` pairs, commas between them: `filename` (which tells what it is), `title`, `previous` (the id of the data "
    "set of which this is a new version), `purpose` (`data`, the default, or `run`: a run or an experiment to be opened)",
)
CHECKSUM = OpenApiParameter("Upload-Checksum", str, OpenApiParameter.HEADER, description="`sha1 base64` or `sha256 base64` of the body")
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="a request that is repeated with the same key does its work once"
)


class OctetStream(BaseParser):
    """The body of a PATCH, which nobody parses."""

    media_type = CONTENT_TYPE

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return {}


class _TusView(OwnedView):
    """What every answer of the protocol says."""

    rows = Dataset.objects

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        said = request.headers.get("Tus-Resumable", VERSION)
        if said != VERSION and request.method != "OPTIONS":
            words = f"this server speaks version {VERSION} of the protocol, not {said[:20]}"
            raise Problem(412, "tus_version", words, field="Tus-Resumable")

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Tus-Resumable"] = VERSION
        answer["Tus-Version"] = VERSION
        return answer

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What the server can do."""
        able = {
            "Tus-Extension": "creation,expiration,checksum,termination", "Tus-Max-Size": str(settings.NASCOPE_UPLOAD_BYTES),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }  # fmt: skip
        return Response(status=204, headers=able)


class UploadsView(_TusView):
    """POST begins an upload; its address comes as `Location`."""

    def get_throttles(self) -> list[Any]:
        return [CreateRate()]

    @extend_schema(
        operation_id="uploads_create", parameters=[TUS, LENGTH, METADATA, KEY], request=None,
        responses={
            201: shapes.OwnDataset, 400: ProblemDocument, 404: ProblemDocument, 413: ProblemDocument, 422: ProblemDocument,
            429: ProblemDocument, 507: ProblemDocument,
        },
    )
    def post(self, request: Request) -> Response:
        size = _whole(request, "Upload-Length")
        if size == 0:
            raise BadInput("Upload-Length", "the file is empty: there is nothing in it")
        said = _metadata(request.headers.get("Upload-Metadata", ""))
        purpose = said.get("purpose", Dataset.Purpose.DATA)
        if purpose not in Dataset.Purpose:
            raise BadInput("Upload-Metadata.purpose", f"it is {' or '.join(Dataset.Purpose)}")

        def begin() -> shapes.OwnDataset:
            previous = None if not said.get("previous") else self._previous(said["previous"])
            try:
                name, title = _file_name(said.get("filename", "")), said.get("title", "").strip()
                row = own_data.begin(request.user, size, name, title, previous, purpose)
            except own_data.NoRoom as why:
                raise Problem(507 if why.code == "no_space" else 413, why.code, str(why), field="Upload-Length") from None
            return shapes.OwnDataset.of(row)

        answer = once(request, 201, begin, also=[size, said])
        made = answer.data if isinstance(answer.data, dict) else answer.data.model_dump(mode="json")
        answer["Location"] = f"{request.path.rstrip('/')}/{made['id']}"
        answer["Upload-Expires"] = http_date((shapes.OwnDataset.model_validate(made).touched + _open_for()).timestamp())
        return answer

    def _previous(self, text: str) -> Dataset:
        try:
            found: Dataset = self.find(UUID(text), self.owned().filter(state=Dataset.State.READY, purpose=Dataset.Purpose.DATA))
        except (ValueError, Http404):
            raise BadInput("Upload-Metadata.previous", "you have no such data set", code="unknown") from None
        return found


class UploadView(_TusView):
    """One upload: HEAD tells its offset, PATCH appends, DELETE cancels it."""

    parser_classes = (OctetStream,)
    streams_body = True
    largest_body = settings.NASCOPE_UPLOAD_BYTES + LOOK_BYTES

    def get_throttles(self) -> list[Any]:
        return [UploadRate()]

    def open_upload(self, pk: UUID) -> Dataset:
        """The row of an upload that is not whole yet. Raises Http404, or a Problem."""
        row: Dataset = self.find(pk)
        if row.state != Dataset.State.UPLOADING:
            raise Problem(409, "wrong_state", "all bytes of this upload are there already", state=row.state)
        return row

    @extend_schema(operation_id="upload", parameters=[TUS], responses={200: shapes.OwnDataset, 404: ProblemDocument, 410: ProblemDocument})
    def get(self, request: Request, pk: UUID) -> Response:
        row: Dataset = self.find(pk)
        if row.state == Dataset.State.UPLOADING:
            here = _received(row)
            if here >= row.size:
                # Whoever took the last bytes died before it could say so.
                own_data.note_received(row, here)
            row.received = here
        return Response(shapes.OwnDataset.of(row), headers=_headers(row, row.received))

    @extend_schema(
        operation_id="upload_append", parameters=[TUS, OFFSET, CHECKSUM], request={CONTENT_TYPE: OpenApiTypes.BINARY},
        responses={
            204: None, 400: ProblemDocument, 404: ProblemDocument, 409: ProblemDocument, 410: ProblemDocument, 413: ProblemDocument,
            415: ProblemDocument, 423: ProblemDocument, 429: ProblemDocument, 460: ProblemDocument, 507: ProblemDocument,
        },
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        row = self.open_upload(pk)
        if request.content_type != CONTENT_TYPE:
            raise Problem(415, "unsupported_media_type", f"send the bytes as {CONTENT_TYPE}", field="Content-Type")
        offset, checksum = _whole(request, "Upload-Offset"), _checksum(request)
        try:
            with own_files.appending(row.pk) as file:
                received = _append(request, row, file, offset, checksum)
        except own_files.Busy:
            raise Problem(423, "locked", "another request writes to this upload: wait for its end, then ask for the offset") from None
        except FileNotFoundError:
            raise _gone() from None
        return Response(status=204, headers=_headers(row, received))

    @extend_schema(operation_id="upload_cancel", parameters=[TUS], responses={204: None, 404: ProblemDocument, 409: ProblemDocument})
    def delete(self, request: Request, pk: UUID) -> Response:
        own_data.delete(self.open_upload(pk))
        return Response(status=204)


def _append(request: Request, row: Dataset, file: BinaryIO, offset: int, checksum: _Checksum | None) -> int:
    """Write the body behind what is there; returns how much is there then. What came before the line broke stays, unless its checksum was
    said. Raises a Problem where it does not belong there; then the file is as it was."""
    here = file.tell()
    if offset != here:
        raise Problem(409, "wrong_offset", f"{here:,} bytes are there: go on from there, not from {offset:,}", field="Upload-Offset")
    declared = request.headers.get("Content-Length", "")
    if declared.isdigit() and offset + int(declared) > row.size:
        raise _too_many(row)
    received, looked = offset, offset
    try:
        for piece in pieces_of(request):
            if received + len(piece) > row.size:
                file.truncate(offset)
                raise _too_many(row)
            if received - looked >= LOOK_BYTES:
                looked = received
                if room.full():
                    raise no_space()
            file.write(piece)
            received += len(piece)
            if checksum is not None:
                checksum.update(piece)
    except ClientLeft:
        if checksum is not None:
            file.truncate(offset)
            received = offset
    else:
        if checksum is not None and not checksum.holds():
            file.truncate(offset)
            words = "the bytes are others than their checksum says: send them again"
            raise Problem(460, "checksum_mismatch", words, field="Upload-Checksum")
    finally:
        own_data.note_received(row, own_files.received(row.pk))
    return received


class _Checksum:
    """What the client says the body is, and what it turns out to be."""

    def __init__(self, algorithm: str, wanted: bytes) -> None:
        self._hash = ALGORITHMS[algorithm](usedforsecurity=False)
        self._wanted = wanted

    def update(self, piece: bytes) -> None:
        self._hash.update(piece)

    def holds(self) -> bool:
        return self._hash.digest() == self._wanted


def _checksum(request: Request) -> _Checksum | None:
    said = request.headers.get("Upload-Checksum", "")
    if not said:
        return None
    algorithm, _, text = said.partition(" ")
    wanted = _decoded(text)
    if algorithm not in ALGORITHMS or not wanted:
        raise BadInput("Upload-Checksum", f"write the name of the algorithm ({', '.join(ALGORITHMS)}), a space, and the digest in base64")
    return _Checksum(algorithm, wanted)


def _whole(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadInput(name, "give a whole number of bytes")
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    """The pairs of Upload-Metadata. Raises BadInput where they are none."""
    found = {}
    for pair in text.split(",") if text.strip() else ():
        name, _, value = pair.strip().partition(" ")
        raw = _decoded(value)
        try:
            words = None if raw is None else raw.decode("utf-8")
        except UnicodeDecodeError:
            words = None
        if words is None or not name:
            raise BadInput("Upload-Metadata", "write pairs of a name and its value in base64 (UTF-8), with commas between them")
        found[name] = "".join(letter for letter in words if letter.isprintable())
    return found


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _file_name(said: str) -> str:
    """What is shown: the last part of whatever path somebody's machine gave, and never a path here."""
    name = said.replace("\\", "/").rsplit("/", 1)[-1].strip()
    return name[-LONGEST_NAME:] or "unnamed"


def _received(row: Dataset) -> int:
    try:
        return own_files.received(row.pk)
    except FileNotFoundError:
        raise _gone() from None


def _headers(row: Dataset, received: int) -> dict[str, str]:
    headers = {"Upload-Offset": str(received), "Upload-Length": str(row.size), "Cache-Control": "no-store"}
    if row.state == Dataset.State.UPLOADING:
        headers["Upload-Expires"] = http_date((row.touched + _open_for()).timestamp())
    return headers


def _open_for() -> timedelta:
    return timedelta(hours=settings.NASCOPE_UPLOAD_HOURS)


def _too_many(row: Dataset) -> Problem:
    words = f"more bytes come than the {row.size:,} that were said: nothing of this request is kept"
    return Problem(413, "too_large", words, field="Upload-Length")


def _gone() -> Problem:
    return Problem(410, "gone", "this upload was removed: begin it again")
