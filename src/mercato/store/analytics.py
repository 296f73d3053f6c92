"""The analytics engine: one ibis expression, executed by DuckDB in this process or by Spark on a cluster.

Results come back as Arrow tables. Nothing here is a source of truth: it reads immutable Parquet
files and memory tables.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from pyspark.sql import SparkSession


#: So many distinct values of a column are written as a dictionary: more than there are assets in most universes.
DICTIONARY = 20_000


class Engine:
    """Executes ibis expressions on one backend. Close it, or use it as a context manager."""

    #: The last value that is not NULL, as this engine writes it.
    LAST_KNOWN = "LAST_VALUE({0} IGNORE NULLS)"

    def __init__(self, backend: BaseBackend) -> None:
        self.backend = backend

    @property
    def name(self) -> str:
        """Returns `duckdb` or `pyspark`."""
        return str(self.backend.name)

    def read(self, paths: Sequence[Path], schema: ibis.Schema) -> ibis.Table:
        """Returns the rows of Parquet files with exactly the columns of `schema`; no files give an empty table."""
        if not paths:
            return self.table(schema.to_pyarrow().empty_table(), schema)
        files = [str(path) for path in paths]
        found = self.backend.read_parquet(files)
        # A cast of every column that changes none still costs the translation of each expression on top of it.
        return found if found.schema() == schema else found.select(*schema.names).cast(schema)

    def table(self, rows: pa.Table, schema: ibis.Schema | None = None) -> ibis.Table:
        """Returns Arrow rows as a table that expressions can use."""
        return ibis.memtable(rows, schema=schema or ibis.Schema.from_pyarrow(rows.schema))

    def carry(self, rows: ibis.Table, by: str, order: str, columns: Sequence[str]) -> ibis.Table:
        """Returns the rows with each NULL in `columns` filled by the last value before it, in one pass.

        Within equal `by`, in the order of `order`, which must not repeat. Written as SQL, because ibis drops the words
        IGNORE NULLS; column names are plain words.
        """
        name = f"carry_{uuid.uuid4().hex}"
        kept = [column for column in rows.columns if column not in columns]
        filled = [f"{self.LAST_KNOWN.format(column)} OVER w AS {column}" for column in columns]
        window = f"PARTITION BY {by} ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        query = f"SELECT {', '.join([*kept, *filled])} FROM {name} WINDOW w AS ({window})"  # noqa: S608  # our own names
        self.backend.create_view(name, rows)
        return self.backend.sql(query, schema=rows.schema()).select(*rows.columns)

    def write(self, expression: ibis.Table, path: Path) -> None:
        """Writes the rows of an expression into a Parquet file.

        Only columns of few distinct values are tried as dictionaries; trying it on every price costs a fifth more.
        """
        self.backend.to_parquet(expression, path, compression="zstd", dictionary_size_limit=DICTIONARY)

    def run(self, expression: ibis.Table) -> pa.Table:
        """Returns the rows of an expression."""
        return self.backend.to_pyarrow(expression)

    def rows(self, expression: ibis.Table) -> list[dict[str, object]]:
        """Returns the rows of an expression as dictionaries."""
        return self.run(expression).to_pylist()  # type: ignore[no-any-return] # pyarrow is untyped

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

    def run(self, expression: ibis.Table) -> pa.Table:
        """Returns the rows of an expression, with the column types that the expression declares."""
        found = self.session.sql(self.backend.compile(expression)).toArrow()
        return found.cast(expression.schema().to_pyarrow())

    def close(self) -> None:
        """Ends the Spark session, and with it what it holds in memory and on disk."""
        self.session.stop()

    @property
    def session(self) -> SparkSession:
        """Returns the Spark session that ibis works on."""
        session: SparkSession = self.backend._session
        return session


def duckdb_engine(*, memory: str = "1GB", threads: int | None = None, spill: Path | None = None) -> Engine:
    """Returns an engine on an in-memory DuckDB, with UTC time, a memory limit and a place to spill.

    Without a place, a folder of the system's temporary files is used; DuckDB itself would take the working folder.
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
    return Engine(backend)


def spark_engine(master: str = "local[2]") -> Engine:
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
