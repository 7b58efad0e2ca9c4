"""What grows, in a file that is only appended to: read back whole, by whoever, after whatever kill; refused where it is damaged."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from search_engine.base import checkpoint, row_log
from search_engine.base.errors import CheckpointMismatch
from search_engine.base.growing import GrowingDict, GrowingSet, Records
from search_engine.base.row_log import RowLog

STATE = "state.safetensors"


class Search:
    """Three containers and a step: what a search keeps, in small."""

    def __init__(self) -> None:
        self.step = 0
        self.living: Records[tuple[int, str]] = Records(list, tuple)
        self.known: GrowingDict[str, int | None] = GrowingDict()
        self.seen: GrowingSet[int] = GrowingSet()

    def move(self, rng: random.Random) -> None:
        self.step += 1
        self.living.append((self.step, rng.choice("abc")))
        if len(self.living) > 3:
            self.living.popleft()
        if rng.random() < 0.1:
            self.living.clear()
        self.known[rng.choice("abcdefgh")] = rng.choice([None, self.step])
        self.seen.add(rng.randrange(50))
        if rng.random() < 0.05:
            # Another phase: its containers are others, under the same names.
            self.seen, self.living = GrowingSet(), Records(list, tuple)

    def state_dict(self) -> dict[str, Any]:
        containers = {name: getattr(self, name).state_dict() for name in ("living", "known", "seen")}
        return {"step": self.step, **containers}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        for name in ("living", "known", "seen"):
            getattr(self, name).load_state_dict(state[name])

    @property
    def content(self) -> tuple[Any, ...]:
        return self.step, list(self.living), dict(self.known), list(self.seen), self.living.state_dict().trees()


class Process:
    """One that holds a search and its log, as a worker does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.search = Search()
        self.log = RowLog(folder, "state.0.rows")

        self.committed = False

    def commit(self) -> str:
        self.committed = True
        return checkpoint.write(self.folder / STATE, self.search.state_dict(), self.log)

    def open(self, known: bool) -> None:
        """At the last commit; `known`: from what it holds already, where it committed that."""
        state, log = checkpoint.read_with_log(self.folder / STATE, None, self.log if known and self.committed else None)
        assert log is not None and (log is self.log) == (known and self.committed)
        self.committed = False
        self.log, self.search = log, Search()
        self.search.load_state_dict(state)


def after(search: Search) -> Search:
    """A copy that shares nothing with it."""
    copy = Search()
    copy.load_state_dict(checkpoint.unpack(checkpoint.pack(search.state_dict())))
    return copy


@pytest.mark.parametrize("seed", range(12))
def test_whoever_opens_it_whenever_finds_what_was_committed(tmp_path: Path, seed: int) -> None:
    """Two processes take turns; each goes on from what it knew, or from nothing; what one did and did not commit is lost."""
    rng = random.Random(seed)
    processes = [Process(tmp_path), Process(tmp_path)]
    committed = after(processes[0].search).content
    processes[0].commit()
    processes[1].open(known=False)
    for _ in range(60):
        process = rng.choice(processes)
        process.open(known=rng.random() < 0.7)
        assert process.search.content == committed
        for _ in range(rng.randrange(1, 6)):
            process.search.move(rng)
        if rng.random() < 0.3:
            # Killed before its commit, perhaps with a line written.
            if rng.random() < 0.5:
                with (tmp_path / "state.0.rows").open("ab") as file:
                    file.write(b'[[0,9,["x"]]]\n'[: rng.randrange(15)])
            process.open(known=False)
            continue
        committed = after(process.search).content
        process.commit()
    assert (tmp_path / "state.0.rows").stat().st_size == processes[0].log.length or processes[1].log.length


def grown(folder: Path, commits: int = 5) -> Process:
    process, rng = Process(folder), random.Random(0)
    for _ in range(commits):
        process.search.known[f"key {process.search.step}"] = process.search.step
        process.search.seen.add(process.search.step)
        process.search.living.append((process.search.step, rng.choice("abc")))
        process.search.step += 1
        process.commit()
    return process


