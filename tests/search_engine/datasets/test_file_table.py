"""Tables in files: NAS-Bench-201 as declared, a stranger's table over a space of its own, and files that cannot be used."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import pytest

from search_engine.algorithms.base import Proposal, TrialPhase
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.base import DatasetEntry
from search_engine.datasets.file_table import Column, Fidelity, FileTable, TableFile, table_entry
from search_engine.datasets.nb201_table import FILE
from search_engine.search.local_run import LocalRun
from search_engine.search.sealed import final_figures
from search_engine.spaces.base import SpaceConfig, SpaceEntry
from search_engine.spaces.data_shape import NO_INPUT, DataShape
from search_engine.spaces.decision_space import DecisionSpace
from search_engine.spaces.decisions import Decision, DecisionList
from search_engine.spaces.genomes import Genome
from tests.search_engine import toys

# ---- NAS-Bench-201


def test_nb201_rows_are_those_of_the_exact_cell(data_dir: Path) -> None:
    """Found by the official text; the file's operation numbers say the same."""
    with np.load(data_dir / FILE) as file:
        columns = {name: file[name] for name in ("ops", "op_names", "c10_val_12", "c10_test_200", "c10_val_200", "params_m", "flops_m")}
    table, space = registry.dataset("nb201_cifar10").open(None, data_dir), registry.space("nb201").space
    nb201 = space(registry.space("nb201").config(), NO_INPUT)
    for row in random.Random(0).sample(range(15625), 300):
        genome = nb201.genome([str(columns["op_names"][number]) for number in columns["ops"][row]])
        expected = {
            "val_accuracy": float(columns["c10_val_12"][row]) / 100,
            "parameters": float(columns["params_m"][row]) * 1e6,
            "flops": float(columns["flops_m"][row]) * 2e6,
        }
        answer = table.lookup(genome, nb201.to_string(genome), {})
        assert answer.metrics == expected and answer.samples == 12 * 25_000
        final = {
            "test_accuracy": float(columns["c10_test_200"][row]) / 100,
            "val_accuracy": float(columns["c10_val_200"][row]) / 100,
        }
        assert final_figures(table, genome, nb201.to_string(genome)) == {**expected, **final} and table.final_at == {"epochs": 200}


def test_nb201_answers_at_two_fidelities(data_dir: Path) -> None:
    table = registry.dataset("nb201_cifar100").open(None, data_dir)
    nb201 = registry.space("nb201").space(registry.space("nb201").config(), NO_INPUT)
    genome = nb201.sample(random.Random(1))
    string = nb201.to_string(genome)
    short, long = (table.lookup(genome, string, {"epochs": epochs}) for epochs in (12, 200))
    assert short == table.lookup(genome, string, {}) and short.samples == 12 * 50_000
    assert long.samples == table.charge(genome, string, {"epochs": 200}) == 200 * 50_000
    assert long.metrics["val_accuracy"] == final_figures(table, genome, string)["val_accuracy"]
    with pytest.raises(TrialFailure, match=r"knows trials at \{'epochs': 12\} or \{'epochs': 200\}, not at \{'epochs': 50\}"):
        table.lookup(genome, string, {"epochs": 50})


# ---- a stranger's table


class LettersConfig(SpaceConfig):
    """No options."""


class Letters(DecisionSpace[LettersConfig]):
    """Words of two letters out of a, b, c."""

    id: ClassVar[str] = "letters"
    _LIST: ClassVar[DecisionList] = DecisionList([Decision(f"letter{place}", "A letter", "letter", tuple("abc")) for place in (1, 2)])

    @property
    def decisions(self) -> DecisionList:
        return self._LIST

    def to_string(self, genome: Genome) -> str:
        return "".join(genome.content.values())

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph()
        graph.add_edge("input", "output", key=self.to_string(genome))
        return graph


