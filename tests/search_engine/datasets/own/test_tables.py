"""Tables: what the columns are taken for, what is said, what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.datasets.own.bounds import Bounds
from search_engine.datasets.own.draft import Draft
from search_engine.datasets.own.giving_away import gives_away
from tests.search_engine.datasets.own.made_files import csv, draft_of, people


def kinds(draft: Draft) -> dict[str, str]:
    return {column.name: column.kind for column in draft.columns}


def codes(draft: Draft) -> list[str]:
    return [note.code for note in draft.notices]


def test_columns_are_taken_for_what_they_are_and_every_drop_has_a_reason(tmp_path: Path) -> None:
    draft = draft_of(people(tmp_path / "people.csv"))
    assert kinds(draft) == {
        "id": "dropped", "возраст": "number", "income": "number", "job": "category", "when": "dropped", "code": "category",
        "const": "dropped", "rich": "target",
    }
    why = {column.name: column.why for column in draft.columns if column.kind == "dropped"}
    assert "numbers the rows" in why["id"] and "dates" in why["when"] and "constant" in why["const"]
    assert draft.task == "classification" and draft.class_names == ["no", "yes"] and draft.split.kind == "stratified"
    assert {"dropped", "missing", "gives_away", "time"} <= set(codes(draft))


def test_the_column_that_gives_the_target_away_is_named_with_its_figure_and_no_other_is(tmp_path: Path) -> None:
    draft = draft_of(people(tmp_path / "people.csv"))
    assert {column.name: column.gives_away for column in draft.columns if column.gives_away is not None} == {"code": 1.0}
    said = next(note.message for note in draft.notices if note.code == "gives_away")
    assert "'code' alone predicts 'rich' with an accuracy of 1.000" in said


def test_a_rare_class_does_not_make_every_column_suspicious(tmp_path: Path) -> None:
    """Always answering the large class of 2 % has an accuracy of .98; of a column that says nothing that is no figure to warn of."""
    rng = np.random.RandomState(0)
    rows = [(round(float(rng.randn()), 3), int(rng.randint(4)), "ill" if row % 200 == 0 else "well") for row in range(2000)]
    draft = draft_of(csv(tmp_path / "rare.csv", ["a", "b", "state"], rows))
    assert all(column.gives_away is None for column in draft.columns)
    assert "unequal" in codes(draft)


def test_what_was_learnt_by_heart_gives_nothing_away() -> None:
    """A column of texts that hardly repeat answers its own rows rightly, and no others."""
    rng = np.random.RandomState(0)
    targets = rng.randint(0, 2, 400)
    assert gives_away(np.arange(400), targets) is None and gives_away(np.arange(400) // 2, np.repeat(targets[:200], 2)) is None
    assert gives_away(rng.randn(400), targets.astype(np.float64)) is None


def test_a_number_gives_a_real_target_away(tmp_path: Path) -> None:
    rng = np.random.RandomState(0)
    values = rng.randn(400)
    rows = [(round(3 * value + 1, 4), round(float(rng.randn()), 4), round(value, 4)) for value in values]
    draft = draft_of(csv(tmp_path / "twice.csv", ["again", "noise", "y"], rows))
    assert draft.task == "regression" and [column.name for column in draft.columns if column.gives_away is not None] == ["again"]


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", "UTF-8"), ("utf-8-sig", "byte-order mark"), ("utf-16", "UTF-16"), ("cp1251", "CP1251")]
)
def test_an_encoding_is_found_or_guessed_and_said(tmp_path: Path, encoding: str, said: str) -> None:
    rows = [(row % 7, ("красный", "синий")[row % 2], ("да", "нет")[row % 3 == 0]) for row in range(60)]
    draft = draft_of(csv(tmp_path / "words.csv", ["число", "цвет", "да?"], rows, encoding=encoding))
    assert draft.class_names == ["да", "нет"] and draft.layout[1].categories == ["красный", "синий"]
    assert said in draft.format
    assert ("encoding" in codes(draft)) == (encoding == "cp1251")


def test_accents_that_stand_alone_are_western(tmp_path: Path) -> None:
    rows = [(row * 1.5, ("Orléans", "Nîmes")[row % 2], row % 3) for row in range(60)]
    draft = draft_of(csv(tmp_path / "towns.csv", ["a", "ville", "y"], rows, encoding="cp1252"))
    assert draft.layout[1].categories == ["Nîmes", "Orléans"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found(tmp_path: Path, separator: str) -> None:
    rows = [(row * 0.5, row % 5 + 0.25, row % 2) for row in range(40)]
    draft = draft_of(csv(tmp_path / "some.csv", ["a", "b", "y"], rows, separator=separator))
    assert kinds(draft) == {"a": "number", "b": "number", "y": "target"}


def test_decimal_commas_are_read_and_said(tmp_path: Path) -> None:
    rows = [(f"{row},5", f"{row % 7},25", row % 2) for row in range(40)]
    draft = draft_of(csv(tmp_path / "excel.csv", ["a", "b", "y"], rows, separator=";"))
    assert draft.numbers is not None and draft.numbers[3].tolist() == [3.5, 3.25] and draft.decimal == ","
    assert "decimal" in codes(draft)


def test_a_gzipped_table_and_one_without_a_header(tmp_path: Path) -> None:
    plain = csv(tmp_path / "plain.csv", ["1.5", "2", "0"], [(row * 0.5, row % 7 + 0.5, row % 2) for row in range(40)])
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    draft = draft_of(packed)
    assert len(draft.targets) == 41 and draft.target == "column 3" and "no_header" in codes(draft)


def test_a_few_strange_cells_of_a_number_count_as_missing_and_many_do_not(tmp_path: Path) -> None:
    def rows(strange: int) -> list[tuple[object, object, object]]:
        return [("none yet" if row < strange else row * 0.7, row % 5 + 0.5, row % 2) for row in range(100)]

    few = draft_of(csv(tmp_path / "few.csv", ["a", "b", "y"], rows(3)))
    assert kinds(few)["a"] == "number" and few.numbers is not None and int(np.isnan(few.numbers[:, 0]).sum()) == 3
    assert kinds(draft_of(csv(tmp_path / "many.csv", ["a", "b", "y"], rows(30))))["a"] == "dropped"


def test_numbers_in_one_block_and_words_in_the_next_keep_their_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search_engine.datasets.own.text_table.BLOCK", 50)
    rows = [(f"0{row % 3}" if row < 60 else f"x{row % 3}", row % 7 + 0.5, row % 2) for row in range(120)]
    draft = draft_of(csv(tmp_path / "mixed.csv", ["a", "b", "y"], rows))
    assert draft.layout[0].categories == ["00", "01", "02", "x0", "x1", "x2"]


def test_rows_without_a_target_and_of_rare_classes_are_dropped_and_counted(tmp_path: Path) -> None:
    rows = [(row * 0.5, row % 7, "" if row < 4 else "NaN" if row < 6 else "odd" if row == 6 else "ab"[row % 2]) for row in range(60)]
    draft = draft_of(csv(tmp_path / "gaps.csv", ["a", "b", "y"], rows))
    assert len(draft.targets) == 53 and draft.class_names == ["a", "b"]
    counted = {note.code: note.count for note in draft.notices}
    assert counted["no_target"] == 6 and counted["rare_classes"] == 1


def test_repeats_within_and_across_the_split_are_counted_or_dropped(tmp_path: Path) -> None:
    rows = [(row // 2 * 0.5, row // 2 % 7, "ab"[row // 2 % 2]) for row in range(100)]
    path = csv(tmp_path / "twice.csv", ["a", "b", "y"], rows)
    draft = draft_of(path)
    inputs = [tuple(row) for row in draft.numbers.tolist()]  # type: ignore[union-attr]
    test = {inputs[row] for row in np.flatnonzero(draft.roles == 3)}
    rest = {inputs[row] for row in np.flatnonzero(draft.roles != 3)}
    counted = {note.code: note.count for note in draft.notices}
    assert counted["repeats"] == 50 and counted["across"] == sum(inputs[row] in rest for row in np.flatnonzero(draft.roles == 3)) and test
    single = draft_of(path, duplicates="drop")
    assert len(single.targets) == 50 and "across" not in codes(single)


def test_only_the_most_frequent_categories_become_inputs(tmp_path: Path) -> None:
    rows = [(f"town{min(row % 90, 40 + row % 5)}", row % 7 + 0.5, row % 2) for row in range(300)]
    draft = draft_of(csv(tmp_path / "towns.csv", ["town", "b", "y"], rows), bounds=Bounds(categories=6))
    assert draft.layout[0].categories == sorted(draft.layout[0].categories) and len(draft.layout[0].categories) == 6
    assert draft.shape == (7,) and "rare_categories" in codes(draft) and draft.codes is not None and draft.codes.min() == -1


def test_a_choice_goes_before_what_is_inferred(tmp_path: Path) -> None:
    draft = draft_of(people(tmp_path / "people.csv"), target="job", types={"code": "dropped", "rich": "category", "id": "number"})
    assert draft.target == "job" and draft.class_names == ["cook", "smith", "teacher"]
    assert kinds(draft)["id"] == "number" and kinds(draft)["code"] == "dropped" and kinds(draft)["rich"] == "category"


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("a,y\n" + "1,x\n2,x\n" * 20, "target", "only class"),
        ("a,y\n" + "1,nan\n2,NaN\n" * 20, "target", "empty in every row"),
        ("a,y\n" + "1,2.5\n2,2.5\n" * 20, "target", "2.5 everywhere"),
        ("a,y\n1,x\n2,z\n", "file", "at least 10"),
        ("a\n1\n2\n", "separator", "one column"),
        ("a,b,y\n" + "1,2,x\n" * 20 + "1,2,x,9\n" * 3, "file", "line 22"),
        ("a,b,y\n1,2\n", "file", "line 2 has 2 cells"),
        ("c,y\n" + "1,a\n1,b\n" * 20, "types", "no column is left"),
        (",".join(f"c{place}" for place in range(200_000)) + "\n1\n", "file", "at most 10,000"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(tmp_path: Path, text: str, field: str, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=says) as caught:
        draft_of(path)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"target": "nothing"}, "target"), ({"types": {"nothing": "number"}}, "types"), ({"types": {"job": "number"}}, "types"),
        ({"task": "regression"}, "task"), ({"split": "group"}, "split_column"), ({"target": "when"}, "target"),
        ({"split": "own", "split_column": "job"}, "split_column"), ({"encoding": "klingon"}, "encoding"),
        ({"target": "income", "split": "stratified"}, "split"), ({"types": {"job": "target", "code": "target"}}, "types"),
    ],
)
def test_choices_that_cannot_be_name_their_field(tmp_path: Path, choices: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        draft_of(people(tmp_path / "people.csv"), **choices)
    assert caught.value.field == field


def test_parquet_gives_what_its_csv_gives_and_dates_are_refused_as_inputs(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({
        "a": [row * 0.5 for row in range(60)], "b": pd.Categorical(["x", "y", "z"] * 20), "c": [row % 4 == 0 for row in range(60)],
        "d": pd.date_range("2020", periods=60), "y": ["u", "v"] * 30,
    })
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    one, other = draft_of(tmp_path / "t.parquet"), draft_of(tmp_path / "t.csv")
    assert one.layout[:2] == other.layout[:2] and one.roles.tolist() == other.roles.tolist() and kinds(one) == kinds(other)
    assert kinds(one)["d"] == "dropped" and np.array_equal(one.numbers, other.numbers)  # type: ignore[arg-type]


def test_nested_and_repeated_columns_of_parquet_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [[1, 2]] * 20, "y": ["u", "v"] * 10}), tmp_path / "nested.parquet")
    pq.write_table(pa.Table.from_arrays([pa.array([1] * 20)] * 2, names=["a", "a"]), tmp_path / "twice.parquet")
    for name, says in (("nested", "list"), ("twice", "stands twice")):
        with pytest.raises(BadInput, match=says):
            draft_of(tmp_path / f"{name}.parquet")
