"""The best value of each asset, field and day among all sources, and the rule that chose it (market.md M1, M2).

Within a source the latest knowledge counts. Among sources a price is the volume-weighted median; any other field
comes from the first source in PRIORITY. A price that jumps without a second source is set aside for that day, unless
the supply jumps the other way: then units were renamed, and the cap would be wrong with one and without the other.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import pyarrow as pa

from mercato.market.layers.builtins import value_of_last
from mercato.market.layers.segments import ONE_SOURCE
from mercato.market.schema import CURATED
from mercato.store.analytics import Engine
from mercato.store.statements import Statement

PRICE, VOLUME = "price_usd", "volume_usd_24h"
SUPPLIES = ("supply_onchain", "supply_circulating", "supply_self_reported", "supply_total", "supply_max")
#: What a day's own choice asks of the days before it.
HISTORY = (PRICE, VOLUME, *SUPPLIES)
KEY = ["asset_id", "field", "day"]

#: Sources in the order in which they are believed where they cannot be averaged; all others come after, by name.
PRIORITY = ("sec", "onchain", "coingecko", "coinmarketcap", "defillama", "geckoterminal")

#: A jump is a log change beyond SIGMAS robust deviations of the asset's own recent changes.
SIGMAS = 5.0
#: The deviation is taken to be at least this much a day: a quiet asset may move by two thirds without suspicion.
LEAST_SIGMA = 0.10
HISTORY_DAYS, LEAST_RETURNS, GAP_DAYS = 50, 20, 7
#: From so many days before a day its own choice can be made again without older rows.
LOOKBACK = timedelta(days=HISTORY_DAYS + 2 * GAP_DAYS)
#: The median of absolute values times this is the standard deviation of a normal variable.
MAD_TO_SIGMA = 1.4826
#: Price and supply moved by the same factor where their log changes add up to at most this: the market moves too.
SAME_FACTOR = 0.25

#: Made where it is needed: the first array of a process imports pandas.
JUMPS = pa.schema([("asset_id", pa.string()), ("day", pa.date32())])

RULES = {
    "single/1": "the only source of that day",
    "median/1": "volume-weighted median of the sources of that day",
    "priority/1": "the source that comes first in the order of belief",
    "jump-rejected/1": "a change beyond 5 robust deviations that no second source confirms and no inverse change of "
    "supply explains; no value for that day",
}


def curated(
    engine: Engine, daily: ibis.Table, first: date | None = None, *, sources: int = 2, repeats: bool = True
) -> ibis.Table:
    """Returns CURATED rows from DAILY rows, from the day `first` on; rows before it only lend their history.

    `sources` is how many sources there are at most; with one, nothing needs to be compared among them. `repeats`
    tells whether a source may have spoken of the same field and day in several documents.
    """
    latest = _latest(daily) if repeats else daily
    chosen = _among_sources(latest) if sources > 1 else _only(latest)
    rows = _without_jumps(engine, chosen, first)
    return rows.select(*CURATED.names).cast(CURATED)


def _latest(daily: ibis.Table) -> ibis.Table:
    """Returns one row per asset, field, day and source: the one observed last."""
    order = [daily.observed_at.desc(), daily.valid_time.desc(), daily.raw_sha.desc()]
    place = ibis.row_number().over(ibis.window(group_by=[*KEY, "source"], order_by=order))
    ranked = daily.mutate(place=place)
    return ranked.filter(ranked.place == 0).drop("place")


def _only(rows: ibis.Table) -> ibis.Table:
    return rows.mutate(**ONE_SOURCE)


def _among_sources(rows: ibis.Table) -> ibis.Table:
    key = ibis.window(group_by=KEY)
    counted = rows.mutate(
        sources=rows.count().over(key),
        spread=rows.value.max().over(key) / rows.value.min().over(key).nullif(0.0) - 1.0,
    )
    several = counted.filter(counted.sources > 1).mutate(spread=ibis._.spread.fill_null(0.0))
    single = _only(counted.filter(counted.sources == 1).drop("sources", "spread"))
    names = single.columns
    return single.union(_median(several).select(*names)).union(_first(several).select(*names))


def _median(several: ibis.Table) -> ibis.Table:
    """Returns for each price the source whose value is the volume-weighted median; without volumes all weigh alike."""
    prices = several.filter(several.field == PRICE)
    volumes = several.filter(several.field == VOLUME)
    volumes = volumes.select("asset_id", "day", "source", weight=volumes.value)
    weighed = prices.left_join(volumes, ["asset_id", "day", "source"])
    weighed = weighed.select(*prices.columns, weight=weighed.weight.fill_null(0.0))
    key = ibis.window(group_by=KEY)
    weighed = weighed.mutate(weight=(weighed.weight.sum().over(key) > 0).ifelse(weighed.weight, 1.0))
    running = ibis.cumulative_window(group_by=KEY, order_by=["value", "source"])
    summed = weighed.mutate(below=weighed.weight.sum().over(running), total=weighed.weight.sum().over(key))
    upper = summed.filter(summed.below * 2 >= summed.total)
    place = ibis.row_number().over(ibis.window(group_by=KEY, order_by=[upper.below, upper.value, upper.source]))
    ranked = upper.mutate(place=place, rule=ibis.literal("median/1"))
    return ranked.filter(ranked.place == 0)


def _first(several: ibis.Table) -> ibis.Table:
    rows = several.filter(several.field != PRICE)
    rank = rows.source.cases(*[(name, place) for place, name in enumerate(PRIORITY)], else_=len(PRIORITY))
    order = [rank, rows.source]
    place = ibis.row_number().over(ibis.window(group_by=KEY, order_by=order))
    ranked = rows.mutate(place=place, rule=ibis.literal("priority/1"))
    return ranked.filter(ranked.place == 0)


def _without_jumps(engine: Engine, rows: ibis.Table, first: date | None) -> ibis.Table:
    """Returns the rows from `first` on, with prices of one source that jump set to NULL.

    A change counts as a jump against both of the two prices before it, so that a new level is believed on its
    second day, and the return from a bad price at once. Jumps are few, so they are looked for first.
    """
    found = jumps(engine, rows, first)
    if first is not None:
        rows = rows.filter(rows.day >= first)
    if not found.num_rows:
        return rows
    marks = engine.table(found)
    flagged = rows.left_join(marks, [rows.asset_id == marks.asset_id, rows.day == marks.day])
    flagged = flagged.select(*[rows[name] for name in rows.columns], jumped=marks.jumped)
    jumped = flagged.jumped.fill_null(False) & (flagged.field == PRICE)
    nothing = ibis.null("float64")
    return flagged.mutate(
        value=jumped.ifelse(nothing, flagged.value),
        low=jumped.ifelse(nothing, flagged.low),
        high=jumped.ifelse(nothing, flagged.high),
        rule=jumped.ifelse("jump-rejected/1", flagged.rule),
    )


def jumps(engine: Engine, rows: ibis.Table, first: date | None = None, last: date | None = None) -> pa.Table:
    """Returns asset_id and day of each price that is a jump; of those before `first`, perhaps not all.

    Most histories have no suspect, which is asked first. A change from a price of more than a week ago is none, nor is
    one with the inverse change of a supply on the same day. `last` is the last day of the rows, where it is known.
    """
    since = {} if first is None else {"since": first - timedelta(days=GAP_DAYS)}
    if first is not None and first == last:
        asked = Statement(largest_of_day, rows=rows, day=first, **since)
    else:
        asked = Statement(largest_change, rows=rows, **since)
    largest = engine.run(asked)
    if (largest["most"][0].as_py() or 0.0) <= SIGMAS * LEAST_SIGMA:
        return JUMPS.empty_table()
    found = _jumps(_steps(rows.filter(rows.field == PRICE)))
    return engine.run(_unexplained(found, rows).select("asset_id", "day", "jumped"))


def largest_change(rows: ibis.Table, since: ibis.ir.DateValue | None = None) -> ibis.Table:
    """Returns one row: the largest log change from one price of an asset to its next."""
    prices = rows.filter(rows.field == PRICE)
    prices = prices if since is None else prices.filter(prices.day >= since)
    before = prices.value.lag(1).over(ibis.window(group_by="asset_id", order_by="day"))
    return prices.select(change=(prices.value / before).ln().abs()).agg(most=ibis._.change.max())


def largest_of_day(rows: ibis.Table, day: ibis.ir.DateValue, since: ibis.ir.DateValue) -> ibis.Table:
    """Returns what `largest_change` does, of the changes of one day, which has no row after it: without a window."""
    prices = rows.filter(rows.field == PRICE, rows.day >= since)
    known = prices.group_by("asset_id").agg(
        now=prices.value.max(where=prices.day == day),
        before=value_of_last(prices.value, prices.day, where=prices.day < day),
    )
    return known.agg(most=(known.now / known.before).ln().abs().max())


def _steps(prices: ibis.Table) -> ibis.Table:
    """Returns each price's log, the two before it, and the change over at most a week."""
    by_day = ibis.window(group_by="asset_id", order_by="day")
    steps = prices.select(
        "asset_id",
        "day",
        "sources",
        log=prices.value.ln(),
        log_1=prices.value.lag(1).over(by_day).ln(),
        log_2=prices.value.lag(2).over(by_day).ln(),
        day_1=prices.day.lag(1).over(by_day),
        day_2=prices.day.lag(2).over(by_day),
    )
    near = steps.day.delta(steps.day_1, unit="day") <= GAP_DAYS
    return steps.mutate(change=near.ifelse((steps.log - steps.log_1).abs(), ibis.null("float64")))


