"""NAS-Bench-201 as a table: a trial is looked up instead of trained.

Source: Dong and Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020 (arXiv:2001.00326).
Search sees the validation accuracy after 12 epochs; the finale reads the test accuracy after 200 epochs. A trial charges what the
benchmark's own training used: 12 epochs of the 25,000 (CIFAR-10, half of the training set is its validation set) or 50,000 (CIFAR-100)
training images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import BadInput
from ..spaces.data_shape import DataShape
from ..spaces.genomes import Genome
from .base import DatasetConfig, DatasetEntry, FinalePass, Table, TableAnswer

FILE = "nb201/nb201.npz"
EPOCHS = 12
SOURCE = "NAS-Bench-201 (Dong and Yang, ICLR 2020; github.com/D-X-Y/NAS-Bench-201), as one NumPy archive"


class NB201TableConfig(DatasetConfig):
    """The table has no options."""


@dataclass(frozen=True)
class _Column:
    prefix: str
    classes: int
    training_examples: int


class NB201Table(Table):
    """One data set's columns of the table. Rows are found by the exact cell asked, not by its equivalence class."""

    space = "nb201"

    def __init__(self, column: _Column, path: Path) -> None:
        self._column = column
        self._path = path
        self.declared_samples = EPOCHS * column.training_examples

    @cached_property
    def _table(self) -> dict[str, Any]:
        with np.load(self._path, allow_pickle=False) as file:
            names = [str(name) for name in file["op_names"]]
            powers = len(names) ** np.arange(file["ops"].shape[1])
            codes = file["ops"].astype(np.int64) @ powers
            rows = np.empty(len(codes), np.int64)
            rows[codes] = np.arange(len(codes))
            prefix = self._column.prefix
            return {
                "names": {name: index for index, name in enumerate(names)},
                "powers": [int(power) for power in powers],
                "rows": rows,
                "val": file[f"{prefix}_val_12"],
                "test": file[f"{prefix}_test_200"],
                "val_final": file[f"{prefix}_val_200"],
                "parameters": file["params_m"],
                "flops": file["flops_m"],
            }

    def shape(self) -> DataShape:
        return DataShape((3, 32, 32), self._column.classes)

    def _row(self, genome: Genome) -> int:
        if genome.space != self.space:
            raise BadInput("genome", f"the table answers for '{self.space}' only, not for '{genome.space}'")
        table = self._table
        code = sum(table["names"][name] * power for name, power in zip(genome.content["operations"], table["powers"], strict=True))
        return int(table["rows"][code])

    def lookup(self, genome: Genome, string: str) -> TableAnswer:
        row, table = self._row(genome), self._table
        metrics = {
            "val_accuracy": float(table["val"][row]) / 100,
            "parameters": float(table["parameters"][row]) * 1e6,
            # The benchmark counts multiply-accumulates; everywhere else here FLOPs are said as twice that.
            "flops": float(table["flops"][row]) * 2e6,
        }
        return TableAnswer(metrics, self.declared_samples)

    def final_metrics(self, genome: Genome, string: str, key: FinalePass) -> dict[str, float]:
        row, table = self._row(genome), self._table
        return {
            **self.lookup(genome, string).metrics,
            "test_accuracy": float(table["test"][row]) / 100,
            "val_accuracy_200_epochs": float(table["val_final"][row]) / 100,
        }


def _entry(id_: str, title: str, column: _Column) -> DatasetEntry:
    return DatasetEntry(
        id=id_,
        title=title,
        description=(
            "Benchmark table: the accuracy of all 15,625 cells, trained once by the benchmark's authors. Searches take milliseconds; "
            "trials are simulated and say so."
        ),
        source=SOURCE,
        licence="MIT",
        provides="table",
        config=NB201TableConfig,
        open=lambda config, data_dir: NB201Table(column, data_dir / FILE),
        shape=DataShape((3, 32, 32), column.classes),
        budgets=frozenset({"trials", "samples"}),
        spaces=frozenset({"nb201"}),
        files=(FILE,),
        sizes={"cells": 15625, "train": column.training_examples},
    )


ENTRY = (
    _entry("nb201_cifar10", "CIFAR-10 in NAS-Bench-201 (table)", _Column("c10", 10, 25_000)),
    _entry("nb201_cifar100", "CIFAR-100 in NAS-Bench-201 (table)", _Column("c100", 100, 50_000)),
)
