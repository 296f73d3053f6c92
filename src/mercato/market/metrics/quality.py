"""How far the inputs can be trusted on a day: whether sources agree, and how supplies are known (M1, M2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, require_sector, sector_filter
from mercato.market.metrics.numbers import plain
from mercato.market.model import Query, Result

DEFINITION = "M2.1"
FORMULA = (
    "source-spread(asset) = max/min - 1 of that day's price among sources; unverified-supply = share of the level "
    "whose supply is self-reported (C), total (D) or hidden in a vendor's cap (V); stale-supply = share whose supply "
    "is more than 7 days old."
)
UNVERIFIED = frozenset({"C", "D", "V"})
STALE_DAYS = 7

Row = Mapping[str, Any]


def quality(inputs: Inputs, query: Query) -> Result:
    """Returns per-asset price disagreement between sources and the shares of weakly known supply in a sector."""
    params.known(query, ())
    require_sector(inputs, query.sector)
    panel = inputs.panel
    today = panel.filter(sector_filter(panel, query.sector), panel.day == query.as_of, panel.cap.notnull())
    rows = inputs.engine.rows(
        today.select("asset_id", "symbol", "cap", "supply_tier", "supply_age").order_by("asset_id")
    )
    spreads = _spreads(inputs, query, [str(row["asset_id"]) for row in rows])
    sheet = Sheet("quality", DEFINITION, query, inputs.evidence("panel", [str(row["asset_id"]) for row in rows]))
    _supplies(sheet, rows)
    _disagreement(sheet, rows, spreads)
    return sheet.result(flags=[] if rows else ["no-data"])


def _spreads(inputs: Inputs, query: Query, assets: Sequence[str]) -> dict[str, Row]:
    curated = inputs.curated
    compared = curated.filter(
        curated.day == query.as_of, curated.field == "price_usd", curated.sources > 1, curated.asset_id.isin(assets)
    )
    rows = inputs.engine.rows(compared.select("asset_id", "sources", "spread", "source", "rule").order_by("asset_id"))
    return {str(row["asset_id"]): row for row in rows}


def _supplies(sheet: Sheet, rows: Sequence[Row]) -> None:
    level = sum(int(row["cap"]) for row in rows)
    weak = sum(int(row["cap"]) for row in rows if (row["supply_tier"] or "V") in UNVERIFIED)
    old = sum(int(row["cap"]) for row in rows if row["supply_age"] is not None and row["supply_age"] > STALE_DAYS)
    for name, part in (("unverified-supply", weak), ("stale-supply", old)):
        share = plain(Decimal(part) / Decimal(level)) if level else None
        sheet.add(name, share, "share", flags=[] if level else ["no-data"])
    sheet.grid(
        "supplies", ("asset_id", "symbol", "supply_tier", "supply_age"), ("", "", "", "days"),
        [(row["asset_id"], row["symbol"], row["supply_tier"], plain(row["supply_age"])) for row in rows],
    )  # fmt: skip


def _disagreement(sheet: Sheet, rows: Sequence[Row], spreads: Mapping[str, Row]) -> None:
    for row in rows:
        if found := spreads.get(str(row["asset_id"])):
            dims = {"asset": str(row["asset_id"])}
            sheet.add("source-spread", plain(float(found["spread"])), "ratio", dims=dims)
    widest = max((float(found["spread"]) for found in spreads.values()), default=None)
    sheet.add("widest-spread", plain(widest), "ratio", flags=[] if spreads else ["one-source"])
    sheet.add("compared", str(len(spreads)), "count")
    sheet.grid(
        "sources", ("asset_id", "symbol", "sources", "spread", "chosen", "rule"), ("", "", "count", "ratio", "", ""),
        [
            (row["asset_id"], row["symbol"], plain(found["sources"]), plain(float(found["spread"])), found["source"],
             found["rule"])
            for row in rows if (found := spreads.get(str(row["asset_id"])))
        ],
    )  # fmt: skip