def _jumps(steps: ibis.Table) -> ibis.Table:
    """Returns the asset and day of each price that is a jump; only assets with a large change are looked at."""
    suspects = steps.filter(steps.change > SIGMAS * LEAST_SIGMA).select("asset_id").distinct()
    watched = steps.semi_join(suspects, "asset_id")
    before = ibis.range_window(
        group_by="asset_id",
        order_by="day",
        preceding=(ibis.interval(days=HISTORY_DAYS), ibis.interval(days=1)),
    )
    judged = watched.mutate(
        sigma=watched.change.median().over(before) * MAD_TO_SIGMA, returns=watched.change.count().over(before)
    )
    limit = SIGMAS * ibis.greatest(judged.sigma, LEAST_SIGMA)
    close = judged.day.delta(judged.day_2, unit="day") <= 2 * GAP_DAYS
    second = close.ifelse((judged.log - judged.log_2).abs(), ibis.null("float64")).fill_null(float(10**6))
    alone = (judged.sources == 1) & (judged.returns >= LEAST_RETURNS)
    found = judged.filter(alone & (judged.change > limit) & (second > limit))
    return found.select("asset_id", "day", moved=found.log - found.log_1, jumped=ibis.literal(True))


def _unexplained(found: ibis.Table, rows: ibis.Table) -> ibis.Table:
    """Returns the jumps except redenominations: of those, a supply moved inversely by about the same factor."""
    supplies = rows.filter(rows.field.isin(SUPPLIES), rows.value > 0)
    by_day = ibis.window(group_by=["asset_id", "field"], order_by="day")
    steps = supplies.select(
        "asset_id", "day", grown=supplies.value.ln() - supplies.value.lag(1).over(by_day).ln(),
        gap=supplies.day.delta(supplies.day.lag(1).over(by_day), unit="day"),
    )  # fmt: skip
    steps = steps.filter(steps.gap <= HISTORY_DAYS, steps.grown.abs() > SIGMAS * LEAST_SIGMA - SAME_FACTOR)
    both = found.join(steps, ["asset_id", "day"])
    renamed = both.filter((both.moved + both.grown).abs() <= SAME_FACTOR).select("asset_id", "day")
    return found.anti_join(renamed, ["asset_id", "day"])
