"""The panel: one row per asset and calendar day, with carried prices and supplies and how old each is (M1, M2).

A day follows from the facts known at the end of the day before and the curated rows of that day. The same
expression makes a whole history (no facts yet) or one more day (facts of the day before), so both agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from mercato.market.layers.builtins import text_of_last, value_of_last
from mercato.market.schema import PANEL
from mercato.store.analytics import Engine
from mercato.store.statements import Statement, carried

#: A fact: the last known value of a field of an asset. `since` is the first day on which the asset had that field.
FACTS = ibis.schema(
    {
        "asset_id": "string",
        "field": "string",
        "day": "date",
        "value": "float64",
        "raw_sha": "string",
        "since": "date",
        "high": "float64",  # of the fact's own day; NULL once it is carried
    }
)

PRICE, CAP, VOLUME, HIGH = "price_usd", "market_cap_usd", "volume_usd_24h", "price_high_usd"
#: Supply fields from the most to the least trusted, with the tier that each is (M2).
TIERS = {
    "supply_onchain": "A",
    "supply_circulating": "B",
    "shares_outstanding": "B",
    "supply_self_reported": "C",
    "supply_total": "D",
}
CARRIED_FIELDS = (PRICE, CAP, "supply_max", *TIERS)

FRESH_DAYS, CARRIED_DAYS, STALE_DAYS = 1, 3, 7
#: Reference totals come monthly, companies do not vanish: their last value stands longer, and is then unknown, not 0.
REFERENCE_DAYS = 35
#: A better tier yields to a lesser one when it is older than this.
SUPPLY_DAYS = 45
MICRO, LARGEST = 1_000_000.0, 9.2e18


def facts(curated: ibis.Table, before: ibis.Table | None = None) -> ibis.Table:
    """Returns every carried fact: those of the curated rows, and those known `before` the first of them."""
    rows = curated.filter(curated.field.isin(CARRIED_FIELDS) & curated.value.notnull())
    found = rows.select("asset_id", "field", "day", "value", "raw_sha", since=rows.day, high="high").cast(FACTS)
    return found if before is None else found.union(before.select(*FACTS.names).cast(FACTS))


def last_facts(known: ibis.Table) -> ibis.Table:
    """Returns the latest fact of each asset and field: what the next day starts from."""
    key = ["asset_id", "field"]
    latest = known.group_by(key).agg(
        value=value_of_last(known.value, known.day),
        raw_sha=text_of_last(known.raw_sha, known.day),
        last=known.day.max(),
        since=known.since.min(),
    )
    return latest.mutate(day=latest["last"], high=ibis.null("float64")).select(*FACTS.names).cast(FACTS)


def panel(
    engine: Engine, curated: ibis.Table, assets: ibis.Table, first: date, last: date, before: ibis.Table | None = None
) -> Statement:
    """Returns PANEL rows for the days from `first` to `last`, from the curated rows of those days.

    Raw documents are numbers on the way: long texts carried along every row would cost more than all the rest.
    """
    older = {} if before is None else {"before": before}
    found = engine.run(Statement(spoken, curated=curated, **older, first=first, last=last))
    texts = sorted(set(found["raw_sha"].to_pylist()))
    docs = pa.table({"raw_sha": pa.array(texts, pa.string()), "doc": pa.array(range(len(texts)), pa.int32())})
    eve = first - timedelta(days=1)
    days = pa.table({"day": pa.array([eve + timedelta(days=step) for step in range((last - eve).days + 1)])})
    return Statement(
        panel_rows,
        curated=curated,
        assets=assets,
        docs=engine.table(docs),
        calendar=engine.table(days),
        **older,
        first=first,
        last=last,
        eve=eve,
        fields=tuple(sorted(set(found["field"].to_pylist()))),
        last_known=engine.LAST_KNOWN,
    )


def panel_rows(
    curated: ibis.Table,
    assets: ibis.Table,
    docs: ibis.Table,
    calendar: ibis.Table,
    first: ibis.ir.DateValue,
    last: ibis.ir.DateValue,
    eve: ibis.ir.DateValue,
    fields: tuple[str, ...],
    last_known: str,
    before: ibis.Table | None = None,
) -> ibis.Table:
    """Returns PANEL rows (see `panel`); `fields` are all that curated rows and older facts speak of."""
    own = between(curated, first, last)
    known = facts(own, before)
    wide = _spine(known, calendar, first)
    carries = carried_of(fields)
    for field in carries:
        wide = _placed(wide, known.filter(known.field == field).inner_join(docs, "raw_sha"), field, eve)
    wide = _own_day(wide, own, fields)
    names = [name for field in carries for name in names_of(field)]
    filled = carried(wide, "asset_id", "day", names, last_known) if names else wide
    rows = complete(filled.filter((filled.day >= first) & (filled.day >= filled.listed)), carries)
    sized = states(rows.inner_join(assets, "asset_id"), fields)
    named = sized.left_join(docs.rename(price_doc="doc", price_sha="raw_sha"), "price_doc")
    named = named.left_join(docs.rename(supply_doc="doc", supply_sha="raw_sha"), "supply_doc")
    return named.select(*PANEL.names).cast(PANEL)


def between(curated: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns the rows of the days from `first` to `last`."""
    return curated.filter(curated.day >= first, curated.day <= last)


