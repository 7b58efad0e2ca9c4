"""A run as one file: what is written is read the same, and whatever else comes is one sentence that names the file."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from search_engine.archives.bounds import Bounds
from search_engine.archives.exporting import export_folder
from search_engine.archives.form import Manifest
from search_engine.archives.reading import unpack
from search_engine.archives.recorded_events import read_events
from search_engine.base.errors import BadInput
from search_engine.commands import main

EVENTS = "runs/0/events.jsonl"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the command line that took a moment."""
    place = tmp_path_factory.mktemp("run") / "out"
    assert main(["run", "--algorithm", "random", "--space", "sequence", "--budget", "trials=6", "--out", str(place), "--json"]) == 0
    return place


@pytest.fixture(scope="module")
def archive(folder: Path) -> bytes:
    target = folder.with_name("run.zip")
    export_folder(folder, target)
    return target.read_bytes()


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(held: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return out.getvalue()


def sealed(held: dict[str, bytes], **changes: Any) -> bytes:
    """These files with a manifest whose digests are all right."""
    manifest = {**json.loads(held["manifest.json"]), **changes}
    files = {name: data for name, data in held.items() if name != "manifest.json"}
    manifest["files"] = {name: {"size": len(data), "sha256": sha256(data).hexdigest()} for name, data in files.items()}
    return packed({**files, "manifest.json": Manifest.model_validate(manifest).sealed().model_dump_json().encode()})


def read(content: bytes, tmp_path: Path, bounds: Bounds = Bounds()) -> list[Any]:  # noqa: B008 # frozen
    """All of it, as whoever opens it reads it. Raises BadInput."""
    source = tmp_path / "file.zip"
    source.write_bytes(content)
    unpacked = unpack(source, tmp_path / "into", bounds)
    return [event for chunk in read_events(unpacked.folder / EVENTS, EVENTS, "9.9", bounds) for event in chunk]


def refused(content: bytes, tmp_path: Path, bounds: Bounds = Bounds()) -> str:  # noqa: B008 # frozen
    with pytest.raises(BadInput) as error:
        read(content, tmp_path, bounds)
    assert len(str(error.value)) < 500
    return str(error.value)


def test_the_file_holds_the_run_whole(folder: Path, archive: bytes, tmp_path: Path) -> None:
    held = members(archive)
    assert held[EVENTS] == (folder / "events.jsonl").read_bytes()
    assert held["runs/0/result.json"] == (folder / "result.json").read_bytes()
    assert "runs/0/state.safetensors" not in held and list(held)[-1] == "manifest.json"
    manifest = json.loads(held["manifest.json"])
    assert manifest["format"] == 1 and manifest["versions"]["nascope"] and len(manifest["digest"]) == 64
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == {
        name: sha256(data).hexdigest() for name, data in held.items() if name != "manifest.json"
    }
    lines = [json.loads(line) for line in held[EVENTS].splitlines()]
    assert [event.model_dump(mode="json") for event in read(archive, tmp_path)] == lines
    assert manifest["runs"][0]["events"] == len(lines)


def test_the_three_ways_in_give_the_same(folder: Path, archive: bytes, tmp_path: Path) -> None:
    whole = packed({f"out/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    for name, content in (("archive", archive), ("zip", whole)):
        (tmp_path / name).write_bytes(content)
    ways = [unpack(place, tmp_path / f"into {number}") for number, place in enumerate((folder, tmp_path / "archive", tmp_path / "zip"))]
    assert [way.origin for way in ways] == ["folder", "archive", "zipped folder"]
    records = [way.manifest.runs[0].model_copy(update={"events": 0}) for way in ways]
    assert records[0] == records[1] == records[2] and records[0].config["algorithm"] == "random"
    assert len({tuple(sorted(path.name for path in (way.folder / "runs/0").rglob("*"))) for way in ways}) == 1


def test_the_command_writes_it_once(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mine.nascope.zip"
    assert main(["export", str(folder), "--out", str(target)]) == 0
    assert f"written: {target}" in capsys.readouterr().out
    assert main(["export", str(folder), "--out", str(target)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_run_that_has_not_ended_is_not_exported(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "result.json").unlink()
    with pytest.raises(BadInput, match=r"result\.json: it is missing, so the run has not ended: go on with it by `run --resume`"):
        export_folder(copy, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()
    (copy / "state.safetensors").write_bytes((folder / "state.safetensors").read_bytes()[:-3] + b"abc")
    shutil.copy(folder / "result.json", copy)
    with pytest.raises(BadInput, match=r"state\.safetensors: .*: give the folder as the run left it"):
        export_folder(copy, tmp_path / "x.zip")


# ---------------------------------------------------------------- zips that nobody should unpack


def _link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("out/events.jsonl")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def _twice(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, pytest.warns(UserWarning):
        for _ in range(2):
            archive.writestr(EVENTS, b"x")
    return out.getvalue()


ZIPS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "words": (lambda _: b"just words", "file: it is no zip file that can be read"),
    "cut": (lambda content: content[: len(content) * 2 // 3], "file: it is no zip file that can be read"),
    "empty": (lambda _: packed({"a.txt": b"x"}), "events.jsonl: it holds no events.jsonl"),
    "two runs": (lambda _: packed({"a/events.jsonl": b"x", "b/events.jsonl": b"x"}), "events.jsonl: it holds 2 of them (a, b)"),
    "traversal": (lambda content: packed({**members(content), "runs/0/../../../x": b"x"}), "runs/0/../../../x: its name leads out"),
    "absolute": (lambda content: packed({**members(content), "/etc/x": b"x"}), "/etc/x: its name leads out of the archive"),
    "backslash": (lambda content: packed({**members(content), "runs\\..\\x": b"x"}), "its name leads out of the archive"),
    "link": (lambda _: _link(), "out/events.jsonl: it is a link or a device"),
    "bomb": (lambda content: packed({**members(content), "runs/0/model/big": bytes(20_000_000)}), "a bomb, or damaged"),
    "twice": (_twice, "two members of this name"),
    "more than listed": (lambda content: packed({**members(content), "runs/0/model/x.py": b"x"}), "the manifest does not list it"),
    "less than listed": (
        lambda content: packed({k: v for k, v in members(content).items() if k != "runs/0/result.json"}),
        "runs/0/result.json: the manifest lists it, and it is not there",
    ),
    "no run's file": (lambda content: sealed({**members(content), "runs/0/evil.sh": b"x"}), "runs/0/evil.sh: no file of that name belongs"),
    "one bit": (
        lambda content: packed({**members(content), "runs/0/result.json": members(content)["runs/0/result.json"][:-1] + b" "}),
        "runs/0/result.json: its SHA-256 is not that of the manifest",
    ),
    "manifest edited": (
        lambda content: packed({
            **members(content), "manifest.json": members(content)["manifest.json"].replace(b"completed", b"cancelled"),
        }),
        "manifest.json: its digest is not that of what it says",
    ),
    "later form": (
        lambda content: packed({**members(content), "manifest.json": b'{"format": 2, "versions": {"nascope": "7.0"}}'}),
        "manifest.json: it has format 2 (written by NAScope 7.0); this version, 0.1.0, reads format 1: open it with that version",
    ),
    "no form": (lambda content: packed({**members(content), "manifest.json": b"[]"}), "manifest.json: it names no format"),
    "deep": (lambda content: packed({**members(content), "manifest.json": b"[" * 100_000}), "manifest.json: it is no JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", ZIPS)
def test_a_zip_that_does_not_fit_is_one_sentence(archive: bytes, tmp_path: Path, name: str) -> None:
    change, words = ZIPS[name]
    assert words in refused(change(archive), tmp_path)
    assert not list(tmp_path.parent.glob("x")) and {path.name for path in tmp_path.iterdir()} <= {"file.zip", "into"}


def test_every_flipped_byte_is_found(archive: bytes, tmp_path: Path) -> None:
    """Damage anywhere in what is unpacked shows; what zip itself leaves unread (dates, attributes) may pass, and then nothing differs."""
    (tmp_path / "whole").mkdir()
    whole = [event.model_dump_json() for event in read(archive, tmp_path / "whole")]
    for place in range(0, len(archive), max(1, len(archive) // 60)):
        damaged = bytearray(archive)
        damaged[place] ^= 0x10
        here = tmp_path / str(place)
        here.mkdir()
        try:
            found = [event.model_dump_json() for event in read(bytes(damaged), here)]
        except BadInput:
            continue
        assert found == whole, place


def test_the_bounds_hold(archive: bytes, tmp_path: Path) -> None:
    for number, (bounds, words) in enumerate([
        (Bounds(bytes=1_000), "file: it claims to unpack to more than"), (Bounds(files=1), "file: it has 3 members; at most 1 are read"),
        (Bounds(text_bytes=10), "manifest.json: it has"), (Bounds(events=3), f"{EVENTS}: it has more than 3 events"),
        (Bounds(event_bytes=50), f"{EVENTS}: line 1 has more than 50 bytes"),
    ]):  # fmt: skip
        here = tmp_path / str(number)
        here.mkdir()
        assert words in refused(archive, here, bounds)


# ---------------------------------------------------------------- events that do not follow each other


def _of(lines: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(line for line in lines if line["kind"] == kind)


EVENTS_UNFIT: dict[str, tuple[Callable[[list[dict[str, Any]]], Any], str]] = {
    "a hole": (lambda lines: lines.pop(2), "line 3 has the number 4 where 3 should come"),
    "swapped": (lambda lines: lines.insert(1, lines.pop(2)), "line 2 has the number 3 where 2 should come"),
    "said twice": (
        lambda lines: lines.append({**_of(lines, "phase_started"), "seq": len(lines) + 1}),
        "says what was said before: phase_started 0 of run",
    ),
    "told before born": (lambda lines: _of(lines, "trial_told")["data"].update(number=99), "tells trial 99, which was not born before"),
    "born out of order": (lambda lines: _of(lines, "candidate_born")["data"].update(number=7), "bears candidate 7 where 0 comes next"),
    "a parent to come": (lambda lines: _of(lines, "candidate_born")["data"].update(parents=[3]), "names a parent that was not born before"),
    "no science": (lambda lines: _of(lines, "trial_told").update(science=False), "is science and says that it is not"),
    "another kind": (lambda lines: _of(lines, "trial_told").update(kind="ops"), "calls itself ops and holds trial_told"),
    "a step beyond": (lambda lines: _of(lines, "trial_told").update(step=2**60), "has a step, an ordinal or a source that no run has"),
    "a network nobody chose": (lambda lines: _of(lines, "model")["data"].update(index=5), "scores network 5, which was not chosen before"),
    "a kind from the future": (
        lambda lines: _of(lines, "trial_told").update(kind="dream", data={"kind": "dream"}),
        "is of the kind 'dream', which this version, 0.1.0, does not know; it was written by NAScope 9.9: open it with that version",
    ),
    "a form from the future": (
        lambda lines: _of(lines, "trial_told")["data"].update(status="asleep"), "is not of the form that this version, 0.1.0, writes"
    ),
    "nothing": (lambda lines: lines.clear(), "it is empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS_UNFIT)
def test_events_that_do_not_fit_are_told_by_their_line(archive: bytes, tmp_path: Path, name: str) -> None:
    change, words = EVENTS_UNFIT[name]
    held = members(archive)
    lines = [json.loads(line) for line in held[EVENTS].splitlines()]
    change(lines)
    held[EVENTS] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    found = refused(sealed(held), tmp_path)
    assert found.startswith(f"{EVENTS}: ") and words in found, found


def test_a_file_that_was_cut_is_told(archive: bytes, tmp_path: Path) -> None:
    held = members(archive)
    held[EVENTS] = held[EVENTS][:-5]
    assert "ends in its middle: the file was cut short" in refused(sealed(held), tmp_path)


def test_numbers_that_are_not_finite_come_back(archive: bytes, tmp_path: Path) -> None:
    """The command line writes them as null, and the web application leaves the entry out."""
    held = members(archive)
    lines = [json.loads(line) for line in held[EVENTS].splitlines()]
    _of(lines, "trial_told")["data"]["metrics"]["loss"] = None
    held[EVENTS] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    told: Any = next(event.data for event in read(sealed(held), tmp_path) if event.kind == "trial_told")
    assert told.metrics["loss"] != told.metrics["loss"]
