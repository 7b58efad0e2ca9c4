"""Several bundles' `evaluate.py` in one fresh process: torch is loaded once for all of them.

    python -I -B fresh_process.py < JSON

reads a list of [folder, arguments] and prints for each what its script printed and what stopped it ("" = nothing). Every script runs as the
main program in its own folder, and sees no module of another's. Run as a file and never imported: like the bundles, it imports nothing of
this package.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

SCRIPT = "evaluate.py"


def evaluated(folder: Path, arguments: list[str]) -> dict[str, str]:
    """What the script in `folder` printed, and the last line of what it stopped with."""
    os.chdir(folder)
    path, known = list(sys.path), set(sys.modules)
    sys.argv = [SCRIPT, *arguments]
    printed, stopped = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(SCRIPT, run_name="__main__")
    except SystemExit as end:
        stopped = "" if end.code in (None, 0) else str(end.code)
    except BaseException as error:
        stopped = f"{type(error).__name__}: {error}".strip().splitlines()[-1]
    sys.path[:] = path
    for name in set(sys.modules) - known:
        if _lies_in(sys.modules[name], folder):
            del sys.modules[name]
    return {"printed": printed.getvalue(), "stopped": stopped}


def _lies_in(module: Any, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(folder)


if __name__ == "__main__":
    bundles = json.load(sys.stdin)
    print(json.dumps([evaluated(Path(folder).resolve(), arguments) for folder, arguments in bundles]))
