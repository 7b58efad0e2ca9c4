"""The golden digests themselves: what they find, what they are stored under, and that none changes without a reason."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.production.images import ROOT
from tests.production.searches import Science

from . import record
from .expect import assert_golden
from .machine import arithmetic, difference, machine
from .record import Record, reason, renewed, science_lines, still_so
from .science import differences, digest, first_rows
from .searches import golden_searches, missing_files

ROWS: Science = sorted(
    [
        *(("phase:0", step, "metrics", 0, json.dumps({"loss": 1 / (step + 1)})) for step in range(12)),
        *((f"trial:{number}", 0, "trial_told", 0, json.dumps({"number": number})) for number in (2, 10)),
        ("final:0", 0, "model", 0, json.dumps({"score": 0.5})),
    ]
)

CHANGELOG = """# Changelog

### Science

- `wann`: above the first version, this explains nothing

## 0.2.0 (unreleased)

- `darts`: not in the section

### Science

- `enas`, `multipath`: one baseline
  for both
- `enas`: its `quick` learning rate

### Other

- `random`: not in the section either

## 0.1.0

### Science

- `grid`: in the order of the paper
"""


def changed(*places: tuple[str, int]) -> Science:
    """ROWS with another payload at these (source, step)."""
    return sorted((*row[:4], row[4].replace("}", " }")) if row[:2] in places else row for row in ROWS)


# ---------------------------------------------------------------- where two searches differ


def test_equal_science_has_no_difference() -> None:
    assert differences(list(ROWS), digest(ROWS)) == []


def test_a_difference_names_the_kind_and_its_first_event() -> None:
    (line,) = differences(changed(("phase:0", 11), ("phase:0", 3)), digest(ROWS))
    assert line == 'metrics (12 events): first phase:0, step 3, ordinal 0: {"loss": 0.25 }'


def test_kinds_come_in_the_order_of_the_run_with_the_finale_last() -> None:
    lines = differences(changed(("final:0", 0), ("trial:10", 0), ("phase:0", 3)), digest(ROWS))
    assert [line.split()[0] for line in lines] == ["trial_told", "metrics", "model"]


def test_the_second_trial_comes_before_the_tenth() -> None:
    (line,) = differences(changed(("trial:2", 0), ("trial:10", 0)), digest(ROWS))
    assert "first trial:2," in line


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ([row for row in ROWS if row[:2] != ("phase:0", 4)], "metrics (12 events before, 11 now): first phase:0, step 5"),
        ([row for row in ROWS if row[:2] != ("phase:0", 11)], "metrics (12 events before, 11 now): the last are absent"),
        (sorted([*ROWS, ("phase:0", 12, "metrics", 0, "{}")]), "metrics (12 events before, 13 now): first phase:0, step 12"),
        (sorted([*ROWS, ("run", 0, "notice", 0, "{}")]), "notice (0 events before, 1 now): first run, step 0"),
        ([row for row in ROWS if row[2] != "model"], "model (1 events before, 0 now): the last are absent"),
    ],
)
def test_events_that_are_absent_or_new(now: Science, expected: str) -> None:
    (line,) = differences(now, digest(ROWS))
    assert line.startswith(expected)


def test_the_first_rows_stand_in_one_of_the_two_only() -> None:
    here, there = first_rows(changed(("phase:0", 3)), ROWS)
    assert [row[:3] for row in here] == [row[:3] for row in there] == [("phase:0", 3, "metrics")]
    assert here != there


# ---------------------------------------------------------------- for which machine


def test_the_machine_is_named_by_what_decides_bits() -> None:
    assert list(machine())[:2] == ["python", "torch"] and {"cpu_capability", "arithmetic", "numpy"} <= machine().keys()
    assert arithmetic() == machine()["arithmetic"], "the same each time"
    assert difference({**machine(), "torch": "2.0"}, {**machine(), "torch": "1.0"}) == "torch 2.0 instead of 1.0"


def test_the_command_sees_the_same_machine_as_the_suite() -> None:
    """Threads that only one of them has would make every golden test skip."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.golden", "machine"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert dict(line.split(" ", 1) for line in done.stdout.splitlines()) == machine()


def test_one_last_bit_is_another_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    before, exact = arithmetic(), math.exp
    monkeypatch.setattr(math, "exp", lambda value: math.nextafter(exact(value), 9) if 0.5 < value < 0.51 else exact(value))
    assert arithmetic() != before


def test_another_machine_skips_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "digests.json"
    record.save([Record({**machine(), "torch": "1.0"})], path)
    with pytest.raises(pytest.skip.Exception, match=r"torch \S+ instead of 1\.0; .*python -m tests\.golden compare"):
        assert_golden("quick/darts", ROWS, path)


def test_a_stored_digest_is_held_to(tmp_path: Path) -> None:
    path = tmp_path / "digests.json"
    record.save([Record({**machine(), "torch": "1.0"}), Record(machine(), {"quick/darts": {**digest(ROWS), "since": ""}})], path)
    assert_golden("quick/darts", ROWS, path)
    with pytest.raises(AssertionError, match=r"quick/darts says something else.*\n  metrics .* step 3,"):
        assert_golden("quick/darts", changed(("phase:0", 3)), path)
    with pytest.raises(AssertionError, match="write quick/enas"):
        assert_golden("quick/enas", ROWS, path)


