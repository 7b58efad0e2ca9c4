"""`export`: the folder of a run as one file, which is opened elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..archives.exporting import export_folder
from ..archives.form import SUFFIX


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "export",
        help="write a run as one file",
        description="Write the run in a folder as one file, which the web application opens (in the browser, or by `manage.py open`).",
    )
    parser.add_argument("folder", help="what `run --out` wrote; the run must have ended")
    parser.add_argument("--out", help=f"the file; default: the folder's name with {SUFFIX}, beside it")
    parser.set_defaults(act=act)


def act(parsed: argparse.Namespace) -> int:
    folder = Path(parsed.folder)
    name = folder.resolve()
    target = Path(parsed.out) if parsed.out else name.with_name(f"{name.name}{SUFFIX}")
    manifest = export_folder(folder, target)
    print(f"written: {target} ({target.stat().st_size:,} bytes, {manifest.runs[0].events:,} events, digest {manifest.digest[:16]})")
    return 0
