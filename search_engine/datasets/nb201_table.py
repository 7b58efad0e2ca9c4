"""NAS-Bench-201 as a table: a trial is looked up instead of trained.

Source: Dong and Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020 (arXiv:2001.00326).
Search sees the validation accuracy after 12 epochs; the finale reads validation and test accuracy after 200. A trial charges what the
benchmark's own training used: 12 epochs of the 25,000 (CIFAR-10, half of the training set is its validation set) or 50,000 (CIFAR-100)
training images. Rows are found by the exact cell asked, not by its equivalence class.

The FLOPs of a trial are its column of them (of one forward pass), times three for a forward and a backward pass, times those images. That
is what `training/flops.py` counts of the built network, but for the inputs' gradient, which nobody needs (under 3 %), and for operations
whose result goes nowhere: their gradient is not computed, and the benchmark's column does not know it.
"""

from __future__ import annotations

from ..spaces.data_shape import DataShape
from .base import DatasetEntry
from .file_table import Column, Fidelity, TableFile, table_entry

FILE = "nb201/nb201.npz"
PASSES = 3
"""A forward and backward pass in forward passes: the gradients in the inputs and in the weights take as many products each."""


def _entry(id_: str, title: str, prefix: str, classes: int, training_examples: int) -> DatasetEntry:
    # The benchmark counts multiply-accumulates; everywhere else here FLOPs are said as twice that.
    size = {"parameters": Column("params_m", times=1e6), "flops": Column("flops_m", times=2e6)}
    table = TableFile(
        space="nb201",
        file=FILE,
        key="arch",
        fidelities=tuple(
            Fidelity(
                {"val_accuracy": Column(f"{prefix}_val_{epochs}", per=100), **size},
                samples=epochs * training_examples,
                flops=Column("flops_m", times=2e6 * PASSES * epochs * training_examples),
                at={"epochs": epochs},
            )
            for epochs in (12, 200)
        ),
        final={
            "test_accuracy": Column(f"{prefix}_test_200", per=100),
            "val_accuracy": Column(f"{prefix}_val_200", per=100),
        },
        final_at={"epochs": 200},
    )
    return table_entry(
        table,
        id=id_,
        title=title,
        description=(
            "Benchmark table: the accuracy of all 15,625 cells, trained once by the benchmark's authors. A trial is looked up in "
            "milliseconds; "
            "trials are simulated and say so."
        ),
        source="NAS-Bench-201 (Dong and Yang, ICLR 2020; github.com/D-X-Y/NAS-Bench-201), as one NumPy archive",
        licence="MIT",
        shape=DataShape((3, 32, 32), classes),
        sizes={"cells": 15625, "train": training_examples},
    )


ENTRY = (
    _entry("nb201_cifar10", "CIFAR-10 in NAS-Bench-201 (table)", "c10", 10, 25_000),
    _entry("nb201_cifar100", "CIFAR-100 in NAS-Bench-201 (table)", "c100", 100, 50_000),
)
