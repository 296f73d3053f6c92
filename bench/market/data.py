"""Simulated market history in the shape of the observation layer. Seeded, made up, kept under .cache between runs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mercato.market.schema import OBSERVATIONS

CHAINS = (
    "eip155:1",
    "eip155:8453",
    "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
    "eip155:56",
    "bittensor:finney",
    "near:mainnet",
)
PLATFORMS = ("", "", "virtuals", "pump.fun", "arc-forge", "auto.fun")
MICROS_PER_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How much history to make. The full shape gives 48.4 million hourly rows."""

    assets: int = 5_699
    months: int = 12
    first: date = date(2024, 11, 1)
    missing: float = 0.03
    seed: int = 20241101

    @property
    def folder(self) -> Path:
        """Returns where this shape is kept."""
        return Path(".cache/bench") / f"market-{self.assets}-{self.months}-{self.seed}"


def month_starts(shape: Shape) -> list[date]:
    """Returns the first day of each month and of the month after the last."""
    starts = [shape.first]
    for _ in range(shape.months):
        starts.append((starts[-1] + timedelta(days=32)).replace(day=1))
    return starts


def make(shape: Shape) -> Path:
    """Returns the folder of the history, making it when it is not there yet."""
    done = shape.folder / "done"
    if done.exists():
        return shape.folder
    shape.folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(shape.seed)
    names = np.array([f"sim:{number:05d}" for number in range(shape.assets)])
    _write_assets(shape, names, draw)
    level = np.exp(draw.normal(-5.0, 1.5, shape.assets))
    starts = month_starts(shape)
    for first, after in itertools.pairwise(starts):
        level = _write_month(shape, names, draw, level, first, (after - first).days)
    _write_month(shape, names, draw, level, starts[-1], 1, folder="next_day")
    done.touch()
    return shape.folder


def _write_assets(shape: Shape, names: np.ndarray, draw: np.random.Generator) -> None:
    ai = draw.random(shape.assets)
    sector = np.where(ai < 0.03, "ai-agents", np.where(ai < 0.05, "ai-infrastructure", "other"))
    table = {
        "asset_id": names,
        "symbol": np.char.upper(names),
        "name": names,
        "kind": np.full(shape.assets, "token"),
        "sector": sector,
        "home_chain": draw.choice(CHAINS, shape.assets),
        "platform": draw.choice(PLATFORMS, shape.assets),
        "wraps": np.full(shape.assets, ""),
    }
    pq.write_table(pa.table(table), shape.folder / "assets.parquet")


def _write_month(
    shape: Shape,
    names: np.ndarray,
    draw: np.random.Generator,
    level: np.ndarray,
    first: date,
    days: int,
    folder: str = "observations",
) -> np.ndarray:
    """Writes one month of hourly prices and daily supplies and volumes; returns the last price level."""
    hours = days * 24
    start = int(np.datetime64(first, "us").astype(np.int64))
    moves = draw.normal(0.0, 0.0115, (hours, shape.assets)).cumsum(axis=0)
    prices = level * np.exp(moves)
    kept = draw.random((hours, shape.assets)) >= shape.missing
    kept &= ~_outages(draw, days, shape.assets)
    hour, asset = np.nonzero(kept)
    noon = start + np.arange(days) * 24 * MICROS_PER_HOUR + 12 * MICROS_PER_HOUR
    which, when = np.tile(np.arange(shape.assets), days), np.repeat(noon, shape.assets)
    grown = 1 + 1e-4 * np.repeat(np.arange(days), shape.assets)
    supply = np.floor(np.tile(np.floor(1e8 * (1 + np.arange(shape.assets) % 97)), days) * grown)
    volume = np.exp(draw.normal(12.0, 2.0, days * shape.assets))
    rows = {
        "price_usd": (asset, start + hour * MICROS_PER_HOUR, prices[hour, asset]),
        "supply_circulating": (which, when, supply),
        "volume_usd_24h": (which, when, volume),
    }
    _write(shape.folder / folder / f"{first:%Y-%m}.parquet", names, rows)
    return np.asarray(prices[-1])


def _outages(draw: np.random.Generator, days: int, assets: int) -> np.ndarray:
    """Returns hours without any price: one asset in forty is silent for one to nine days of the month."""
    silent = np.zeros((days * 24, assets), dtype=bool)
    for asset in np.nonzero(draw.random(assets) < 0.025)[0]:
        begin = int(draw.integers(0, days))
        silent[begin * 24 : (begin + int(draw.integers(1, 10))) * 24, asset] = True
    return silent


def _write(path: Path, names: np.ndarray, fields: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    """Writes OBSERVATIONS rows, field after field, each in time order, as snapshots are exported."""
    path.parent.mkdir(exist_ok=True)
    types = OBSERVATIONS.to_pyarrow()
    with pq.ParquetWriter(path, types, compression="zstd") as file:
        done = 0
        for field, (asset, micros, values) in fields.items():
            count = len(values)
            columns = {
                "asset_id": pa.DictionaryArray.from_arrays(pa.array(asset.astype(np.int32)), pa.array(names)),
                "field": pa.repeat(field, count),
                "valid_time": pa.array(micros, pa.timestamp("us", "UTC")),
                "value": pa.array(values),
                "row": pa.array(np.arange(done + 1, done + count + 1)),
                "observed_at": pa.nulls(count, pa.timestamp("us", "UTC")),
            }
            file.write_table(pa.table({name: columns[name] for name in types.names}).cast(types), 500_000)
            done += count