def test_a_search_that_was_last_run_on_another_machine_is_skipped(tmp_path: Path) -> None:
    path, entry = tmp_path / "digests.json", {**digest(ROWS), "since": ""}
    record.save([Record({**machine(), "torch": "1.0"}, {"quick/enas": entry}), Record(machine(), {"quick/darts": entry})], path)
    with pytest.raises(pytest.skip.Exception, match=r"quick/enas was last made elsewhere: python -m tests\.golden write quick/enas"):
        assert_golden("quick/enas", ROWS, path)


def test_what_changed_on_one_machine_no_longer_holds_on_others() -> None:
    before, now = stored(), {"quick/darts": {**NEW, "since": "why"}, "quick/enas": stored()["quick/enas"]}
    assert still_so({**stored(), "quick/gone": NEW}, now, before) == {"quick/enas": stored()["quick/enas"]}
    assert still_so(stored(), now, {}) == stored(), "what is new here says nothing of what was there"


# ---------------------------------------------------------------- a digest changes with a reason only


def test_science_lines_are_those_of_the_sections() -> None:
    lines = list(science_lines(CHANGELOG))
    assert [(line.version, sorted(line.algorithms)) for line in lines] == [
        ("0.2.0 (unreleased)", ["enas", "multipath"]), ("0.2.0 (unreleased)", ["enas"]), ("0.1.0", ["grid"]),
    ]
    assert lines[0].text == "`enas`, `multipath`: one baseline for both"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("enas", "`enas`: its `quick` learning rate"), ("multipath", "`enas`, `multipath`: one baseline for both"), ("darts", ""),
        ("grid", ""), ("random", ""), ("wann", ""), ("quick", ""),
    ],
)
def test_the_reason_is_the_last_line_of_the_newest_version(algorithm: str, expected: str) -> None:
    assert reason(algorithm, CHANGELOG) == expected


NEW = digest(changed(("phase:0", 3)))
ALGORITHMS = {"quick/darts": "darts", "quick/enas": "enas"}


def stored(**changes: Any) -> dict[str, record.Entry]:
    return {name: {**digest(ROWS), "since": "", **changes} for name in ALGORITHMS}


def test_a_changed_digest_needs_a_line() -> None:
    entries, refusals = renewed(stored(), {"quick/darts": NEW, "quick/enas": NEW}, ALGORITHMS, CHANGELOG)
    (refusal,) = refusals
    assert refusal.startswith("quick/darts: ") and "- `darts`:" in refusal
    assert entries["quick/enas"] == {**NEW, "since": "`enas`: its `quick` learning rate"}


def test_one_line_explains_one_change() -> None:
    _, refusals = renewed(stored(since="`enas`: its `quick` learning rate"), {"quick/enas": NEW}, ALGORITHMS, CHANGELOG)
    assert len(refusals) == 1 and "explains an earlier change" in refusals[0]


def test_an_equal_digest_keeps_its_reason_and_a_new_search_needs_none() -> None:
    before = {"quick/darts": stored(since="earlier")["quick/darts"]}
    entries, refusals = renewed(before, {"quick/darts": digest(ROWS), "quick/enas": NEW}, ALGORITHMS, CHANGELOG)
    assert refusals == [] and entries == {**before, "quick/enas": {**NEW, "since": ""}}


def test_what_was_not_run_stays_and_what_is_no_search_goes() -> None:
    entries, refusals = renewed({**stored(), "quick/gone": stored()["quick/enas"]}, {}, ALGORITHMS, CHANGELOG)
    assert refusals == [] and entries == stored()


# ---------------------------------------------------------------- the stored file


def test_every_stored_reason_stands_in_the_changelog() -> None:
    configs = golden_searches()
    lines = list(science_lines(record.CHANGELOG.read_text()))
    for kept in record.read():
        for name, entry in kept.searches.items():
            algorithm = configs[name]["algorithm"]
            assert not entry["since"] or any(line.text == entry["since"] and algorithm in line.algorithms for line in lines), name


def test_the_file_is_as_the_command_writes_it(tmp_path: Path) -> None:
    """In its form, each machine once, and without searches that no longer exist."""
    records = record.read()
    record.save(records, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == record.FILE.read_text()
    assert len({json.dumps(kept.machine) for kept in records}) == len(records) >= 1
    for kept in records:
        assert kept.searches.keys() <= golden_searches().keys()
        assert list(kept.searches) == [name for name in golden_searches() if name in kept.searches], "in the order of the searches"


def test_a_search_names_the_files_that_it_lacks(tmp_path: Path) -> None:
    configs = golden_searches()
    lacking = [name for name, config in configs.items() if missing_files(config, tmp_path)]
    assert lacking == ["matrix/regularized_evolution"], "every other search runs from a bare clone"
