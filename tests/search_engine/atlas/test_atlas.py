"""The atlas's data files: their form, what they name, what can be recomputed of them, and what is made of runs."""

from __future__ import annotations

import math
import shutil
import statistics
from pathlib import Path

import pytest

from search_engine.atlas.entry import HERE, atlas, read_atlas
from search_engine.atlas.ours import Observed, compared, last_generation, measured
from search_engine.atlas.published import checks
from search_engine.atlas.resolve import lacking
from search_engine.base.errors import BadInput
from search_engine.catalogue.thesis import ARMS

NOT_YET: set[str] = set()
"""What entries name that this version does not have. Whoever adds one of them takes it from here."""
TABLES = ("nikulenkov-2022-table-1", "nikulenkov-2022-table-2", "nikulenkov-2022-table-3")


def test_everything_that_an_entry_names_is_there_or_is_listed_as_missing() -> None:
    named = {name for entry in atlas().entries for name in lacking(entry)}
    assert named <= NOT_YET, f"nobody has these: {', '.join(sorted(named - NOT_YET))}"


def test_the_thesis_is_whole() -> None:
    own = [(entry.kind, entry.number) for entry in atlas().entries if entry.source == "nikulenkov-2022"]
    assert sorted(own) == [*(("figure", number) for number in range(1, 17)), *(("table", number) for number in range(1, 4))]
    assert len({entry.order for entry in atlas().entries}) == len(own), "in the source's order"
    for entry in atlas().entries:
        # Words of our own, about the source and about what is here.
        assert entry.shows.endswith(".") and entry.here.endswith(".") and entry.shows != entry.here


def test_the_published_cells_are_these() -> None:
    """Typed in a second time, from the source: a slip of the keyboard in a file is found here."""
    book = atlas()
    cells = {
        "nikulenkov-2022-table-1/minutes": (116.1, 111.79, 95.6, 490.22), "nikulenkov-2022-table-1/accuracy": (98.95, 66.57, 30.03, 11.75),
        "nikulenkov-2022-table-2/minutes": (78.6, 61.29, 41.21, 228.18), "nikulenkov-2022-table-2/accuracy": (98.93, 64.96, 33.2, 12.14),
        "nikulenkov-2022-table-3/speed_up": (1.48, 1.82, 2.31, 2.14), "nikulenkov-2022-table-3/loss": (0.02, 1.61, -3.16, -0.38),
    }
    for name, printed in cells.items():
        assert tuple(book.row(name)[1].values.values()) == printed
    for table in TABLES:
        found = book.entry(table)
        assert found is not None and found.table is not None
        assert [column.title for column in found.table.columns] == ["MNIST", "CIFAR-10", "CIFAR-100", "Tiny ImageNet"]


@pytest.mark.parametrize(("figure", "column"), [("nikulenkov-2022-figure-08", "mnist"), ("nikulenkov-2022-figure-09", "cifar10")])
def test_the_figure_of_both_strategies_has_all_three_arms(figure: str, column: str) -> None:
    """What it says is published stands so in the tables; of the arm with inheritance, of which nothing is printed, ours alone is there."""
    book = atlas()
    entry = book.entry(figure)
    assert entry is not None and entry.table is not None
    said = {row.key: row.values.get(column) for row in entry.table.rows}
    tables = {
        "accuracy_plain": "1/accuracy", "accuracy_proposed": "2/accuracy", "minutes_plain": "1/minutes",
        "minutes_proposed": "2/minutes", "speed_up_proposed": "3/speed_up", "loss_proposed": "3/loss",
    }  # fmt: skip
    assert {key: value for key, value in said.items() if value is not None} == {
        key: book.row(f"nikulenkov-2022-table-{name}")[1].values[column] for key, name in tables.items()
    }
    assert {key for key, value in said.items() if value is None} == {
        f"{quantity}_inherited" for quantity in ("accuracy", "minutes", "speed_up", "loss")
    }
    assert {arm.options["compress"] for arm in entry.table.arms.values()} == set(ARMS)
    assert [course.arm for course in entry.courses] == ["inherited", "proposed"], "A and B, as there"
    assert {check.row for check in checks(book, entry)} == {"speed_up_proposed", "loss_proposed"}


