"""The market room's verbs: take documents, import files, give metrics their inputs, say where a figure is from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput, MercatoError
from mercato.market import tables
from mercato.market.layers.build import Build
from mercato.market.layers.bundles import Item, read_bundle
from mercato.market.layers.canonical import NAME as CANONICAL
from mercato.market.layers.evidence import Evidence
from mercato.market.layers.export import EXPORTS, write_csv
from mercato.market.layers.files import SPILL, Folders
from mercato.market.layers.intake import Intake, reading
from mercato.market.layers.mapped import NAME as MAPPED
from mercato.market.layers.mapping import read_mapping
from mercato.market.layers.replay import Replay, World
from mercato.market.layers.views import view
from mercato.market.metrics import metric as find_metric
from mercato.market.metrics.base import Inputs
from mercato.market.model import Asset, Quarantined, Query, RawDocument, Receipt, Result, Segment
from mercato.market.settings import MarketSettings
from mercato.market.universe import Universe, load_assets, shipped
from mercato.store import Store
from mercato.store.analytics import Engine, duckdb_engine

if TYPE_CHECKING:
    import ibis

Progress = Callable[[str, int, int], None]


class Market:
    """The market room. Safe to share between threads; nothing is held open between calls."""

    def __init__(self, store: Store, home: Path, clock: Clock, settings: MarketSettings | None = None) -> None:
        self._store, self._clock, self._home = store, clock, home
        self.settings = settings or MarketSettings()
        self.folders = Folders(home)
        self._intake = Intake(store, self.folders, clock, self.engine)
        self._refreshing = threading.Lock()

    @property
    def home(self) -> Path:
        """Returns the data folder."""
        return self._home

    @property
    def store(self) -> Store:
        """Returns the database."""
        return self._store

    @property
    def clock(self) -> Clock:
        """Returns the clock."""
        return self._clock

    def engine(self) -> Engine:
        """Returns a new analytics engine that spills into the room's own folder; close it."""
        self.folders.make()
        return duckdb_engine(
            memory=self.settings.memory,
            threads=self.settings.threads or None,
            spill=self.folders.work / SPILL,
            translations=self.folders.translations,
        )

    # Bringing data in

    def ingest(self, raw: RawDocument, *, progress: Progress | None = None) -> Receipt:
        """Keeps a raw document and commits its rows; the same document from the same source again changes nothing."""
        kept = self._intake.keep(raw)
        return self._intake.take(kept, self.universe(), _rows(progress, raw.source))

    def import_file(
        self,
        path: Path,
        source: str,
        *,
        assets: Path | None = None,
        mapping: Path | None = None,
        observed_at: datetime | None = None,
        progress: Progress | None = None,
    ) -> Receipt:
        """Imports canonical rows, or any table with a mapping; InvalidInput where the file as a whole is unusable."""
        if not source.strip():
            raise InvalidInput(f"source was {source!r}", hint="name where the file is from, such as --source bybit")
        if path.is_dir():
            raise InvalidInput(f"import file was {str(path)!r}, which is a folder", hint="a folder needs --bundle")
        if not path.is_file():
            raise InvalidInput(f"import file was {str(path)!r}, which does not exist", hint="check the path")
        text = _mapping_text(mapping) if mapping else ""
        if assets is not None:
            self.add_assets(load_assets(assets), origin=assets.name, at=observed_at)
        item = Item(path, source, text, mapping.name if mapping else "")
        return self._import(item, observed_at, progress)

    def import_bundle(
        self, folder: Path, bundle: str, *, observed_at: datetime | None = None, progress: Progress | None = None
    ) -> list[Receipt]:
        """Imports every file of a folder that a bundle names (a shipped one, or a TOML file)."""
        return [self._import(item, observed_at, progress) for item in read_bundle(bundle, folder)]

    def _import(self, item: Item, observed_at: datetime | None, progress: Progress | None) -> Receipt:
        self.folders.sweep()
        options, licence, name = {}, "", CANONICAL
        if item.mapping:
            licence = read_mapping(item.mapping, item.mapping_file).licence
            options, name = {"mapping": item.mapping, "mapping_file": item.mapping_file}, MAPPED
        at = observed_at or self._clock.now()
        request = f"file:{item.path.name}"
        facts = RawDocument(b"", item.source, name, at, request, licence=licence, options=options)
        size = item.path.stat().st_size
        keeping = (lambda done: progress(f"keep {item.path.name}", done, size)) if progress else None
        kept = self._intake.keep_file(item.path, facts, keeping)
        try:
            return self._intake.take(kept, self.universe(), _rows(progress, f"rows of {item.path.name}"))
        except MercatoError as error:
            raise reading(error, item.path.name) from error

    def withdraw(self, source: str) -> int:
        """Takes back all that a source said: figures from now on do without; returns how many documents it was."""
        with self._store.transaction() as tx:
            return tables.withdraw(tx, source, self._clock.now())

    def add_assets(self, items: list[Asset], *, origin: str, at: datetime | None = None) -> int:
        """Lays assets over the universe from now on; returns how many facts were new."""
        self.universe().over(items)
        with self._store.transaction() as tx:
            return tables.add_assets(tx, items, at or self._clock.now(), origin)

    # What is known

    def universe(self, known_at: datetime | None = None) -> Universe:
        """Returns the shipped universe with the assets that imports brought laid over it."""
        with self._store.read() as session:
            return shipped().over(tables.overlays(session, known_at))

    def assets(self) -> list[Asset]:
        """Returns every known asset, by id."""
        return sorted(self.universe().assets.values(), key=lambda item: item.asset_id)

    def segments(self, known_at: datetime | None = None) -> list[Segment]:
        """Returns the segments in force, or those that were at `known_at`."""
        with self._store.read() as session:
            return tables.all_segments(session, known_at)

    def quarantine(self, segment: str | None = None, limit: int = 1000) -> list[Quarantined]:
        """Returns refused rows, those of the newest segment first."""
        with self._store.read() as session:
            return tables.rejected_rows(session, segment, limit)

    # Answers

    @contextmanager
    def inputs(self, query: Query) -> Iterator[Inputs]:
        """Gives what a metric reads, cut at the query's as-of day and knowledge time."""
        universe, segments = self.universe(query.known_at), self.segments(query.known_at)
        with self.engine() as engine:
            if query.known_at is None:
                with self._refreshing:
                    made = Build(self.folders, engine).refresh(segments, universe)
                yield view(engine, self.folders, made, segments, universe, query)
                return
            with self.folders.aside() as folder:
                then = Folders(folder)
                then.segments = self.folders.segments
                made = Build(then, engine).refresh(segments, universe)
                yield view(engine, then, made, segments, universe, query)

    def metric(self, name: str, query: Query) -> Result:
        """Computes a metric and stores each of its figures with their inputs, so that every id can be looked up."""
        with self.inputs(query) as inputs:
            return self.answer(inputs, name, query)

    def answer(self, inputs: Inputs, name: str, query: Query) -> Result:
        """Computes a metric on inputs that are open already, of the same day and knowledge time, and stores it."""
        return self.keep(find_metric(name)(inputs, self._settled(name, query)), name)

    def _settled(self, name: str, query: Query) -> Query:
        """Returns the query with what the settings say where it is silent; what counts stands in every figure id."""
        if name != "mindshare" or "seeds" in query.params or not self.settings.seeds:
            return query
        return replace(query, params={**query.params, "seeds": ",".join(self.settings.seeds)})

    def keep(self, result: Result, name: str = "") -> Result:
        """Stores the figures of a result with their inputs, and returns it."""
        query = result.query
        question = {
            "metric": name or result.metric,
            "as_of": query.as_of.isoformat(),
            "sector": query.sector,
            "days": query.days,
            "params": dict(query.params),
        }
        with self._store.transaction() as tx:
            tables.add_input_set(tx, result.inputs)
            tables.add_figures(tx, result.figures, question, query.known_at, self._clock.now())
        return result

    def figure(self, figure_id: str) -> Mapping[str, Any]:
        """Returns a figure with its definition, inputs and the raw documents behind them; NotFound for another id."""
        return Evidence(self._store).figure(figure_id)

    def replay(self, *, progress: Progress | None = None) -> dict[str, Any]:
        """Returns the hashes of two independent recomputations from raw bytes, of what is stored, and `equal`."""
        segments = self.segments()

        def then(item: Segment) -> Universe:
            return self.universe(item.committed_at)

        world = World(segments, self.universe(), then)
        return Replay(self._intake, self.folders, self.engine).run(world, progress)

    def export(self, layer: str, query: Query, target: BinaryIO) -> None:
        """Writes `panel`, `curated` or `assets` as CSV, sorted by its first columns, up to the as-of day."""
        if layer not in EXPORTS:
            raise InvalidInput(f"layer was {layer!r}", hint=f"valid layers: {', '.join(EXPORTS)}")
        with self.inputs(query) as inputs:
            rows: ibis.Table = getattr(inputs, layer)
            write_csv(inputs.engine, rows.order_by(EXPORTS[layer]), target)

    # What connectors remember

    def load(self, name: str) -> Mapping[str, Any]:
        """Returns what a connector saved under a name; an empty mapping where it never did."""
        with self._store.read() as session:
            return tables.load_source(session, name)

    def save(self, name: str, value: Mapping[str, Any]) -> None:
        """Replaces what is kept under a name."""
        with self._store.transaction() as tx:
            tables.save_source(tx, name, value, self._clock.now())

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """Returns what every connector remembers, by name."""
        with self._store.read() as session:
            return tables.all_sources(session)


def _mapping_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"mapping {path.name!r} was not UTF-8", hint="save the file as UTF-8") from None
    except OSError as error:
        raise InvalidInput(f"mapping was {str(path)!r}, which cannot be read: {error.strerror}") from None


def _rows(progress: Progress | None, what: str) -> Callable[[int], None] | None:
    return (lambda done: progress(what, done, 0)) if progress else None
