"""What a metric sees: the tables cut at the query's day, and the raw documents behind what it read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import ibis
import pyarrow as pa

from mercato.market import schema
from mercato.market.layers.build import Manifest, asset_rows, curated_files
from mercato.market.layers.files import Folders
from mercato.market.layers.panel import panel
from mercato.market.layers.running import days_after, kept
from mercato.market.metrics.base import Inputs, Scope
from mercato.market.model import SIMULATED, InputSet, Query, Segment
from mercato.market.universe import Universe
from mercato.store.analytics import Engine


def view(
    engine: Engine, folders: Folders, made: Manifest, segments: Sequence[Segment], universe: Universe, query: Query
) -> Inputs:
    """Returns the inputs of a metric, cut at its as-of day."""
    every = engine.read(curated_files(folders, made.curated), schema.CURATED)
    curated = every.filter(every.day <= query.as_of)
    assets = engine.table(asset_rows(universe), schema.ASSETS)

    def rows(name: str) -> ibis.Table:
        columns = schema.SEGMENT_TABLES[name]
        return engine.read(segment_files(folders, segments, name), columns)

    rows_by_day = _panel(engine, folders, made, every, assets, query.as_of)
    return Inputs(
        engine=engine,
        panel=rows_by_day,
        curated=curated,
        assets=assets,
        documents=_until(rows("documents"), "created_at", query.as_of),
        labels=rows("labels"),
        engagements=_until(rows("engagements"), "at", query.as_of),
        commits=_seen(engine, _until(rows("commits"), "authored_at", query.as_of), segments),
        repositories=rows("repositories"),
        evidence=_evidence(engine, curated, segments, universe),
        migrations=_migrations(engine, universe),
        **_running(engine, folders, made, rows_by_day, query.as_of),
    )


def _running(
    engine: Engine, folders: Folders, made: Manifest, rows: ibis.Table, as_of: date
) -> Mapping[str, ibis.Table]:
    """Returns what is carried beside the panel: sums by day, and the highs where no later day is built."""
    if not made.running:
        return {}
    known, last = kept(engine, folders.panel, made.running), date.fromisoformat(made.last)
    if as_of < last:
        return {"sector_days": known.sector_days.filter(known.sector_days.day <= as_of)}
    if as_of == last:
        return {"sector_days": known.sector_days, "highs": known.highs}
    since = ibis.literal(last + timedelta(days=1))  # days without a price of their own, so without a high
    later = engine.run(days_after(rows, since, ibis.literal(as_of), known.sector_days))
    return {"sector_days": engine.table(later, schema.SECTOR_DAYS), "highs": known.highs}


def _seen(engine: Engine, commits: ibis.Table, segments: Sequence[Segment]) -> ibis.Table:
    """Returns the commits with the time at which their document was observed."""
    known = {item.sha: item.observed_at for item in sorted(segments, key=lambda item: item.observed_at)}
    columns = {"raw_sha": "string", "observed_at": "timestamp('UTC')"}
    times = [{"raw_sha": sha, "observed_at": at} for sha, at in known.items()]
    shape = ibis.schema(columns)
    told = engine.table(pa.Table.from_pylist(times, schema=shape.to_pyarrow()), shape)
    return commits.left_join(told, "raw_sha").select(*schema.SEEN_COMMITS.names)


def _migrations(engine: Engine, universe: Universe) -> ibis.Table:
    moves = [
        {"from_asset": move.old, "to_asset": move.new, "day": move.day, "factor": float(move.units)}
        for move in universe.migrations
    ]
    return engine.table(pa.Table.from_pylist(moves, schema=schema.MIGRATIONS.to_pyarrow()), schema.MIGRATIONS)


def segment_files(folders: Folders, segments: Sequence[Segment], name: str) -> list[Path]:
    """Returns the files of one table in the segments that have it."""
    return [folders.segments / item.id / f"{name}.parquet" for item in segments if item.rows.get(name)]


def _until(rows: ibis.Table, column: str, as_of: date) -> ibis.Table:
    return rows.filter(rows[column].date() <= as_of)


def _panel(
    engine: Engine, folders: Folders, made: Manifest, curated: ibis.Table, assets: ibis.Table, as_of: date
) -> ibis.Table:
    """Returns the panel up to a day; days after the last one built follow from the facts known at its end."""
    built = engine.read([folders.panel / part.name for part in made.panel], schema.PANEL)
    built = built.filter(built.day <= as_of)
    if not made.last or date.fromisoformat(made.last) >= as_of:
        return built
    known = kept(engine, folders.panel, made.running).facts
    first = date.fromisoformat(made.last) + timedelta(days=1)
    # Kept as rows, not as an expression: every metric would have to translate it again.
    later = engine.run(panel(engine, curated, assets, first, as_of, known))
    return built.union(engine.table(later, schema.PANEL))


def _evidence(
    engine: Engine, curated: ibis.Table, segments: Sequence[Segment], universe: Universe
) -> Callable[[Scope, Sequence[str] | None], InputSet]:
    version = f"{universe.version}:{universe.hash[:16]}"

    def behind(scope: Scope, assets: Sequence[str] | None) -> InputSet:
        if scope == "panel":
            rows = curated if assets is None else curated.filter(curated.asset_id.isin(list(assets)))
            used = engine.rows(rows.group_by("raw_sha").agg(n=rows.count()))
            shas = {str(row["raw_sha"]) for row in used}
            count = sum(int(str(row["n"])) for row in used)
        else:
            names = ("documents", "labels", "engagements") if scope == "documents" else ("commits", "repositories")
            read = [item for item in segments if any(item.rows.get(name) for name in names)]
            shas = {item.sha for item in read}
            count = sum(item.rows.get(name, 0) for item in read for name in names)
        return input_set(shas, segments, version, count)

    return behind


def input_set(shas: set[str], segments: Sequence[Segment], universe: str, rows: int) -> InputSet:
    """Returns the input set of these raw documents: a hash of them, their readings and the universe."""
    readings = sorted((item.sha, item.source, item.parser) for item in segments if item.sha in shas)
    body = "\n".join([universe, *("|".join(reading) for reading in readings)])
    made_up = any(source.split(":")[0] == SIMULATED for _, source, _ in readings)
    return InputSet(hashlib.sha256(body.encode()).hexdigest(), tuple(sorted(shas)), universe, rows, made_up)
