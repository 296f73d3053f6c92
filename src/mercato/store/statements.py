"""Statements: expressions that are translated to SQL once, and run again with other tables and other days.

Building an ibis expression and translating it costs 50 to 100 ms, which is more than DuckDB needs for most of ours.
A statement therefore names a function that builds the expression, and what it is given. Tables are known to the
function by their columns only, days by their names only; everything else that it is given shapes the expression and
is part of what the translation is remembered by. So a remembered translation is always the one that would be made.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import ibis
import ibis.expr.operations as ops
import sqlglot
from ibis.backends.sql.datatypes import DuckDBType

from mercato.store.translations import day_variable

Build = Callable[..., ibis.Table]
#: What shapes an expression: its text form must tell two values apart, so only plain values and tuples of them.
PLAIN = (str, int, float, bool, type(None))
#: So many translations are remembered; the one that was not used for longest goes first.
REMEMBERED = 512


class Statement:
    """A function that builds an expression, and the tables (ibis.Table), days (date) and plain values it is given.

    The function is one of a module, so that its name stands for its code, and depends on nothing but what it is given:
    with tables it may do anything that ibis offers, with days only compare and subtract, as they are expressions too.
    """

    def __init__(self, build: Build, /, **given: Any) -> None:
        if "<" in build.__qualname__:
            raise TypeError(f"build was {build.__qualname__!r}, expected a function of a module")
        self.build = build
        self.tables: dict[str, ibis.Table] = {}
        self.days: dict[str, date] = {}
        self.values: dict[str, Any] = {}
        for name, value in given.items():
            if isinstance(value, ibis.Table):
                self.tables[name] = value
            elif type(value) is date:
                self.days[name] = value
            else:
                _require_plain(name, value)
                self.values[name] = value

    @property
    def shape(self) -> tuple[object, ...]:
        """Returns everything that the translation depends on."""
        tables = tuple((name, table.schema()) for name, table in self.tables.items())
        values = tuple((name, repr(value)) for name, value in self.values.items())
        return (self.build, tables, tuple(self.days), values)

    def expression(self, tables: Mapping[str, ibis.Table], days: Mapping[str, ibis.ir.DateValue]) -> ibis.Table:
        """Returns the expression that the function builds of these tables and days, and of its own values."""
        return self.build(**tables, **days, **self.values)


def _require_plain(name: str, value: object) -> None:
    if isinstance(value, tuple):
        for item in value:
            _require_plain(name, item)
    elif type(value) not in PLAIN:
        raise TypeError(f"{name} was {value!r}, expected a table, a day, or plain values and tuples of them")


@dataclass(frozen=True, slots=True)
class Translation:
    """SQL in which tables go by names of their own and days are variables; the columns of its rows."""

    sql: str
    schema: ibis.Schema

    def over(self, tables: Mapping[str, str]) -> str:
        """Returns the SQL with each table standing for the table or view of the database that `tables` names."""
        # Written out each time it is named, as a view would be: DuckDB would read the whole of it into memory first.
        heads = ", ".join(f"{quoted(name)} AS NOT MATERIALIZED (FROM {place})" for name, place in tables.items())
        if not heads:
            return self.sql
        head, _, rest = self.sql.partition(" ")
        return f"WITH {heads}, {rest}" if head == "WITH" else f"WITH {heads} {self.sql}"


class Memory:
    """Translations by the shape of their statements. Safe to share between threads."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[object, ...], Translation] = OrderedDict()
        self._lock = threading.Lock()

    def translation(self, statement: Statement, compile_: Callable[[ibis.Table], str]) -> Translation:
        """Returns the remembered translation; builds and translates the expression where there is none."""
        shape = statement.shape
        with self._lock:
            if found := self._found.get(shape):
                self._found.move_to_end(shape)
                return found
        unbound = {name: ibis.table(table.schema(), name=name) for name, table in statement.tables.items()}
        expression = statement.expression(unbound, {name: day_variable(name) for name in statement.days})
        made = Translation(compile_(expression), expression.schema())
        with self._lock:
            self._found[shape] = made
            while len(self._found) > REMEMBERED:
                self._found.popitem(last=False)
        return made


def inlined(sql: str) -> str:
    """Returns SQL whose named parts are each written out where they are read, as if they were views.

    DuckDB would compute a part that is read twice once and keep it, all rows and columns of it; most of ours are a
    filter over files, from which each reader wants something else.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    for part in tree.find_all(sqlglot.exp.CTE):
        part.set("materialized", False)
    return tree.sql(dialect="duckdb")


#: The translations of this process. They hold no data and belong to no connection.
MEMORY = Memory()


def variables(days: Mapping[str, date]) -> str:
    """Returns the SQL that sets the days as variables of a connection."""
    return "".join(f"SET VARIABLE {quoted(name)} = DATE '{day.isoformat()}'; " for name, day in days.items())


def select_of(paths: Sequence[str], schema: ibis.Schema) -> str:
    """Returns SQL for the rows of Parquet files with exactly the columns of `schema`."""
    names = ", ".join(literal(path) for path in paths)
    return f"SELECT {_columns(schema)} FROM read_parquet([{names}])"  # noqa: S608  # quoted above


@cache
def _columns(schema: ibis.Schema) -> str:
    return ", ".join(f"{quoted(name)}::{DuckDBType.to_string(kind)} AS {quoted(name)}" for name, kind in schema.items())


def carried(rows: ibis.Table, by: str, order: str, columns: Sequence[str], last_known: str) -> ibis.Table:
    """Returns the rows with each NULL in `columns` filled by the last value before it, in one pass.

    Within equal `by`, in the order of `order`, which must not repeat. Written as SQL, because ibis drops the words
    IGNORE NULLS: `last_known` is how the engine says it (Engine.LAST_KNOWN). Column names are plain words.
    """
    kept = [column for column in rows.columns if column not in columns]
    filled = [f"{last_known.format(column)} OVER w AS {column}" for column in columns]
    window = f"PARTITION BY {by} ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    query = f"SELECT {', '.join([*kept, *filled])} FROM carried_rows WINDOW w AS ({window})"  # noqa: S608  # our own names
    named = ops.AliasedRelation(parent=rows.op(), name="carried_rows")
    types = ibis.schema({column: rows.schema()[column] for column in [*kept, *columns]})
    return ops.SQLStringView(parent=named, query=query, schema=types).to_expr().select(*rows.columns)


def quoted(name: str) -> str:
    """Returns a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Returns a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
