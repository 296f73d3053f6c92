"""SQL of expressions, remembered by their form: in memory, and in a folder for the next process.

The form of an expression is everything in it except which tables it reads and which days it names: tables count by
their columns, days by where the same one stands. It is written out whole and hashed, so a remembered translation is
always the one that would be made; whatever we cannot write out is not remembered at all.
"""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

#: So many translations are remembered; the one that was not used for longest goes first. Of files, half go at once.
REMEMBERED, FILES = 1024, 2048
#: Translations of other releases are others.
MADE_BY = f"1 ibis {version('ibis-framework')} sqlglot {version('sqlglot')}"
#: Values whose text form tells them from all others of their type.
WRITTEN = (str, int, float, bool, type(None), date, Decimal, Enum, dt.DataType, ops.Namespace)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of an expression, with the tables (database names) and days that were taken out of it, by new names."""

    key: str
    tables: Mapping[str, str]
    days: Mapping[str, date]
    _whole: ibis.Table
    _instead: Mapping[ops.Node, ops.Node]

    def expression(self) -> ibis.Table:
        """Returns the expression over tables that are known by their new names, and variables of their new names."""
        return self._whole.op().replace(dict(self._instead)).to_expr() if self._instead else self._whole


class Unwritten(Exception):
    """An expression holds something that cannot be written out."""


class _Writer:
    """Writes the nodes of an expression, each once, and takes tables and days out."""

    def __init__(self) -> None:
        self.lines = [MADE_BY]
        self.tables: dict[str, str] = {}
        self.days: dict[str, date] = {}
        self.instead: dict[ops.Node, ops.Node] = {}
        self._numbers: dict[ops.Node, int] = {}
        self._selves = 0

    def node(self, node: ops.Node) -> str:
        if node not in self._numbers:
            said = self._said(node)
            self._numbers[node] = len(self._numbers)
            self.lines.append(said)
        return f"#{self._numbers[node]}"

    def _said(self, node: ops.Node) -> str:
        if isinstance(node, ops.DatabaseTable):
            name = f"table_{len(self.tables)}"
            self.tables[name] = node.name
            self.instead[node] = ibis.table(node.schema, name=name).op()
            return f"table {self._value(node.schema)}"
        if isinstance(node, ops.Literal) and type(node.value) is date:
            name = f"day_{len(self.days)}"
            self.days[name] = node.value
            self.instead[node] = day_variable(name).op()
            return f"day {node.dtype!r}"
        if isinstance(node, ops.InMemoryTable):
            raise Unwritten
        kind = type(node)
        words = [f"{kind.__module__}.{kind.__qualname__}"]
        if isinstance(node, ops.ScalarUDF | ops.AggUDF):
            words += [str(getattr(node, name)) for name in ("__input_type__", "__func_name__", "__udf_namespace__")]
            words.append(repr(node.dtype))
        given = dict(zip(node.__argnames__, node.__args__, strict=True))
        if isinstance(node, ops.SelfReference):  # ibis counts them through the process; here it is the how manieth
            given["identifier"] = self._selves = self._selves + 1
        return " ".join([*words, *(f"{name}={self._value(value)}" for name, value in given.items())])

    def _value(self, value: Any) -> str:
        if isinstance(value, ops.Node):
            return self.node(value)
        if isinstance(value, tuple):
            return f"({', '.join(map(self._value, value))})"
        if isinstance(value, frozenset):  # names of columns that are dropped
            return f"{{{', '.join(sorted(map(self._value, value)))}}}"
        if isinstance(value, Mapping):  # a schema is one too
            return f"{{{', '.join(f'{name!r}: {self._value(item)}' for name, item in value.items())}}}"
        if isinstance(value, WRITTEN):
            return f"{type(value).__name__} {value!r}"
        raise Unwritten


def form(expression: ibis.Table) -> Form | None:
    """Returns the form of an expression, None where it holds something that cannot be written out."""
    writer = _Writer()
    try:
        writer.node(expression.op())
    except Unwritten:
        return None
    key = hashlib.sha256("\n".join(writer.lines).encode()).hexdigest()
    return Form(key, writer.tables, writer.days, expression, writer.instead)


class Translations:
    """SQL by the key of its form, shared by the threads of a process, and by processes that use the same folder."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def sql(self, key: str, make: Callable[[], str], folder: Path | None = None) -> str:
        """Returns the remembered SQL; makes and remembers it where there is none."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        found = _kept(folder, key)
        made = make() if found is None else found
        if found is None:
            _keep(folder, key, made)
        with self._lock:
            self._found[key] = made
            while len(self._found) > REMEMBERED:
                self._found.popitem(last=False)
        return made


#: The translations of this process. They hold no data and belong to no connection.
TRANSLATIONS = Translations()


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def _kept(folder: Path | None, key: str) -> str | None:
    """Returns the SQL that a folder keeps, unless it is damaged."""
    try:
        digest, _, sql = (folder / f"{key}.sql").read_text(encoding="utf-8").partition("\n") if folder else ("", "", "")
    except (OSError, UnicodeDecodeError):
        return None
    return sql if sql and digest == _digest(sql) else None


def _keep(folder: Path | None, key: str, sql: str) -> None:
    """Keeps SQL in a folder, in one step. A folder that cannot be written to only costs the next process time."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f"{uuid.uuid4().hex}.new"
        aside.write_text(f"{_digest(sql)}\n{sql}", encoding="utf-8")
        os.replace(aside, folder / f"{key}.sql")
        files = list(folder.iterdir())
        if len(files) > FILES:
            for path in sorted(files, key=lambda path: path.stat().st_mtime)[: FILES // 2]:
                path.unlink(missing_ok=True)
    except OSError:
        return


# The body is never run: the function is DuckDB's own.
@ibis.udf.scalar.builtin(name="getvariable")  # type: ignore[untyped-decorator] # ibis is untyped
def day_variable(called: str) -> date:
    """Returns the day that a variable of the connection holds (DuckDB)."""
    raise NotImplementedError