def test_a_line_is_what_came_since_the_one_before(tmp_path: Path) -> None:
    grown(tmp_path, 3)
    lines = [json.loads(line) for line in (tmp_path / "state.0.rows").read_text().splitlines()]
    assert lines[1] == [[0, 1, [[1, "b"]]], [1, 1, [["key 1", 1]]], [2, 1, [1]]]
    assert len(lines) == 3


def test_a_lost_commits_line_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    process = grown(tmp_path)
    wanted = after(process.search).content
    path = tmp_path / "state.0.rows"
    whole = path.read_bytes()
    line = b'[[0,5,[[5,"a"]]],[1,5,[["lost",5]]],[2,5,[77]]]\n'
    for cut in range(len(line) + 1):
        path.write_bytes(whole + line[:cut])
        other = Process(tmp_path)
        other.open(known=False)
        assert other.search.content == wanted
        other.search.seen.add(100 + cut)
        state = (tmp_path / STATE).read_bytes()
        other.commit()
        assert path.read_bytes().startswith(whole) and b"lost" not in path.read_bytes()
        again = Process(tmp_path)
        again.open(known=False)
        assert again.search.content == other.search.content
        (tmp_path / STATE).write_bytes(state)


def test_a_commit_that_adds_no_row_writes_none(tmp_path: Path) -> None:
    process = grown(tmp_path)
    before = (tmp_path / "state.0.rows").stat().st_mtime_ns, process.log.length
    process.search.step += 1
    process.commit()
    assert ((tmp_path / "state.0.rows").stat().st_mtime_ns, process.log.length) == before


def tampered(folder: Path, change: Any) -> None:
    """Change the file's lines and make the digest fit again: what a wrong program might have written."""
    path = folder / "state.0.rows"
    lines = path.read_bytes().splitlines(keepends=True)
    lines = change(lines)
    path.write_bytes(b"".join(lines))
    digest = ""
    for line in lines:
        digest = row_log._chain(digest, line)
    state = (folder / STATE).read_bytes()
    tree, log = checkpoint.read(folder / "plain"), RowLog(folder, "state.0.rows")
    log.length, log.digest = path.stat().st_size, digest
    header = {**json.loads(checkpoint._metadata(state)["rows"]), "length": log.length, "digest": digest}
    flat = json.loads(checkpoint._metadata(state)["tree"])
    (folder / STATE).write_bytes(checkpoint._file(flat, {}, {"rows": json.dumps(header)}))
    del tree


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines[:2], *lines[3:]], "lacks records"),
        (lambda lines: lines[:-1], "lacks records"),
        (lambda lines: [*lines, lines[-1]], "twice"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], "twice"),
        (lambda lines: lines[1:], "lacks records"),
    ],
    ids=["a line is missing", "the last is missing", "the last stands twice", "one stands twice", "the first is missing"],
)
def test_a_log_that_skips_or_repeats_is_refused(tmp_path: Path, change: Any, said: str) -> None:
    process = grown(tmp_path)
    checkpoint.write(tmp_path / "plain", process.search.state_dict())
    tampered(tmp_path, lambda lines: lines)
    process.open(known=False)
    tampered(tmp_path, change)
    with pytest.raises(CheckpointMismatch, match=said):
        Process(tmp_path).open(known=False)


def test_damage_is_refused_wherever_it_is(tmp_path: Path) -> None:
    grown(tmp_path)
    path = tmp_path / "state.0.rows"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CheckpointMismatch, match="does not hold what was recorded"):
            Process(tmp_path).open(known=False)
    path.write_bytes(whole[:-1])
    with pytest.raises(CheckpointMismatch, match="bytes where"):
        Process(tmp_path).open(known=False)
    path.unlink()
    with pytest.raises(CheckpointMismatch, match="missing"):
        Process(tmp_path).open(known=False)


