"""The overview: headline figures, the shape of the sector at a glance, and every section's claims."""

from __future__ import annotations

from collections.abc import Mapping

from mercato.market.report.snapshot import Snapshot
from mercato.market.views.parts import headlines, parts

#: Section, grid and width of the charts at the head of the page.
CHARTS = (
    ("size", "daily", 2),
    ("drawdown", "daily", 1),
    ("dominance", "chains", 2),
    ("change", "assets", 1),
    ("mindshare", "narratives", 1),
    ("builders", "monthly", 2),
)


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
    return {"report": snapshot.report, "parts": parts(snapshot), "headlines": shown, "charts": _charts(snapshot)}


def _charts(snapshot: Snapshot) -> list[Mapping[str, object]]:
    """Returns the charts at the head of the page with the columns that they span, those that there are."""
    found: list[Mapping[str, object]] = []
    for key, name, span in CHARTS:
        section = next(item for item in parts(snapshot) if item.key == key)
        found += [{"shown": item, "span": span} for item in section.shown if item.grid.name == name]
    return found
