"""Known faults of what we depend on: asked of the public lists, and written into SECURITY.md with the day.

    python -m tools.audit        what `make audit` runs: pip-audit and npm audit, each as far as its list can be reached from here

Run by hand before a release and when dependencies change. Continuous integration asks no list (a fault that becomes known tomorrow must not
redden the main branch); it compares the locks with those that were audited (tests/tools/test_audit.py).
"""

from __future__ import annotations

import datetime
import hashlib
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "SECURITY.md"
LOCKS = ("requirements.txt", "requirements-dev.txt", "frontend/package-lock.json")
BEGIN, END = "<!-- audit: make audit -->", "<!-- end of audit -->"
PIP_AUDIT = "pip-audit==2.10.1"
TIMEOUT = 600


@dataclass(frozen=True)
class Answer:
    """What one list said of one lock."""

    lock: str
    tool: str
    reached: bool
    """Whether the list answered for every package."""
    text: str


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recorded(page: str) -> dict[str, str]:
    """Lock -> its digest when it was audited, of the text of SECURITY.md."""
    rows = [row.split("|") for row in page.partition(BEGIN)[2].partition(END)[0].splitlines() if row.startswith("| `")]
    return {row[1].strip(" `"): row[2].strip(" `") for row in rows}


def python_answer(lock: str, found: str, status: int) -> Answer:
    """Of pip-audit's JSON (`found`)."""
    try:
        packages = json.loads(found)["dependencies"]
    except (ValueError, KeyError):
        return Answer(lock, "pip-audit", False, "its list could not be reached")
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    faults = [
        f"{package['name']} {package['version']}: {', '.join(fault['id'] for fault in package['vulns'])}"
        for package in packages if package.get("vulns")
    ]
    text = "; ".join(faults) or f"no known fault in {len(packages) - len(skipped)} packages"
    if skipped:
        text += f"; {len(skipped)} packages are not in the list that could be reached"
    return Answer(lock, "pip-audit", status in (0, 1) and not skipped, text)


def node_answer(lock: str, found: str) -> Answer:
    """Of npm's JSON (`found`)."""
    try:
        counts = json.loads(found)["metadata"]["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        return Answer(lock, "npm audit", False, "its list could not be reached")
    faults = [f"{count} {severity}" for severity, count in counts.items() if severity != "total" and count]
    return Answer(lock, "npm audit", True, ", ".join(faults) or "no known fault")


def section(answers: Sequence[Answer], digests: dict[str, str], day: datetime.date) -> str:
    """The part of SECURITY.md between the marks."""
    rows = [
        f"| `{answer.lock}` | `{digests[answer.lock]}` | {answer.tool} | {answer.text} |"
        for answer in answers
    ]
    head = ["| lock | SHA-256 | asked by | answer |", "| --- | --- | --- | --- |"]
    return "\n".join([BEGIN, "", f"Audited on {day.isoformat()}:", "", *head, *rows, "", END])


def _run(words: Sequence[str], folder: Path) -> tuple[int, str]:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)  # nosec B603 # our own words
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, done.stdout


def ask() -> list[Answer]:
    """Every list about every lock. pip-audit gets an environment of its own: what looks for faults is no part of the product."""
    answers = []
    with tempfile.TemporaryDirectory(prefix="nascope-audit-") as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        _run([python, "-m", "pip", "install", "--quiet", PIP_AUDIT], ROOT)
        for lock in LOCKS[:2]:
            status, found = _run([python, "-m", "pip_audit", "-r", lock, "--no-deps", "--disable-pip", "-f", "json"], ROOT)
            answers.append(python_answer(lock, found, status))
    _, found = _run(["npm", "audit", "--json"], ROOT / "frontend")
    answers.append(node_answer(LOCKS[2], found))
    return answers


def main() -> int:
    """Asks, writes and prints. The status is 1 where a fault is known."""
    answers = ask()
    page = PAGE.read_text()
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    today = datetime.datetime.now(datetime.UTC).date()
    written = section(answers, {lock: digest(ROOT / lock) for lock in LOCKS}, today)
    PAGE.write_text(before + written + after)
    print(written)
    return int(any(answer.reached and not answer.text.startswith("no known fault") for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
