"""What a run's events add up to: the same as if it were counted anew, however it was cut, and bounded however long it is."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from webapp.api.past import deltas, past_columns
from webapp.events.past import candidates, curves, fold, timeline
from webapp.events.past.fold import UNREAD, Fact, Past
from webapp.events.past.thinning import ThinnedRows, ThinnedSayings

from .long_run import long_search

ROOT = Path(__file__).resolve().parents[2]
Facts = list[Fact]


def of_saved_searches() -> dict[str, tuple[str, Facts]]:
    """Real searches of every kind, as an earlier version left them."""
    found = {}
    for dump in sorted((ROOT / "tests" / "upgrades" / "saved").glob("*/database.sql.gz")):
        database = sqlite3.connect(":memory:")
        database.executescript(gzip.decompress(dump.read_bytes()).decode())
        for run, algorithm, metric in database.execute("SELECT id, algorithm, metric FROM core_run").fetchall():
            rows = database.execute(
                "SELECT seq, time, science, source, step, ordinal, kind, data FROM core_event WHERE run_id = ? ORDER BY seq", (run,)
            )
            found[f"{algorithm} {run[:6]}"] = metric, [Fact(*row[:2], bool(row[2]), *row[3:7], json.loads(row[7])) for row in rows]
    return found


def of_the_contract() -> dict[str, tuple[str, Facts]]:
    """Short runs with every kind of event: those that the page's own tests draw."""
    runs = json.loads((ROOT / "frontend" / "tests" / "fixtures" / "contract.json").read_text())["runs"]
    return {name: ("reward", [Fact(**record) for record in run["events"]]) for name, run in runs.items()}


def of_a_long_search(count: int, tried: int) -> Facts:
    """The events of `long_search` as rows, at times of all kinds: at once, soon, after a pause, and back where a clock was set."""
    rng, time, facts = random.Random(1), 1e9, []
    for seq, event in enumerate(long_search(count, tried), start=1):
        time += rng.choice([0.0, 0.001, 0.05, 0.3, 700.0, -1.0])
        said = event.payload.model_dump(mode="json")
        facts.append(Fact(seq, time, event.science, event.source, event.step, event.ordinal, event.kind, said))
    return facts


RUNS = {**of_saved_searches(), **of_the_contract(), "a long search": ("val_accuracy", of_a_long_search(1_500, 120))}


def added_up(metric: str, facts: Iterable[Fact]) -> Past:
    past = Past(metric)
    for fact in facts:
        past.add(fact)
    return past


