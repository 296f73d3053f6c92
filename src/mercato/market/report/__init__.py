"""The weekly report: sentences written from figures only, so that every number in them leads back to raw bytes.

A report is a value (`Report`). `compose` writes it from the results of the metrics; the renderers show the same value
on a terminal, as Markdown, HTML or JSON, and as a folder with CSV files and a manifest.
"""

from importlib import import_module
from typing import TYPE_CHECKING

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


def __getattr__(name: str) -> object:
    """Loads a renderer when it is first used, because templates and tables of text are not free to import."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
