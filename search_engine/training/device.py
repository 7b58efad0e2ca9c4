"""Which device a run computes on, and what makes its arithmetic repeatable."""

from __future__ import annotations

import os

import torch

from ..base.errors import BadInput
from ..base.quoting import shown
from . import without_compiler


def resolve(name: str) -> str:
    """`auto`, `cpu`, `cuda` or `cuda:N` -> the device's name. Raises BadInput(field "device") where it is not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return name
    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise BadInput("device", f"there is no device {shown(name)}: use auto, cpu, cuda or cuda:N")
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


_limits: dict[int, float] = {}
"""By the number of the GPU: what `limit_memory` allowed."""
GPU_SHARE = 0.9
"""Of the GPU's memory, where nothing else is said: the rest is the driver's and the libraries'."""


def limit_memory(ceiling: float = 0.0) -> float:
    """Let this process take at most `ceiling` bytes of the present GPU's memory (0 = nine tenths of it). Beyond that an allocation fails as
    if no more were there, which fails the work and leaves the process. Returns the bytes."""
    total = float(torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory)
    allowed = min(ceiling, total) if ceiling > 0 else GPU_SHARE * total
    torch.cuda.set_per_process_memory_fraction(allowed / total)
    _limits[torch.cuda.current_device()] = allowed
    return allowed


def memory_limit(name: str) -> float | None:
    """Bytes that this process may take of the device's memory; None where it is the CPU or nobody limited it."""
    if name == "cpu" or not torch.cuda.is_available():
        return None
    return _limits.get(int(name.partition(":")[2] or torch.cuda.current_device()))


def describe(name: str) -> str:
    """The device in words, for records of a run."""
    return "CPU" if name == "cpu" else torch.cuda.get_device_name(torch.device(name))