def test_what_follows_from_other_tables_is_recomputed_and_each_difference_is_noted() -> None:
    entry = atlas().entry("nikulenkov-2022-table-3")
    assert entry is not None
    found = {(check.row, check.column): check for check in checks(atlas(), entry)}
    values = {place: round(check.recomputed, 3) for place, check in found.items()}
    assert values == {
        ("speed_up", "mnist"): 1.477, ("speed_up", "cifar10"): 1.824, ("speed_up", "cifar100"): 2.320, ("speed_up", "tiny_imagenet"): 2.148,
        ("loss", "mnist"): 0.02, ("loss", "cifar10"): 1.61, ("loss", "cifar100"): -3.17, ("loss", "tiny_imagenet"): -0.39,
    }
    differing = {place for place, check in found.items() if not check.agrees}
    assert differing == {(row, column) for row in ("speed_up", "loss") for column in ("cifar100", "tiny_imagenet")}
    # By no more than one in the last digit.
    assert all(abs(round(check.recomputed, 2) - check.printed) < 0.0101 for check in found.values())
    notes = " ".join(entry.notes)
    for said in ("2.320", "2.148", "-3.17", "-0.39", "2.31", "CIFAR-10"):
        assert said in notes
    # The slip: 2.31 is said of CIFAR-10 in the text, and is of CIFAR-100 by every table.
    assert max(found.values(), key=lambda check: check.recomputed if check.row == "speed_up" else 0).column == "cifar100"
    mean = statistics.fmean(check.printed for (row, _), check in found.items() if row == "speed_up")
    assert round(mean, 2) == 1.94 and "1.94" in notes


# ---------------------------------------------------------------- the form


NEW_TABLE = """
source = {{ id = "somebody-2030", authors = "A. Somebody", title = "On things", kind = "article", where = "a journal", year = 2030 }}
kind = "table"
number = 1
order = 1
section = "2"
title = "Things"
shows = "What was measured."
here = "Nothing yet."

[table]
[[table.columns]]
key = "mnist"
title = "MNIST"
datasets = ["mnist"]

[[table.rows]]
key = "accuracy"
title = "Accuracy"
unit = "%"
values = {{ {values} }}
{more}
"""


def folder_with(tmp_path: Path, text: str) -> Path:
    shutil.copytree(HERE / "sources", tmp_path / "sources")
    shutil.copytree(HERE / "entries", tmp_path / "entries")
    (tmp_path / "entries" / "somebody-2030-table-1.toml").write_text(text)
    return tmp_path


def test_a_newcomer_adds_a_table_as_one_file(tmp_path: Path) -> None:
    book = read_atlas(folder_with(tmp_path, NEW_TABLE.format(values="mnist = 97.25", more="")))
    entry = book.entry("somebody-2030-table-1")
    assert entry is not None and entry.source == "somebody-2030" and book.sources[-1].authors == "A. Somebody"
    assert book.entries[-1] == entry and len(book.entries) == len(atlas().entries) + 1
    assert book.row("somebody-2030-table-1/accuracy")[1].values == {"mnist": 97.25}


