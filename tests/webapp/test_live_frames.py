"""Which pictures of a moment a client is spared, and that nothing else is ever missing."""

from __future__ import annotations

import json
import random
from typing import Any

from search_engine.events import EventRecord
from webapp.live.frames import Events, events_text, thin


def records(kinds: str, first: int = 1) -> list[dict[str, Any]]:
    """One record per letter: s = structure, p and q = policies of two data sets, c and d = charts of two phases, else metrics."""
    known = {
        "s": ("structure", "phase:0", {}), "p": ("policy", "phase:0", {"domain": 0}), "q": ("policy", "phase:0", {"domain": 1}),
        "c": ("charts", "phase:0", {}), "d": ("charts", "phase:1", {}),
    }
    found = [known.get(letter, ("metrics", "phase:0", {})) for letter in kinds]
    return [{"seq": first + at, "kind": kind, "source": source, "data": data} for at, (kind, source, data) in enumerate(found)]


def same_picture(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("kind", "source", "data"))


def cut(kinds: str, due: bool) -> tuple[list[int], int, list[int]] | None:
    found = thin(records(kinds), due)
    return None if found is None else ([r["seq"] for r in found.records], found.to_seq, [r["seq"] for r in found.held])


def test_without_structure_frames_everything_goes_at_once() -> None:
    assert cut("mmm", due=False) == cut("mmm", due=True) == ([1, 2, 3], 3, [])
    assert cut("", due=True) is None


def test_a_due_frame_is_the_last_one_of_its_range() -> None:
    assert cut("smsms", due=True) == ([2, 4, 5], 5, [])
    assert cut("smsmm", due=True) == ([2, 3, 4, 5], 5, [])


def test_every_picture_has_its_own_latest_frame() -> None:
    assert cut("spqmspm", due=True) == ([3, 4, 5, 6, 7], 7, [])
    assert cut("mspqmspm", due=False) == ([1], 3, [4, 5, 6, 7, 8])


def test_charts_of_two_phases_do_not_replace_each_other() -> None:
    assert cut("cdcm", due=True) == ([2, 3, 4], 4, [])


def test_before_it_is_due_the_rest_is_held_back() -> None:
    assert cut("smsmm", due=False) == ([2], 2, [3, 4, 5])
    assert cut("smm", due=False) is None
    assert cut("ms", due=False) == ([1], 1, [2])


def test_any_sequence_arrives_whole_but_for_superseded_frames() -> None:
    rng = random.Random(5)
    for _ in range(300):
        log = records("".join(rng.choice("spqcdm") for _ in range(rng.randrange(1, 40))))
        sent: list[dict[str, Any]] = []
        held: list[dict[str, Any]] = []
        reached, position = 0, 0
        while position < len(log) or held:
            step = rng.randrange(0, 8)
            held += log[position : position + step]
            position += step
            found = thin(held, due=rng.random() < 0.3)
            if found is not None:
                assert found.to_seq > reached
                reached, held = found.to_seq, found.held
                sent += found.records
        assert [r for r in sent if r["kind"] == "metrics"] == [r for r in log if r["kind"] == "metrics"]
        assert [r["seq"] for r in sent] == sorted({r["seq"] for r in sent})
        for letter in "spqcd":
            [picture] = records(letter)
            same = [[r for r in some if same_picture(r, picture)][-1:] for some in (sent, log)]
            assert same[0] == same[1], "the newest of every picture always arrives"


def test_the_text_is_the_typed_frame() -> None:
    data = {"kind": "metrics", "step": 3, "samples": 1.0, "values": {"loss": 0.5}}
    record = {"seq": 8, "time": 1.0, "science": True, "source": "phase:0", "step": 3, "ordinal": 0, "kind": "metrics", "data": data}
    found = thin([record], due=True)
    assert found is not None
    frame = Events.model_validate(json.loads(events_text(7, found)))
    assert (frame.from_seq, frame.to_seq) == (7, 8)
    assert frame.events == [EventRecord.model_validate(record)]