def plain(metric: str, facts: Facts) -> dict[str, Any]:
    """The columns of a short run, counted as simply as can be."""
    data = [(fact.seq, fact.kind, fact.data or {}, fact) for fact in facts]
    at, last = 0.0, None
    moments, ticks = [], []
    for fact in facts:
        gap = 0.0 if last is None else min(max(fact.time - last, 0.0), 2.0)
        last = fact.time
        drawn = fact.kind in UNREAD - {"family", "decisions"} or fact.kind in ("growth_step", "trial_told", "champion", "population")
        at += max(gap, 1 / 60) if drawn else gap
        moments.append((fact.seq, round(at, 3)))
        if drawn:
            ticks.append(fact.seq)
    tracks: dict[tuple[str, tuple[str, ...]], list[Fact]] = {}
    for fact in facts:
        if fact.kind == "metrics" and fact.data:
            tracks.setdefault((fact.source, tuple(sorted(fact.data["values"]))), []).append(fact)
    last_said = {fact.source: fact.seq for fact in facts if fact.kind == "metrics"}
    trials = sorted((source for source in last_said if source.startswith("trial:")), key=last_said.__getitem__)
    births = [(seq, said) for seq, kind, said, _ in data if kind == "candidate_born"]
    results = {said["candidate"]: (seq, said) for seq, kind, said, _ in data if kind == "trial_told"}
    firsts: dict[str, int] = {}
    for _, said in births:
        firsts.setdefault(said["genome_hash"], said["number"])
    log: list[dict[str, Any]] = []
    for _, kind, said, fact in data:
        quiet = {
            "trial_told": said.get("status") != "failed" and not said.get("warnings"), "derived": not said.get("changed_edges"),
            "ops": said.get("what") == "completed",
        }  # fmt: skip
        told = kind in quiet or kind in (
            "control", "report", "growth_step", "incumbent", "champion", "phase_started", "notice", "finalist", "model", "search_stopped",
            "run_completed",
        )  # fmt: skip
        if not told or quiet.get(kind):
            continue
        if kind == "derived" and log and log[-1]["kind"] == "derived":
            log.pop()
        bare = {"genome": {}, "graph": {"nodes": [], "edges": []} if kind == "champion" else {}, "charts": []}
        log.append({**fact._asdict(), "data": {name: bare.get(name, value) for name, value in said.items()}})

    def of(kind: str, **other: Any) -> list[dict[str, Any]]:
        return [{"seq": seq, "data": {**said, **other}} for seq, its, said, _ in data if its == kind]

    return {
        "timeline": {
            "seqs": deltas(seq for seq, _ in moments), "at": [seconds for _, seconds in moments], "time": last, "ticks": deltas(ticks),
            "marks": deltas(seq for seq, kind, *_ in data if kind in ("incumbent", "champion")),
        },
        "curves": {
            (source, names): {
                "seqs": [fact.seq for fact in said], "steps": [fact.data["step"] for fact in said],  # type: ignore[index]
                "samples": [round(fact.data["samples"]) for fact in said],  # type: ignore[index]
                "values": [[float(f"{fact.data['values'][name]:.7g}") for fact in said] for name in names],  # type: ignore[index]
            }
            for (source, names), said in tracks.items()
            if not source.startswith("trial:") or source in trials[-curves.MOST_TRIALS :]
        },
        "candidates": [
            {
                "number": said["number"], "born": seq, "operator": said["operator"], "parents": said["parents"],
                "same_as": None if firsts[said["genome_hash"]] == said["number"] else firsts[said["genome_hash"]],
                **_result(results.get(said["number"]), metric),
            }
            for seq, said in births
        ],
        "reasons": {str(number): said["reason"] for number, (_, said) in results.items() if said["reason"]},
        "warnings": {str(number): said["warnings"] for number, (_, said) in results.items() if said.get("warnings")},
        "incumbents": of("incumbent", genome={}), "phases": of("phase_started"), "notices": of("notice"), "finalists": of("finalist"),
        "controls": of("control"), "reports": of("report"), "growth": of("growth_step"), "population": of("population"), "log": log,
    }  # fmt: skip


def _result(told: tuple[int, dict[str, Any]] | None, metric: str) -> dict[str, Any]:
    if told is None:
        return {"told": None, "status": "open", "value": None, "reused_from": None}
    seq, said = told
    value = said["metrics"].get(metric) if said["status"] == "completed" else None
    return {"told": seq, "status": said["status"], "value": value, "reused_from": said["reused_from"]}


def shown(past: Past) -> dict[str, Any]:
    """What is sent, in the form of `plain`."""
    sent = past_columns(past)
    tracks = {
        (track["source"], tuple(track["names"])): {
            **{name: list(accumulate(track[name])) for name in ("seqs", "steps", "samples")}, "values": track["values"],
        }
        for track in sent["curves"]
    }  # fmt: skip
    columns = sent["candidates"]
    born = list(accumulate(columns["born"]))
    rows = [
        {
            "number": number, "born": born[place], "operator": columns["operators"][columns["operator"][place]],
            "parents": columns["parents"][place], "same_as": columns["same_as"][place],
            "told": born[place] + columns["told"][place] if columns["told"][place] else None,
            "status": columns["statuses"][columns["status"][place]], "value": columns["value"][place],
            "reused_from": columns["reused_from"][place],
        }
        for place, number in enumerate(accumulate(columns["number"]))
    ]  # fmt: skip
    return {**sent, "curves": tracks, "candidates": rows, "reasons": columns["reasons"], "warnings": columns["warnings"]}


def test_searches_of_many_kinds_are_looked_at() -> None:
    kinds = {fact.kind for _, facts in RUNS.values() for fact in facts}
    contract = json.loads((ROOT / "frontend" / "tests" / "fixtures" / "contract.json").read_text())
    assert kinds == set(contract["kinds"]), "a kind of event is in no run here"
    assert len(RUNS) > 20