@pytest.mark.parametrize(
    ("values", "more", "words"),
    [
        ("mnist = 97.2512", "", "more decimals than 2"),
        ("fashion = 1.0", "", "needs a value for each of mnist"),
        ("mnist = 97.25", 'measured = { arm = "plain", measure = "minutes" }', "there is no arm 'plain'"),
        ("mnist = 97.25", 'derived = { formula = "ratio", first = "nothing/there", second = "nothing/there" }', "no such row"),
        ("mnist = 97.25", 'derived = { formula = "ratio", first = "nikulenkov-2022-table-1/minutes", second = '
         '"nikulenkov-2022-table-1/minutes" }', "has the columns mnist, cifar10"),
        ("mnist = nan", "", "finite number"),
        ("mnist = 97.25", "colour = 1", "Extra inputs"),
        ("", "", "has nothing to show"),
        ("mnist = 97.25", '[[courses]]\ntitle = "C"\ny_title = "y"\narm = "plain"\ncolumn = "mnist"\ngeneration = "networks"',
         "there is no arm 'plain'"),
    ],
)  # fmt: skip
def test_a_file_of_the_wrong_form_is_refused_by_its_name(values: str, more: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_atlas(folder_with(tmp_path, NEW_TABLE.format(values=values, more=more)))
    assert words in caught.value.message and caught.value.field.startswith("somebody-2030-table-1.toml")


def test_a_source_that_is_not_there_and_a_file_that_is_no_toml_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no source 'nobody'"):
        text = NEW_TABLE.format(values="mnist = 1.0", more="").split("\n", 2)[2]
        read_atlas(folder_with(tmp_path, f'source = "nobody"\n{text}'))
    (tmp_path / "entries" / "somebody-2030-table-1.toml").write_text("= nothing")
    with pytest.raises(BadInput, match="is no TOML"):
        read_atlas(tmp_path)


# ---------------------------------------------------------------- from runs


def test_accuracy_is_the_mean_of_the_pool_and_time_of_the_runs() -> None:
    runs = [Observed(0, 10.0, (90.0, 92.0, 94.0)), Observed(1, 14.0, (99.0,), failed=2)]
    accuracy, minutes = measured(runs, "last_generation_accuracy"), measured(runs, "minutes")
    assert accuracy is not None and minutes is not None
    # Not 95.5, the mean of the runs' means.
    assert (accuracy.value, minutes.value, accuracy.runs) == (93.75, 12.0, 2)
    assert measured([], "minutes") is None and measured([Observed(0, 1.0, ())], "last_generation_accuracy") is None


def test_the_last_generation_holds_the_last_networks_in_order_of_birth() -> None:
    values = [0.1, 0.2, None, 0.4, 0.5, None]
    assert last_generation(values, 3) == ((0.4, 0.5), 1) and last_generation(values, 0) == ((), 0)


def test_intervals_are_over_pairs_of_equal_seeds() -> None:
    """By hand: four pairs, Student's t with 3 degrees of freedom (3.182), of logarithms for a ratio."""
    plain = [Observed(0, 10.0, (80.0,)), Observed(1, 12.0, (82.0,)), Observed(2, 20.0, (84.0,)), Observed(3, 9.0, (83.0,))]
    other = [Observed(3, 6.0, (82.0,)), Observed(2, 11.0, (84.5,)), Observed(1, 8.0, (80.0,)), Observed(0, 5.0, (79.0,))]
    found = compared("difference", plain, other, "last_generation_accuracy")
    gaps = [1.0, 2.0, -0.5, 1.0]
    half = 3.182446 * statistics.stdev(gaps) / 2
    assert found is not None and found.pairs == 4 and found.value == pytest.approx(statistics.fmean(gaps))
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), rel=1e-6)
    ratio = compared("ratio", plain, other, "minutes")
    logs = [math.log(10 / 5), math.log(12 / 8), math.log(20 / 11), math.log(9 / 6)]
    half = 3.182446 * statistics.stdev(logs) / 2
    assert ratio is not None and ratio.value == pytest.approx(51 / 30)
    bounds = [math.exp(statistics.fmean(logs) + side * half) for side in (-1, 1)]
    assert [ratio.low, ratio.high] == pytest.approx(bounds, rel=1e-6)
    alone = compared("ratio", plain[:1], other[-1:], "minutes")
    assert alone is not None and (alone.value, alone.low, alone.pairs) == (2.0, None, 1)
    assert compared("ratio", plain, [], "minutes") is None
    # Seeds that only one group has are in the means, and in no pair.
    uneven = compared("difference", plain, other[:2], "last_generation_accuracy")
    assert uneven is not None and uneven.pairs == 2