@pytest.mark.parametrize("name", ["../state.0.rows", "/etc/passwd", "state.0.txt", "a/b.rows", 3])
def test_a_checkpoint_names_no_file_outside_its_folder(tmp_path: Path, name: Any) -> None:
    with pytest.raises(CheckpointMismatch, match="no name"):
        RowLog.open(tmp_path, {"file": name, "length": 0, "digest": "", "numbers": 0, "containers": []})


@pytest.mark.parametrize("length", [10**15, -1])
def test_a_length_is_held_against_the_file_before_anything_is_read(tmp_path: Path, length: int) -> None:
    grown(tmp_path)
    with pytest.raises(CheckpointMismatch, match="bytes where"):
        RowLog.open(tmp_path, {"file": "state.0.rows", "length": length, "digest": "", "numbers": 0, "containers": []})


@pytest.mark.parametrize("data", [b"", b"\x01", (10**12).to_bytes(8, "little") + b"{}"])
def test_what_is_no_checkpoint_is_refused_before_its_header_is_read(data: bytes) -> None:
    with pytest.raises(CheckpointMismatch, match="no checkpoint"):
        checkpoint.unpack(data)


def test_a_checkpoint_with_rows_needs_them(tmp_path: Path) -> None:
    grown(tmp_path)
    with pytest.raises(CheckpointMismatch, match="rows in another file"):
        checkpoint.unpack((tmp_path / STATE).read_bytes())


def test_another_logs_checkpoint_is_not_followed(tmp_path: Path) -> None:
    process = grown(tmp_path)
    other = grown(tmp_path / "other")
    process.log.name = "state.1.rows"
    with pytest.raises(CheckpointMismatch, match="another file"):
        process.log.follow(other.log.header())


def test_a_view_stays_what_it_was() -> None:
    search, rng = Search(), random.Random(1)
    views = []
    for _ in range(400):
        search.move(rng)
        views.append((search.state_dict(), checkpoint.pack(search.state_dict())))
    assert all(checkpoint.pack(state) == packed for state, packed in views)


def test_rows_that_left_are_given_up_before_they_outweigh_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A population of which the oldest die, beside what stays: the file is at most twice what counts, and a bit."""
    monkeypatch.setattr(row_log, "LEAST_WASTE", 1000)
    process, files = Process(tmp_path), 0
    for step in range(700):
        process.search.living.append((step, "x" * 50))
        if len(process.search.living) > 20:
            process.search.living.popleft()
        process.search.seen.add(step)
        if process.log.wasteful:
            files += 1
            process.log = RowLog(tmp_path, f"state.{files}.rows")
        process.commit()
        if step % 20 == 0:
            live = sum(len(json.dumps(view.trees())) for view in process.search.state_dict().values() if not isinstance(view, int))
            assert process.log.length < 2.5 * live + 1500
    # As what stays grows, a new file is begun ever more rarely.
    assert 5 < files < 30
    other = Process(tmp_path)
    other.open(known=False)
    assert other.search.content == process.search.content


def test_ended_phases_take_no_room(tmp_path: Path) -> None:
    process = grown(tmp_path, 50)
    process.search.seen, process.search.known = GrowingSet(), GrowingDict()
    process.commit()
    header = process.log.header()
    assert [row[2] for row in header["containers"]] == [50, 0, 0]


def test_numbers_of_numpy_are_written_as_pythons(tmp_path: Path) -> None:
    import numpy as np

    process = Process(tmp_path)
    process.search.known["a"] = np.float32(0.5)  # type: ignore[assignment]
    process.commit()
    process.open(known=False)
    assert process.search.known["a"] == 0.5
    process.search.known["b"] = np.zeros(2)  # type: ignore[assignment]
    with pytest.raises(TypeError, match="as a row"):
        process.commit()
