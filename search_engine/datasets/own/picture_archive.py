"""A zip of pictures: in a folder for each class, or with one CSV that says what each is.

Folders called train, test (and val) around the class folders are a split of the owner's. The list and the headers are read first; pictures
are decoded one by one, and never lie in memory together.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ...base.errors import BadInput
from ..base import Array
from .archive import Archive
from .bounds import Bounds
from .choices import Choices, SplitKind, Task
from .draft import Draft, Tell
from .findings import Note, Sample
from .fitting_pictures import ENDINGS, Form, Seen, done_to, fitted, look, png_base64, proposed_form
from .missing import is_missing
from .split_draft import finished_split
from .splitting import PART_NAMES, TEST, own_roles, roles_by
from .stored import write_rows
from .table_draft import columns_text, say_repeats, shown
from .targets import class_targets, proposed_task, real_targets

MOST_FILE = 2**26
"""Bytes of one picture's file."""
MOST_LIST = 2**26
LIST_ENDINGS = (".csv", ".tsv", ".txt")


def read_pictures(path: Path, files: Archive, choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    """Raises BadInput(field "file" and others)."""
    pictures = [name for name in files.names if name.lower().endswith(ENDINGS)]
    lists = [name for name in files.names if name.lower().endswith((".csv", ".tsv"))]
    _refuse_other(files, pictures)
    notices: list[Note] = []
    table = _of_list(files, lists, pictures, choices, notices) if len(lists) == 1 else None
    names, labels, parts, where, target = table if table is not None else _of_folders(pictures, notices)
    used = {*pictures, *lists}
    strange = [name for name in files.names if name not in used]
    if strange:
        notices.append(Note(code="passed_over", message=f"{len(strange):,} file(s) of the zip are no pictures by their names and are not "
                                                        f"used (for example {strange[0][:60]!r}).", count=len(strange)))
    task, rows, class_names, targets = _targets(labels, choices, bounds, notices, target)
    names, parts = [names[row] for row in rows], None if parts is None else parts[rows]
    seen, digests = _looked(files, names, bounds, tell)
    form = proposed_form(seen, choices.side, choices.channels)
    if len(names) * form.channels * form.height * form.width > bounds.bytes:
        raise BadInput("side", f"{len(names):,} pictures of {form.height} x {form.width} take more than the bound of {bounds.bytes:,} "
                               "bytes: choose a smaller side", code="too_large")
    keys = np.unique(np.array(digests), return_inverse=True)[1]
    if choices.duplicates == "drop":
        keep = _firsts(keys, targets)
        if len(keep) < len(names):
            notices.append(Note(code="repeats", message=f"{len(names) - len(keep):,} picture(s) were dropped: they repeat another one.",
                                count=len(names) - len(keep)))
        names, seen, targets, keys = [names[row] for row in keep], [seen[row] for row in keep], targets[keep], keys[keep]
        parts = None if parts is None else parts[keep]
    draft = Draft(
        kind="image", task=task, format=f"zip of pictures {where}", target=target, class_names=class_names, targets=targets,
        roles=np.zeros(0, dtype=np.uint8), split=None, shape=form.shape, notices=notices,  # type: ignore[arg-type]
        write_inputs=_writer(path, bounds, names, form),
    )
    split_plain(draft, parts, choices)
    for code, message, count in done_to(seen, form):
        draft.note(code, message, count)
    say_repeats(draft, keys)
    draft.samples = [
        Sample(label=columns_text(draft, row), part="test" if draft.roles[row] == TEST else "search",
               picture=png_base64(fitted(files.read(names[row], MOST_FILE), names[row], form)))
        for row in _spread(draft)
    ]
    return draft


def split_plain(draft: Draft, parts: Array | None, choices: Choices) -> None:
    """The split of examples that are no rows of a table: as the owner's parts (n,) texts say, else each class in proportion."""
    own = None if parts is None else own_roles(parts)
    plain: SplitKind = "stratified" if draft.task == "classification" else "random"
    kind = choices.split or ("own" if own is not None else plain)
    if kind in ("group", "time") or (kind == "own" and own is None):
        message = f"these data say nothing that a split '{kind}' could follow: take random or stratified"
        raise BadInput("split", message, code="incompatible")
    if kind == "stratified" and draft.task == "regression":
        raise BadInput("split", "a regression has no classes that could be kept in proportion: take random")
    draft.roles = own if kind == "own" and own is not None else roles_by(kind, draft.targets, choices.test_share, choices.seed, None, None)
    finished_split(draft, kind, None, choices)


def _spread(draft: Draft) -> list[int]:
    """Some pictures of every class, outside the test part."""
    if draft.task != "classification":
        return shown(draft.roles)
    rest = np.flatnonzero(draft.roles != TEST)
    each = max(1, 24 // len(draft.class_names))
    return [int(row) for label in range(min(24, len(draft.class_names))) for row in rest[draft.targets[rest] == label][:each]]


def _firsts(keys: Array, targets: Array) -> Array:
    pairs = np.stack([keys.astype(np.float64), targets.astype(np.float64)], axis=1)
    found: Array = np.sort(np.unique(pairs, axis=0, return_index=True)[1])
    return found


def _refuse_other(files: Archive, pictures: list[str]) -> None:
    if pictures:
        return
    if any(name.startswith(("xl/", "word/")) for name in files.names):
        raise BadInput("file", "this is an Excel or Word file: save the table as CSV", code="unknown_format")
    raise BadInput("file", f"the zip has no pictures ({', '.join(ENDINGS)}), arrays (.npy), series (.ts) or idx files; it has "
                           f"{files.names[0][:60]!r}",
                   code="unknown_format")


def _of_folders(pictures: list[str], notices: list[Note]) -> tuple[list[str], list[str], Array | None, str, str]:
    """(files, class of each, part of each, words, what the target is called)."""
    split = [PurePosixPath(name).parts for name in pictures]
    # One folder around everything is packing, not a class.
    while all(len(parts) > 2 for parts in split) and len({parts[0] for parts in split}) == 1:
        split = [parts[1:] for parts in split]
    if any(len(parts) < 2 for parts in split):
        loose = next(name for name, parts in zip(pictures, split, strict=True) if len(parts) < 2)
        raise BadInput("file", f"{loose[:60]!r} lies in no class folder; put each picture into a folder that is called like its class, or "
                               "add one CSV that names the pictures", code="damaged_data")
    first = {parts[0].lower() for parts in split}
    parts_of = None
    if first <= set(PART_NAMES) and all(len(parts) > 2 for parts in split):
        parts_of = np.array([parts[0] for parts in split])
        split = [parts[1:] for parts in split]
    classes = sorted({parts[0] for parts in split})
    if len(classes) < 2:
        raise BadInput("file", f"there is one class folder ({classes[0][:60]!r}); at least two are needed", code="one_class")
    return pictures, [parts[0] for parts in split], parts_of, "in class folders", "class"


def _of_list(
    files: Archive, lists: list[str], pictures: list[str], choices: Choices, notices: list[Note]
) -> tuple[list[str], list[str], Array | None, str, str]:
    """The same of the CSV in the zip: the column that names pictures, and the one that is predicted."""
    try:
        text = files.read(lists[0], MOST_LIST).decode("utf-8-sig")
        sample = text[:4096]
        separator = max(",;\t", key=sample.count)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput("file", f"the list {lists[0][:60]!r} cannot be read as UTF-8 CSV: {error}", code="damaged_data") from None
    header = [name.strip() for name in rows[0]] if rows else []
    body = rows[1:]
    if not body or any(len(row) != len(header) for row in body):
        raise BadInput("file", f"the list {lists[0][:60]!r} must have a header and equally many cells in every line", code="damaged_data")
    by_name: dict[str, str | None] = {}
    for name in pictures:
        for form in {name, PurePosixPath(name).name, PurePosixPath(name).stem}:
            # Two pictures of one name in two folders: the name alone means neither.
            by_name[form] = name if form not in by_name or form == name else None
    column = max(range(len(header)), key=lambda place: sum(bool(by_name.get(row[place].strip())) for row in body[:1000]))
    matched = [by_name.get(row[column].strip()) for row in body]
    if not any(matched):
        raise BadInput("file", f"no column of {lists[0][:60]!r} names the pictures of the zip", code="damaged_data")
    others = [place for place in range(len(header)) if place != column]
    target = _target_place(header, others, choices)
    part = next((place for place in others if place != target and own_roles(np.array([row[place] for row in body])) is not None), None)
    kept = [place for place, (name, row) in enumerate(zip(matched, body, strict=True)) if name and not is_missing(row[target])]
    lost = len(body) - len(kept)
    if lost:
        notices.append(Note(code="no_target", message=f"{lost:,} line(s) of {lists[0][:60]!r} were dropped: they name no picture of the "
                                                      f"zip, or have no '{header[target]}'.", count=lost))
    unused = len(pictures) - len({matched[place] for place in kept})
    if unused:
        notices.append(Note(code="no_target", message=f"{unused:,} picture(s) of the zip are not used: the list does not name "
                                                      "them.", count=unused))
    return (
        [str(matched[place]) for place in kept], [body[place][target].strip() for place in kept],
        None if part is None else np.array([body[place][part] for place in kept]), f"with the list {lists[0][:60]}", header[target],
    )


def _target_place(header: list[str], others: list[int], choices: Choices) -> int:
    from .inference import TARGET_NAMES

    if choices.target is not None:
        if choices.target not in header:
            raise BadInput("target", f"the list has no column {choices.target[:60]!r}; it has: "
                                     f"{', '.join(header)[:200]}", code="unknown_id")
        return header.index(choices.target)
    if not others:
        raise BadInput("file", "the list has only one column; it must name each picture and say what it is", code="damaged_data")
    return next((place for name in TARGET_NAMES for place in others if header[place].lower() == name), others[-1])


def _targets(
    labels: list[str], choices: Choices, bounds: Bounds, notices: list[Note], target: str
) -> tuple[Task, Array, list[str], Array]:
    def say(code: str, message: str, count: int) -> None:
        notices.append(Note(code=code, message=message, count=count))

    return text_targets(np.array(labels), choices, bounds, say, target, listed=target != "class")


def text_targets(
    labels: Array, choices: Choices, bounds: Bounds, say: Callable[[str, str, int], None], target: str, *, listed: bool
) -> tuple[Task, Array, list[str], Array]:
    """(task, rows that stay, class names, targets of these) of texts (n,); numbers among them are a regression only where they are `listed`
    by the owner, not names of folders."""
    names, codes = np.unique(labels, return_inverse=True)
    try:
        numbers: Array | None = labels.astype(np.float64)
    except ValueError:
        numbers = None
    if numbers is not None and not np.isfinite(numbers).all():
        bad = int((~np.isfinite(numbers)).sum())
        say("no_target", f"{bad:,} example(s) were dropped: their target is no number.", bad)
        rows = np.flatnonzero(np.isfinite(numbers))
        if len(rows) == 0:
            raise BadInput("target", f"'{target}' is a number nowhere", code="one_class")
        task, inner, class_names, targets = text_targets(labels[rows], choices, bounds, say, target, listed=listed)
        return task, rows[inner], class_names, targets
    task = choices.task or (proposed_task(numbers, len(names), len(labels)) if listed else "classification")
    if task == "regression":
        if numbers is None:
            raise BadInput("task", f"'{target}' holds texts such as {str(names[0])[:40]!r}: a regression needs numbers; take "
                                   "classification")
        return task, np.arange(len(labels)), [target], real_targets(numbers)
    if numbers is not None:
        # Classes that are numbers stand in the order of the numbers.
        order = np.argsort(names.astype(np.float64), kind="stable")
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        names, codes = names[order], ranks[codes]
    rows, class_names, targets = class_targets(codes, names.tolist(), bounds, say)
    return task, rows, class_names, targets


def _looked(files: Archive, names: list[str], bounds: Bounds, tell: Tell) -> tuple[list[Seen], list[str]]:
    """Headers and digests of all."""
    seen, digests = [], []
    for place, name in enumerate(names):
        if place % 200 == 0:
            tell(0.05 + 0.4 * place / len(names), f"looking at picture {place:,} of {len(names):,}")
        data = files.read(name, MOST_FILE)
        seen.append(look(data, name, bounds))
        digests.append(hashlib.blake2b(data, digest_size=16).hexdigest())
    return seen, digests


def _writer(path: Path, bounds: Bounds, names: list[str], form: Form) -> Callable[[Path, Tell], None]:
    def write(target: Path, tell: Tell) -> None:
        with zipfile.ZipFile(path) as archive:
            files = Archive(archive, bounds)

            def fill(put: Callable[[bytes], Any]) -> None:
                for place, name in enumerate(names):
                    if place % 200 == 0:
                        tell(0.5 + 0.45 * place / len(names), f"reading picture {place:,} of {len(names):,}")
                    put(fitted(files.read(name, MOST_FILE), name, form).tobytes())

            write_rows(target, "|u1", (len(names), *form.shape), fill)

    return write
