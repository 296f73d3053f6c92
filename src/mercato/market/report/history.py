"""How the shares of the chains moved: the dominance metric asked week by week, each answer with its own figure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from mercato.market.metrics import metric
from mercato.market.metrics.base import Inputs, Sheet
from mercato.market.model import Figure, Query, Result

DEFINITION = "M8.1/weekly"
FORMULA = "The share of each home chain (M8) at the closes 0, 7, 14, ... days before the as-of day."
WEEKS = 26


def history(inputs: Inputs, query: Query, weeks: int = WEEKS) -> Result:
    """Returns the weekly shares by home chain as a grid of (day, chain, share, figure), oldest first."""
    sheet = Sheet("dominance-history", DEFINITION, query, inputs.evidence("panel", None))
    days = [query.as_of - timedelta(days=7 * back) for back in range(weeks - 1, -1, -1)]
    found = [(day, item) for day in days for item in _shares(inputs, query, day)]
    rows = [(day.isoformat(), item.dims["key"], item.value) for day, item in found]
    sheet.grid("chains", ("day", "chain", "share"), ("date", "", "share"), rows)
    sheet.add("weeks", str(len({day for day, _ in found})), "count")
    return sheet.result(flags=[] if rows else ["no-data"])


def _shares(inputs: Inputs, query: Query, day: date) -> Iterator[Figure]:
    answer = metric("dominance")(inputs, Query(day, query.sector, 7, query.known_at))
    yield from (item for item in answer.figures if item.name == "share" and item.value and "key" in item.dims)