SPACE = SpaceEntry("letters", "Letters", "", "", LettersConfig, Letters, Letters.offers, frozenset({"none"}))
WORDS = [first + second for first in "abc" for second in "abc"]
TABLE = TableFile(
    space="letters",
    file="letters/words.csv",
    key="word",
    fidelities=(
        Fidelity({"val_accuracy": Column("quick", per=100)}, samples=Column("cost"), at={"epochs": 1}),
        Fidelity({"val_accuracy": Column("slow", per=100)}, samples=1000, at={"epochs": 9}),
    ),
    final={"test_accuracy": Column("test", per=100)},
)


def entry(table: TableFile = TABLE, **changes: Any) -> DatasetEntry:
    return table_entry(table, **{"id": "words", "title": "Words", "description": "", "source": "", "licence": "", **changes})


def write(folder: Path, *, words: list[str] = WORDS, **changes: list[str]) -> Path:
    """The table of `words`, with `changes` to its columns."""
    columns = {
        "word": words,
        "quick": [str(10 + place) for place in range(len(words))],
        "slow": [str(20 + place) for place in range(len(words))],
        "cost": [str(100 * (place + 1)) for place in range(len(words))],
        "test": [str(50 + place) for place in range(len(words))],
        **changes,
    }
    path = folder / TABLE.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]) + "\n")
    return folder


@pytest.fixture
def letters() -> Letters:
    return Letters(LettersConfig(), NO_INPUT)


def test_a_strangers_table_is_searched_without_any_shape(tmp_path: Path) -> None:
    values = {"algorithm": "grid", "space": "letters", "datasets": ["words"], "budget": {"trials": 100}}
    with toys.registered(spaces=(SPACE,), datasets=(entry(),)):
        result = LocalRun(check(values, write(tmp_path)), tmp_path, tmp_path / "run").run()
        able = {row["algorithm"] for row in registry.compatibility() if row["dataset"] == "words"}
    assert able >= {"random", "regularized_evolution", "bayesian", "nas_rl"}
    assert result["status"] == "completed" and result["stop_reason"] == "exhausted"
    assert result["best"][0]["string"] == "cc" and result["best"][0]["metrics"] == {"val_accuracy": 0.18, "test_accuracy": 0.58}
    # Every word once, each at its own price.
    assert result["budget"]["samples"] == 4500 and result["budget"]["trials"] == 9


@pytest.mark.parametrize("window", [1, 4])
def test_a_budget_in_samples_counts_each_architectures_price(tmp_path: Path, window: int) -> None:
    """Open trials count with their own prices too: with the mean of all, 500, only two would be opened at once."""
    values = {"algorithm": "grid", "options": {"order": "lexicographic", "window": window}, "space": "letters", "datasets": ["words"]}
    with toys.registered(spaces=(SPACE,), datasets=(entry(),)):
        checked = check({**values, "budget": {"samples": 1000}}, write(tmp_path))
        result = LocalRun(checked, tmp_path, tmp_path / "run").run()
    assert result["budget"]["trials"] == 4 and result["budget"]["samples"] == 100 + 200 + 300 + 400


