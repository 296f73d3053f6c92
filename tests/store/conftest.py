"""An engine of one thread, with a small table of lamps that has days, text with a quote in it, and missing values."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import pytest

from mercato.store.analytics import Engine, duckdb_engine
from tests.store.lamps import table


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with duckdb_engine(threads=1) as found:
        yield found


@pytest.fixture(scope="module")
def rows(engine: Engine) -> ibis.Table:
    return table(engine)
