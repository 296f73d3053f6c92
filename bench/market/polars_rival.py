"""The same work in polars (streaming engine), written as its documentation recommends."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

MICRO = 1_000_000
KEY = ["asset_id", "day"]


def rollup(folder: Path, out: Path) -> pl.DataFrame:
    """Returns and keeps the last, lowest and highest value of each asset, field and day, with its file.

    File by file: all at once with `include_file_paths` took twice the time and four times the memory.
    """
    day, value = pl.col("valid_time").dt.date(), pl.col("value")
    parts = [
        pl.scan_parquet(path)
        .with_columns(day=day)
        .group_by("asset_id", "field", "day")
        .agg(
            value=value.sort_by("valid_time").last(),
            low=value.min(),
            high=value.max(),
            valid_time=pl.col("valid_time").max(),
            observations=pl.len(),
        )
        .with_columns(doc=pl.lit(path.name))
        .collect(engine="streaming")
        for path in sorted((folder / "observations").glob("*.parquet"))
    ]
    daily = pl.concat(parts)
    daily.write_parquet(out / "daily.parquet", compression="zstd")
    return daily


def panel(daily: pl.DataFrame, assets: pl.DataFrame, last: date, out: Path) -> pl.DataFrame:
    """Returns and keeps one row per asset and calendar day: carried price and supply with age and file, cap, state."""
    price = daily.filter(pl.col("field") == "price_usd").sort(KEY)
    if suspects(price):
        raise ValueError("this history was made without jumps, but one was found")
    supply = daily.filter(pl.col("field") == "supply_circulating").sort(KEY)
    volume = daily.filter(pl.col("field") == "volume_usd_24h").select(*KEY, volume="value")
    firsts = price.group_by("asset_id").agg(first=pl.col("day").min())
    grid = firsts.with_columns(day=pl.date_ranges("first", pl.lit(last))).explode("day").sort(KEY)
    seen = price.select(*KEY, price="value", price_day="day", price_sha="doc")
    known = supply.select(*KEY, supply="value", supply_day="day", supply_sha="doc")
    rows = grid.join_asof(seen, on="day", by="asset_id", check_sortedness=False)
    rows = rows.join_asof(known, on="day", by="asset_id", check_sortedness=False)
    rows = rows.join(volume, on=KEY, how="left").join(price.select(*KEY, price_high="high"), on=KEY, how="left")
    rows = states(rows).join(assets, on="asset_id").sort(KEY)
    rows.write_parquet(out / "panel.parquet", compression="zstd")
    return rows


def suspects(price: pl.DataFrame) -> int:
    """Returns how many prices of a sorted table changed by more than a half in logs within a week."""
    log, day = pl.col("value").log(), pl.col("day")
    steps = price.select(
        change=(log - log.shift(1).over("asset_id")).abs(),
        second=(log - log.shift(2).over("asset_id")).abs(),
        days=(day - day.shift(1).over("asset_id")).dt.total_days(),
        more=(day - day.shift(2).over("asset_id")).dt.total_days(),
    )
    return steps.filter((pl.col("days") <= 7) & (pl.col("more") > 1) & (pl.col("change") > 0.5)).height


def states(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows with ages, cap in micro-USD (0 after seven days without a price) and state."""
    age = (pl.col("day") - pl.col("price_day")).dt.total_days()
    supply_age = (pl.col("day") - pl.col("supply_day")).dt.total_days()
    cap = (pl.col("price") * pl.col("supply") * MICRO).round(mode="half_away_from_zero").cast(pl.Int64)
    state = (
        pl.when(age <= 1)
        .then(pl.lit("fresh"))
        .when(age <= 3)
        .then(pl.lit("carried"))
        .when(age <= 7)
        .then(pl.lit("stale"))
        .otherwise(pl.lit("inactive"))
    )
    return rows.with_columns(
        age=age,
        supply_age=supply_age,
        supply_tier=pl.lit("B"),
        weight=pl.lit(1),
        state=state,
        cap=pl.when(age > 7).then(0).otherwise(cap),
        listed_days=(pl.col("day") - pl.col("first")).dt.total_days(),
    )


def sector(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows of the AI sectors."""
    return rows.filter(pl.col("sector").str.starts_with("ai-"))


def level(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the sector's cap and coverage by day, with its drawdown."""
    fresh = pl.when(pl.col("age") <= 1).then(pl.col("cap")).otherwise(0)
    days = rows.group_by("day").agg(level=pl.col("cap").sum(), fresh=fresh.sum()).sort("day")
    return days.with_columns(
        coverage=pl.col("fresh") / pl.col("level"), drawdown=pl.col("level") / pl.col("level").cum_max() - 1
    )


def dominance(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns each chain's cap by day."""
    return rows.group_by("day", "home_chain").agg(cap=pl.col("cap").sum()).sort("day", "home_chain")


def decompose(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the daily level change split into price, supply and membership effects in micro-USD."""
    before = {name: pl.col(name).shift(1).over("asset_id", order_by="day") for name in ("cap", "supply")}
    rows = rows.with_columns(cap0=before["cap"], supply0=before["supply"])
    middle = (pl.col("price") * pl.col("supply0") * MICRO).round(mode="half_away_from_zero").cast(pl.Int64)
    inside = (pl.col("cap0") > 0) & (pl.col("cap") > 0)
    parts = rows.with_columns(
        price_effect=pl.when(inside).then(middle - pl.col("cap0")).otherwise(0),
        supply_effect=pl.when(inside).then(pl.col("cap") - middle).otherwise(0),
        membership=pl.when(~inside.fill_null(False)).then(pl.col("cap") - pl.col("cap0").fill_null(0)).otherwise(0),
    )
    return parts.group_by("day").agg(pl.sum("price_effect", "supply_effect", "membership")).sort("day")


def ranges(daily: pl.DataFrame, days: int = 12) -> pl.DataFrame:
    """Returns max/min - 1 of each asset over every full window of calendar days."""
    price = daily.filter(pl.col("field") == "price_usd").select(*KEY, price="value").sort(KEY)
    found = price.rolling("day", period=f"{days}d", group_by="asset_id").agg(
        count=pl.len(), top=pl.col("price").max(), low=pl.col("price").min()
    )
    return found.filter(pl.col("count") == days).select("asset_id", "day", width=pl.col("top") / pl.col("low") - 1)


def rebounds(rows: pl.DataFrame, last: date, top: int = 10) -> pl.DataFrame:
    """Returns the strongest 7-day gains by cap band of a week ago, with drawdown from the highest close."""
    peak = rows.group_by("asset_id").agg(peak=pl.col("price").max())
    now = rows.filter((pl.col("day") == last) & (pl.col("age") <= 1)).select("asset_id", "price")
    then = rows.filter((pl.col("day") == pl.lit(last) - pl.duration(days=7)) & (pl.col("age") <= 1))
    joined = now.join(then.select("asset_id", price0="price", cap0="cap"), on="asset_id").join(peak, on="asset_id")
    gains = joined.with_columns(
        gain=pl.col("price") / pl.col("price0") - 1,
        band=pl.col("cap0").cut([1e13, 1e14, 1e15], labels=["micro", "small", "mid", "large"]).cast(pl.String),
        drawdown=pl.col("price") / pl.col("peak") - 1,
    )
    return gains.sort("gain", "asset_id", descending=[True, False]).group_by("band", maintain_order=True).head(top)