def test_a_proposal_chooses_its_fidelity(tmp_path: Path, letters: Letters) -> None:
    class Slow(toys.Generational, TrialPhase[Any]):
        def ask(self) -> list[Proposal]:
            return [replace(proposal, fidelity={"epochs": 9}) for proposal in super().ask()]

    algorithm = replace(toys.GENERATIONAL, id="slow", phases=lambda config: [Slow()])
    values = {"algorithm": "slow", "space": "letters", "datasets": ["words"], "budget": {"trials": 4}}
    with toys.registered(algorithms=(algorithm,), spaces=(SPACE,), datasets=(entry(),)):
        LocalRun(check(values, write(tmp_path)), tmp_path, tmp_path / "run").run()
    rows = [json.loads(line)["data"] for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    words = {row["number"]: row["string"] for row in rows if row["kind"] == "candidate_born"}
    for row in (row for row in rows if row["kind"] == "trial_told"):
        assert row["metrics"]["val_accuracy"] == (20 + WORDS.index(words[row["number"]])) / 100
        assert row["reused_from"] is not None or row["cost"]["forward_backward"] == 1000


def test_an_architecture_without_a_row_is_a_failed_trial(tmp_path: Path) -> None:
    values = {"algorithm": "grid", "space": "letters", "datasets": ["words"], "budget": {"trials": 100}, "max_failures": 9}
    with toys.registered(spaces=(SPACE,), datasets=(entry(),)):
        data = write(tmp_path, words=["ab", "zz"])
        result = LocalRun(check(values, data), data, tmp_path / "run").run()
        few = LocalRun(check({**values, "max_failures": 2}, data), data, tmp_path / "few").run()
    assert result["best"][0]["string"] == "ab" and result["budget"]["trials"] == 9
    assert few["status"] == "failed" and "trials failed in a row; the last one: the table words.csv has no architecture '" in few["reason"]
    assert few["reason"].endswith("(its first is 'ab')")


def test_test_figures_open_to_the_finale_only(tmp_path: Path, letters: Letters) -> None:
    table = FileTable(TABLE, write(tmp_path))
    genome = letters.genome_of((0, 0))
    assert set(table.lookup(genome, "aa", {}).metrics) == {"val_accuracy"}
    with pytest.raises(TypeError, match="only to the finale"):
        table.final_metrics(genome, "aa", object())  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="answers for 'letters' only, not for 'nb201'"):
        table.lookup(Genome("nb201", {}), "aa", {})


@pytest.mark.parametrize("name", ["cell", "nb201"])
def test_spaces_whose_genomes_need_no_data_take_a_table_without_a_shape(name: str) -> None:
    space, rng = registry.space(name).space(registry.space(name).config(), NO_INPUT), random.Random(0)
    for _ in range(20):
        genome = space.sample(rng)
        child, _ = space.mutate(genome, rng)
        assert space.from_string(space.to_string(child)) == child and space.drawings(child) and space.encode(child)
        assert space.hash(space.genome_of(space.choices_of(child))) == space.hash(child)
    assert {"image", "none"} == registry.space(name).inputs


def test_what_a_table_is_follows_from_its_declaration() -> None:
    plain = entry()
    assert (plain.input_kind, plain.shape, plain.shape_of(None)) == ("none", None, NO_INPUT)
    assert (plain.budgets, plain.spaces, plain.files) == ({"trials", "samples"}, {"letters"}, ("letters/words.csv",))
    assert entry(shape=DataShape((4,), 2)).input_kind == "vector" and entry(shape=DataShape((1, 8, 8), 2)).input_kind == "image"
    free = replace(TABLE, fidelities=(Fidelity({"val_accuracy": Column("quick")}, samples=0),))
    assert entry(free).budgets == {"trials"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"file": "words.txt"}, r"must end in one of: \.npz, \.csv, \.csv\.gz"),
        ({"fidelities": ()}, "at least one fidelity"),
        ({"fidelities": (TABLE.fidelities[0], TABLE.fidelities[0])}, r"two fidelities at \{'epochs': 1\}"),
        ({"fidelities": (Fidelity({"test_accuracy": Column("test")}, samples=1),)}, "figures of the test split belong in `final`"),
        ({"fidelities": (Fidelity({"loss": Column("quick")}, samples=1),)}, "ranked by 'val_accuracy', which its fidelity {} lacks"),
        ({"fidelities": (Fidelity({"val_accuracy": Column("quick")}, samples=-1),)}, "cannot cost -1 samples"),
    ],
)
def test_a_declaration_that_no_file_could_fill_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        entry(replace(TABLE, **changes))


# ---- NAS-Bench-Macro, a real table of somebody else's


class Chains(Letters):
    """Eight layers, each one of three (Su et al., ICLR 2021): written as eight digits."""

    id: ClassVar[str] = "chains"
    _LIST: ClassVar[DecisionList] = DecisionList([Decision(f"layer{place}", f"Layer {place}", "layer", tuple("012")) for place in range(8)])


