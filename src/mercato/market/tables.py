"""The market room's tables and every query on them. Segments committed here are the truth; files only hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from mercato.market.model import Asset, Figure, InputSet, Quarantined, Rejected, Segment
from mercato.store import JSON, Instant, Read, Transaction, metadata

segments = sa.Table(
    "market_segment",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("parser", sa.Text, nullable=False),
    sa.Column("sha", sa.String(64), nullable=False),
    sa.Column("options", JSON, nullable=False),
    sa.Column("observed_at", Instant, nullable=False),
    sa.Column("committed_at", Instant, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("licence", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("headers", JSON, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("rows", JSON, nullable=False),
    sa.Column("rejected", sa.BigInteger, nullable=False),
    sa.Column("first_day", sa.String(10)),
    sa.Column("last_day", sa.String(10)),
    sa.Column("superseded_at", Instant),
    sa.Index("market_segment_raw", "sha", "source"),
)

quarantine = sa.Table(
    "market_quarantine",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("segment", sa.String(64), nullable=False, index=True),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("row", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("observed_at", Instant, nullable=False),
)

figures = sa.Table(
    "market_figure",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("body", JSON, nullable=False),
    sa.Column("inputs", sa.String(64), nullable=False),
    sa.Column("question", JSON, nullable=False),
    sa.Column("known_at", Instant),
    sa.Column("stored_at", Instant, nullable=False),
)

input_sets = sa.Table(
    "market_input_set",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("raw_shas", JSON, nullable=False),
    sa.Column("universe", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
)

assets = sa.Table(
    "market_asset",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("asset_id", sa.Text, nullable=False, index=True),
    sa.Column("body", JSON, nullable=False),
    sa.Column("observed_at", Instant, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
)

sources = sa.Table(
    "market_source",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("body", JSON, nullable=False),
    sa.Column("saved_at", Instant, nullable=False),
)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def add_segment(tx: Transaction, item: Segment) -> None:
    """Writes a segment; an older reading of the same bytes from the same source is superseded by it."""
    older = (segments.c.sha == item.sha) & (segments.c.source == item.source) & segments.c.superseded_at.is_(None)
    family = item.parser.partition("/")[0] + "/%"
    tx.execute(sa.update(segments).where(older, segments.c.parser.like(family)).values(superseded_at=item.committed_at))
    tx.execute(sa.insert(segments).values(_segment_row(item)))


def _segment_row(item: Segment) -> dict[str, object]:
    return {
        "id": item.id,
        "source": item.source,
        "parser": item.parser,
        "sha": item.sha,
        "options": dict(item.options),
        "observed_at": item.observed_at,
        "committed_at": item.committed_at,
        "request": item.request,
        "licence": item.licence,
        "media_type": item.media_type,
        "headers": dict(item.headers),
        "size": item.size,
        "rows": dict(item.rows),
        "rejected": item.rejected,
        "first_day": item.first_day and item.first_day.isoformat(),
        "last_day": item.last_day and item.last_day.isoformat(),
        "superseded_at": item.superseded_at,
    }


def _segment(row: sa.Row[tuple[object, ...]]) -> Segment:
    cell = row._mapping
    return Segment(
        id=cell["id"],
        source=cell["source"],
        parser=cell["parser"],
        sha=cell["sha"],
        options=cell["options"],
        observed_at=cell["observed_at"],
        committed_at=cell["committed_at"],
        request=cell["request"],
        licence=cell["licence"],
        media_type=cell["media_type"],
        headers=cell["headers"],
        size=cell["size"],
        rows=cell["rows"],
        rejected=cell["rejected"],
        first_day=_day(cell["first_day"]),
        last_day=_day(cell["last_day"]),
        superseded_at=cell["superseded_at"],
    )


def segment(tx: Read, segment_id: str) -> Segment | None:
    """Returns one segment."""
    row = tx.execute(sa.select(segments).where(segments.c.id == segment_id)).first()
    return _segment(row) if row else None


def latest_reading(tx: Read, name: str) -> Segment | None:
    """Returns the reading in force whose id is `name`, or `name` with the time of a repeated reading."""
    same = (segments.c.id == name) | segments.c.id.like(name + ".%")
    query = sa.select(segments).where(same, segments.c.superseded_at.is_(None)).order_by(segments.c.seq.desc())
    row = tx.execute(query).first()
    return _segment(row) if row else None


def refused_assets(tx: Read, segment_id: str) -> list[str]:
    """Returns the first words of the rows that a segment refused because their asset was unknown."""
    query = sa.select(quarantine.c.text).where(
        quarantine.c.segment == segment_id, quarantine.c.reason.like("unknown asset%")
    )
    return sorted({text.partition(",")[0] for text in tx.execute(query).scalars()})


def withdraw(tx: Transaction, source: str, at: datetime) -> int:
    """Supersedes every segment of a source, with nothing in their place; returns how many there were."""
    held = (segments.c.source == source) & segments.c.superseded_at.is_(None)
    return tx.execute(sa.update(segments).where(held).values(superseded_at=at)).rowcount


def all_segments(tx: Read, known_at: datetime | None = None) -> list[Segment]:
    """Returns the segments in force, in the order in which they were committed; at `known_at`, those of that time.

    What a source said is known from when it was observed, not from when it was imported here.
    """
    query = sa.select(segments).order_by(segments.c.seq)
    if known_at is None:
        query = query.where(segments.c.superseded_at.is_(None))
    else:
        query = query.where(segments.c.superseded_at.is_(None) | (segments.c.superseded_at > known_at))
        query = query.where(segments.c.observed_at <= known_at)
    return [_segment(row) for row in tx.execute(query)]


def segments_of(tx: Read, shas: Iterable[str]) -> list[Segment]:
    """Returns every reading of these raw documents."""
    wanted = list(shas)
    found: list[Segment] = []
    for start in range(0, len(wanted), 500):
        query = sa.select(segments).where(segments.c.sha.in_(wanted[start : start + 500])).order_by(segments.c.seq)
        found.extend(_segment(row) for row in tx.execute(query))
    return found


def add_rejected(tx: Transaction, segment_id: str, file: str, rejected: Sequence[Rejected], at: datetime) -> None:
    """Writes the refused rows of one segment."""
    rows = [
        {
            "segment": segment_id,
            "file": file,
            "row": item.row,
            "reason": item.reason,
            "text": item.text,
            "observed_at": at,
        }
        for item in rejected
    ]
    if rows:
        tx.execute(sa.insert(quarantine), rows)


def rejected_rows(tx: Read, segment_id: str | None = None, limit: int = 1000) -> list[Quarantined]:
    """Returns refused rows of the segments in force, newest segment first, then by row."""
    query = (
        sa.select(quarantine, segments.c.seq)
        .join(segments, segments.c.id == quarantine.c.segment)
        .where(segments.c.superseded_at.is_(None))
        .order_by(segments.c.seq.desc(), quarantine.c.row, quarantine.c.id)
        .limit(limit)
    )
    if segment_id:
        query = query.where(quarantine.c.segment == segment_id)
    return [
        Quarantined(row.segment, row.file, row.row, row.reason, row.text, row.observed_at) for row in tx.execute(query)
    ]


def add_assets(tx: Transaction, items: Iterable[Asset], at: datetime, origin: str) -> int:
    """Writes what is new about assets as rows of their own time; what is known already is not written again."""
    latest = {asset.asset_id: asset for asset in overlays(tx)}
    rows = [
        {"asset_id": item.asset_id, "body": _asset_body(item), "observed_at": at, "origin": origin}
        for item in items
        if latest.get(item.asset_id) != item
    ]
    if rows:
        tx.execute(sa.insert(assets), rows)
    return len(rows)


def overlays(tx: Read, known_at: datetime | None = None) -> list[Asset]:
    """Returns the assets that imports brought, the latest word on each (as of `known_at` where given)."""
    query = sa.select(assets.c.asset_id, assets.c.body).order_by(assets.c.observed_at, assets.c.seq)
    if known_at is not None:
        query = query.where(assets.c.observed_at <= known_at)
    latest = {row.asset_id: row.body for row in tx.execute(query)}
    return [_asset(body) for body in latest.values()]


def _asset_body(item: Asset) -> dict[str, object]:
    cell = {name: getattr(item, name) for name in item.__slots__ if getattr(item, name)}
    dates = {name: value.isoformat() for name, value in cell.items() if isinstance(value, date)}
    return {**cell, **dates, "deployments": list(item.deployments), "ids": dict(item.ids)}


def _asset(body: Mapping[str, Any]) -> Asset:
    dates = {name: date.fromisoformat(body[name]) for name in ("active_from", "active_to") if name in body}
    return Asset(**{**body, **dates, "deployments": tuple(body["deployments"])})


def add_figures(
    tx: Transaction, items: Iterable[Figure], question: Mapping[str, object], known_at: datetime | None, at: datetime
) -> None:
    """Writes figures that are not stored yet; the id says that a stored one has the same inputs and definition."""
    rows = {item.id: item for item in items}
    present: set[str] = set()
    names = list(rows)
    for start in range(0, len(names), 500):
        query = sa.select(figures.c.id).where(figures.c.id.in_(names[start : start + 500]))
        present |= set(tx.execute(query).scalars())
    fresh = [
        {
            "id": item.id,
            "metric": item.metric,
            "body": _figure_body(item),
            "inputs": item.inputs,
            "question": question,
            "known_at": known_at,
            "stored_at": at,
        }
        for item in rows.values()
        if item.id not in present
    ]
    if fresh:
        tx.execute(sa.insert(figures), fresh)


def _figure_body(item: Figure) -> dict[str, object]:
    return {
        "id": item.id,
        "metric": item.metric,
        "name": item.name,
        "value": item.value,
        "unit": item.unit,
        "as_of": item.as_of.isoformat(),
        "definition": item.definition,
        "inputs": item.inputs,
        "dims": dict(item.dims),
        "coverage": item.coverage,
        "flags": list(item.flags),
    }


def figure(tx: Read, figure_id: str) -> dict[str, object] | None:
    """Returns what is stored of a figure: its fields, `question`, `known_at` and `stored_at`."""
    row = tx.execute(sa.select(figures).where(figures.c.id == figure_id)).first()
    if row is None:
        return None
    body: dict[str, object] = row.body
    return {**body, "question": row.question, "known_at": row.known_at, "stored_at": row.stored_at}


def add_input_set(tx: Transaction, item: InputSet) -> None:
    """Writes an input set that is not stored yet."""
    if input_set(tx, item.hash) is None:
        row = {"hash": item.hash, "raw_shas": list(item.raw_shas), "universe": item.universe, "rows": item.rows}
        tx.execute(sa.insert(input_sets).values(row))


def input_set(tx: Read, digest: str) -> InputSet | None:
    """Returns the input set with that hash."""
    row = tx.execute(sa.select(input_sets).where(input_sets.c.hash == digest)).first()
    return InputSet(row.hash, tuple(row.raw_shas), row.universe, row.rows) if row else None


def load_source(tx: Read, name: str) -> dict[str, Any]:
    """Returns what a connector remembers under a name; an empty mapping where it was never saved."""
    row = tx.execute(sa.select(sources.c.body).where(sources.c.name == name)).first()
    return dict(row.body) if row else {}


def all_sources(tx: Read) -> dict[str, dict[str, Any]]:
    """Returns what every connector remembers, by name."""
    return {row.name: dict(row.body) for row in tx.execute(sa.select(sources).order_by(sources.c.name))}


def save_source(tx: Transaction, name: str, body: Mapping[str, Any], at: datetime) -> None:
    """Replaces what a connector remembers under a name."""
    values = {"body": dict(body), "saved_at": at}
    if tx.execute(sa.update(sources).where(sources.c.name == name).values(values)).rowcount == 0:
        tx.execute(sa.insert(sources).values(name=name, **values))
