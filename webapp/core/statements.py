"""Statements of the workers' hot paths, compiled once per process.

Django builds a query's SQL anew each time it is asked, which takes half a millisecond where SQLite's own work takes 30 microseconds: that
was three quarters of a trained trial's bookkeeping. A statement here is an ordinary queryset in which values that differ from time to time
are named (`Given`). Its SQL is kept, and only those values are filled in.

    of_owner = Select(lambda: Run.objects.filter(owner_id=Given("owner", BigIntegerField())).values_list("state"))
    of_owner.rows(owner=7)        # [("running",), ("queued",)]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql import UpdateQuery

from . import driver
from .plain import PLAIN

ModelType = TypeVar("ModelType", bound=Model)
Value = TypeVar("Value")


def padded(values: Sequence[Value]) -> list[Value]:
    """`values`, the last one repeated until there are 1, 2, 4, 8, ...: for a statement with a place for each, which so needs few forms."""
    return [*values, *[values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))]


class Given(Expression):
    """A value that is filled in at each execution, by its name; `field` says how the database writes it."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]

    def written(self, value: Any) -> Any:
        """`value` as the database's driver takes it."""
        if isinstance(self.output_field, PLAIN):
            return value
        return self.output_field.get_db_prep_save(value, connection)


class _Statement(ABC):
    """SQL that is made at the first execution: there the database is known, and a transaction is open where one is needed."""

    def __init__(self) -> None:
        self._sql = ""
        self._params: tuple[Any, ...] = ()

    @abstractmethod
    def _query(self) -> Any:
        """The queryset's query."""

    def _prepare(self, compiler: Any) -> None:  # noqa: B027  (an update reads no rows)
        """Keep of the compiler what reading the rows needs."""

    def _compiled(self) -> tuple[str, tuple[Any, ...]]:
        compiler = self._query().get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        self._prepare(compiler)
        return sql, tuple(params)

    def _ready(self, given: dict[str, Any]) -> tuple[str, list[Any]]:
        """The SQL and its values."""
        if not self._sql:
            sql, self._params = self._compiled()
            # Last: another thread takes it as the sign that the rest is there.
            self._sql = sql
        return self._sql, [item.written(given[item.name]) if isinstance(item, Given) else item for item in self._params]


class Select(_Statement, Generic[ModelType]):
    """A SELECT; `build` gives its queryset."""

    def __init__(self, build: Callable[[], QuerySet[ModelType, Any]]) -> None:
        super().__init__()
        self._build = build

    def _query(self) -> Any:
        return self._build().query

    def rows(self, **given: Any) -> list[Any]:
        """The rows, of the queryset's columns."""
        return list(self._found(given))

    def instances(self, **given: Any) -> Iterator[ModelType]:
        """The rows as model instances, with the queryset's annotations as attributes. All rows are read at once; an instance is made when
        its turn comes."""
        return map(self._instance, self._found(given))

    def _found(self, given: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        return map(self._converted, driver.rows(*self._ready(given)))

    def _prepare(self, compiler: Any) -> None:
        converters = compiler.get_converters([column[0] for column in compiler.select])
        self._converters = [(place, convert_all, expression) for place, (convert_all, expression) in converters.items()]
        self._model = compiler.klass_info and compiler.klass_info["model"]
        self._places = compiler.klass_info["select_fields"] if self._model else []
        self._names = [compiler.select[place][0].target.attname for place in self._places]
        self._annotations = list(compiler.annotation_col_map.items())

    def _converted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self._converters:
            return row
        values = list(row)
        for place, convert_all, expression in self._converters:
            for convert in convert_all:
                values[place] = convert(values[place], expression, connection)
        return tuple(values)

    def _instance(self, row: tuple[Any, ...]) -> ModelType:
        instance = self._model.from_db("default", self._names, [row[place] for place in self._places])
        for name, place in self._annotations:
            setattr(instance, name, row[place])
        return instance  # type: ignore[no-any-return]


class Returning(Select[ModelType]):
    """An UPDATE whose rows come back as they are then: `build` as for `Update`; `shown` gives their columns and annotations, without
    joins. Needs `can_return`."""

    def __init__(
        self, build: Callable[[], tuple[QuerySet[ModelType, Any], dict[str, Any]]], shown: Callable[[], QuerySet[ModelType, Any]]
    ) -> None:
        super().__init__(shown)
        self._update = Update(build)

    def _compiled(self) -> tuple[str, tuple[Any, ...]]:
        sql, params = self._update._compiled()
        compiler = self._query().get_compiler(connection=connection)
        compiler.as_sql()
        self._prepare(compiler)
        columns = [column for _, column, _ in compiler.select]
        sql = f"{sql} RETURNING {', '.join(column for column, _ in columns)}"
        return sql, (*params, *(param for _, of_column in columns for param in of_column))


def can_return() -> bool:
    """Whether this database gives back what a statement changed: SQLite does from 3.35 on."""
    return bool(connection.features.can_return_columns_from_insert)


class Update(_Statement):
    """An UPDATE; `build` gives the queryset of its rows and their new values."""

    def __init__(self, build: Callable[[], tuple[QuerySet[Any, Any], dict[str, Any]]]) -> None:
        super().__init__()
        self._build = build

    def _query(self) -> Any:
        rows, values = self._build()
        query: Any = rows.query.chain(UpdateQuery)
        query.annotations = {}
        query.add_update_values(values)
        return query

    def execute(self, **given: Any) -> int:
        """Returns how many rows were changed."""
        return driver.changed(*self._ready(given))
