"""Which device a run computes on, and what makes its arithmetic repeatable."""

from __future__ import annotations

import os

import torch

from ..base.errors import BadInput
from . import without_compiler


def resolve(name: str) -> str:
    """`auto`, `cpu`, `cuda` or `cuda:N` -> the device's name. Raises BadInput(field "device") where it is not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return name
    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise BadInput("device", f"there is no device '{name}': use auto, cpu, cuda or cuda:N")
    if not torch.cuda.is_available():
        raise BadInput("device", "this machine has no usable CUDA device: use cpu or auto", code="no_cuda")
    if number and int(number) >= torch.cuda.device_count():
        raise BadInput("device", f"there is no {name}: this machine has {torch.cuda.device_count()} CUDA device(s)", code="no_cuda")
    return name


def configure(threads: int) -> None:
    """Make this process compute repeatably with `threads` threads: part of the promise of equal bits (recorded with the run).

    Call it before the first CUDA work: cuBLAS reads its workspace setting when its first handle is made.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    # As `use_deterministic_algorithms(True)`, which would import torch's compiler to tell it so.
    torch.set_deterministic_debug_mode("error")
    without_compiler.leave_out()
    # Deterministic mode would also fill every fresh tensor with NaN; nothing here reads uninitialised memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Autotuning picks algorithms by timing; TF32 would make "float32" mean less on newer cards only.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False


def describe(name: str) -> str:
    """The device in words, for records of a run."""
    return "CPU" if name == "cpu" else torch.cuda.get_device_name(torch.device(name))
