"""A small table that has days, a name with a quote in it, and missing values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import pyarrow as pa

from mercato.store.analytics import Engine

SCHEMA = ibis.schema({"name": "string", "day": "date", "units": "float64"})
FIRST = date(2025, 1, 1)
ROWS: list[dict[str, object]] = [
    {"name": name, "day": FIRST + timedelta(days=day), "units": None if day % 3 else float(day + place)}
    for place, name in enumerate(("attic", "hall", "it's"))
    for day in range(20)
]


def table(engine: Engine, rows: Sequence[dict[str, object]] = ROWS) -> ibis.Table:
    """Returns these rows as a table of an engine."""
    return engine.table(pa.Table.from_pylist(list(rows), schema=SCHEMA.to_pyarrow()), SCHEMA)
