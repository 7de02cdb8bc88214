"""Queries whose shape never changes, compiled once: Django takes longer to compile one than the database to answer it."""

from collections.abc import Callable
from copy import copy
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import QuerySet

Row = TypeVar("Row")


class Compiled(Generic[Row]):
    """A queryset with places for values, compiled at its first use by the process.

    `make` takes the values and returns the queryset; `marks` stand for them while it is compiled: each of its value's type, no
    two alike, and none that the query holds otherwise. Values come as the database takes them: nothing converts or checks them.
    """

    def __init__(self, make: Callable[..., "QuerySet[Any, Row]"], *marks: Any) -> None:
        self._make, self._marks = make, marks

    def __call__(self, *values: Any) -> list[Row]:
        """Return what the query finds for these values, in a list of one's own."""
        queryset, compiler, sql, places = self._ready
        here = copy(compiler)
        here.connection = connections[queryset.db]
        given = tuple(values[place] if place is not None else param for place, param in places)
        here.as_sql = lambda *_, **__: (sql, given)
        asked = queryset.all()
        asked.query.get_compiler = lambda *_, **__: here  # type: ignore[method-assign]
        return list(asked)

    def first(self, *values: Any) -> Row | None:
        """Return the first of what the query finds, or None."""
        return next(iter(self(*values)), None)

    @cached_property
    def _ready(self) -> tuple["QuerySet[Any, Row]", Any, str, list[tuple[int | None, Any]]]:
        queryset = self._make(*self._marks)
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, params = compiler.as_sql()
        marks = list(self._marks)
        places = [(marks.index(param) if param in marks else None, param) for param in params]
        assert {place for place, _ in places if place is not None} == set(range(len(marks))), "a mark has no place"
        return queryset, compiler, sql, places
