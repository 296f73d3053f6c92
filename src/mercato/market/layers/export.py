"""Layers as CSV for other tools."""

from __future__ import annotations

from typing import BinaryIO

import ibis
import pyarrow.csv as pacsv

from mercato.store.analytics import Engine

#: What may be exported, and the columns by which it is sorted.
EXPORTS: dict[str, list[str]] = {
    "panel": ["asset_id", "day"],
    "curated": ["asset_id", "field", "day"],
    "assets": ["asset_id"],
}


def write_csv(engine: Engine, rows: ibis.Table, target: BinaryIO) -> None:
    """Writes rows batch by batch; missing values are empty, text is quoted."""
    reader = engine.backend.to_pyarrow_batches(rows, chunk_size=100_000)
    with pacsv.CSVWriter(target, reader.schema) as writer:
        for batch in reader:
            writer.write(batch)