def test_nas_bench_macro_is_a_declaration(data_dir: Path, tmp_path: Path) -> None:
    space = SpaceEntry("chains", "Chains", "", "", LettersConfig, Chains, Chains.offers, frozenset({"none"}))
    # It has no validation column: three runs' test accuracies and their mean.
    metrics = {"val_accuracy": Column("mean_acc", per=100), "parameters": Column("params"), "flops": Column("flops", times=2)}
    fidelity = Fidelity(metrics, samples=50 * 50_000)
    table = TableFile("chains", "nbmacro/nbmacro_cifar10.csv.gz", "arch", (fidelity,), final={"deviation": Column("std", per=100)})
    values = {"algorithm": "random", "space": "chains", "datasets": ["words"], "budget": {"trials": 300}}
    with toys.registered(spaces=(space,), datasets=(entry(table),)):
        result = LocalRun(check(values, data_dir), data_dir, tmp_path).run()
    with gzip.open(data_dir / "nbmacro" / "nbmacro_cifar10.csv.gz", "rt") as file:
        rows = {row["arch"]: row for row in csv.DictReader(file)}
    events = [json.loads(line)["data"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    strings = {row["number"]: row["string"] for row in events if row["kind"] == "candidate_born"}
    told = {strings[row["number"]]: row["metrics"] for row in events if row["kind"] == "trial_told"}
    assert len(told) == 300
    for string, metrics in told.items():
        row = {name: float(value) for name, value in rows[string].items()}
        assert metrics == {"val_accuracy": row["mean_acc"] / 100, "parameters": row["params"], "flops": 2 * row["flops"]}
    best = result["best"][0]
    assert best["metrics"] == {**told[best["string"]], "deviation": float(rows[best["string"]]["std"]) / 100}
    assert best["metrics"]["val_accuracy"] == max(metrics["val_accuracy"] for metrics in told.values())


# ---- files that cannot be used


def lines(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    path = folder / TABLE.file
    path.write_text("\n".join(change(path.read_text().splitlines())))


def archive(folder: Path, **changes: Any) -> None:
    """The same table as a NumPy archive, with `changes`; None leaves a column out."""
    numbers = {name: np.arange(9.0) + 10 for name in ("quick", "slow", "cost", "test")}
    columns: dict[str, Any] = {"word": np.array(WORDS), **numbers, **changes}
    np.savez(folder / "words.npz", **{name: column for name, column in columns.items() if column is not None})


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a missing column": (partial(lines, change=lambda all_: [line.replace("slow", "fast") for line in all_]),
                         r"there is no column 'slow'; its columns are: word, quick, fast, cost, test"),
    "a doubled column": (partial(lines, change=lambda all_: [all_[0].replace("slow", "quick,slow"), *(f"{line},1" for line in all_[1:])]),
                         "two columns are called 'quick'"),
    "a short row": (partial(lines, change=lambda all_: [*all_[:3], "bb,1"]), "row 3 has 2 fields; its header has 5"),
    "no rows": (partial(lines, change=lambda all_: all_[:1]), "it has no rows"),
    "an empty file": (partial(lines, change=lambda all_: []), "there is no column 'word'; its columns are: none"),
    "a doubled key": (partial(lines, change=lambda all_: [*all_, all_[2]]), "'ab' stands in rows 2 and 10"),
    "a gap": (partial(lines, change=lambda all_: [all_[0], "aa,,1,1,1"]), "the column 'quick' must hold numbers, not '' in row 1"),
    "NaN": (partial(lines, change=lambda all_: [*all_[:2], "ab,1,nan,1,1"]),
            r"the column 'slow' holds nan in row 2 \('ab'\); leave out architectures without a result"),
    "no text": (lambda folder: (folder / TABLE.file).write_bytes(b"\xff\xfe\x00"), "it cannot be read as CSV in UTF-8"),
}  # fmt: skip
ARCHIVES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a missing column": (partial(archive, slow=None), "there is no column 'slow'; its columns are: word, quick, cost, test"),
    "a doubled key": (partial(archive, word=np.array(["aa", *WORDS[:8]])), "'aa' stands in rows 1 and 2"),
    "infinity": (partial(archive, test=np.array([1.0] * 8 + [np.inf])), r"the column 'test' holds inf in row 9 \('cc'\)"),
    "text for numbers": (partial(archive, quick=np.array(WORDS)), "the column 'quick' must hold numbers, not <U2"),
    "truth for numbers": (partial(archive, quick=np.ones(9, bool)), "the column 'quick' must hold numbers, not bool"),
    "numbers for text": (partial(archive, word=np.arange(9)), "the column 'word' must hold one text per architecture, not int64 in 1"),
    "a table for a column": (partial(archive, slow=np.ones((9, 2))), r"'slow' has the shape \(9, 2\); 9 architectures need \(9,\)"),
    "another length": (partial(archive, slow=np.ones(8)), r"the column 'slow' has the shape \(8,\)"),
    "objects": (partial(archive, slow=np.array([{}] * 9, dtype=object)), "the column 'slow' holds Python objects; save it as numbers"),
    "objects as keys": (partial(archive, word=np.array(WORDS, dtype=object)), "the column 'word' holds Python objects"),
    "bytes that are no text": (partial(archive, word=np.array([b"\xff"] * 9)), "the column 'word' holds bytes that are no UTF-8"),
    "a free trial": (partial(archive, cost=np.array([5.0] * 8 + [0])), r"'cost' charges less than one sample for 'cc' \(row 9\)"),
    "a refund": (partial(archive, cost=np.array([-1.0] * 9)), r"'cost' charges less than one sample for 'aa' \(row 1\)"),
    "a single array": (lambda folder: np.save((folder / "words.npz").open("wb"), np.ones(9)), "it holds a single array"),
    "a pickle": (lambda folder: (folder / "words.npz").write_bytes(b"\x80\x04N."), "it cannot be read as a NumPy archive"),
    "no archive": (lambda folder: (folder / "words.npz").write_bytes(b"PK\x03\x04torn"), "it cannot be read as a NumPy archive"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_csv_that_cannot_be_used_is_refused_in_one_message(damage: str, tmp_path: Path) -> None:
    change, message = DAMAGE[damage]
    change(write(tmp_path))
    with pytest.raises(BadInput, match=message) as caught:
        FileTable(TABLE, tmp_path).lookup(Genome("letters", {}), "aa", {})
    assert (caught.value.field, caught.value.code) == ("dataset", "damaged_data") and str(tmp_path / TABLE.file) in caught.value.message


@pytest.mark.parametrize("damage", ARCHIVES)
def test_an_archive_that_cannot_be_used_is_refused_in_one_message(damage: str, tmp_path: Path) -> None:
    change, message = ARCHIVES[damage]
    change(tmp_path)
    with pytest.raises(BadInput, match=message) as caught:
        FileTable(replace(TABLE, file="words.npz"), tmp_path).lookup(Genome("letters", {}), "aa", {})
    assert caught.value.code == "damaged_data"


def test_the_three_forms_of_a_file_say_the_same(tmp_path: Path, letters: Letters) -> None:
    write(tmp_path)
    text = (tmp_path / TABLE.file).read_bytes()
    (tmp_path / "words.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "marked.csv").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    archive(tmp_path, word=np.array(WORDS, dtype="S2"), cost=np.arange(100, 1000, 100))
    for place, word in enumerate(WORDS):
        genome = letters.genome_of(("abc".index(word[0]), "abc".index(word[1])))
        for file in (TABLE.file, "words.csv.gz", "marked.csv", "words.npz"):
            answer = FileTable(replace(TABLE, file=file), tmp_path).lookup(genome, word, {})
            assert answer.metrics == {"val_accuracy": (10 + place) / 100} and answer.samples == 100 * (place + 1)


def test_the_mean_price_stands_for_all_where_they_differ(tmp_path: Path) -> None:
    assert FileTable(TABLE, write(tmp_path)).declared_samples == 500
