"""The same work in pandas, vectorised, all rows in memory."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

MICRO = 1_000_000


def rollup(folder: Path) -> pd.DataFrame:
    """Returns the last, lowest and highest price of each asset and day. The files are in time order."""
    rows = pd.read_parquet(folder / "prices", columns=["asset_id", "valid_time", "value"])
    rows["asset_id"] = rows["asset_id"].astype("category")
    rows["day"] = rows["valid_time"].dt.tz_localize(None).dt.floor("D")
    rows = rows.sort_values("valid_time", kind="stable")
    grouped = rows.groupby(["asset_id", "day"], observed=True, sort=False)["value"]
    return grouped.agg(price="last", low="min", high="max").reset_index()


def daily_values(folder: Path, name: str) -> pd.DataFrame:
    """Returns the one `supply` or `volume` of each asset and day."""
    rows = pd.read_parquet(folder / name, columns=["asset_id", "valid_time", "value"])
    rows["day"] = rows["valid_time"].dt.tz_localize(None).dt.floor("D")
    return rows.rename(columns={"value": name})[["asset_id", "day", name]]


def half_up(values: pd.Series) -> pd.Series:
    """Returns whole numbers, halves upwards; adding a half would be wrong from 2^52 on."""
    floor = np.floor(values)
    return floor + (values - floor >= 0.5)


def panel(
    daily: pd.DataFrame, supply: pd.DataFrame, volume: pd.DataFrame, assets: pd.DataFrame, last: date
) -> pd.DataFrame:
    """Returns one row per asset and calendar day, carried: price age, cap in micro-USD, zero after seven days."""
    daily = daily.assign(asset_id=daily["asset_id"].astype(str)).sort_values("day")
    firsts = daily.groupby("asset_id")["day"].min()
    calendar = pd.DataFrame({"day": pd.date_range(firsts.min(), pd.Timestamp(last), unit="us")})
    grid = firsts.rename("first").reset_index().merge(calendar, how="cross")
    grid = grid[grid["day"] >= grid["first"]].sort_values("day")
    seen = daily[["asset_id", "day", "price"]].assign(price_day=daily["day"])
    rows = pd.merge_asof(grid, seen, on="day", by="asset_id")
    rows = pd.merge_asof(rows, supply.sort_values("day"), on="day", by="asset_id")
    rows = rows.merge(volume, on=["asset_id", "day"], how="left")
    rows["age"] = (rows["day"] - rows["price_day"]).dt.days
    cap = half_up(rows["price"] * rows["supply"] * MICRO)
    rows["cap"] = np.where(rows["age"] > 7, 0, cap).astype(np.int64)
    rows = rows.merge(assets[["asset_id", "sector", "home_chain"]], on="asset_id")
    return rows.sort_values(["asset_id", "day"], ignore_index=True)


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
    daily = daily.assign(asset_id=daily["asset_id"].astype(str)).sort_values(["asset_id", "day"])
    rolled = daily.set_index("day").groupby("asset_id")["price"].rolling(f"{days}D")
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


def sector(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the AI sectors."""
    return rows[rows["sector"].str.startswith("ai-")]