def spoken(
    curated: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue, before: ibis.Table | None = None
) -> ibis.Table:
    """Returns the pairs of field and raw document that curated rows and older facts speak of."""
    pairs = between(curated, first, last).select("field", "raw_sha").distinct()
    return pairs if before is None else pairs.union(before.select("field", "raw_sha"), distinct=True)


def facts_after(
    curated: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue, before: ibis.Table | None = None
) -> ibis.Table:
    """Returns the facts known at the end of `last`, from the rows since `first` and the facts before it."""
    return last_facts(facts(between(curated, first, last), before))


def carried_of(fields: Sequence[str]) -> list[str]:
    """Returns the carried fields among these."""
    return [field for field in CARRIED_FIELDS if field in fields]


def names_of(field: str) -> tuple[str, str, str]:
    """Returns the columns of a carried field: its value, the day of it, and the raw document."""
    return field, f"{field}_day", f"{field}_doc"


def _spine(known: ibis.Table, calendar: ibis.Table, first: ibis.ir.DateValue) -> ibis.Table:
    """Returns each asset's days from its first fact on, and the day before `first` for older facts.

    `listed` is the day of its first price or vendor cap; assets without either have no rows. A supply may be known
    before the first price: the rows begin there, and those before the listing go again.
    """
    sized = known.field.isin((PRICE, CAP))
    starts = known.group_by("asset_id").agg(began=known.since.min(), listed=known.since.min(where=sized))
    starts = starts.filter(starts.listed.notnull())
    spine = starts.cross_join(calendar)
    return spine.filter((spine.day >= spine.began) | (spine.day < first))


def _placed(wide: ibis.Table, rows: ibis.Table, field: str, eve: ibis.ir.DateValue) -> ibis.Table:
    """Returns the days with the value of a field, its day and its document where there is one; older ones on the
    `eve` of the first day."""
    value, day, doc = names_of(field)
    at = ibis.greatest(rows.day, eve)
    high = {"high_seen": rows.high} if field == PRICE else {}
    columns = {value: rows.value, day: rows.day, doc: rows.doc, **high}
    own = rows.select(fact_asset="asset_id", fact_day=at, **columns)
    joined = wide.left_join(own, [wide.asset_id == own.fact_asset, wide.day == own.fact_day])
    return joined.drop("fact_asset", "fact_day")


def complete(rows: ibis.Table, fields: Sequence[str], doc: str = "int32") -> ibis.Table:
    """Returns the rows with an empty column for each needed field, other than supplies, that nobody has spoken of.

    `doc` is the type of raw documents.
    """
    types = dict(zip(("", "_day", "_doc"), ("float64", "date", doc), strict=True))
    empty = {
        field + suffix: ibis.null(kind)
        for field in (PRICE, CAP, "supply_max")
        if field not in fields
        for suffix, kind in types.items()
    }
    return rows.mutate(**empty) if empty else rows


