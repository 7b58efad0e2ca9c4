"""Files that are damaged, or made to do harm: one clear sentence, and nothing left behind."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import sys
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.datasets.own.bounds import Bounds
from search_engine.datasets.own.draft import silent
from search_engine.datasets.own.formulas import neutral
from search_engine.datasets.own.importing import SUFFIXES, Choices, examine, keep
from search_engine.datasets.own.stored import hold, manifest, manifests, remove, sweep
from tests.search_engine.datasets.own.made_files import class_folders, draft_of, people, png, zipped


def claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims another size than it has."""
    data = bytearray(png(np.zeros((4, 4), dtype=np.uint8)))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def header(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    item = zipfile.ZipInfo(name)
    item.external_attr = (stat.S_IFLNK | 0o777) << 16
    return item


def classes(content: bytes) -> list[tuple[Any, bytes]]:
    return [(f"{name}/{place}.png", content) for name in "ab" for place in range(5)]


def lying(path: Path) -> Path:
    """Its list claims 4 GB for an entry of five bytes."""
    zipped(path, classes(b"hello"))
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(bytes(data))
    return path


GOOD = png(np.zeros((8, 8), dtype=np.uint8))
FILES: dict[str, tuple[bytes | list[tuple[Any, bytes]], str]] = {
    "empty.csv": (b"", "empty"),
    "binary.csv": (bytes(range(256)) * 9, "no text"),
    "cut.csv.gz": (gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-30], "damaged or cut short"),
    "bomb.csv.gz": (gzip.compress(b"a,b\n" + b"0" * 30_000_000), "more than 20 MB"),
    "fake.parquet": (b"PAR1" + b"\xff" * 200 + b"PAR1", "Parquet file is damaged"),
    "pickle.npy": (b"\x80\x04\x95" + b"x" * 30, "pickle"),
    "ten_gb.npy": (header((1_250_000_000, 1)) + b"\0" * 80, "promises 10,000,000,000 bytes"),
    "ten_gb.npz": ([("x.npy", header((1_250_000_000, 1))), ("y.npy", header((1_250_000_000,)))], "promises 10,000,000,000 bytes"),
    "cut.zip": (b"PK\x03\x04" + b"\0" * 100, "damaged or cut short"),
    "traversal.zip": ([("../../etc/x.png", GOOD), *classes(GOOD)], "leads out of it"),
    "absolute.zip": ([("/etc/x.png", GOOD), *classes(GOOD)], "leads out of it"),
    "backslash.zip": ([("..\\..\\x.png", GOOD), *classes(GOOD)], "leads out of it"),
    "symlink.zip": ([(link("a/link.png"), b"/etc/passwd"), *classes(GOOD)], "is a link"),
    "bomb.zip": ([("a/x.png", b"\0" * 15_000_000), *classes(GOOD)], "bomb"),
    "words.zip": (classes(b"hello"), "is no picture"),
    "huge.zip": (classes(claiming(9000, 9000)), "claims 9,000 x 9,000 pixels"),
    "vast.zip": (classes(claiming(100_000, 100_000)), "claims more pixels than are read of one: make it smaller"),
    "torn.zip": (classes(claiming(40, 40)), "is damaged"),
    "excel.zip": ([("xl/workbook.xml", b"<x/>")], "Excel"),
    "one_class.zip": ([(f"a/{place}.png", GOOD) for place in range(9)], "one class folder"),
    "loose.zip": ([(f"{place}.png", GOOD) for place in range(9)], "lies in no class folder"),
    "many.zip": ([(f"a/{place}.png", GOOD) for place in range(400)], "at most 300"),
    "idx.zip": ([("train-images-idx3-ubyte", b"\0\0\x08\x03" + struct.pack(">III", 10**6, 1000, 1000)),
                 ("train-labels-idx1-ubyte", b"\0\0\x08\x01" + struct.pack(">I", 3) + b"abc")], "claims the shape"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_in_one_sentence_that_says_why(tmp_path: Path, name: str) -> None:
    content, says = FILES[name]
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        zipped(path, content)
    begun = time.monotonic()
    with pytest.raises(BadInput, match=says) as caught:
        if path.stat().st_size == 0:
            examine(path)
        draft = draft_of(path, bounds=Bounds(bytes=20_000_000, files=300, memory=300_000_000))
        # What only the pixels show is found when they are read.
        assert draft.write_inputs is not None
        draft.write_inputs(tmp_path / "out", silent)
    assert caught.value.field == "file" and str(tmp_path) not in caught.value.message and time.monotonic() - begun < 60


def test_a_list_that_claims_gigabytes_is_a_bomb(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"claims to unpack to 4\.3 GB"):
        draft_of(lying(tmp_path / "lie.zip"))


def test_python_objects_are_never_read(tmp_path: Path) -> None:
    np.save(tmp_path / "o.npy", np.array([[1, "a"], [2, None]], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", x=np.array([[1, 2], [3]], dtype=object), y=np.arange(2))
    for name in ("o.npy", "o.npz"):
        with pytest.raises(BadInput, match="Python objects"):
            draft_of(tmp_path / name)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing", Path("/dev/zero")):
        with pytest.raises(BadInput):
            examine(path)


def left(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir()) if folder.is_dir() else []


def test_a_set_is_kept_by_the_process_found_again_and_removed(tmp_path: Path) -> None:
    told: list[float] = []
    path, folder = people(tmp_path / "people.csv"), tmp_path / "own"
    found = examine(path, Choices(target="rich"), name="My people.csv")
    made = keep(path, Choices(target="rich"), folder, tell=lambda done, words: told.append(done), name="My people.csv")
    assert found.model_dump() == {name: value for name, value in made.model_dump().items() if name in type(found).model_fields}
    assert made.title == "My people" and made.source.name == "My people.csv" and told and told == sorted(told)
    assert left(folder) == [made.digest] and manifest(made.id, folder) == made and keep(path, Choices(), folder).id == made.id
    remove(made.id, "test", folder)
    assert left(folder) == [] and manifest(made.id, folder) is None and manifests(folder) == []
    with pytest.raises(BadInput, match="no stored data set"):
        remove(made.id, "test", folder)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's bound on memory")
def test_a_file_that_needs_more_than_the_memory_allowed_ends_its_process_alone(tmp_path: Path) -> None:
    with (tmp_path / "wide.csv").open("w") as file:
        file.write(",".join(f"c{place}" for place in range(400)) + ",y\n")
        row = ",".join(f"{place * 0.37:.5f}" for place in range(400))
        for place in range(30_000):
            file.write(f"{row},{place % 2}\n")
    with pytest.raises(BadInput, match="200 MB") as caught:
        keep(tmp_path / "wide.csv", folder=tmp_path / "own", bounds=Bounds(memory=200_000_000))
    assert caught.value.code == "too_large" and left(tmp_path / "own") == []


class GivenUp(Exception):
    pass


def test_giving_up_and_running_late_leave_nothing_behind(tmp_path: Path) -> None:
    path, folder = class_folders(tmp_path / "c.zip", each=40), tmp_path / "own"

    def give_up(done: float, words: str) -> None:
        raise GivenUp

    with pytest.raises(GivenUp):
        keep(path, folder=folder, tell=give_up)
    with pytest.raises(BadInput, match=r"longer than 0\.01 seconds"):
        keep(path, folder=folder, bounds=Bounds(seconds=0.01))
    assert left(folder) == []


def test_what_a_killed_import_left_is_swept_away_after_a_day(tmp_path: Path) -> None:
    for name, age in ((".import-old", 90_000), (".import-new", 10), ("something-else", 90_000)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    sweep(tmp_path)
    assert left(tmp_path) == [".import-new", "something-else"]


def test_formulas_are_neutral_where_they_go_into_a_table() -> None:
    assert [neutral(text) for text in ("=1+1", "@SUM(A1)", "+x", "-x", "\t=x")] == ["'=1+1", "'@SUM(A1)", "'+x", "'-x", "'\t=x"]
    assert neutral("-3.5") == "-3.5" and neutral("plain = text") == "plain = text"


def test_formulas_are_categories_like_others(tmp_path: Path) -> None:
    path = people(tmp_path / "people.csv", change=lambda row, cells: cells.__setitem__(3, "=cmd|'/C calc'!A0") if row % 5 == 0 else None)
    assert "=cmd|'/C calc'!A0" in next(column for column in draft_of(path).columns if column.name == "job").categories


def test_endings_are_said() -> None:
    assert {".csv", ".parquet", ".zip", ".npz", ".npy", ".ts", ".csv.gz"} <= set(SUFFIXES)


def test_a_set_stays_while_anybody_keeps_it(tmp_path: Path) -> None:
    """Equal files brought in the browser and on the command line are one set: neither takes it from the other."""
    path, folder = people(tmp_path / "people.csv"), tmp_path / "own"
    made = keep(path, Choices(target="rich"), folder)
    hold(made.id, "browser", folder)
    hold(made.id, "command-line", folder)
    assert keep(path, Choices(target="rich"), folder) == made, "who keeps it is no part of what it is"
    assert remove(made.id, "browser", folder) == ["command-line"] and manifest(made.id, folder) == made
    assert remove(made.id, "command-line", folder) == [] and manifest(made.id, folder) is None
