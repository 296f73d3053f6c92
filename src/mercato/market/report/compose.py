"""Composes a report: every section from the same book of results, and only from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from mercato.market.report.book import Book
from mercato.market.report.model import Report
from mercato.market.report.sections.builders import builders
from mercato.market.report.sections.change import change
from mercato.market.report.sections.dominance import dominance, platforms
from mercato.market.report.sections.drawdown import drawdown
from mercato.market.report.sections.flat import flat
from mercato.market.report.sections.mindshare import mindshare
from mercato.market.report.sections.rebounds import rebounds
from mercato.market.report.sections.regimes import regimes
from mercato.market.report.sections.restatement import restatement
from mercato.market.report.sections.scenarios import scenarios
from mercato.market.report.sections.size import size
from mercato.market.report.writer import Writer

#: The sections in the order in which a reader meets them.
SECTIONS: Sequence[Callable[[Book], Writer]] = (
    size,
    change,
    flat,
    regimes,
    drawdown,
    dominance,
    platforms,
    mindshare,
    rebounds,
    builders,
    scenarios,
    restatement,
)


def compose(book: Book, *, as_of: date, known_at: datetime, sector: str = "ai", previous: date | None = None) -> Report:
    """Returns the report on one day from the results in `book`.

    Every number in it is a slot with a figure of these results; a template with a number of its own raises
    InvalidInput, so such a report does not exist. What is missing is said, with the reason and what would fill it.
    """
    written = [section(book) for section in SECTIONS]
    figures = {key: item for writer in written for key, item in writer.figures.items()}
    universes = sorted({result.inputs.universe for result in book.results.values()} - {""})
    return Report(
        as_of=as_of,
        known_at=known_at,
        sector=sector,
        universe=", ".join(universes) or "none",
        sections=tuple(writer.section() for writer in written),
        figures=figures,
        previous=previous,
    )
