"""`python -m tools.wheel [FOLDER]`: the distribution as a wheel, into FOLDER (default: dist/).

It is built from a copy of exactly the files that git knows, and the built front end, so what lies about in a working tree (an old build/,
a file that was renamed, a scratch module) never gets into it. Times in it are those of the commit: equal commits give equal wheels.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("nascope", "search_engine", "webapp")
BESIDE = ("pyproject.toml", "README.md", "LICENSE")
FRONT_END = Path("webapp/static/ui")
MOST_BYTES = 5_000_000


def files(root: Path = ROOT) -> list[str]:
    """What the wheel holds, as paths from the root: the packages' files that git knows, and the built front end."""
    command = ["git", "ls-files", "-z", *PACKAGES]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # nosec B603 B607 # our own words, no shell
    built = [path.relative_to(root).as_posix() for path in (root / FRONT_END).rglob("*") if path.is_file() and not _hidden(path, root)]
    return sorted({*(name for name in listed.stdout.split("\0") if name and (root / name).is_file()), *built})


def _hidden(path: Path, root: Path) -> bool:
    """The stamps of the build, which nobody is served."""
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def build(folder: Path, root: Path = ROOT) -> Path:
    """The wheel, laid into `folder`. Raises SystemExit where the front end is not built or the wheel is too large."""
    if not (root / FRONT_END / "index.html").is_file():
        sys.exit("the front end is not built: run make ui")
    with tempfile.TemporaryDirectory() as temporary:
        source, made = Path(temporary) / "source", Path(temporary) / "made"
        for name in (*BESIDE, *files(root)):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, source / name)
        dated = ["git", "log", "-1", "--format=%ct"]
        moment = subprocess.run(  # nosec B603 B607 # our own words, no shell
            dated, cwd=root, capture_output=True, text=True, check=True,
        ).stdout.strip()
        words = ["wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run(  # nosec B603 # our own words, no shell
            [sys.executable, "-m", "pip", *words, "--wheel-dir", str(made), str(source)], check=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": moment},
        )
        (wheel,) = made.glob("*.whl")
        if wheel.stat().st_size > MOST_BYTES:
            sys.exit(f"the wheel has {wheel.stat().st_size:,} bytes, more than {MOST_BYTES:,}: something is in it that should not be")
        folder.mkdir(parents=True, exist_ok=True)
        for older in folder.glob("nascope-*.whl"):
            older.unlink()
        return Path(shutil.move(wheel, folder / wheel.name))


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"))
