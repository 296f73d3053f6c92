"""Builders for tests of the room and of whoever uses it: panels and documents from a few words, no files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import ibis
import pyarrow as pa

from mercato.market import schema
from mercato.market.metrics.base import Inputs, Scope
from mercato.market.model import InputSet
from mercato.store.analytics import Engine

Row = Mapping[str, object]


def table(engine: Engine, columns: ibis.Schema, rows: Sequence[Row]) -> ibis.Table:
    """Returns rows as a table of that schema; absent columns are NULL, unknown ones raise KeyError."""
    for row in rows:
        if unknown := set(row) - set(columns.names):
            raise KeyError(f"columns {sorted(unknown)!r} are not in {list(columns.names)!r}")
    full = [{name: row.get(name) for name in columns.names} for row in rows]
    return engine.table(pa.Table.from_pylist(full, schema=columns.to_pyarrow()), columns)


def days(asset_id: str, first: date, caps: Sequence[float | None], **more: object) -> list[Row]:
    """Returns panel rows of one asset on consecutive days with these caps in USD (supply 1, so price = cap)."""
    fixed: dict[str, object] = {
        "asset_id": asset_id,
        "symbol": asset_id.upper(),
        "kind": "token",
        "sector": "ai-agents",
        "home_chain": "eip155:8453",
        "platform": "",
        "weight": 1,
        "supply": 1.0,
        "supply_tier": "B",
        "supply_age": 0,
        "price_age": 0,
        "price_sha": "p" * 64,
        "supply_sha": "s" * 64,
        "state": "fresh",
        **more,
    }
    rows: list[Row] = []
    for offset, cap in enumerate(caps):
        supply = fixed["supply"]
        assert isinstance(supply, float)
        price = None if cap is None else cap / supply
        cell = {
            "day": first + timedelta(days=offset),
            "price": price,
            "price_high": price,
            "cap": None if cap is None else round(cap * 1_000_000),
            "listed_days": offset,
        }
        rows.append({**cell, **fixed})
    return rows


def evidence(scope: Scope, assets: Sequence[str] | None) -> InputSet:
    """Returns a made-up input set that depends on the question only."""
    digest = hashlib.sha256(f"{scope}{sorted(assets or [])}".encode()).hexdigest()
    return InputSet(hash=digest, raw_shas=(digest,), universe="test", rows=1)


def inputs(
    engine: Engine,
    *,
    panel: Sequence[Row] = (),
    curated: Sequence[Row] = (),
    assets: Sequence[Row] = (),
    documents: Sequence[Row] = (),
    labels: Sequence[Row] = (),
    engagements: Sequence[Row] = (),
    commits: Sequence[Row] = (),
    repositories: Sequence[Row] = (),
    migrations: Sequence[Row] = (),
) -> Inputs:
    """Returns metric inputs from rows. With no `assets`, they are read off the panel."""
    known = list(assets) or [
        {key: row.get(key) for key in ("asset_id", "symbol", "kind", "sector", "home_chain", "platform")}
        for row in {str(row["asset_id"]): row for row in panel}.values()
    ]
    return Inputs(
        engine=engine,
        panel=table(engine, schema.PANEL, panel),
        curated=table(engine, schema.CURATED, curated),
        assets=table(engine, schema.ASSETS, known),
        documents=table(engine, schema.DOCUMENTS, documents),
        labels=table(engine, schema.LABELS, labels),
        engagements=table(engine, schema.ENGAGEMENTS, engagements),
        commits=table(engine, schema.SEEN_COMMITS, commits),
        repositories=table(engine, schema.REPOSITORIES, repositories),
        evidence=evidence,
        migrations=table(engine, schema.MIGRATIONS, migrations) if migrations else None,
    )


def at(text: str) -> datetime:
    """Returns a UTC time from ISO text such as `2025-02-14T12:00:00+00:00`."""
    return datetime.fromisoformat(text)
