"""Curated rows and the panel as files, kept up with the segments.

A manifest, replaced in one step, names the files that belong together and the segments behind them. New days are
added as new files; a change of older days rebuilds from the first changed day on. Everything here can be deleted
and comes back from the segments.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from functools import lru_cache, partial
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from mercato.market.layers import curated as best
from mercato.market.layers.files import SWEEP_AFTER_SECONDS, Folders, settle
from mercato.market.layers.newday import day_rows
from mercato.market.layers.panel import FACTS, panel
from mercato.market.layers.running import RUNNING, Running, after, kept, known_after, recounted
from mercato.market.model import Segment
from mercato.market.schema import ASSETS, CURATED, DAILY, PANEL
from mercato.market.universe import Universe
from mercato.store.analytics import Engine
from mercato.store.statements import Statement

#: Changing how curated rows, the panel or these files are made is a new number: older files are then rebuilt.
LAYOUT = 3
#: A part of the curated layer whose name starts so is the daily file of that segment.
SEGMENT = "segment:"
#: So many files of single days are merged into one.
MERGE_AFTER = 16
#: A long history is built in spans of about so many panel rows, which bounds memory.
ROWS_AT_ONCE = 500_000
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a layer and the days that it covers."""

    name: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was built: from which segments and universe, up to which day, in which files."""

    segments: tuple[str, ...] = ()
    universe: str = ""
    last: str = ""
    curated: tuple[Part, ...] = ()
    panel: tuple[Part, ...] = ()
    facts: str = ""
    highs: str = ""
    sector_days: str = ""
    layout: int = LAYOUT

    @property
    def running(self) -> dict[str, str]:
        """Returns the files of what is known at the end of the last day, by kind; empty where nothing was built."""
        return {kind: name for kind in RUNNING if (name := str(getattr(self, kind)))}


def read_manifest(folders: Folders) -> Manifest:
    """Returns the manifest; an empty one where there is none, or where a file that it names is missing."""
    try:
        body = json.loads((folders.root / "manifest.json").read_text(encoding="utf-8"))
        parts = {layer: tuple(Part(**item) for item in body[layer]) for layer in ("curated", "panel")}
        found = Manifest(**{**body, **parts, "segments": tuple(body["segments"])})
    except (OSError, ValueError, KeyError, TypeError):
        return Manifest()
    beside = [*(part.name for part in found.panel), *found.running.values()]
    named = [*curated_files(folders, found.curated), *(folders.panel / name for name in beside)]
    return found if found.layout == LAYOUT and all(path.exists() for path in named) else Manifest()


class Build:
    """Makes the files of curated rows and of the panel in one pair of folders."""

    def __init__(self, folders: Folders, engine: Engine) -> None:
        self._folders, self._engine = folders, engine

    def refresh(self, segments: Sequence[Segment], universe: Universe) -> Manifest:
        """Brings the files up to these segments and returns the manifest; does nothing where they are."""
        had = read_manifest(self._folders)
        names = tuple(sorted(item.id for item in segments))
        if had.segments == names and had.universe == universe.hash:
            return had
        dated = [item for item in segments if item.first_day and item.last_day]
        # A segment that is gone left rows behind, and another universe changes every panel row.
        anew = had.universe != universe.hash or bool(set(had.segments) - set(names))
        made = self._extend(Manifest() if anew else had, dated, universe)
        made = replace(made, segments=names, universe=universe.hash)
        self._publish(made)
        return made

    def _extend(self, had: Manifest, dated: Sequence[Segment], universe: Universe) -> Manifest:
        fresh = [item for item in dated if item.id not in had.segments]
        if not fresh:
            return had
        start = min(item.first_day for item in fresh if item.first_day)
        last = max(item.last_day for item in dated if item.last_day)
        if had.last:
            start = min(start, date.fromisoformat(had.last) + timedelta(days=1))
        made = replace(
            had,
            curated=self._keep(had.curated, self._folders.curated, start, CURATED),
            panel=self._keep(had.panel, self._folders.panel, start, PANEL),
        )
        before = self._before(had, made, start)
        ready = self._ready(dated, fresh, start)
        made = replace(made, curated=(*made.curated, *ready))
        step = timedelta(days=max(31, ROWS_AT_ONCE // max(1, len(universe.assets))))
        spans = []
        while start <= last:
            spans.append((start, min(last, start + step - DAY)))
            start += step
        for first, end in spans if not ready else ():
            part = self._write(self._curate(dated, first, end), self._folders.curated, first, end)
            made = replace(made, curated=(*made.curated, part))
        made = self._carry_on(made, universe, spans, before)
        return replace(
            made,
            curated=self._merge(made.curated, self._folders.curated, CURATED),
            panel=self._merge(made.panel, self._folders.panel, PANEL),
        )

    def _carry_on(
        self, made: Manifest, universe: Universe, spans: Sequence[tuple[date, date]], before: Running | None
    ) -> Manifest:
        """Adds the panel rows of some spans of days, and what is known at the end of the last one.

        Of the spans before it, a span needs only the facts at their end. These are few and quickly found, one span
        after the other, so that the panels can be made side by side.
        """
        works: list[Callable[[Engine], Part]] = []
        known = before
        for span in spans:
            rows = self._engine.read(curated_files(self._folders, _within(made.curated, span)), CURATED)
            facts: ibis.Table | Statement = known_after(rows, span, known)
            if span[0] == span[1]:
                facts, table = self._day(facts, rows, self._assets(universe), span[0])
                works.append(partial(self._write, table, self._folders.panel, *span))
            else:
                works.append(partial(self._panel, rows, universe, span, known and known.facts))
            if span != spans[-1]:
                name = self._settle(facts, self._folders.panel, "facts")
                known = kept(self._engine, self._folders.panel, {"facts": name})
        parts = self._engine.together(works)
        built = self._engine.read([self._folders.panel / part.name for part in parts], PANEL)
        whole = spans[0][0], spans[-1][1]
        asked = zip(RUNNING, (facts, *after(built, whole, before)), strict=True)
        settling = [partial(self._settle, one, self._folders.panel, kind) for kind, one in asked]
        name, highs, days = self._engine.together(settling)
        panels = (*made.panel, *parts)
        return replace(made, last=whole[1].isoformat(), panel=panels, facts=name, highs=highs, sector_days=days)

    def _panel(
        self, rows: ibis.Table, universe: Universe, span: tuple[date, date], before: ibis.Table | None, engine: Engine
    ) -> Part:
        """Returns the panel's file of a span of days, made on an engine of its own."""
        table = panel(engine, rows, engine.table(asset_rows(universe), ASSETS), *span, before)
        return self._write(table, self._folders.panel, *span, engine)

    def _day(self, known: Statement, rows: ibis.Table, assets: ibis.Table, day: date) -> tuple[ibis.Table, Statement]:
        """Returns the facts known at the end of a day, and the panel rows of that day alone."""
        found = self._engine.run(known)
        facts = self._engine.table(found, FACTS)
        fields = tuple(sorted(set(pc.unique(found["field"]).to_pylist())))
        return facts, Statement(day_rows, facts=facts, curated=rows, assets=assets, day=day, fields=fields)

    def _curate(self, dated: Sequence[Segment], start: date, end: date) -> ibis.Table:
        since = start - best.LOOKBACK
        files = [
            self._folders.segments / item.id / "daily.parquet"
            for item in dated
            if item.first_day and item.last_day and item.last_day >= since and item.first_day <= end
        ]
        daily = self._engine.read(files, DAILY)
        history = (daily.day >= since) & daily.field.isin(best.HISTORY)
        wanted = daily.filter((daily.day <= end) & ((daily.day >= start) | history))
        sources = len({item.source for item in dated})
        return best.curated(self._engine, wanted, start, sources=sources, repeats=repeats(dated))

    def _ready(self, dated: Sequence[Segment], fresh: Sequence[Segment], start: date) -> tuple[Part, ...]:
        """Returns the fresh segments' own daily files as parts where they need no choosing, otherwise nothing.

        That is so where no two segments speak of the same day, and no price jumps.
        """
        near = [item for item in dated if item.last_day and item.last_day >= start - best.LOOKBACK]
        late = [item for item in near if item.last_day and item.last_day >= start]
        if len(late) != len(fresh) or overlap(near):
            return ()
        daily = self._engine.read([self._folders.segments / item.id / "daily.parquet" for item in near], DAILY)
        found = best.jumps(self._engine, daily, start, max(item.last_day for item in late if item.last_day))
        if found.num_rows and max(found["day"].to_pylist()) >= start:
            return ()
        return tuple(
            Part(SEGMENT + item.id, item.first_day.isoformat(), item.last_day.isoformat())
            for item in fresh
            if item.first_day and item.last_day
        )

    def _before(self, had: Manifest, made: Manifest, start: date) -> Running | None:
        """Returns what is known at the end of the day before `start`; `made` has the files of the days before it."""
        if had.facts and had.last and date.fromisoformat(had.last) < start:
            return kept(self._engine, self._folders.panel, had.running)
        if not made.panel:
            return None
        older = self._engine.read(curated_files(self._folders, made.curated), CURATED)
        span = date.fromisoformat(made.panel[0].first), start - timedelta(days=1)
        return recounted(self._engine, older, [self._folders.panel / part.name for part in made.panel], span)

    def _assets(self, universe: Universe) -> ibis.Table:
        return self._engine.table(asset_rows(universe), ASSETS)

    def _keep(self, parts: Sequence[Part], folder: Path, start: date, columns: ibis.Schema) -> tuple[Part, ...]:
        """Returns the files for the days before `start`; one that reaches beyond is cut."""
        kept = [part for part in parts if part.last < start.isoformat()]
        for part in parts:
            if part.first < start.isoformat() <= part.last:
                rows = self._engine.read(layer_files(self._folders, folder, [part]), columns)
                end = start - timedelta(days=1)
                kept.append(self._write(rows.filter(rows.day < start), folder, date.fromisoformat(part.first), end))
        return tuple(sorted(kept, key=lambda part: part.first))

    def _write(
        self, rows: ibis.Table | Statement, folder: Path, first: date, last: date, engine: Engine | None = None
    ) -> Part:
        name = self._settle(rows, folder, f"{first}-{last}", engine)
        return Part(name, first.isoformat(), last.isoformat())

    def _settle(self, rows: ibis.Table | Statement, folder: Path, stem: str, engine: Engine | None = None) -> str:
        name = f"{stem}.{uuid.uuid4().hex[:12]}.parquet"
        with self._folders.aside() as aside:
            (engine or self._engine).write(rows, aside / name)
            settle(aside / name, folder / name)
        return name

    def _merge(self, parts: tuple[Part, ...], folder: Path, columns: ibis.Schema) -> tuple[Part, ...]:
        """Returns the files with the many of single days merged into one, so that reading stays quick."""
        single = [part for part in parts if part.first == part.last]
        if len(single) < MERGE_AFTER:
            return parts
        rows = self._engine.read(layer_files(self._folders, folder, single), columns)
        span = date.fromisoformat(single[0].first), date.fromisoformat(single[-1].last)
        merged = self._write(rows, folder, *span)
        rest = [part for part in parts if part.first != part.last]
        return tuple(sorted([*rest, merged], key=lambda part: part.first))

    def _publish(self, made: Manifest) -> None:
        with self._folders.aside() as aside:
            path = aside / "manifest.json"
            path.write_text(json.dumps(asdict(made)), encoding="utf-8")
            settle(path, self._folders.root / "manifest.json")
        self._sweep(made)

    def _sweep(self, made: Manifest) -> None:
        """Removes files of earlier builds, once no reader can be using them any more."""
        named = {part.name for part in (*made.curated, *made.panel)} | set(made.running.values())
        for folder in (self._folders.curated, self._folders.panel):
            for path in folder.glob("*.parquet"):
                if path.name not in named and time.time() - path.stat().st_mtime > SWEEP_AFTER_SECONDS:
                    os.unlink(path)


