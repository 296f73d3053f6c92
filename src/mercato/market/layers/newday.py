"""One new day: the facts and highs known at its end, and the rows that `panel` gives for a span of that day alone.

Carrying values forward over one day is nothing but taking what it said, or else what was known before. So one more day
needs neither calendar nor window nor groups, at less than half the cost.
"""

from __future__ import annotations

import ibis

from mercato.market.layers.panel import (
    CAP,
    CARRIED_FIELDS,
    FACTS,
    HIGH,
    PRICE,
    VOLUME,
    carried_of,
    complete,
    names_of,
    states,
)
from mercato.market.metrics.drawdown import own_closes
from mercato.market.metrics.level import members
from mercato.market.schema import HIGHS, PANEL


def day_facts(curated: ibis.Table, before: ibis.Table, day: ibis.ir.DateValue) -> ibis.Table:
    """Returns the FACTS known at the end of `day`, from its curated rows and the facts `before` it."""
    said = curated.filter(curated.day == day, curated.field.isin(CARRIED_FIELDS), curated.value.notnull())
    own = said.select(own_asset="asset_id", own_field="field", own_value="value", own_sha="raw_sha")
    both = before.outer_join(own, [before.asset_id == own.own_asset, before.field == own.own_field])
    fresh = both.own_value.notnull()
    found = both.select(
        asset_id=ibis.coalesce(both.asset_id, both.own_asset),
        field=ibis.coalesce(both.field, both.own_field),
        day=fresh.ifelse(day, both.day),
        value=fresh.ifelse(both.own_value, both.value),
        raw_sha=fresh.ifelse(both.own_sha, both.raw_sha),
        since=ibis.coalesce(both.since, day),
        high=ibis.null("float64"),
    )
    return found.cast(FACTS)


def day_rows(
    facts: ibis.Table, curated: ibis.Table, assets: ibis.Table, day: ibis.ir.DateValue, fields: tuple[str, ...]
) -> ibis.Table:
    """Returns PANEL rows of `day`, from the FACTS at its end, which are of these `fields`, and its curated rows."""
    carries = carried_of(fields)
    own = _own(curated.filter(curated.day == day))
    wide = _wide(facts, carries)
    wide = wide.left_join(own, "asset_id").select(*wide.columns, "volume", "price_high", day=day)
    rows = complete(wide, carries, doc="string")
    sized = states(rows.inner_join(assets, "asset_id"), fields)
    return sized.mutate(price_sha=sized.price_doc, supply_sha=sized.supply_doc).select(*PANEL.names).cast(PANEL)


def day_highs(panel: ibis.Table, before: ibis.Table, day: ibis.ir.DateValue) -> ibis.Table:
    """Returns the HIGHS at the end of `day`, from its panel rows and the highs `before` it."""
    rows = own_closes(members(panel, "all", day, day))
    own = rows.select(own_asset="asset_id", close="price", peak=ibis.greatest(rows.price_high, rows.price))
    both = before.outer_join(own, before.asset_id == own.own_asset)
    higher = both.close.notnull() & (both.ath.isnull() | (both.close > both.ath))
    above = both.peak.notnull() & (both.intraday.isnull() | (both.peak > both.intraday))
    found = both.select(
        asset_id=ibis.coalesce(both.asset_id, both.own_asset),
        ath=higher.ifelse(both.close, both.ath),
        intraday=above.ifelse(both.peak, both.intraday),
        ath_day=higher.ifelse(day, both.ath_day),
        intraday_day=above.ifelse(day, both.intraday_day),
    )
    return found.cast(HIGHS)


def _wide(facts: ibis.Table, carries: list[str]) -> ibis.Table:
    """Returns each asset that has a price or a vendor's cap, since when, and its fact of each field."""
    columns: dict[str, ibis.Value] = {}
    for field in carries:
        here = facts.field == field
        found = facts.value.max(where=here), facts.day.max(where=here), facts.raw_sha.max(where=here)
        columns.update(zip(names_of(field), found, strict=True))
    listed = facts.since.min(where=facts.field.isin((PRICE, CAP)))
    wide = facts.group_by("asset_id").agg(listed=listed, **columns)
    return wide.filter(wide.listed.notnull())


def _own(curated: ibis.Table) -> ibis.Table:
    """Returns what counts on its own day only: the volume, and the high of the price."""
    said = curated.filter(curated.field.isin((PRICE, HIGH, VOLUME)), curated.value.notnull())
    return said.group_by("asset_id").agg(
        volume=said.value.max(where=said.field == VOLUME),
        price_high=said.high.max(where=said.field.isin((PRICE, HIGH))),
    )
