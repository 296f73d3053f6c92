"""The same work in Mercato: the room's own rollup, curated layer, panel and metric expressions on DuckDB."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.market.work import Watch
from mercato.market import schema
from mercato.market.layers.build import Build, Manifest, curated_files
from mercato.market.layers.files import SPILL, Folders
from mercato.market.layers.running import kept
from mercato.market.layers.segments import Origin, write_daily
from mercato.market.metrics.decompose import steps
from mercato.market.metrics.dominance import groups
from mercato.market.metrics.drawdown import own_closes, tops
from mercato.market.metrics.level import daily_level, members, summed_level
from mercato.market.metrics.rebounds import below, gains
from mercato.market.model import Asset, Segment
from mercato.market.universe import Universe
from mercato.store.analytics import Engine, duckdb_engine
from mercato.store.statements import Statement

OBSERVED = datetime(2026, 1, 1, tzinfo=UTC)
MEMORY = "900MB"
#: A range is that of so many calendar days.
DAYS = 12


def everything(folder: Path, out: Path, last: date, watch: Watch) -> dict[str, Any]:
    """Does the full work, then adds one more day, twice from the same state: the second time, as a process that goes
    on from day to day does it, every statement is known. Returns the seconds of both, and whether the figures of the
    new day are those of a full recomputation."""
    folders = Folders(out / "home")
    folders.make()
    universe = universe_of(folder)
    with duckdb_engine(memory=MEMORY, spill=out / "spill") as engine:
        months = sorted((folder / "observations").glob("*.parquet"))
        segments = watch("rollup", lambda: side_by_side(folders, months, out))
        made = watch("panel", lambda: Build(folders, engine).refresh(segments, universe))
        metrics(engine, folders, made, out, last, watch)
    shutil.copytree(out / "home", out / "same")
    (new,) = (folder / "next_day").glob("*.parquet")
    first, _ = another_day(Folders(out / "same"), segments, universe, new)
    seconds, found = another_day(folders, segments, universe, new)
    equal = found == recomputed(folders, out / "anew", universe, segments, new)
    for name in ("home", "same", "anew"):
        shutil.rmtree(out / name)
    return {"first_day": first, "one_day": seconds, "day_equal": equal}


def another_day(
    folders: Folders, segments: list[Segment], universe: Universe, new: Path
) -> tuple[float, dict[str, list[dict[str, Any]]]]:
    """Takes one more day in, from hourly rows to every metric; returns the seconds and the metrics' rows."""
    with duckdb_engine(memory=MEMORY, spill=folders.work / SPILL) as engine:
        start = time.perf_counter()
        day = segment(engine, folders, new)
        made = Build(folders, engine).refresh([*segments, day], universe)
        found = one_day(engine, folders, made, last_of(new))
        seconds = time.perf_counter() - start
        return seconds, {name: plain(rows) for name, rows in found.items()}


def recomputed(
    folders: Folders, home: Path, universe: Universe, segments: list[Segment], new: Path
) -> dict[str, list[dict[str, Any]]]:
    """Returns the metrics' rows of the new day after building everything anew and running every metric over it all."""
    anew, day = Folders(home), last_of(new)
    anew.segments = folders.segments
    with duckdb_engine(memory=MEMORY, spill=anew.work / SPILL) as engine:
        made = Build(anew, engine).refresh([*segments, record(new, day, day)], universe)
        panel, curated = tables(engine, anew, made)
        found = {name: engine.run(item) for name, item in questions(panel, curated, first_of(made), day).items()}
        return {name: plain(of_day(rows, day)) for name, rows in found.items()}


def first_of(made: Manifest) -> date:
    """Returns the first day of the history."""
    return date.fromisoformat(made.panel[0].first)


def last_of(new: Path) -> date:
    """Returns the day that a file of one day speaks of: the first of the month in its name."""
    return date.fromisoformat(f"{new.stem}-01")


def of_day(rows: pa.Table, day: date) -> pa.Table:
    """Returns the rows of one day, all rows where none names its day. Before they become Python's: two million of those
    once were the peak of memory of the whole benchmark."""
    return rows.filter(pc.equal(rows["day"], day)) if "day" in rows.column_names else rows


def plain(rows: pa.Table) -> list[dict[str, Any]]:
    """Returns rows in an order of their own."""
    return sorted(rows.to_pylist(), key=repr)


def universe_of(folder: Path) -> Universe:
    """Returns the simulated assets as a universe."""
    rows = pq.read_table(folder / "assets.parquet").to_pylist()
    return Universe("bench", {row["asset_id"]: Asset(**row) for row in rows})


def side_by_side(folders: Folders, months: list[Path], out: Path) -> list[Segment]:
    """Rolls files up two at a time, as two workers take two documents in: one translates while the other computes."""

    def work(part: list[Path]) -> list[Segment]:
        with duckdb_engine(memory="300MB", threads=1, spill=out / "spill") as engine:
            return [segment(engine, folders, path) for path in part]

    with ThreadPoolExecutor(2) as workers:
        return [item for part in workers.map(work, (months[::2], months[1::2])) for item in part]


def segment(engine: Engine, folders: Folders, path: Path) -> Segment:
    """Rolls one file of observations up to days, as the commit of a segment does, and returns its record."""
    name = f"{path.parent.name}-{path.stem}"
    target = folders.segments / name
    target.mkdir()
    first, last = write_daily(engine, path, target / "daily.parquet", Origin("bench", OBSERVED, name))
    return record(path, first, last)


def record(path: Path, first: date | None, last: date | None) -> Segment:
    """Returns the record of a segment with one file's rows."""
    name = f"{path.parent.name}-{path.stem}"
    return Segment(
        id=name, source="bench", parser="bench/1", sha=name, options={}, observed_at=OBSERVED, committed_at=OBSERVED,
        request="", licence="", media_type="", headers={}, size=0, rows={"observations": 1}, rejected=0,
        first_day=first, last_day=last,
    )  # fmt: skip


