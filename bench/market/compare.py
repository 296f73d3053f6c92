"""Are the results of the engines equal? Keys and integers exactly, ratios to a billionth."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl

KEYS = {
    "level": ["day"],
    "dominance": ["day", "home_chain"],
    "decompose": ["day"],
    "ranges": ["asset_id", "day"],
    "rebounds": ["band", "asset_id"],
}
COLUMNS = {
    "level": ["level", "coverage", "drawdown"],
    "dominance": ["cap"],
    "decompose": ["price_effect", "supply_effect", "membership"],
    "ranges": ["width"],
    "rebounds": ["gain", "drawdown"],
}
TOLERANCE = 1e-9


def differences(one: Path, other: Path) -> list[str]:
    """Returns what differs between two folders of results, a sentence each; nothing where they are equal."""
    return [text for name in KEYS for text in _compare(name, _read(one, name), _read(other, name))]


def _read(folder: Path, name: str) -> pl.DataFrame:
    rows = pl.read_parquet(folder / f"{name}.parquet")
    if "day" in rows.columns:
        rows = rows.with_columns(pl.col("day").cast(pl.Date))
    if name == "decompose":  # the first day of a history has no day before it
        first = pl.read_parquet(folder / "level.parquet")["day"].cast(pl.Date).min()
        rows = rows.filter(pl.col("day") > pl.lit(first))
    numbers = [pl.col(item).cast(pl.Float64 if rows[item].dtype.is_float() else pl.Int64) for item in COLUMNS[name]]
    keys = [pl.col(key).cast(pl.String) if key not in {"day"} else pl.col(key) for key in KEYS[name]]
    return rows.select(*keys, *numbers).sort(KEYS[name])


def _compare(name: str, one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    shared = one.join(other, on=KEYS[name], how="inner", suffix="_other")
    found = []
    if not one.height == other.height == shared.height:
        found.append(f"{name}: {one.height} rows against {other.height}, {shared.height} with the same keys")
    for column in COLUMNS[name]:
        gap = (shared[column] - shared[f"{column}_other"]).abs()
        size = shared[column].abs().max()
        allowed = TOLERANCE if one[column].dtype.is_float() else 0
        worst = gap.max()
        if worst is None or not math.isfinite(float(worst)) or float(worst) > allowed:  # type: ignore[arg-type] # a cell of an untyped frame
            found.append(f"{name}.{column}: differs by up to {worst!r} on values up to {size!r}")
    return found
