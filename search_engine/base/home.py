"""Where NAScope keeps what it writes: `./var` of a checkout, a folder of the user's own where NAScope was installed as a package.

`NASCOPE_HOME` names another folder, `NASCOPE_DATA` another one for data files; both are read each time, because tests and parent
processes set them.

Source of the folders: XDG Base Directory Specification 0.8 ("$XDG_DATA_HOME defines the base directory relative to which user-specific
data files should be stored"; a relative path there is to be ignored); Apple, File System Programming Guide ("Application Support");
Microsoft, KNOWNFOLDERID (FOLDERID_LocalAppData).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

INSTALLED = ("site-packages", "dist-packages")
"""What the folder is called into which packages are installed."""
ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the packages: a checkout, the folder of an image, or the one that pip installs into."""


def checkout(root: Path = ROOT) -> Path | None:
    """The checkout (or the folder of an image) that this code runs from, None where it was installed as a package."""
    return root if root.name not in INSTALLED and (root / "manage.py").is_file() else None


def home() -> Path:
    """The folder for all that is written: NASCOPE_HOME, else `var` of the checkout, else the user's own. It need not exist yet."""
    given = os.environ.get("NASCOPE_HOME")
    if given:
        return Path(given)
    from_source = checkout()
    return from_source / "var" if from_source is not None else user_folder(sys.platform, os.environ)


def data_folder() -> Path:
    """The folder in which data files are looked up: NASCOPE_DATA, else `var/data` of the checkout, else `data` in `home()`."""
    given = os.environ.get("NASCOPE_DATA")
    if given:
        return Path(given)
    from_source = checkout()
    return from_source / "var" / "data" if from_source is not None else home() / "data"


def user_folder(platform: str, environment: Mapping[str, str]) -> Path:
    """The folder of a user's application data; `platform` as in `sys.platform`.

    >>> user_folder("linux", {"XDG_DATA_HOME": "/srv/ada"}).as_posix()
    '/srv/ada/nascope'
    """
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "nascope"
    if platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "nascope"
    given = environment.get("XDG_DATA_HOME", "")
    return (Path(given) if os.path.isabs(given) else Path.home() / ".local" / "share") / "nascope"
