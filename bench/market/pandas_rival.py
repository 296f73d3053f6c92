"""The same work in pandas, vectorised, all rows in memory."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

MICRO = 1_000_000
KEY = ["asset_id", "day"]


def rollup(folder: Path, out: Path) -> pd.DataFrame:
    """Returns and keeps the last, lowest and highest value of each asset, field and day, with its file."""
    names = sorted((folder / "observations").glob("*.parquet"))
    columns = ["asset_id", "field", "valid_time", "value"]
    parts = [pd.read_parquet(path, columns=columns).assign(doc=path.name) for path in names]
    for part in parts:
        part["asset_id"] = part["asset_id"].astype("category")
        part["field"] = part["field"].astype("category")
        part["doc"] = part["doc"].astype("category")
    rows = pd.concat(parts, ignore_index=True)
    del parts
    for column in ("asset_id", "field", "doc"):
        rows[column] = rows[column].astype("category")
    rows["day"] = rows["valid_time"].dt.tz_localize(None).dt.floor("D")
    rows = rows.sort_values("valid_time", kind="stable")
    grouped = rows.groupby(["asset_id", "field", "day"], observed=True, sort=False)
    daily = grouped.agg(
        value=("value", "last"),
        low=("value", "min"),
        high=("value", "max"),
        valid_time=("valid_time", "last"),
        observations=("value", "size"),
        doc=("doc", "last"),
    ).reset_index()
    daily.to_parquet(out / "daily.parquet", compression="zstd")
    return daily


def panel(daily: pd.DataFrame, assets: pd.DataFrame, last: date, out: Path) -> pd.DataFrame:
    """Returns and keeps one row per asset and calendar day: carried price and supply with age and file, cap, state."""
    daily = daily.assign(asset_id=daily["asset_id"].astype(str)).sort_values("day")
    price, supply, volume = (
        daily[daily["field"] == name] for name in ("price_usd", "supply_circulating", "volume_usd_24h")
    )
    if suspects(price):
        raise ValueError("this history was made without jumps, but one was found")
    firsts = price.groupby("asset_id")["day"].min()
    calendar = pd.DataFrame({"day": pd.date_range(firsts.min(), pd.Timestamp(last), unit="us")})
    grid = firsts.rename("first").reset_index().merge(calendar, how="cross")
    grid = grid[grid["day"] >= grid["first"]].sort_values("day")
    seen = price[[*KEY, "value", "doc"]].rename(columns={"value": "price", "doc": "price_sha"})
    known = supply[[*KEY, "value", "doc"]].rename(columns={"value": "supply", "doc": "supply_sha"})
    rows = pd.merge_asof(grid, seen.assign(price_day=seen["day"]), on="day", by="asset_id")
    rows = pd.merge_asof(rows, known.assign(supply_day=known["day"]), on="day", by="asset_id")
    rows = rows.merge(volume[[*KEY, "value"]].rename(columns={"value": "volume"}), on=KEY, how="left")
    rows = rows.merge(price[[*KEY, "high"]].rename(columns={"high": "price_high"}), on=KEY, how="left")
    rows = states(rows).merge(assets, on="asset_id").sort_values(KEY, ignore_index=True)
    rows.to_parquet(out / "panel.parquet", compression="zstd")
    return rows


def suspects(price: pd.DataFrame) -> int:
    """Returns how many prices changed by more than a half in logs within a week."""
    price = price.sort_values(KEY)
    by_asset = price.assign(log=np.log(price["value"])).groupby("asset_id")[["log", "day"]]
    one, two = by_asset.diff(1), by_asset.diff(2)
    near = (one["day"] <= pd.Timedelta(days=7)) & (two["day"] > pd.Timedelta(days=1))
    return int((near & (one["log"].abs() > 0.5)).sum())


def states(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows with ages, cap in micro-USD (0 after seven days without a price) and state."""
    age = (rows["day"] - rows["price_day"]).dt.days
    cap = half_up(rows["price"] * rows["supply"] * MICRO)
    return rows.assign(
        age=age,
        supply_age=(rows["day"] - rows["supply_day"]).dt.days,
        supply_tier="B",
        weight=1,
        state=np.select([age <= 1, age <= 3, age <= 7], ["fresh", "carried", "stale"], "inactive"),
        cap=np.where(age > 7, 0, cap).astype(np.int64),
        listed_days=(rows["day"] - rows["first"]).dt.days,
    )


