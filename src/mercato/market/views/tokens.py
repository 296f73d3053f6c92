"""The list of tokens, and what their supplies rest on."""

from __future__ import annotations

from collections.abc import Mapping

from mercato.market.report.snapshot import Snapshot
from mercato.market.views.parts import parts

TIERS = {
    "A": "on-chain count",
    "B": "vendor, verified",
    "C": "project's own word",
    "D": "total supply",
    "V": "vendor's cap only",
}


def context(snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns the members of the sector on the day, largest first."""
    if snapshot is None:
        return {"report": None}
    grid = snapshot.book.grid("sector-level", "constituents")
    rows = [dict(zip(grid.columns, row, strict=True)) for row in grid.rows] if grid else []
    return {
        "report": snapshot.report,
        "grid": grid,
        "rows": rows,
        "tiers": TIERS,
        "parts": parts(snapshot, "rebounds"),
    }
