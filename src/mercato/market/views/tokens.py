"""The list of tokens, and what their supplies rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mercato.market.report.snapshot import Snapshot
from mercato.market.views.parts import parts, simulated

if TYPE_CHECKING:
    from mercato.market.service import Market

TIERS = {
    "A": "counted on chain",
    "B": "vendor, verified",
    "C": "the project's own word",
    "D": "total supply",
    "V": "vendor's cap only",
}
SHOWN = 100


def context(market: Market, snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns the members of the sector on the day, largest first."""
    if snapshot is None:
        return {"report": None, "simulated": ""}
    grid, moves = snapshot.book.grid("sector-level", "constituents"), snapshot.book.grid("rebounds", "ranking")
    rows = [dict(zip(grid.columns, row, strict=True)) for row in grid.rows] if grid else []
    week = [dict(zip(moves.columns, row, strict=True)) for row in moves.rows] if moves else []
    return {
        "report": snapshot.report,
        "simulated": simulated(snapshot),
        "grid": grid,
        "rows": rows[:SHOWN],
        "left": max(0, len(rows) - SHOWN),
        "week": {row["asset_id"]: row for row in week},
        "assets": {item.asset_id: item for item in market.assets()},
        "tiers": TIERS,
        "parts": parts(snapshot, "rebounds"),
    }