def layer_files(folders: Folders, folder: Path, parts: Sequence[Part]) -> list[Path]:
    """Returns the files of a layer's parts: in its folder, or a segment's daily file that serves as it is."""
    return [
        folders.segments / part.name.removeprefix(SEGMENT) / "daily.parquet"
        if part.name.startswith(SEGMENT)
        else folder / part.name
        for part in parts
    ]


def _within(parts: Sequence[Part], span: tuple[date, date]) -> list[Part]:
    """Returns the parts that speak of a day of the span."""
    first, last = (day.isoformat() for day in span)
    return [part for part in parts if part.last >= first and part.first <= last]


def curated_files(folders: Folders, parts: Sequence[Part]) -> list[Path]:
    """Returns the files of curated rows."""
    return layer_files(folders, folders.curated, parts)


def overlap(segments: Sequence[Segment]) -> bool:
    """Returns whether two segments may speak of the same day."""
    spans = sorted((item.first_day, item.last_day) for item in segments if item.first_day and item.last_day)
    return any(earlier[1] >= later[0] for earlier, later in pairwise(spans))


def repeats(dated: Sequence[Segment]) -> bool:
    """Returns whether two documents of one source may speak of the same day, and so of the same value."""
    return any(overlap([item for item in dated if item.source == name]) for name in {item.source for item in dated})


def asset_rows(universe: Universe) -> pa.Table:
    """Returns the universe as ASSETS rows; those of the latest one asked for are remembered."""
    return _asset_rows(_ByHash(universe))


class _ByHash:
    """A universe that counts as equal to any other of its hash, which covers every fact in it."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe

    def __hash__(self) -> int:
        return hash(self.universe.hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByHash) and self.universe.hash == other.universe.hash


@lru_cache(maxsize=1)
def _asset_rows(known: _ByHash) -> pa.Table:
    items = sorted(known.universe.assets.values(), key=lambda item: item.asset_id)
    columns = {name: list(map(attrgetter(name), items)) for name in ASSETS.names}
    return pa.table(columns, schema=ASSETS.to_pyarrow())
