"""What a test lacks on this machine: it is skipped with the reason, or fails where the thing is required."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

DATA_FILES = "data files"
DIGESTS = "golden digests of a machine that computes as this one does"
"""They can only be made where they hold: a run without them is no lesser one."""


def absent(what: str, advice: str, *, required: str) -> NoReturn:
    """End the test for want of `what`; `advice` says how one gets it. Where the variable `required` is 1, that is a failure.

    The report at the end of a run counts the tests by this reason (tests/plugins/not_run.py).
    """
    reason = f"for want of {what}: {advice}"
    if os.environ.get(required, "") == "1":
        pytest.fail(f"{reason} ({required}=1)")
    pytest.skip(reason)


def absent_service(what: str, advice: str) -> NoReturn:
    """A server or program of this machine is not there."""
    absent(what, advice, required="REQUIRE_SERVICES")


def need_data(folder: Path, *names: str) -> None:
    """The files of these names must lie in the folder of the data files."""
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        absent(DATA_FILES, f"there is no {', '.join(missing)} in {folder}", required="REQUIRE_DATA")