def half_up(values: pd.Series) -> pd.Series:
    """Returns whole numbers, halves upwards; adding a half would be wrong from 2^52 on."""
    floor = np.floor(values)
    return floor + (values - floor >= 0.5)


def sector(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the AI sectors."""
    return rows[rows["sector"].str.startswith("ai-")]


def level(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the sector's cap and coverage by day, with its drawdown."""
    fresh = rows["cap"].where(rows["age"] <= 1, 0)
    days = rows.assign(fresh=fresh).groupby("day")[["cap", "fresh"]].sum().rename(columns={"cap": "level"})
    days["coverage"] = days["fresh"] / days["level"]
    days["drawdown"] = days["level"] / days["level"].cummax() - 1
    return days.reset_index()


def dominance(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns each chain's cap by day."""
    return rows.groupby(["day", "home_chain"])["cap"].sum().reset_index()


def decompose(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the daily level change split into price, supply and membership effects in micro-USD."""
    before = rows.groupby("asset_id")[["cap", "supply"]].shift(1)
    cap0 = before["cap"].fillna(0).astype(np.int64)
    inside = (cap0 > 0) & (rows["cap"] > 0)
    middle = half_up(rows["price"] * before["supply"].fillna(0) * MICRO).astype(np.int64)
    parts = pd.DataFrame(
        {
            "day": rows["day"],
            "price_effect": np.where(inside, middle - cap0, 0),
            "supply_effect": np.where(inside, rows["cap"] - middle, 0),
            "membership": np.where(inside, 0, rows["cap"] - cap0),
        }
    )
    return parts.groupby("day").sum().reset_index()


def ranges(daily: pd.DataFrame, days: int = 12) -> pd.DataFrame:
    """Returns max/min - 1 of each asset over every full window of calendar days."""
    price = daily[daily["field"] == "price_usd"]
    price = price.assign(asset_id=price["asset_id"].astype(str)).sort_values(KEY)
    rolled = price.set_index("day").groupby("asset_id")["value"].rolling(f"{days}D")
    found = pd.DataFrame({"count": rolled.count(), "top": rolled.max(), "low": rolled.min()}).reset_index()
    full = found[found["count"] == days]
    return full.assign(width=full["top"] / full["low"] - 1)[["asset_id", "day", "width"]]


def rebounds(rows: pd.DataFrame, last: date, top: int = 10) -> pd.DataFrame:
    """Returns the strongest 7-day gains by cap band of a week ago, with drawdown from the highest close."""
    peak = rows.groupby("asset_id")["price"].max().rename("peak")
    end = pd.Timestamp(last)
    fresh = rows[rows["age"] <= 1]
    now = fresh.loc[fresh["day"] == end, ["asset_id", "price"]]
    then = fresh.loc[fresh["day"] == end - pd.Timedelta(days=7), ["asset_id", "price", "cap"]]
    joined = now.merge(then.rename(columns={"price": "price0", "cap": "cap0"}), on="asset_id").join(peak, on="asset_id")
    joined["gain"] = joined["price"] / joined["price0"] - 1
    bins = [-1, 1e13, 1e14, 1e15, np.inf]
    joined["band"] = pd.cut(joined["cap0"], bins, labels=["micro", "small", "mid", "large"]).astype(str)
    joined["drawdown"] = joined["price"] / joined["peak"] - 1
    return joined.sort_values(["gain", "asset_id"], ascending=[False, True]).groupby("band", sort=False).head(top)
