"""What the environment of every test says, whoever starts it: one torch thread, torch's own arithmetic, and no data files.

tests/settings.py and tests/conftest.py import this before anything else (pytest-django reads the settings first); processes that tests
start inherit it. A test gets to the data files by the fixture `data_dir` alone, and is marked `data` by that: what it hands on to another
process or to a server it hands on by name (`NASCOPE_DATA=str(data_dir)`). So a test that needs files and does not say so fails for
everybody, not only for those who have none.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HIDDEN = Path(__file__).resolve().parent / "only-tests-with-the-fixture-data_dir-see-data-files"
"""Is not there. Messages about missing files name it, and so say what such a test lacks."""
GIVEN = "NASCOPE_TEST_DATA"
"""Variable that remembers the real folder, for the processes of pytest-xdist too."""


def _hide_data_files() -> None:
    if os.environ.get("NASCOPE_DATA") != str(HIDDEN):
        os.environ[GIVEN] = str(Path(os.environ.get("NASCOPE_DATA") or ROOT / "var" / "data").resolve())
        os.environ["NASCOPE_DATA"] = str(HIDDEN)


def _one_thread() -> None:
    """Equal bits need one thread; it must be said before torch is imported anywhere. The libraries' own variables would overrule it."""
    for name in ("MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        os.environ.pop(name, None)
    os.environ["OMP_NUM_THREADS"] = "1"


def _one_arithmetic() -> None:
    """Whether a compiler is there must not decide bits: tests of the compiled kernel ask for it by name."""
    os.environ["NASCOPE_NATIVE"] = "0"


_hide_data_files()
_one_thread()
_one_arithmetic()
