"""The analytics engine: one ibis expression, executed by DuckDB in this process or by Spark on a cluster.

Results come back as Arrow tables. Nothing here is a source of truth: it reads immutable Parquet
files and memory tables.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import ibis
import ibis.expr.operations as ops
import pyarrow as pa

from mercato.store.statements import MEMORY, Statement, Translation, inlined, literal, quoted, select_of, variables
from mercato.store.translations import TRANSLATIONS, form

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from pyspark.sql import SparkSession

Done = TypeVar("Done")
#: Small questions leave a core idle each, so that two at a time are quicker.
AT_ONCE = 2


class Engine:
    """Executes ibis expressions on one backend. Close it, or use it as a context manager."""

    #: The last value that is not NULL, as this engine writes it.
    LAST_KNOWN = "LAST_VALUE({0} IGNORE NULLS)"

    def __init__(self, backend: BaseBackend, translations: Path | None = None) -> None:
        self.backend, self.translations = backend, translations
        self._con: Any = getattr(backend, "con", None)  # Spark has none
        self._views: dict[ops.Node, str] = {}
        self._rows: dict[str, pa.Table] = {}

    @property
    def name(self) -> str:
        """Returns `duckdb` or `pyspark`."""
        return str(self.backend.name)

    def read(self, paths: Sequence[Path], schema: ibis.Schema) -> ibis.Table:
        """Returns the rows of Parquet files with exactly the columns of `schema`; no files give an empty table."""
        if not paths:
            return self.table(schema.to_pyarrow().empty_table(), schema)
        name = f"files_{uuid.uuid4().hex}"
        rows = select_of([str(path) for path in paths], schema)
        self._con.execute(f"CREATE VIEW {name} AS {rows}")  # not TEMP, so that `together` sees it
        return self._named(name, schema)

    def table(self, rows: pa.Table, schema: ibis.Schema | None = None) -> ibis.Table:
        """Returns Arrow rows as a table that expressions can use."""
        given = rows if schema is None else rows.select(schema.names).cast(schema.to_pyarrow())
        name = f"rows_{uuid.uuid4().hex}"
        self._con.register(name, given)
        self._rows[name] = given
        return self._named(name, schema or ibis.Schema.from_pyarrow(rows.schema))

    def _named(self, name: str, schema: ibis.Schema) -> ibis.Table:
        """Returns a table of this connection, whose columns are known: asking the database for them takes longer."""
        return ops.DatabaseTable(name, schema=schema, source=self.backend).to_expr()

    def write(self, asked: ibis.Table | Statement, path: Path) -> None:
        """Writes the rows of an expression or statement into a Parquet file.

        What is written here is read many times: LZ4 is read a third faster than Zstandard, and a tenth larger.
        """
        days, sql, _ = self._sql(asked)
        self._con.execute(f"{days}COPY ({sql}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION lz4_raw)")

    def run(self, asked: ibis.Table | Statement) -> pa.Table:
        """Returns the rows of an expression or statement."""
        days, sql, schema = self._sql(asked)
        return self._con.execute(days + sql).to_arrow_table().cast(schema.to_pyarrow())

    def rows(self, asked: ibis.Table | Statement) -> list[dict[str, object]]:
        """Returns the rows of an expression or statement as dictionaries."""
        found: list[dict[str, object]] = self.run(asked).to_pylist()
        return found

    def together(self, works: Sequence[Callable[[Engine], Done]]) -> list[Done]:
        """Does independent works, two at a time, each with an engine on the same tables, and returns what they gave."""
        with ThreadPoolExecutor(AT_ONCE) as workers:
            return list(workers.map(self._beside, works))

    def _beside(self, work: Callable[[Engine], Done]) -> Done:
        other = Engine(self.backend, self.translations)
        with self._con.cursor() as other._con:
            other._con.execute("SET TimeZone = 'UTC'")  # the one setting that belongs to a connection
            for name, rows in list(self._rows.items()):
                other._con.register(name, rows)
            return work(other)

    def _sql(self, asked: ibis.Table | Statement) -> tuple[str, str, ibis.Schema]:
        """Returns the SQL that sets the days, the SQL of the rows, and their columns."""
        if isinstance(asked, Statement):
            found = MEMORY.translation(asked, self._inlined)
            tables = {name: self._place(table) for name, table in asked.tables.items()}
            return variables(asked.days), found.over(tables), found.schema
        said = form(asked)
        if said is None:
            name = f"whole_{uuid.uuid4().hex}"
            self.backend.create_view(name, asked)
            return "", f"FROM {name}", asked.schema()
        sql = TRANSLATIONS.sql(said.key, lambda: self.backend.compile(said.expression()), self.translations)
        places = {name: quoted(place) for name, place in said.tables.items()}
        return variables(said.days), Translation(sql, asked.schema()).over(places), asked.schema()

    def _inlined(self, expression: ibis.Table) -> str:
        said = form(expression)

        def make() -> str:
            return inlined(self.backend.compile(expression))

        return make() if said is None else TRANSLATIONS.sql(f"{said.key}-inlined", make, self.translations)

    def _place(self, table: ibis.Table) -> str:
        """Returns the name of a table in the database; an expression gets a view of its own, once."""
        node = table.op()
        if isinstance(node, ops.DatabaseTable):
            return quoted(node.name)
        if node not in self._views:
            name = f"view_{uuid.uuid4().hex}"
            # TEMP, as it may stand on rows, which are views of this connection alone.
            self._con.execute(f"CREATE TEMP VIEW {name} AS {self.backend.compile(table)}")
            self._views[node] = name
        return self._views[node]

    def close(self) -> None:
        """Releases the backend's memory and files."""
        self.backend.disconnect()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SparkEngine(Engine):
    """An engine on a Spark session. Rows cross as Arrow: ibis would go through pandas and lose integers above 2**53."""

    LAST_KNOWN = "LAST_VALUE({0}, TRUE)"

    def table(self, rows: pa.Table, schema: ibis.Schema | None = None) -> ibis.Table:
        """Returns Arrow rows as a temporary view of this session."""
        given = rows if schema is None else rows.cast(schema.to_pyarrow())
        name = ibis.util.gen_name("mercato_rows")
        self.session.createDataFrame(given).createOrReplaceTempView(name)
        found = self.backend.table(name)
        return found if schema is None else found.cast(schema)

    def read(self, paths: Sequence[Path], schema: ibis.Schema) -> ibis.Table:
        """Returns the rows of Parquet files with exactly the columns of `schema`; no files give an empty table."""
        if not paths:
            return self.table(schema.to_pyarrow().empty_table(), schema)
        name = ibis.util.gen_name("mercato_files")
        self.session.read.parquet(*[str(path) for path in paths]).createOrReplaceTempView(name)
        return self.backend.table(name).select(*schema.names).cast(schema)

    def together(self, works: Sequence[Callable[[Engine], Done]]) -> list[Done]:
        """Does works one after the other: a session spreads each of them."""
        return [work(self) for work in works]

    def write(self, asked: ibis.Table | Statement, path: Path) -> None:
        """Writes the rows of an expression or statement as Parquet."""
        self.backend.to_parquet(self._expression(asked), path, compression="zstd")

    def run(self, asked: ibis.Table | Statement) -> pa.Table:
        """Returns the rows of an expression or statement, with the column types that it declares."""
        expression = self._expression(asked)
        found = self.session.sql(self.backend.compile(expression)).toArrow()
        return found.cast(expression.schema().to_pyarrow())

    def _expression(self, asked: ibis.Table | Statement) -> ibis.Table:
        """Returns a statement's expression on its own tables, with days as literals: to plan it takes far longer."""
        if not isinstance(asked, Statement):
            return asked
        return asked.expression(asked.tables, {name: ibis.literal(day) for name, day in asked.days.items()})

    def close(self) -> None:
        """Ends the Spark session, and with it what it holds in memory and on disk."""
        self.session.stop()

    @property
    def session(self) -> SparkSession:
        """Returns the Spark session that ibis works on."""
        session: SparkSession = self.backend._session
        return session


