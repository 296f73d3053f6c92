"""The overview: headline figures, the shape of the sector at a glance, and every section's claims."""

from __future__ import annotations

from collections.abc import Mapping

from mercato.market.report.snapshot import Snapshot
from mercato.market.views.parts import headlines, parts

#: Section, title of the exhibit and width of the charts at the head of the page.
CHARTS = (
    ("size", "AI sector, market value", 2),
    ("drawdown", "Below the highest close: level", 1),
    ("size", "Index of the AI sector", 2),
    ("change", "Who moved the level", 1),
    ("dominance", "Share of each home chain by week", 2),
    ("mindshare", "Mindshare with its intervals", 1),
    ("builders", "Human commits by month", 3),
)


def context(snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns what the overview shows; without a snapshot, only that there is none."""
    if snapshot is None:
        return {"report": None, "parts": (), "headlines": ()}
    figure = snapshot.book.figure
    index = figure("sector-index", "index", variant="capped")
    shown = headlines(
        (
            figure("sector-level", "level"),
            "AI sector",
            figure("decompose", "price-of-start"),
            "beside it: the week's change by price",
        ),
        (figure("agents", "level"), "AI agents", None, ""),
        (figure("infrastructure", "level"), "AI infrastructure", None, ""),
        (index, "Index, capped", figure("sector-index", "change", variant="capped"), "one thousand at its base"),
        (figure("drawdown", "drawdown", of="index-capped"), "Index below its peak", None, ""),
        (figure("flat-range", "width"), "Range now", None, ""),
    )
    return {"report": snapshot.report, "parts": parts(snapshot), "headlines": shown, "charts": _charts(snapshot)}


def _charts(snapshot: Snapshot) -> list[Mapping[str, object]]:
    """Returns the charts at the head of the page with the columns that they span, those that there are."""
    found: list[Mapping[str, object]] = []
    for key, title, span in CHARTS:
        section = next(item for item in parts(snapshot) if item.key == key)
        found += [{"shown": item, "span": span} for item in section.shown if item.title == title]
    return found
