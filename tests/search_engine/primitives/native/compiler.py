"""The compiled kernel for tests, which is absent where no compiler is."""

from __future__ import annotations

import shutil

from search_engine.primitives.native.build import COMPILERS
from search_engine.primitives.native.kernel import Kernel, kernel
from tests.absent import absent_service


def need_compiler() -> None:
    if not any(shutil.which(name) for name in COMPILERS):
        absent_service("a C compiler", "install gcc")


def compiled_kernel() -> Kernel:
    """This machine's. Where there is a compiler it must be there."""
    need_compiler()
    found = kernel()
    assert found is not None, "there is a compiler and no kernel; the log says why"
    return found