def duckdb_engine(
    *, memory: str = "1GB", threads: int | None = None, spill: Path | None = None, translations: Path | None = None
) -> Engine:
    """Returns an engine on an in-memory DuckDB, with UTC time, a memory limit and a place to spill.

    Without a place, a folder of the system's temporary files is used; DuckDB itself would take the working folder.
    `translations` is a folder where SQL is kept for the next process.
    """
    backend = ibis.duckdb.connect()
    place = spill or Path(tempfile.gettempdir()) / f"mercato-spill-{uuid.uuid4().hex}"
    settings = {
        "TimeZone": "UTC",
        "memory_limit": memory,
        "preserve_insertion_order": "false",
        "enable_progress_bar": "false",  # it would be printed between the lines of JSON
        "temp_directory": str(place),
    }
    if threads:
        settings["threads"] = str(threads)
    for name, value in settings.items():
        quoted = value.replace("'", "''")
        backend.raw_sql(f"SET {name} = '{quoted}'")
    return Engine(backend, translations)


def spark_engine(master: str = "local[2]") -> SparkEngine:
    """Returns an engine on a Spark session. Needs the `spark` extra and a Java 17 or later.

    `master` is Spark's master address; ANSI arithmetic and UTC are set, as the metric expressions expect.
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("mercato")
    for name, value in {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }.items():
        builder = builder.config(name, value)
    return SparkEngine(ibis.pyspark.connect(builder.getOrCreate()))
