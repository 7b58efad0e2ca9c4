"""From a table to a draft: the target, the kinds of the columns, the split, and what is dropped and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...base.errors import BadInput
from ..base import Array
from .bounds import Bounds
from .choices import Choices, Kind, SplitKind, Task
from .draft import Draft, Tell
from .findings import Column, LaidOut, Note, Sample
from .giving_away import gives_away
from .inference import Inferred, as_number, as_time, infer, looks_like_date, target_of
from .split_draft import finished_split
from .splitting import TEST, own_roles, roles_by
from .tables import RawColumn, Table
from .targets import Said, class_targets, proposed_task, real_targets

SHOWN_ROWS = 12
SHOWN_CATEGORIES = 20
SHOWN_NOTES = 8


@dataclass
class _Settled:
    """A column with its kind."""

    raw: RawColumn
    inferred: Inferred
    kind: Kind


def table_draft(table: Table, choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    """Raises BadInput naming the choice that cannot be."""
    notices = list(table.notices)

    def say(code: str, message: str, count: int = 0) -> None:
        notices.append(Note(code=code, message=message, count=count))

    types = choices.types_settled()
    for name in types:
        table.column(name, "types" if name in choices.types else "target")
    named = [name for name, kind in types.items() if kind == "target"]
    if len(named) > 1:
        raise BadInput("types", f"{len(named)} columns are targets ({', '.join(named)[:80]}); one is predicted")
    free = [column for column in table.columns if column.name not in types] or table.columns
    target = table.column(named[0] if named else target_of(free), "target")
    if table.rows < 10:
        raise BadInput("file", f"it has {table.rows} row(s); at least 10 are needed", code="too_small")
    tell(0.42, "looking at the columns")
    table, target = _with_target(table, target, say)
    task, rows, class_names, targets = _targets(target, choices, bounds, say)
    if len(rows) < table.rows:
        table = _kept(table, rows)
    if choices.duplicates == "drop":
        table, targets = _without_repeats(table, targets, say)
        if len(targets) < 10:
            raise BadInput("duplicates", f"{len(targets)} rows are left without repeats; at least 10 are needed", code="too_small")
    columns = _settle(table, target.name, types, tell)
    draft = Draft(
        kind="vector", task=task, format=table.format, target=target.name, class_names=class_names, targets=targets,
        roles=np.zeros(0, dtype=np.uint8), split=None, shape=(0,), notices=notices, decimal=table.decimal,  # type: ignore[arg-type]
    )
    _split(draft, columns, choices)
    _lay_out(draft, columns, bounds)
    _describe(draft, columns, target, table, tell)
    return draft


def _with_target(table: Table, target: RawColumn, say: Said) -> tuple[Table, RawColumn]:
    missing = target.missing()
    if not missing.any():
        return table, target
    say("no_target", f"{int(missing.sum()):,} row(s) were dropped: they have no '{target.name}'.", int(missing.sum()))
    table = _kept(table, np.flatnonzero(~missing))
    return table, table.column(target.name, "target")


def _kept(table: Table, rows: Array) -> Table:
    return Table([column.kept(rows) for column in table.columns], table.format, table.notices, table.decimal)


def _targets(target: RawColumn, choices: Choices, bounds: Bounds, say: Said) -> tuple[Task, Array, list[str], Array]:
    if not len(target):
        raise BadInput("target", f"'{target.name}' is empty in every row", code="one_class")
    if target.kind == "date" or (looks_like_date(target) and choices.task != "classification"):
        raise BadInput("target", f"'{target.name}' holds dates, which cannot be predicted: choose a column of classes or numbers")
    number = as_number(target)
    codes, names = target.factorised()
    task = choices.task or proposed_task(None if number is None or target.kind == "text" else number.values, len(names), len(target))
    if task == "classification":
        rows, class_names, targets = class_targets(codes, names, bounds, say)
        return task, rows, class_names, targets
    if number is None:
        raise BadInput("task", f"'{target.name}' holds texts such as {names[0][:40]!r}: a regression needs numbers; take classification")
    rows = np.flatnonzero(~number.missing())
    if len(rows) < len(target):
        say("no_target", f"{len(target) - len(rows):,} row(s) were dropped: their '{target.name}' is no number.", len(target) - len(rows))
    return task, rows, [target.name], real_targets(number.values[rows])


def _without_repeats(table: Table, targets: Array, say: Said) -> tuple[Table, Array]:
    keys = _row_keys([column.factorised()[0] for column in table.columns], len(targets))
    rows = np.sort(np.unique(keys, return_index=True)[1])
    gone = len(targets) - len(rows)
    if gone:
        say("repeats", f"{gone:,} row(s) were dropped: they repeat another one in every cell.", gone)
    return _kept(table, rows), targets[rows]


def _row_keys(codes: list[Array], rows: int) -> Array:
    """(rows,) int64, equal where all codes are."""
    keys = np.zeros(rows, dtype=np.int64)
    for code in codes:
        # Two columns at a time, so that numbers stay small.
        keys = np.unique(keys * (int(code.max(initial=0)) + 2) + code + 1, return_inverse=True)[1]
    return keys


def _settle(table: Table, target: str, types: dict[str, Kind], tell: Tell) -> list[_Settled]:
    found: list[_Settled] = []
    count = len(table.columns)
    for place, column in enumerate(table.columns):
        if place % 50 == 0:
            tell(0.42 + 0.2 * place / count, f"looking at column {place + 1:,} of {count:,}")
        inferred = Inferred("target") if column.name == target else infer(column, table.rows)
        kind = types.get(column.name, inferred.kind)
        if kind == "number" and column.kind != "number":
            number = as_number(column) or _forced(column)
            column = number
        found.append(_Settled(column, inferred, kind))
    return found


def _forced(column: RawColumn) -> RawColumn:
    raise BadInput("types", f"'{column.name}' cannot be a number: too many of its cells are none (for example {_example(column)!r}); take "
                   "category or dropped")


def _example(column: RawColumn) -> str:
    present = np.flatnonzero(~column.missing())
    return column.text_at(int(present[0]))[:40] if len(present) else ""


def _split(draft: Draft, columns: list[_Settled], choices: Choices) -> None:
    """The chosen split, else what the columns propose: their own parts, groups, else each class in proportion."""
    by_kind = {kind: next((item for item in columns if item.kind == kind), None) for kind in ("split", "group", "time")}
    plain: SplitKind = "stratified" if draft.task == "classification" else "random"
    proposed: SplitKind = "own" if by_kind["split"] else "time" if by_kind["time"] else "group" if by_kind["group"] else plain
    kind = choices.split or proposed
    if kind == "stratified" and draft.task == "regression":
        raise BadInput("split", "a regression has no classes that could be kept in proportion: take random, group, time or own")
    needed = {"own": "split", "group": "group", "time": "time"}.get(kind)
    item = by_kind[needed] if needed else None
    if needed and item is None:
        raise BadInput("split_column", f"a split '{kind}' needs a column that it follows: name it")
    draft.groups = draft.order = None
    if item is not None:
        empty = int(item.raw.missing().sum())
        if empty:
            raise BadInput("split_column", f"'{item.raw.name}' is empty in {empty:,} row(s): the split cannot follow it there")
    if kind == "own" and item is not None:
        codes, names = item.raw.factorised()
        roles = own_roles(np.array(names)[codes])
        if roles is None:
            raise BadInput("split_column", f"'{item.raw.name}' must name the parts train, test and perhaps validation, not "
                                           f"{names[0][:40]!r}")
        draft.roles = roles
    else:
        if kind == "group" and item is not None:
            draft.groups = item.raw.factorised()[0]
        if kind == "time" and item is not None:
            draft.order = as_time(item.raw)
            unread = int((draft.order < 0).sum())
            if unread:
                raise BadInput("split_column", f"'{item.raw.name}' has {unread:,} cell(s) that are no time; it must be numbers or dates")
        draft.roles = roles_by(kind, draft.targets, choices.test_share, choices.seed, draft.groups, draft.order)
    finished_split(draft, kind, None if item is None else item.raw.name, choices)


def _lay_out(draft: Draft, columns: list[_Settled], bounds: Bounds) -> None:
    """Arrays of the cells; categories are those of the rows outside the test part."""
    pool = draft.roles != TEST
    numbers: list[Array] = []
    codes: list[Array] = []
    for item in columns:
        if item.kind == "number":
            values = item.raw.values
            draft.layout.append(LaidOut(name=item.raw.name, kind="number", place=len(numbers), missing=bool(np.isnan(values[pool]).any())))
            numbers.append(values)
        elif item.kind == "category":
            own, names = item.raw.factorised()
            counts = np.bincount(own[pool & (own >= 0)], minlength=len(names))
            frequent = sorted(np.argsort(-counts, kind="stable")[: bounds.categories].tolist())
            kept = [place for place in frequent if counts[place] > 0]
            if len(kept) < int((counts > 0).sum()):
                rare = int((counts > 0).sum()) - len(kept)
                draft.note("rare_categories", f"Of '{item.raw.name}' the {len(kept)} most frequent categories are inputs; {rare} rarer "
                                              "ones count as unknown.", rare)
            places = np.full(len(names) + 1, -1, dtype=np.int32)
            places[kept] = np.arange(len(kept))
            draft.layout.append(LaidOut(name=item.raw.name, kind="category", place=len(codes), categories=[names[place] for place in kept]))
            codes.append(places[own])
    width = sum(column.width for column in draft.layout)
    if width == 0:
        raise BadInput("types", "no column is left to predict from: take at least one as number or category", code="too_small")
    if width > bounds.columns:
        raise BadInput("types", f"numbers and spread-out categories make {width:,} inputs; at most {bounds.columns:,} are used: drop "
                                "columns",
                       code="too_large")
    draft.shape = (width,)
    draft.numbers = np.stack(numbers, axis=1) if numbers else None
    draft.codes = np.stack(codes, axis=1).astype(np.int32) if codes else None


def _describe(draft: Draft, columns: list[_Settled], target: RawColumn, table: Table, tell: Tell) -> None:
    pool = draft.roles != TEST
    keys: list[Array] = []
    for place, item in enumerate(columns):
        if place % 50 == 0:
            tell(0.65 + 0.25 * place / len(columns), "looking for columns that give the target away")
        draft.columns.append(_column(item, draft, pool, keys))
    _say_columns(draft, columns)
    rows = _row_keys(keys, len(draft.targets)) if keys else np.zeros(len(draft.targets), dtype=np.int64)
    say_repeats(draft, rows)
    draft.samples = [
        Sample(
            label=columns_text(draft, row), part="test" if draft.roles[row] == TEST else "search",
            row=[item.raw.text_at(row) for item in columns[:200]],
        )
        for row in shown(draft.roles)
    ]


def shown(roles: Array, most: int = SHOWN_ROWS) -> list[int]:
    """Places of examples to look at: the first ones outside the test part, which nobody looks at before the end."""
    found: list[int] = np.flatnonzero(roles != TEST)[:most].tolist()
    return found


def columns_text(draft: Draft, row: int) -> str:
    value = draft.targets[row]
    return draft.class_names[int(value)] if draft.task == "classification" else f"{float(value):g}"


def say_repeats(draft: Draft, keys: Array) -> None:
    """`keys` (n,): equal where inputs are."""
    counts = np.unique(keys, return_counts=True)[1]
    again = int((counts - 1).sum())
    if not again:
        return
    test = draft.roles == TEST
    across = int(np.isin(keys[test], keys[~test]).sum())
    draft.note("repeats", f"{again:,} example(s) have the inputs of another one.", again)
    if across:
        share = across / int(test.sum())
        draft.note("across", f"{across:,} of the {int(test.sum()):,} test examples ({100 * share:.1f} %) have the inputs of one outside "
                             "the test part: on them a score says little. Drop repeats, or split by groups.", across)


def _column(item: _Settled, draft: Draft, pool: Array, keys: list[Array]) -> Column:
    raw, missing = item.raw, item.raw.missing()
    codes, names = raw.factorised()
    figures: dict[str, float] = {}
    categories: list[str] = []
    if raw.kind == "number" and not missing.all():
        present = raw.values[~missing]
        figures = {"least": float(present.min()), "largest": float(present.max()), "mean": float(present.mean())}
    if raw.kind != "number" or item.kind == "category":
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        categories = [names[place][:80] for place in np.argsort(-counts, kind="stable")[:SHOWN_CATEGORIES].tolist()]
    away = None
    if item.kind in ("number", "category"):
        keys.append(codes)
        away = gives_away((raw.values if item.kind == "number" else codes)[pool], draft.targets[pool])
    return Column(
        name=raw.name, kind=item.kind, inferred=item.inferred.kind, why=item.inferred.why if item.kind == item.inferred.kind else "chosen",
        missing=int(missing.sum()), distinct=len(names), categories=categories, gives_away=away, **figures,
    )


def _say_columns(draft: Draft, columns: list[_Settled]) -> None:
    figure = "an accuracy" if draft.task == "classification" else "an R²"
    for column in [column for column in draft.columns if column.gives_away is not None][:SHOWN_NOTES]:
        draft.note("gives_away", f"'{column.name}' alone predicts '{draft.target}' with {figure} of {column.gives_away:.3f} on rows that "
                                 "the rule was not made of. If it is only known once the outcome is, drop it.")
    dropped = [column for column in draft.columns if column.kind == "dropped"]
    for column in dropped[:SHOWN_NOTES]:
        if column.why != "chosen":
            draft.note("dropped", f"'{column.name}' is not used: {column.why}.")
    if len(dropped) > SHOWN_NOTES:
        draft.note("dropped", f"{len(dropped) - SHOWN_NOTES:,} more columns are not used; each says why.", len(dropped) - SHOWN_NOTES)
    filled = [column for column in draft.columns if column.kind in ("number", "category") and column.missing]
    if filled:
        names = ", ".join(f"'{column.name}'" for column in filled[:5]) + (" ..." if len(filled) > 5 else "")
        draft.note("missing", f"{sum(column.missing for column in filled):,} cell(s) are missing, in {names}: numbers are filled with the "
                   "median of the training part and marked by an input of their own, categories count as unknown.",
                   sum(column.missing for column in filled))
    if draft.split.kind in ("random", "stratified") and any(looks_like_date(item.raw) for item in columns if item.kind == "dropped"):
        draft.note("time", "There is a column of dates. If the model is to be used on later rows, split by time.")
