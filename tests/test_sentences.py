"""No sentence that people read knows more than the code: what compares or claims a cause comes from the one place that says of how many.

Looked at are the texts of the engine and of the web application (every string that has blanks in it, docstrings left out), README, the
tutorial and the model card. A new sentence with one of these words is either said by `observed` / `beside_random` (`base/observation.py`),
or it is no comparison of runs: then it is added below, with the words that make it harmless.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = re.compile(
    r"\b(better than|worse than|no better|beats?|outperform\w*|superior|as good as|proves?|honest\w*|learned transfer|learns faster|"
    r"more slowly|most fairly|beside every claim|(under|at|with) (the|one and the) same budget|only this difference|no new architecture)\b",
    re.IGNORECASE,
)
PROMISES = re.compile(
    r"\b(learns? as well as|whatever (its|the) (value|weight)|nothing is forgotten|lights? up|a winning|than it needs|until the rest|"
    r"shows? everything|explains? itself|the best networks|every finished network|for every finished|until .{0,40}\bfit the budget|"
    r"is a random sample|never changes? what|never its result|search(es)? takes? milliseconds|answered from a table in milliseconds)\b",
    re.IGNORECASE,
)
"""What a method aims at, or what mostly comes of it, said as what it does. A run that did not come there makes it untrue."""
SEALS = re.compile(
    r"\b(never sees? a test row|sees no test row|(test (part|split)|split) (is|was) opened once|only torch and numpy|nothing else\.|"
    r"equal seeds give equal bits, with)",
    re.IGNORECASE,
)
"""Words that seal more than the code does: a scorer is handed test rows, a download carries them, equal bits need equal machines."""
HARMLESS = (
    "On equal hardware and versions equal seeds give equal bits",
    "in its default order, a shuffled one, what a budget leaves of it is a random sample",
    "the sets that no other beats in weights",
    "lower = learns faster",
    "Whether it is learned transfer, several seeds would say",
)
"""Parts of sentences that compare no runs: definitions, rules of a method, what a picture marks."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string with blanks in a Python file that is no docstring; pieces of one f-string are one text."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    # A string that stands alone documents the attribute above it.
    docstrings |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | inside:
            yield node.lineno, node.value


def claims(text: str) -> bool:
    found = any(kind.search(text) for kind in (CLAIMS, PROMISES, SEALS))
    return found and not any(part in text for part in HARMLESS)


def test_texts_of_the_program_claim_nothing() -> None:
    files = [path for room in ("search_engine", "webapp") for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts]
    assert len(files) > 300
    found = [f"{path.relative_to(ROOT)}:{line}: {text}" for path in files for line, text in texts(path) if " " in text and claims(text)]
    assert not found, "\n".join(found)


def prose_sentences(page: str) -> Iterator[str]:
    """The sentences of a page of Markdown, each in one line; a fenced block is no prose.

    >>> list(prose_sentences("One goes\\nover two lines. Another.\\n\\n- an item\\n- one more"))
    ['One goes over two lines.', 'Another.', '- an item', '- one more']
    """
    for part in re.split(r"\n\n|\n(?=[-|] )", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)):
        yield from re.split(r"(?<=[.!?]) ", " ".join(part.split()))


PAGES = ["README.md", "CHANGELOG.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_pages_claim_nothing(page: str) -> None:
    found = [text for text in prose_sentences((ROOT / page).read_text()) if claims(text)]
    assert not found, "\n".join(found)


def test_every_control_is_said_as_an_observation() -> None:
    """`ControlScored` compares one run with one control: its message comes from `observed`, or says that there is none."""
    unsaid = []
    for path in sorted((ROOT / "search_engine" / "algorithms").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ControlScored":
                message = next(item.value for item in node.keywords if item.arg == "message")
                if not (isinstance(message, ast.Call) and isinstance(message.func, ast.Name) and message.func.id == "observed"):
                    unsaid.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not unsaid


@pytest.mark.parametrize(
    "text",
    [
        "Only this difference is learned transfer.", "nothing: the baseline beside every claim", "the baseline beside every claim",
        "search the same cell on the same digits with the same budget", "What remains learns faster than a random mask",
        "no new architecture is left to try", "AdaNet is better than this control", "retrained, for an honest comparison",
        "what remains learns as well as the whole network", "neurons that work with one shared weight for all edges, whatever its value",
        "may be used by the next, so nothing is forgotten", "Nothing is trained but the controller: its diagonal lights up",
        "An auto-encoder with more latent variables than it needs", "move the chances, until the probable blocks fit the budget",
        "its card says how long it takes, and it shows everything once", "Every finished network gets this report.",
        "cut short by its budget, it is a random sample of the grid", "The number of workers never changes what a search finds",
        "gives the network and a scorer, never sees a test row", "The test part was opened once for this network",
        "Only torch and numpy are needed.",
        "on which a real search takes milliseconds", "changes the speed of a search, never its result",
        "Equal seeds give equal bits, with one worker or many",
    ],
)
def test_the_sentences_that_were_wrong_would_be_found(text: str) -> None:
    assert claims(text)
