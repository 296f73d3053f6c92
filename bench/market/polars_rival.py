"""The same work in polars (streaming engine), written as its documentation recommends."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

MICRO = 1_000_000


def rollup(folder: Path) -> pl.DataFrame:
    """Returns the last, lowest and highest price of each asset and day."""
    day = pl.col("valid_time").dt.date()
    value = pl.col("value")
    return (
        pl.scan_parquet(folder / "prices" / "*.parquet")
        .with_columns(day=day)
        .group_by("asset_id", "day")
        .agg(price=value.sort_by("valid_time").last(), low=value.min(), high=value.max())
        .collect(engine="streaming")
    )


def daily_values(folder: Path, name: str) -> pl.DataFrame:
    """Returns the one `supply` or `volume` of each asset and day."""
    rows = pl.scan_parquet(folder / name / "*.parquet")
    return rows.select("asset_id", pl.col("valid_time").dt.date().alias("day"), pl.col("value").alias(name)).collect(
        engine="streaming"
    )


def panel(
    daily: pl.DataFrame, supply: pl.DataFrame, volume: pl.DataFrame, assets: pl.DataFrame, last: date
) -> pl.DataFrame:
    """Returns one row per asset and calendar day, carried: price age, cap in micro-USD, zero after seven days."""
    firsts = daily.group_by("asset_id").agg(first=pl.col("day").min())
    grid = firsts.with_columns(day=pl.date_ranges("first", last)).explode("day").sort("asset_id", "day")
    seen = daily.select("asset_id", "day", "price", price_day="day").sort("asset_id", "day")
    known = supply.sort("asset_id", "day")
    rows = grid.join_asof(seen, on="day", by="asset_id", check_sortedness=False)
    rows = rows.join_asof(known, on="day", by="asset_id", check_sortedness=False)
    rows = rows.join(volume, on=["asset_id", "day"], how="left")
    age = (pl.col("day") - pl.col("price_day")).dt.total_days()
    cap = (pl.col("price") * pl.col("supply") * MICRO).round(mode="half_away_from_zero").cast(pl.Int64)
    rows = rows.with_columns(age=age).with_columns(cap=pl.when(pl.col("age") > 7).then(0).otherwise(cap))
    return rows.join(assets.select("asset_id", "sector", "home_chain"), on="asset_id").sort("asset_id", "day")


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
    rolled = daily.sort("asset_id", "day").rolling("day", period=f"{days}d", group_by="asset_id")
    found = rolled.agg(count=pl.len(), top=pl.col("price").max(), low=pl.col("price").min())
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


def sector(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows of the AI sectors."""
    return rows.filter(pl.col("sector").str.starts_with("ai-"))
