"""Replay: read the kept raw bytes again, twice and apart from each other, and compare what comes out by hashes.

A table's hash is a sum over its rows, so neither the order of rows nor of files can change it. The two runs take the
segments in opposite orders and share no file; the second must equal the first, and both what is stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis

from mercato.core.errors import MercatoError
from mercato.market import shapes
from mercato.market.layers.build import Build, Manifest, curated_files
from mercato.market.layers.files import Folders
from mercato.market.layers.intake import Intake
from mercato.market.layers.running import RUNNING
from mercato.market.layers.views import segment_files, view
from mercato.market.metrics import METRICS
from mercato.market.metrics import metric as find_metric
from mercato.market.model import Query, Segment
from mercato.market.schema import CURATED, DAILY, PANEL, SEGMENT_TABLES
from mercato.market.universe import Universe
from mercato.store.analytics import Engine


@ibis.udf.scalar.builtin(name="md5_number_lower")  # type: ignore[untyped-decorator] # ibis is untyped
def _digest(text: str) -> ibis.dtype("uint64"):  # type: ignore[valid-type]  # DuckDB has the body
    """Returns 64 bits of the MD5 of a text."""


@dataclass(frozen=True, slots=True)
class World:
    """What a replay starts from: the segments in force, the universe, and the universe as each segment met it."""

    segments: Sequence[Segment]
    universe: Universe
    then: Callable[[Segment], Universe]


class Replay:
    """Makes every layer again from raw bytes."""

    def __init__(self, intake: Intake, folders: Folders, engine: Callable[[], Engine]) -> None:
        self._intake, self._folders, self._engine = intake, folders, engine

    def run(self, world: World, progress: Callable[[str, int, int], None] | None = None) -> dict[str, object]:
        """Returns the hashes of two independent recomputations and of what is stored, and whether all are equal."""
        with self._engine() as engine:
            made = Build(self._folders, engine).refresh(world.segments, world.universe)
            stored = _hashes(engine, self._folders, made, world.segments, world.universe)
        runs = []
        for number, order in enumerate((list(world.segments), list(reversed(world.segments))), 1):
            watch = _counted(progress, f"run {number}", len(order))
            runs.append(self._once(order, world, watch))
        first, second = runs
        return {"first": first, "second": second, "stored": stored, "equal": first == second == stored}

    def _once(self, order: Sequence[Segment], world: World, watch: Callable[[], None]) -> dict[str, str]:
        with self._folders.aside() as folder:
            apart = Folders(folder)
            apart.make()
            for item in order:
                self._intake.again(item, world.then(item), apart.segments)
                watch()
            with self._engine() as engine:
                made = Build(apart, engine).refresh(order, world.universe)
                return _hashes(engine, apart, made, world.segments, world.universe)


def _counted(progress: Callable[[str, int, int], None] | None, what: str, total: int) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(what, done, total)

    return step


def _hashes(
    engine: Engine, folders: Folders, made: Manifest, segments: Sequence[Segment], universe: Universe
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, columns in SEGMENT_TABLES.items():
        found[name] = table_hash(engine, segment_files(folders, segments, name), columns)
    daily = [folders.segments / item.id / "daily.parquet" for item in segments if item.rows.get("observations")]
    found["daily"] = table_hash(engine, daily, DAILY)
    found["curated"] = table_hash(engine, curated_files(folders, made.curated), CURATED)
    found["panel"] = table_hash(engine, [folders.panel / part.name for part in made.panel], PANEL)
    for kind, name in made.running.items():
        found[kind] = table_hash(engine, [folders.panel / name], RUNNING[kind])
    return found | _metrics(engine, folders, made, segments, universe)


def table_hash(engine: Engine, files: Sequence[Path], columns: ibis.Schema) -> str:
    """Returns a hash of the rows of Parquet files that does not depend on their order, with their count."""
    rows = engine.read(files, columns)
    text = [rows[name].cast("string").fill_null("\x02") for name in columns.names]
    joined = text[0]
    for part in text[1:]:
        joined = joined.concat("\x1f", part)
    hashed = rows.select(bits=_digest(joined).cast("decimal(38,0)"))
    total = engine.rows(hashed.agg(n=hashed.count(), bits=hashed.bits.sum()))[0]
    return hashlib.sha256(f"{total['n']}:{total['bits'] or 0}".encode()).hexdigest()


def _metrics(
    engine: Engine, folders: Folders, made: Manifest, segments: Sequence[Segment], universe: Universe
) -> dict[str, str]:
    """Returns a hash of every metric's figures on the last day; one that cannot be asked there says why instead."""
    if not made.last:
        return {}
    query = Query(date.fromisoformat(made.last))
    inputs = view(engine, folders, made, segments, universe, query)
    found: dict[str, str] = {}
    for name in METRICS:
        try:
            answer: object = shapes.result(find_metric(name)(inputs, query))
        except (MercatoError, ModuleNotFoundError) as error:
            answer = str(error)
        found[f"metric {name}"] = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()
    return found
