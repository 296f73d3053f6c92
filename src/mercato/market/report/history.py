"""How the shares of the chains moved: the shares of the dominance metric at weekly closes, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from mercato.market.metrics.base import Inputs, Sheet
from mercato.market.metrics.dominance import groups
from mercato.market.metrics.level import members
from mercato.market.metrics.numbers import shares
from mercato.market.model import Query, Result

DEFINITION = "M8.1/weekly"
FORMULA = "The share of each home chain (M8) at the closes 0, 7, 14, ... days before the as-of day."
WEEKS = 26
SHOWN = 7

Row = Mapping[str, Any]


def history(inputs: Inputs, query: Query, weeks: int = WEEKS) -> Result:
    """Returns the weekly shares by home chain as a grid of (day, chain, share), oldest first; small ones as other."""
    days = [query.as_of - timedelta(days=7 * back) for back in range(weeks - 1, -1, -1)]
    rows = members(inputs.panel, query.sector, days[0], query.as_of)
    weekly = rows.filter(rows.day.isin(days))
    found = list(inputs.engine.rows(groups(weekly, "home_chain").order_by("day", "key")))
    ids = inputs.engine.rows(weekly.select("asset_id").distinct())
    evidence = inputs.evidence("panel", sorted(str(row["asset_id"]) for row in ids))
    sheet = Sheet("dominance-history", DEFINITION, query, evidence)
    shown = _largest(found)
    table = [(day.isoformat(), key, share) for day in days for key, share in _shares(found, day, shown).items()]
    sheet.grid("chains", ("day", "chain", "share"), ("date", "", "share"), table)
    sheet.add("weeks", str(len({row["day"] for row in found})), "count")
    return sheet.result(flags=[] if table else ["no-data"])


def _largest(found: Sequence[Row]) -> frozenset[str]:
    """Returns the chains with the largest cap over all weeks."""
    total: dict[str, int] = {}
    for row in found:
        total[row["key"]] = total.get(row["key"], 0) + int(row["cap"])
    return frozenset(sorted(total, key=lambda key: (-total[key], key))[:SHOWN])


def _shares(found: Sequence[Row], day: date, shown: frozenset[str]) -> dict[str, str]:
    caps: dict[str, int] = {}
    for row in found:
        if row["day"] == day:
            key = row["key"] if row["key"] in shown else "other"
            caps[key] = caps.get(key, 0) + int(row["cap"])
    return shares(caps)
