"""Every kind of file that can stand where another is expected. A new kind is one row here, and every command meets it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path


def _write(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3_000_000)


def _socket(path: Path) -> None:
    """Stands for what may not be opened: permissions do not stop an administrator."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


KINDS: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "cannot be opened": _socket,
    "below a file": lambda path: None,
    "another encoding": _write("algorithm: random\n# Метод\n".encode("cp1251")),
    "utf-16": _write("algorithm: random\n".encode("utf-16")),
    "empty": _write(b""),
    "a byte-order mark alone": _write(b"\xef\xbb\xbf"),
    "binary": _write(bytes(range(256)) * 8),
    "control characters": _write(b"algorithm: random\nspace: \x00\x01\n"),
    "huge": _sparse,
    "a list": _write(b"- algorithm\n- random\n"),
    "a word": _write(b"random"),
    "a key twice": _write(b"algorithm: random\nspace: sequence\nbudget: {trials: 4}\nbudget: {trials: 5}\n"),
    "a key twice in a mapping": _write(b"algorithm: random\nspace: sequence\nbudget: {trials: 4, trials: 5}\n"),
    "a key twice, JSON in YAML": _write(b'{"algorithm": "random", "algorithm": "grid", "budget": {"trials": 4}}'),
    "not a number": _write(b"algorithm: random\nspace: sequence\nbudget: {samples: .nan}\n"),
    "not a number, in the options": _write(b"algorithm: darts\noptions: {learning_rate: .nan}\n"),
    "infinite": _write(b"algorithm: darts\noptions: {learning_rate: 1e999}\n"),
    "broken": _write(b"algorithm: [random\nspace: sequence\n"),
    "a tab": _write(b"algorithm:\trandom\n\tspace: sequence\n"),
    "deep": _write(b"options: " + b"[" * 2000),
    "aliases that blow up": _write(b"a: &a [1,1,1,1,1,1,1,1,1,1]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 10)) for i in range(8))),
    "a Python object": _write(b"algorithm: !!python/object/apply:os.getcwd []\n"),
    "a key that is a list": _write(b"? [algorithm]\n: random\n"),
    "a number as key": _write(b"1: random\nalgorithm: random\n"),
    "a long name": _write(b"algorithm: " + b"x" * 5000 + b"\n"),
    "a long key": _write(b"algorithm: random\nspace: sequence\nbudget: {trials: 4}\n" + b"y" * 5000 + b": 1\n"),
}


def place(kind: str, folder: Path, name: str) -> Path:
    """A file of that kind called `name` in `folder`, or the path where it is missing."""
    path = folder / name
    if kind == "below a file":
        (folder / "file").write_text("")
        return folder / "file" / name
    before = Path.cwd()
    os.chdir(folder)
    try:
        KINDS[kind](path)
    finally:
        os.chdir(before)
    return path
