"""The overview: headline figures, the shape of the sector at a glance, and what each section of the report says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mercato.market.report.model import Section
from mercato.market.report.snapshot import Snapshot
from mercato.market.views.merging import Sentence
from mercato.market.views.parts import Headline, Shown, exhibit, headlines, parts, simulated

#: Section, title of the exhibit, columns of the page it spans, and the page that says more. Rows of the page are full.
CHARTS = (
    ("size", "AI sector, market value", 2, "/market/tokens"),
    ("drawdown", "Below the highest close: level", 1, "/market/report#drawdown"),
    ("size", "Index of the AI sector", 2, "/market/report#size"),
    ("change", "Who moved the level", 1, "/market/report#change"),
    ("dominance", "Share of each home chain by week", 2, "/market/chains"),
    ("mindshare", "Mindshare with its intervals", 1, "/market/mindshare"),
    ("builders", "Human commits by month", 2, "/market/builders"),
    ("rebounds", "Week's return, with what is missing to the peak", 1, "/market/tokens#rebounds"),
)
RANKED, SAID = 7, 2


@dataclass(frozen=True, slots=True)
class Tile:
    """One place of the overview: a chart, or why there is none and what would fill it."""

    title: str
    span: int
    more: str
    shown: Shown | None
    sentences: tuple[Sentence, ...]
    blank: str
    needs: tuple[str, ...]


def context(snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns what the overview shows; without a snapshot, only that there is none."""
    if snapshot is None:
        return {"report": None, "simulated": ""}
    found = [
        {"part": item, "said": [one for one in item.sentences if one.state != "unknown"][:SAID], "blank": item.blank}
        for item in parts(snapshot)
    ]
    return {
        "report": snapshot.report,
        "simulated": simulated(snapshot),
        "answers": found,
        "headlines": _headlines(snapshot),
        "tiles": [_tile(snapshot, *chart) for chart in CHARTS],
    }


def _headlines(snapshot: Snapshot) -> list[Headline]:
    figure = snapshot.book.figure
    giants = next((one for one in snapshot.book.figures("giants", "sector-ratio") if "all" in one.dims.values()), None)
    week, index = figure("decompose", "price-of-start"), figure("sector-index", "index", variant="capped")
    return headlines(
        (figure("sector-level", "level"), "AI sector", week, "by price, in a week"),
        (figure("agents", "level"), "AI agents", None, ""),
        (figure("infrastructure", "level"), "AI infrastructure", None, ""),
        (giants if giants and giants.value else None, "Of the five giants together", None, ""),
        (index, "Index, capped", figure("sector-index", "change", variant="capped"), "over its chart"),
        (figure("drawdown", "drawdown", of="index-capped"), "Index below its peak", None, ""),
        (figure("flat-range", "width"), "Width of its range now", None, ""),
    )


def _tile(snapshot: Snapshot, key: str, title: str, span: int, more: str) -> Tile:
    section: Section = snapshot.report.section(key)
    item = next((one for one in section.exhibits if one.title == title), None)
    (part,) = parts(snapshot, key)
    if item is None:
        return Tile(title, span, more, None, (), part.blank or "too little is known to draw it", section.needs)
    if item.chart.startswith("ranks"):
        item = replace(item, grid=replace(item.grid, rows=item.grid.rows[:RANKED]))
    said = tuple(one for one in part.sentences if one.state != "unknown")[:SAID] if key == "mindshare" else ()
    return Tile(title, span, more, exhibit(item, snapshot.report.as_of), said, "", ())
