"""python -m tests.upgrades make | ends | resume: see the package."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import tests.environment

from . import installation as here
from .searches import LEFT_TABLE

SAVED = Path(__file__).with_name("saved")


def show_data_files() -> None:
    """A search of a table needs its file, which tests do not see otherwise."""
    os.environ["NASCOPE_DATA"] = os.environ[tests.environment.GIVEN]


def resume(folder: Path) -> dict[str, Any]:
    """What this version makes of a saved installation: the forms of its states as read, and the ends of its searches."""
    from tests.golden.machine import machine

    if here.left_of(folder) is LEFT_TABLE:
        show_data_files()
    with tempfile.TemporaryDirectory(prefix="nascope-upgrade-") as place:
        home = Path(place) / "home"
        here.restore(folder, home)
        here.begin(home)
        forms, local = here.forms(), home / "local"
        if local.exists():
            forms[here.LOCAL_NAME] = here.local_form(local)
        here.go_on()
        ends = here.ends()
        if local.exists():
            ends[here.LOCAL_NAME] = here.end_local(local)
        return {"machine": machine(), "forms": forms, "ends": ends}


def make(folder: Path) -> None:
    """Save this version's searches, left at their moments, in `folder`."""
    searches = here.left_of(folder)
    if searches is LEFT_TABLE:
        show_data_files()
    with tempfile.TemporaryDirectory(prefix="nascope-upgrade-") as place:
        home = Path(place) / "home"
        home.mkdir()
        here.begin(home)
        here.leave(searches)
        if searches is not LEFT_TABLE:
            here.leave_local(home / "local")
        here.save(home, folder)
        from tests.golden.machine import machine

        forms = here.forms()
        if searches is not LEFT_TABLE:
            forms[here.LOCAL_NAME] = here.local_form(home / "local")
        write(folder / "forms.json", forms)
        here.go_on()
        ends = here.ends()
        if searches is not LEFT_TABLE:
            ends[here.LOCAL_NAME] = here.end_local(home / "local")
    assert all(end["state"] == "completed" for end in ends.values()), ends
    write(folder / "ends.json", {"machine": machine(), "ends": ends})


def write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def main(arguments: list[str]) -> None:
    match arguments:
        case ["make", *table]:
            number = 1 + max([int(path.name.partition("-")[0]) for path in SAVED.iterdir()], default=0)
            make(SAVED / (f"{number - 1}-table" if table else str(number)))
        case ["ends", name]:
            found = resume(SAVED / name)
            write(SAVED / name / "ends.json", {"machine": found["machine"], "ends": found["ends"]})
        case ["resume", name]:
            print(json.dumps(resume(SAVED / name)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