@pytest.mark.parametrize("name", RUNS)
def test_what_is_added_up_is_what_counting_anew_gives(name: str) -> None:
    metric, facts = RUNS[name]
    for end in sorted({1, len(facts) // 3, len(facts) // 2, len(facts) - 1, len(facts)} - {0}):
        assert shown(added_up(metric, facts[:end])) == plain(metric, facts[:end]), f"after {end} of {len(facts)} events"


@pytest.mark.parametrize("name", RUNS)
def test_data_that_are_not_read_change_nothing(name: str) -> None:
    metric, facts = RUNS[name]
    without = [fact._replace(data=None) if fact.kind in UNREAD else fact for fact in facts]
    assert added_up(metric, without).written() == added_up(metric, facts).written()


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bound so low that a short run meets it."""
    for module, name, value in (
        (timeline, "MOST_MOMENTS", 50), (timeline, "MOST_MARKS", 4), (curves, "MOST_POINTS", 20), (curves, "MOST_VALUES", 90),
        (curves, "MOST_TRIALS", 2), (curves, "MOST_SOURCES", 3), (curves, "MOST_TRACKS", 2), (candidates, "MOST", 20),
        (candidates, "SLACK", 5), (candidates, "MOST_WORDS", 3), (candidates, "MOST_OPERATORS", 1),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(fold, "_lists", lambda: {name: ThinnedSayings(newest=3, limit=4, room=3_000) for name in LISTS})


LISTS = list(fold._lists())


@pytest.mark.parametrize("name", ["a long search", *(name for name in RUNS if name.startswith(("darts", "wann", "regularized")))])
def test_the_same_comes_out_however_it_was_cut(name: str, little_room: None) -> None:
    metric, facts = RUNS[name]
    whole = added_up(metric, facts).written()
    for seed in range(3):
        rng, past = random.Random(seed), Past(metric)
        for fact in facts:
            if rng.random() < 0.05:
                past = Past.read(past.written())
            past.add(fact)
        assert past.written() == whole


def test_a_damaged_past_is_refused() -> None:
    written = added_up(*RUNS["a long search"]).written()
    for damaged in (b"", written[:-9], written[:40] + b"\0" + written[41:], zlib.compress(b"{")):
        with pytest.raises(ValueError):
            Past.read(damaged)


# ---------------------------------------------------------------- bounds


def many_facts(count: int, tried: int) -> Iterator[Fact]:
    """Rows without their weight: figures of two kinds, trials with equal and unequal genomes, notices, steps that grow."""
    rng, time, births, step, every = random.Random(0), 1e9, 0, 0, count // tried
    for seq in range(1, count + 1):
        place = seq % every
        time += 0.25 * (place % 3)
        kind, source, data = "structure", "phase:0", None
        if place == 0:
            kind, source = "candidate_born", "run"
            data = {
                "number": births, "parents": [rng.randrange(max(0, births - 64), births)] if births else [], "operator": "mutate",
                "genome_hash": f"{rng.getrandbits(256) if rng.random() < 0.8 else rng.randrange(5):x}",
            }  # fmt: skip
            births += 1
        elif place == 1 and births:
            kind, source = "trial_told", "run"
            data = {
                "number": births - 1, "candidate": births - 1, "status": "completed", "reason": "", "charged_samples": 53_333.3 * births,
                "metrics": {"val_accuracy": rng.randrange(9_973) / 9_973}, "reused_from": None,
            }  # fmt: skip
        elif seq % 1_000 == 7:
            kind, data = "growth_step", {"kind": "growth_step", "number": seq, "reason": "the evidence rose", "accepted": True}
        elif seq % 500 == 9:
            kind, data = "notice", {"kind": "notice", "message": f"something at {seq}"}
        elif place < 8:
            step += 1
            names = NAMES if step % 5 else NAMES[:2]
            kind, data = "metrics", {"step": step, "samples": 64.0 * step, "values": {name: rng.random() / step**0.5 for name in names}}
        yield Fact(seq, time, True, source, step, 0, kind, data)


NAMES = ("train_loss", "learning_rate", "val_loss")


def test_a_million_events_stay_bounded_and_keep_the_first_and_the_newest() -> None:
    past = Past("val_accuracy")
    for fact in many_facts(1_000_000, 100_000):
        past.add(fact)
        if fact.seq == 100_000:
            body = gzip.compress(json.dumps(past_columns(past), separators=(",", ":")).encode(), 5, mtime=0)
            tried = len(past.candidates.columns["number"])
    assert tried == 10_000 and len(body) <= 300_000, f"{len(body):,} bytes of {tried} candidates"
    sent = past_columns(past)
    assert len(past.written()) <= 1_200_000
    line = list(accumulate(sent["timeline"]["seqs"]))
    assert 2_000 <= len(line) <= 4_001 and (line[0], line[-1]) == (1, 1_000_000)
    assert len(sent["timeline"]["ticks"]) <= 4_001
    for track in sent["curves"]:
        points = list(accumulate(track["seqs"]))
        assert 500 <= len(points) <= 2_001 and points == sorted(set(points))
        assert points[0] < 30 and points[-1] > 999_980
    numbers = list(accumulate(sent["candidates"]["number"]))
    assert len(numbers) == 20_000 and numbers[-1] > 90_000 and numbers == list(range(numbers[0], numbers[0] + 20_000))
    assert len(sent["growth"]) <= 600 and [item["seq"] for item in sent["growth"][-100:]] == list(range(900_007, 1_000_000, 1_000))
    assert sent["growth"][0]["seq"] == 7
    assert len(sent["log"]) <= 300 and sent["log"][-1]["seq"] > 999_000


VERSION_AND_DIGEST = (1, "d6725e3c19ded96a")


def test_a_change_of_what_events_add_up_to_raises_the_version() -> None:
    state = hashlib.sha256()
    for metric, facts in (("val_accuracy", many_facts(20_000, 2_000)), *of_the_contract().values()):
        state.update(zlib.decompress(added_up(metric, facts).written()))
    found = (fold.VERSION, state.hexdigest()[:16])
    words = "where the fold changed, and not only the events of the contract, raise webapp.events.past.fold.VERSION; write both here"
    assert found == VERSION_AND_DIGEST, words


def test_rows_are_thinned_evenly() -> None:
    for count in range(1, 200):
        rows = ThinnedRows(2, 10)
        for number in range(count):
            rows.add((number, -number))
        kept, others = rows.whole()
        assert others == [-number for number in kept]
        assert kept[0] == 0 and kept[-1] == count - 1 and len(kept) == len(rows) <= 10
        assert count <= 9 or len(kept) >= 5
        assert {number % rows.stride for number in kept[:-1]} <= {0}
        assert [number for number in range(0, count, rows.stride)] == [number for number in kept if number % rows.stride == 0]


def test_sayings_keep_their_newest_and_their_room() -> None:
    for count in range(1, 150):
        said = ThinnedSayings(newest=5, limit=8, room=10_000)
        for number in range(count):
            said.add(number)
        kept = said.whole()
        assert kept[-5:] == list(range(max(0, count - 5), count)) and kept[0] == 0 and len(kept) <= 13
        assert kept == sorted(set(kept))
    heavy = ThinnedSayings(newest=5, limit=8, room=100)
    for number in range(40):
        heavy.add(str(number) * 40)
        assert heavy.whole()[-1] == str(number) * 40, "the newest is always there"
        assert sum(weight for weight, _ in heavy.recent) <= 100 or len(heavy.recent) == 1


def test_equal_genomes_are_found_after_their_first_is_forgotten(little_room: None) -> None:
    past = Past("m")
    for number in range(60):
        born = {"number": number, "parents": [], "operator": f"op{number}", "genome_hash": "same" if number % 7 == 0 else f"own{number}"}
        past.add(Fact(number + 1, 0.0, True, "run", number, 0, "candidate_born", born))
    columns = past_columns(past)["candidates"]
    numbers = list(accumulate(columns["number"]))
    assert numbers == list(range(40, 60))
    assert {number: same for number, same in zip(numbers, columns["same_as"], strict=True) if same is not None} == {42: 0, 49: 0, 56: 0}
    assert columns["operators"] == ["op0", candidates.OTHER] and set(columns["operator"]) == {1}