def tables(engine: Engine, folders: Folders, made: Manifest) -> tuple[ibis.Table, ibis.Table]:
    """Returns the panel and the curated rows."""
    panel = engine.read([folders.panel / part.name for part in made.panel], schema.PANEL)
    return panel, engine.read(curated_files(folders, made.curated), schema.CURATED)


def metrics(engine: Engine, folders: Folders, made: Manifest, out: Path, last: date, watch: Watch) -> None:
    """Runs every metric expression over the whole history and writes the results."""
    for name, asked in questions(*tables(engine, folders, made), first_of(made), last).items():
        watch(name, partial(engine.write, asked, out / f"{name}.parquet"))


def one_day(engine: Engine, folders: Folders, made: Manifest, day: date) -> dict[str, pa.Table]:
    """Runs the metric expressions for one new day, as a room does: one after another, from its last days and what is
    carried by then."""
    panel, curated = tables(engine, folders, made)
    known = kept(engine, folders.panel, made.running)
    near = questions(panel, curated, day - timedelta(days=1), day)
    asked = {
        **near,
        "level": Statement(last_level, days=known.sector_days, first=first_of(made), last=day),
        "rebounds": Statement(last_rebounds, panel=panel, highs=known.highs, week=day - timedelta(days=7), last=day),
        "ranges": Statement(last_ranges, curated=curated, first=day - timedelta(days=DAYS - 1), last=day),
    }
    return {name: of_day(engine.run(item), day) for name, item in asked.items()}


def questions(panel: ibis.Table, curated: ibis.Table, first: date, last: date) -> dict[str, Statement]:
    """Returns the metrics of the days from `first` to `last`."""
    span = {"first": first, "last": last}
    return {
        "level": Statement(level, panel=panel, **span),
        "dominance": Statement(dominance, panel=panel, **span),
        "decompose": Statement(decompose, panel=panel, **span),
        "ranges": Statement(ranges, curated=curated, **span),
        "rebounds": Statement(rebounds, panel=panel, week=last - timedelta(days=7), last=last),
    }


def last_level(days: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns the last day of `level`, from the sums that are carried."""
    found = underwater(summed_level(days, "ai", first, last))
    return found.filter(found.day == last)


def last_rebounds(panel: ibis.Table, highs: ibis.Table, week: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns `rebounds` below the highs that are carried."""
    return strongest(below(gains(members(panel, "all", week, last), week, last), highs))


def level(panel: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns the daily level of the AI sectors with its coverage and its drawdown."""
    return underwater(daily_level(members(panel, "ai", first, last)))


def dominance(panel: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns the cap of each chain by day."""
    return groups(members(panel, "ai", first, last), "home_chain").select("day", home_chain="key", cap="cap")


def decompose(panel: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns the effects behind each daily change of the level."""
    return by_day(steps(members(panel, "ai", first, last), first, last))


def rebounds(panel: ibis.Table, week: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns the strongest gains since the day a week before, by cap band, below the highest close."""
    rows = members(panel, "all", None, last)
    return strongest(below(gains(rows, week, last), tops(own_closes(rows))))


def underwater(levels: ibis.Table) -> ibis.Table:
    """Returns the daily level with its coverage and its drawdown."""
    so_far = ibis.cumulative_window(order_by=levels.day)
    level, fresh = levels.level.cast("float64"), levels.fresh.cast("float64")
    return levels.select(
        "day",
        level=levels.level.cast("int64"),
        coverage=fresh / level.nullif(0.0),
        drawdown=level / level.max().over(so_far).nullif(0.0) - 1.0,
    )


def by_day(effects: ibis.Table) -> ibis.Table:
    """Returns the effects of all assets by day."""
    return effects.group_by("day").agg(
        price_effect=effects.price.sum().cast("int64"),
        supply_effect=effects.supply.sum().cast("int64"),
        membership=(effects.entry.sum() + effects["exit"].sum()).cast("int64"),
    )


def ranges(curated: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns max/min - 1 of each asset over every full window of calendar days."""
    found = prices(curated, first, last)
    window = ibis.window(group_by="asset_id", order_by="day", preceding=DAYS - 1, following=0)
    # Twelve rows that span twelve days are twelve days in a row.
    behind = found.day.lag(DAYS - 1).over(ibis.window(group_by="asset_id", order_by="day"))
    wide = found.select(
        "asset_id",
        "day",
        behind=behind,
        width=found.value.max().over(window) / found.value.min().over(window) - 1.0,
    )
    return wide.filter(wide.day.delta(wide.behind, unit="day") == DAYS - 1).select("asset_id", "day", "width")


def last_ranges(curated: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns `ranges` of the window from `first` to `last`."""
    found = prices(curated, first, last)
    wide = found.group_by("asset_id").agg(
        days=found.count(), day=found.day.max(), width=found.value.max() / found.value.min() - 1.0
    )
    return wide.filter(wide.days == DAYS).select("asset_id", "day", "width")


def prices(curated: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue) -> ibis.Table:
    """Returns the prices of some days."""
    known = curated.filter(curated.field == "price_usd", curated.value.notnull())
    return known.filter(known.day >= first, known.day <= last)


def strongest(found: ibis.Table, top: int = 10) -> ibis.Table:
    """Returns the strongest gains of each cap band."""
    order = [ibis.desc("change"), "asset_id"]
    ranked = found.mutate(place=ibis.row_number().over(ibis.window(group_by="band", order_by=order)))
    return ranked.filter(ranked.place < top).select("band", "asset_id", "drawdown", gain="change")
