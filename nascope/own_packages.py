"""Whether the packages `search_engine` and `webapp` that Python would import are NAScope's own.

Both names are words that others use too: a folder `webapp` in the working directory, or another distribution that carries one, would be
imported in their place, and fail somewhere deep inside.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import metadata, util
from pathlib import Path

PACKAGES = ("search_engine", "webapp")
ROOT = Path(__file__).resolve().parents[1]
"""Where NAScope's packages lie, beside each other."""


def complaint(root: Path = ROOT) -> str:
    """One sentence that names what stands in the way, "" where nothing does."""
    for package in PACKAGES:
        found = _place(package)
        if found is None:
            return f"NAScope's package '{package}' is missing beside {root / 'nascope'}: install nascope again"
        if found != root / package:
            return (
                f"Python would import the package '{package}' from {found}{_owner(package)}, not NAScope's own in {root}: start from "
                "another folder, or install nascope into an environment of its own"
            )
        if other := _overwritten(package, root):
            return (
                f"NAScope's package '{package}' in {root} was overwritten by {other}, which has one of the same name: install nascope into "
                "an environment of its own"
            )
    return ""


def _place(package: str) -> Path | None:
    try:
        spec = util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return Path(spec.origin).resolve() if spec is not None and spec.origin else None
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _owner(package: str) -> str:
    """`package`'s other distribution, as far as one says that it has it."""
    others = sorted(set(metadata.packages_distributions().get(package, [])) - {"nascope"})
    return f" (which {' and '.join(others)} brings)" if others else ""


def _overwritten(package: str, root: Path) -> str:
    """Who laid another `__init__.py` over NAScope's; "" where it is the one that was installed, or where NAScope runs from source."""
    try:
        files = metadata.distribution("nascope").files or []
    except metadata.PackageNotFoundError:
        return ""
    name = f"{package}/__init__.py"
    recorded = next((file for file in files if file.as_posix() == name and file.hash is not None), None)
    if recorded is None or Path(str(recorded.locate())).resolve() != root / name:
        return ""
    assert recorded.hash is not None
    found = hashlib.new(recorded.hash.mode, (root / name).read_bytes()).digest()
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() == recorded.hash.value:
        return ""
    others = sorted(set(metadata.packages_distributions().get(package, [])) - {"nascope"})
    return " and ".join(others) or "another distribution"
