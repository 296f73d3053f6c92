"""The token of a scenario and what surrounds it: its sector, the largest cap ever seen, its pool, its beta (M14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import ibis

from mercato.core.errors import InvalidInput
from mercato.market.metrics.base import Inputs
from mercato.market.metrics.held import held
from mercato.market.metrics.level import daily_level, members
from mercato.market.metrics.series import asset_closes, beta, level_closes, worst_fall
from mercato.market.model import Query

PEERS = "ai-agents"
BETA_DAYS, FALL_DAYS, POOL_DAYS = 90, 365, 30
FEWEST_DAYS = 30


@dataclass(frozen=True, slots=True)
class Subject:
    """A token on the as-of day. Caps are micro-USD; None is unknown."""

    asset_id: str | None
    cap: int | None
    diluted_cap: int | None
    level: int | None
    record_cap: int | None
    record: str | None
    pool_usd: float | None
    beta: float | None
    sector_fall: float | None
    flags: tuple[str, ...]


def largest(panel: ibis.Table, sector: str, query: Query) -> ibis.Table:
    """Returns one row: the token of a sector with the largest known cap on the as-of day, ties by id."""
    rows = members(panel, sector, query.as_of, query.as_of)
    live = rows.filter(rows.active)
    return live.order_by(live.cap.desc(), live.asset_id).limit(1).select("asset_id")


def record(panel: ibis.Table, sector: str, query: Query) -> ibis.Table:
    """Returns one row: the largest cap that a token of the sector ever had on a day with a fresh price."""
    rows = members(panel, sector, None, query.as_of)
    seen = rows.filter(rows.active, rows.state == "fresh")
    return seen.order_by(seen.cap.desc(), seen.day, seen.asset_id).limit(1).select("asset_id", "day", "cap")


def pool(curated: ibis.Table, asset_id: str, query: Query) -> ibis.Table:
    """Returns one row: the newest known liquidity of an asset in USD, both sides, at most 30 days old."""
    rows = curated.filter(
        curated.asset_id == asset_id,
        curated.field == "liquidity_usd",
        curated.value.notnull(),
        curated.day <= ibis.literal(query.as_of),
        curated.day > ibis.literal(query.as_of - timedelta(days=POOL_DAYS)),
    )
    return rows.order_by(rows.day.desc(), rows.value).limit(1).select("day", "value")


def subject(inputs: Inputs, query: Query) -> Subject:
    """Returns the token that the parameter `asset` names, else the largest of the sector, with its surroundings."""
    asset_id, flags = _chosen(inputs, query)
    peers = query.params.get("peers") or PEERS
    top = _one(inputs, record(inputs.panel, peers, query)) or _one(inputs, record(inputs.panel, query.sector, query))
    first = query.as_of - timedelta(days=FALL_DAYS)
    sector = members(inputs.panel, query.sector, first, query.as_of)
    level = _one(inputs, daily_level(sector.filter(sector.day == query.as_of)))
    levels = held(inputs.engine, level_closes(sector))
    fall = _one(inputs, worst_fall(levels))
    token = _token(inputs, asset_id, query)
    depth = _one(inputs, pool(inputs.curated, asset_id, query)) if asset_id else {}
    return Subject(
        asset_id=asset_id,
        cap=_int(token.get("cap")),
        diluted_cap=_int(token.get("fdv")),
        level=_int(level.get("level")),
        record_cap=_int(top.get("cap")),
        record=f"{top['asset_id']} on {top['day']}" if top else None,
        pool_usd=_float(depth.get("value")),
        beta=_beta(inputs, asset_id, query, levels),
        sector_fall=_float(fall.get("fall")) if int(str(fall.get("days") or 0)) >= FEWEST_DAYS else None,
        flags=flags,
    )


def _chosen(inputs: Inputs, query: Query) -> tuple[str | None, tuple[str, ...]]:
    asked = query.params.get("asset")
    if not asked:
        found = _one(inputs, largest(inputs.panel, query.sector, query))
        return (str(found["asset_id"]), ("largest-of-sector",)) if found else (None, ("no-data",))
    if not _one(inputs, inputs.assets.filter(inputs.assets.asset_id == asked).limit(1)):
        raise InvalidInput(f"asset was {asked!r}, which is unknown", hint="`mercato market assets` lists the ids")
    return asked, ()


def _token(inputs: Inputs, asset_id: str | None, query: Query) -> Mapping[str, object]:
    rows = members(inputs.panel, "all", query.as_of, query.as_of)
    return _one(inputs, rows.filter(rows.asset_id == asset_id, rows.active).limit(1)) if asset_id else {}


def _beta(inputs: Inputs, asset_id: str | None, query: Query, levels: ibis.Table) -> float | None:
    if not asset_id:
        return None
    first = query.as_of - timedelta(days=BETA_DAYS)
    ours = asset_closes(inputs.panel, asset_id, first, query.as_of)
    row = _one(inputs, beta(ours, levels.filter(levels.day >= ibis.literal(first))))
    return _float(row.get("beta")) if int(str(row.get("days") or 0)) >= FEWEST_DAYS else None


def _one(inputs: Inputs, table: ibis.Table) -> Mapping[str, object]:
    rows = inputs.engine.rows(table)
    return rows[0] if rows else {}


def _int(value: object) -> int | None:
    return None if value is None else int(Decimal(str(value)))


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
