"""The overview: headline figures, the shape of the sector at a glance, and every section's claims."""

from __future__ import annotations

from collections.abc import Mapping

from mercato.market.views.parts import headlines, parts
from mercato.market.views.shelf import Snapshot


def context(snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns what the overview shows; without a snapshot, only that there is none."""
    if snapshot is None:
        return {"report": None, "parts": (), "headlines": ()}
    figure = snapshot.book.figure
    index = figure("sector-index", "index", variant="capped")
    shown = headlines(
        (figure("sector-level", "level"), "AI sector", figure("decompose", "change-of-start"), "sum of market caps"),
        (figure("agents", "level"), "AI agents", None, ""),
        (figure("infrastructure", "level"), "AI infrastructure", None, ""),
        (index, "Index, capped", figure("sector-index", "change", variant="capped"), "one thousand at its base"),
        (figure("drawdown", "drawdown", on="level"), "Below its peak", None, ""),
        (figure("flat-range", "width"), "Range now", None, ""),
    )
    return {"report": snapshot.report, "parts": parts(snapshot), "headlines": shown}
