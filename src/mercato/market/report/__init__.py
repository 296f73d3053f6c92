"""The weekly report: sentences written from figures only, so that every number in them leads back to raw bytes.

A report is a value (`Report`). `compose` writes it from the results of the metrics; the renderers show the same value
on a terminal, as Markdown, HTML or JSON, and as a folder with CSV files and a manifest.
"""

from typing import TYPE_CHECKING

from mercato.core.doors import lazily as _lazily
from mercato.market.report.model import Claim, Exhibit, Report, Section

if TYPE_CHECKING:
    from mercato.market.report.book import Book
    from mercato.market.report.bundle import write_bundle
    from mercato.market.report.compose import compose
    from mercato.market.report.document import document
    from mercato.market.report.markdown import markdown
    from mercato.market.report.sentence import require_cited, violations
    from mercato.market.report.standalone import standalone

__all__ = [
    "Book",
    "Claim",
    "Exhibit",
    "Report",
    "Section",
    "compose",
    "document",
    "markdown",
    "require_cited",
    "standalone",
    "violations",
    "write_bundle",
]

_HOMES = {
    "Book": "book",
    "compose": "compose",
    "document": "document",
    "markdown": "markdown",
    "require_cited": "sentence",
    "standalone": "standalone",
    "violations": "sentence",
    "write_bundle": "bundle",
}

__getattr__ = _lazily(__name__, _HOMES)
