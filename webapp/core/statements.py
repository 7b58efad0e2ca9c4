"""Statements of the workers' hot paths, compiled once per process.

Django builds a query's SQL anew each time it is asked, which takes half a millisecond where SQLite's own work takes 30 microseconds: that
was three quarters of a trained trial's bookkeeping. A statement here is an ordinary queryset in which values that differ from time to time
are named (`Given`). Its SQL is kept, and only those values are filled in.

    of_owner = Select(lambda: Run.objects.filter(owner_id=Given("owner", BigIntegerField())).values_list("state"))
    of_owner.rows(owner=7)        # [("running",), ("queued",)]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql import UpdateQuery

ModelType = TypeVar("ModelType", bound=Model)


class Given(Expression):
    """A value that is filled in at each execution, by its name; `field` says how the database writes it."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]

    def written(self, value: Any) -> Any:
        """`value` as the database's driver takes it."""
        return self.output_field.get_db_prep_save(value, connection)


class _Statement:
    """SQL that is made at the first execution: there the database is known, and a transaction is open where one is needed."""

    def __init__(self) -> None:
        self._sql = ""
        self._params: tuple[Any, ...] = ()
        self._compiler: Any = None

    def _query(self) -> Any:
        raise NotImplementedError

    def _execute(self, cursor: Any, given: dict[str, Any]) -> None:
        if not self._sql:
            compiler = self._query().get_compiler(connection=connection)
            sql, self._params = compiler.as_sql()
            self._compiler = compiler
            # Last: another thread takes it as the sign that the rest is there.
            self._sql = sql
        cursor.execute(self._sql, [item.written(given[item.name]) if isinstance(item, Given) else item for item in self._params])


class Select(_Statement, Generic[ModelType]):
    """A SELECT; `build` gives its queryset."""

    def __init__(self, build: Callable[[], QuerySet[ModelType, Any]]) -> None:
        super().__init__()
        self._build = build

    def _query(self) -> Any:
        return self._build().query

    def rows(self, **given: Any) -> list[Any]:
        """The rows, of the queryset's columns."""
        with connection.cursor() as cursor:
            self._execute(cursor, given)
            found = cursor.fetchall()
        return list(self._compiler.results_iter(results=[found])) if found else []

    def instances(self, **given: Any) -> list[ModelType]:
        """The rows as model instances, with the queryset's annotations as attributes."""
        instances = []
        for row in self.rows(**given):
            of_model = self._compiler.klass_info
            places = of_model["select_fields"]
            names = [self._compiler.select[place][0].target.attname for place in places]
            instance = of_model["model"].from_db("default", names, [row[place] for place in places])
            for name, place in self._compiler.annotation_col_map.items():
                setattr(instance, name, row[place])
            instances.append(instance)
        return instances


class Update(_Statement):
    """An UPDATE; `build` gives the queryset of its rows and their new values."""

    def __init__(self, build: Callable[[], tuple[QuerySet[Any, Any], dict[str, Any]]]) -> None:
        super().__init__()
        self._build = build

    def _query(self) -> Any:
        rows, values = self._build()
        query = rows.query.chain(UpdateQuery)
        query.annotations = {}
        query.add_update_values(values)
        return query

    def execute(self, **given: Any) -> int:
        """Returns how many rows were changed."""
        with connection.cursor() as cursor:
            self._execute(cursor, given)
            return int(cursor.rowcount)
