"""The locks are those that were audited, and what the lists say is read as they say it."""

from __future__ import annotations

import datetime
import json
import re

import pytest

from tools import audit


def test_the_locks_are_those_that_were_audited() -> None:
    now = {lock: audit.digest(audit.ROOT / lock) for lock in audit.LOCKS}
    assert audit.recorded(audit.PAGE.read_text()) == now, "dependencies changed: run make audit, and read what it says"


def test_every_python_dependency_is_pinned() -> None:
    for lock in audit.LOCKS[:2]:
        for line in (audit.ROOT / lock).read_text().splitlines():
            words = line.partition("#")[0].strip()
            assert not words or words == "-r requirements.txt" or re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[^ ]+( ;.+)?", words), line


def test_every_package_of_the_front_end_has_its_digest() -> None:
    packages = json.loads((audit.ROOT / audit.LOCKS[2]).read_text())["packages"]
    without = [name for name, package in packages.items() if name and not package.get("link") and "sha512-" not in package["integrity"]]
    assert len(packages) > 100 and not without


CLEAN = {"name": "a", "version": "1", "vulns": []}
FAULTY = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "reached", "text"),
    [
        ([CLEAN], True, "no known fault in 1 packages"),
        ([CLEAN, FAULTY], True, "b 2: CVE-1, CVE-2"),
        ([CLEAN, UNKNOWN], False, "no known fault in 1 packages; 1 packages are not in the list that could be reached"),
    ],
)
def test_what_pip_audit_says(packages: list[dict[str, object]], reached: bool, text: str) -> None:
    found = audit.python_answer("requirements.txt", json.dumps({"dependencies": packages}), 0)
    assert (found.reached, found.text) == (reached, text)


def test_a_list_that_does_not_answer_is_told() -> None:
    for found in (audit.python_answer("requirements.txt", "", 1), audit.node_answer("package-lock.json", '{"error": {}}')):
        assert not found.reached and found.text == "its list could not be reached"


def test_what_npm_says() -> None:
    counts = {"info": 0, "low": 2, "high": 1, "total": 3}
    assert audit.node_answer("package-lock.json", json.dumps({"metadata": {"vulnerabilities": counts}})).text == "2 low, 1 high"


def test_what_is_written_is_read_again() -> None:
    digests = {lock: f"{place}" * 64 for place, lock in enumerate(audit.LOCKS)}
    answers = [audit.Answer(lock, "a tool", True, "no known fault") for lock in audit.LOCKS]
    assert audit.recorded(audit.section(answers, digests, datetime.date(2026, 1, 2))) == digests