def _own_day(rows: ibis.Table, curated: ibis.Table, fields: Sequence[str]) -> ibis.Table:
    """Returns the rows with what counts on its own day only: the volume, and the high of the price."""
    said = curated.filter(curated.value.notnull())
    columns = {VOLUME: "volume", HIGH: "high_said"}
    for field, column in columns.items():
        if field not in fields:
            rows = rows.mutate(**{column: ibis.null("float64")})
            continue
        own = said.filter(said.field == field)
        own = own.select(own_asset="asset_id", own_day="day", **{column: own.value if field == VOLUME else own.high})
        rows = rows.left_join(own, [rows.asset_id == own.own_asset, rows.day == own.own_day])
        rows = rows.drop("own_asset", "own_day")
    seen = rows.high_seen if PRICE in fields else ibis.null("float64")
    return rows.mutate(price_high=ibis.greatest(seen, rows.high_said))


def states(rows: ibis.Table, fields: Sequence[str]) -> ibis.Table:
    """Returns the rows with price, supply, cap, weight and state, from what is carried of these fields."""
    rows = _sized(_supplied(rows, [field for field in TIERS if field in fields]))
    aged = ibis.coalesce(rows.price_age, rows.cap_age)
    token = rows.kind == "token"
    patience = token.ifelse(STALE_DAYS, REFERENCE_DAYS)
    state = ibis.cases(
        (aged <= FRESH_DAYS, "fresh"),
        (aged <= CARRIED_DAYS, "carried"),
        (aged <= patience, "stale"),
        else_="inactive",
    )
    gone = token.ifelse(ibis.literal(0, "int64"), ibis.null("int64"))
    inside = (rows.active_from.isnull() | (rows.day >= rows.active_from)) & (
        rows.active_to.isnull() | (rows.day <= rows.active_to)
    )
    counts = inside & (rows.wraps.fill_null("") == "")
    return rows.mutate(
        price=rows[PRICE],
        price_doc=rows[f"{PRICE}_doc"],
        state=state,
        cap=(aged > patience).ifelse(gone, rows.micro),
        weight=counts.ifelse(1, 0),
        listed_days=rows.day.delta(rows.listed, unit="day"),
    )


def _supplied(rows: ibis.Table, supplies: Sequence[str]) -> ibis.Table:
    """Returns the rows with the best supply: the first tier that is not too old, otherwise the first there is."""
    ages = {field: rows.day.delta(rows[f"{field}_day"], unit="day") for field in supplies}
    usable = [(ages[field] <= SUPPLY_DAYS, field) for field in supplies]
    present = [(rows[field].notnull(), field) for field in supplies]

    def pick(kind: dt.DataType | str, what: dict[str, ibis.Value]) -> ibis.Value:
        cases = [(test, what[field]) for test, field in usable + present]
        return ibis.cases(*cases) if cases else ibis.null(kind)

    return rows.mutate(
        supply=pick("float64", {field: rows[field] for field in supplies}),
        supply_age=pick("int64", ages),
        supply_doc=pick(rows[f"{PRICE}_doc"].type(), {field: rows[f"{field}_doc"] for field in supplies}),
        supply_tier=pick("string", {field: ibis.literal(TIERS[field]) for field in supplies}),
        price_age=rows.day.delta(rows[f"{PRICE}_day"], unit="day"),
        cap_age=rows.day.delta(rows[f"{CAP}_day"], unit="day"),
    )


def _sized(rows: ibis.Table) -> ibis.Table:
    """Returns the rows with their cap in micro-USD; without price or supply, the vendor's cap stands, tier V."""
    vendor = (rows[PRICE].isnull() | rows.supply.isnull()) & rows[CAP].notnull()
    dollars = vendor.ifelse(rows[CAP], rows[PRICE] * rows.supply)
    micro = dollars * MICRO
    return rows.mutate(
        micro=(micro < LARGEST).ifelse(micro.round(0), ibis.null("float64")).cast("int64"),
        supply_tier=vendor.ifelse("V", rows.supply_tier),
        supply_age=vendor.ifelse(rows.cap_age, rows.supply_age),
        supply_doc=vendor.ifelse(rows[f"{CAP}_doc"], rows.supply_doc),
    )
