"""The ranges in the wheel's metadata and the pins in requirements.txt say the same packages, and every pin lies in its range."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
UNBOUNDED = {"torch", "pillow", "pyarrow", "websockets"}
"""Without an upper end: torch is its owner's business, the others number by the year or raise the major version without breaking."""
HELD = {
    "redis": ("8.0", "its socket timeout breaks idle consumers"),
    "django": ("6.0", "the last line that supports Python 3.11"),
    "numpy": ("3.0", "a major version"),
}
"""What the reasons beside the pins keep out."""


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(file: str = "requirements.txt") -> dict[str, Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / file).read_text().splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {canonicalize_name(item.name): item for item in found}


def ranges() -> list[Requirement]:
    said = project()["project"]
    return [Requirement(text) for text in (*said["dependencies"], *said["optional-dependencies"]["production"])]


def pinned(requirement: Requirement) -> Version:
    (only,) = requirement.specifier
    assert only.operator == "==", requirement
    return Version(only.version)


def test_the_same_packages_with_the_same_extras() -> None:
    extras: dict[str, set[str]] = {}
    for item in ranges():
        extras.setdefault(canonicalize_name(item.name), set()).update(item.extras)
    assert extras == {name: set(item.extras) for name, item in pins().items()}


@pytest.mark.parametrize("item", ranges(), ids=str)
def test_a_range_begins_at_its_pin_s_minor_version_and_has_an_end(item: Requirement) -> None:
    """Below it nothing is tested; the end is where something may break."""
    pin = pinned(pins()[canonicalize_name(item.name)])
    assert item.specifier.contains(pin)
    lowest = [part.version for part in item.specifier if part.operator == ">="]
    assert lowest == [f"{pin.major}.{pin.minor}"]
    ends = [part for part in item.specifier if part.operator == "<"]
    assert len(ends) == (canonicalize_name(item.name) not in UNBOUNDED)


@pytest.mark.parametrize("name", sorted(HELD))
def test_what_a_reason_keeps_out_is_out(name: str) -> None:
    version, _ = HELD[name]
    together = SpecifierSet()
    for item in ranges():
        if canonicalize_name(item.name) == name:
            together &= item.specifier
    assert not together.contains(version)


def test_pythons_are_those_that_are_declared() -> None:
    said = project()["project"]
    listed = {text.rpartition(" ")[2] for text in said["classifiers"] if re.search(r":: 3\.\d+$", text)}
    allowed = SpecifierSet(said["requires-python"])
    assert listed and all(allowed.contains(f"{version}.0") for version in listed)
    assert not allowed.contains("3.10.13")
    assert Version(min(listed, key=Version)) == Version("3.11")


def test_the_version_stands_once() -> None:
    assert project()["project"]["dynamic"] == ["version"]
    assert project()["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "search_engine.base.release.__version__"}


def test_the_builder_is_the_one_that_the_environment_has() -> None:
    [builder] = [Requirement(text) for text in project()["build-system"]["requires"]]
    assert builder.specifier == pins("requirements-dev.txt")[canonicalize_name(builder.name)].specifier
