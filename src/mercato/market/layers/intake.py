"""From raw bytes to a committed segment: parse, check, write aside, move into place, commit with its event."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mercato.core.clock import Clock
from mercato.core.errors import MercatoError
from mercato.market import tables
from mercato.market.layers import canonical as _canonical  # noqa: F401  # registers its parser
from mercato.market.layers.documents import STREAMS, RawFile
from mercato.market.layers.files import Folders, settle
from mercato.market.layers.parsers import parser
from mercato.market.layers.raw import RawBlobs
from mercato.market.layers.segments import Origin, SegmentWriter, Written
from mercato.market.layers.validate import Rules
from mercato.market.model import Asset, MarketDataArrived, Parsed, RawDocument, Receipt, Segment
from mercato.market.universe import Universe
from mercato.store import Store, emit
from mercato.store.analytics import Engine

UNKNOWN = "unknown asset"


@dataclass(frozen=True, slots=True)
class Kept:
    """A raw document whose bytes are kept already, and all that is known about it but its rows."""

    sha: str
    size: int
    facts: RawDocument
    file: str


class Intake:
    """Turns raw documents into segments."""

    def __init__(self, store: Store, folders: Folders, clock: Clock, engine: Callable[[], Engine]) -> None:
        self._store, self._folders, self._clock, self._engine = store, folders, clock, engine
        self.raw = RawBlobs(folders)

    def take(self, kept: Kept, universe: Universe, progress: Callable[[int], None] | None = None) -> Receipt:
        """Makes a segment of a kept document and commits it; the same document again changes nothing."""
        name = segment_id(kept)
        with self._store.read() as session:
            had = tables.latest_reading(session, name)
            stale = had is not None and _knows_more(tables.refused_assets(session, had.id), universe)
        if had is not None and not stale:
            return _receipt(had, Written(had.rows, (), {}, had.first_day, had.last_day), fresh=False)
        now = self._clock.now()
        identity = f"{name}.{int(now.timestamp())}" if had else name
        with self._folders.aside() as folder:
            aside = folder / "segment"
            aside.mkdir()
            written, assets = self._write(kept, universe, aside, progress)
            settle(aside, self._folders.segments / identity)
        item = _segment(identity, kept, written, now)
        self._commit(item, kept, written, assets)
        return _receipt(item, written, fresh=True)

    def _write(
        self, kept: Kept, universe: Universe, folder: Path, progress: Callable[[int], None] | None
    ) -> tuple[Written, list[Asset]]:
        """Writes a segment's files into a folder; returns what was written and the assets that it introduces."""
        assets: dict[str, Asset] = {}
        known = set(universe.assets)
        with self._engine() as engine:
            rules = Rules(frozenset(known), self._clock.now(), universe.symbols)
            writer = SegmentWriter(folder, rules, engine)
            for parsed in self._parse(kept, universe, folder.parent):
                if fresh := {item.asset_id: item for item in parsed.assets if item.asset_id not in known}:
                    known |= set(fresh)
                    assets |= fresh
                    writer.rules = replace(rules, assets=frozenset(known))
                writer.write(parsed)
                if progress:
                    progress(writer.rows)
            facts = kept.facts
            return writer.finish(Origin(facts.source, facts.observed_at, kept.sha)), list(assets.values())

    def _parse(self, kept: Kept, universe: Universe, folder: Path) -> Iterator[Parsed]:
        facts = kept.facts
        stream = STREAMS.get(facts.parser)
        if stream is None:
            yield parser(facts.parser)(replace(facts, content=self.raw.read(kept.sha)))
            return

        def spill() -> Path:
            path = folder / "spilled"
            with self.raw.open(kept.sha) as source, path.open("wb") as target:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
            return path

        yield from stream(
            RawFile(
                name=kept.file,
                source=facts.source,
                open=lambda: self.raw.open(kept.sha),
                spill=spill,
                options=facts.options,
                assets=tuple(universe.assets.values()),
            )
        )

    def _commit(self, item: Segment, kept: Kept, written: Written, assets: Sequence[Asset]) -> None:
        event = MarketDataArrived(
            time=item.committed_at,
            segment=item.id,
            source=item.source,
            rows=sum(written.rows.values()),
            rejected=item.rejected,
            first_day=item.first_day,
            last_day=item.last_day,
        )
        with self._store.transaction() as tx:
            if tables.segment(tx, item.id) is not None:
                return
            tables.add_segment(tx, item)
            tables.add_rejected(tx, item.id, kept.file, written.rejected, item.observed_at)
            tables.add_assets(tx, assets, item.observed_at, item.id)
            emit(tx, event)

    def again(self, item: Segment, universe: Universe, folder: Path) -> Written:
        """Reads a committed segment's raw bytes once more into another folder, as it was read when committed."""
        facts = RawDocument(
            b"", item.source, item.parser, item.observed_at, item.request, item.media_type, item.headers,
            item.licence, item.options,
        )  # fmt: skip
        target = folder / item.id
        target.mkdir(parents=True)
        return self._write(Kept(item.sha, item.size, facts, item.request), universe, target, None)[0]

    def keep(self, raw: RawDocument) -> Kept:
        """Keeps the bytes of a document that is in memory."""
        sha, size = self.raw.keep(io.BytesIO(raw.content))
        return Kept(sha, size, replace(raw, content=b""), raw.request)

    def keep_file(self, path: Path, facts: RawDocument, progress: Callable[[int], None] | None = None) -> Kept:
        """Keeps the bytes of a file, read once as a stream."""
        with path.open("rb") as stream:
            sha, size = self.raw.keep(stream, progress=progress)
        return Kept(sha, size, facts, path.name)


def segment_id(kept: Kept) -> str:
    """Returns the id of a reading: the same bytes, source, parser and options have the same one anywhere."""
    facts = kept.facts
    body = [facts.source, facts.parser, kept.sha, sorted(facts.options.items())]
    return hashlib.sha256(json.dumps(body, separators=(",", ":")).encode()).hexdigest()[:32]


def _knows_more(refused: Sequence[str], universe: Universe) -> bool:
    """Returns whether an asset that was refused as unknown has become known since."""
    return any(asset_id in universe.assets for asset_id in refused)


def _segment(identity: str, kept: Kept, written: Written, now: datetime) -> Segment:
    facts = kept.facts
    return Segment(
        id=identity,
        source=facts.source,
        parser=facts.parser,
        sha=kept.sha,
        options=dict(facts.options),
        observed_at=facts.observed_at,
        committed_at=now,
        request=facts.request,
        licence=facts.licence,
        media_type=facts.media_type,
        headers=dict(facts.headers),
        size=kept.size,
        rows=dict(written.rows),
        rejected=written.total_rejected,
        first_day=written.first_day,
        last_day=written.last_day,
    )


def _receipt(item: Segment, written: Written, *, fresh: bool) -> Receipt:
    rejected = written.total_rejected if fresh else item.rejected
    reasons: Mapping[str, int] = dict(written.reasons)
    return Receipt(
        item.id, item.source, item.sha, fresh, dict(item.rows), rejected, reasons, item.first_day, item.last_day
    )


def reading(error: MercatoError, file: str) -> MercatoError:
    """Returns an error about a whole file with the file's name in front."""
    return type(error)(f"{file}: {error.message}", hint=error.hint, **error.facts)
