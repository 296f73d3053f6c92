"""Everything that the pages of one as-of day show, as one value: the report, and the results it was written from.

It is stored whole after each arrival of data and kept in memory by the processes that serve pages, so that a page is
a matter of filling a template.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from mercato.market.model import Figure, Grid, InputSet, Query, Result
from mercato.market.report.book import Book
from mercato.market.report.document import document, read_figure, read_grid, restored, write_figure
from mercato.market.report.model import Report


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The report on a day, the book behind it, and the hash of both. Compared by identity: pages cache by it."""

    report: Report
    book: Book
    sha: str

    def grid(self, figure_id: str) -> Grid | None:
        """Returns the grid with that id, among all that the pages show."""
        everywhere = (grid for result in self.book.results.values() for grid in result.grids)
        return next((grid for grid in everywhere if grid.figure == figure_id), None)

    def figure(self, figure_id: str) -> Figure | None:
        """Returns the figure with that id, among all that the pages show."""
        everywhere = (item for result in self.book.results.values() for item in result.figures)
        return next((item for item in everywhere if item.id == figure_id), None)


def written(report: Report, book: Book) -> tuple[dict[str, Any], str]:
    """Returns a snapshot as JSON values and their hash."""
    body = {
        "as_of": report.as_of.isoformat(),
        "sector": report.sector,
        "report": document(report),
        "results": {key: _result(item) for key, item in sorted(book.results.items())},
        "failures": dict(sorted(book.failures.items())),
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    plain: dict[str, Any] = json.loads(text)
    return plain, hashlib.sha256(text.encode()).hexdigest()


def read(body: Mapping[str, Any], sha: str) -> Snapshot:
    """Returns the snapshot that `written` wrote."""
    results = {key: _read_result(item) for key, item in body["results"].items()}
    return Snapshot(restored(body["report"]), Book(results, body["failures"]), sha)


def _result(item: Result) -> dict[str, Any]:
    query = asdict(item.query)
    known_at = item.query.known_at and item.query.known_at.isoformat()
    return {
        "metric": item.metric,
        "query": {**query, "as_of": item.query.as_of.isoformat(), "known_at": known_at},
        "definition": item.definition,
        "figures": [write_figure(figure) for figure in item.figures],
        "inputs": asdict(item.inputs),
        "grids": [asdict(grid) for grid in item.grids],
        "coverage": item.coverage,
        "flags": list(item.flags),
    }


def _read_result(body: Mapping[str, Any]) -> Result:
    query, inputs = body["query"], body["inputs"]
    known_at = datetime.fromisoformat(query["known_at"]) if query["known_at"] else None
    return Result(
        metric=body["metric"],
        query=Query(**{**query, "as_of": date.fromisoformat(query["as_of"]), "known_at": known_at}),
        definition=body["definition"],
        figures=tuple(read_figure(item) for item in body["figures"]),
        inputs=InputSet(inputs["hash"], tuple(inputs["raw_shas"]), inputs["universe"], inputs["rows"]),
        grids=tuple(read_grid(item) for item in body["grids"]),
        coverage=body["coverage"],
        flags=tuple(body["flags"]),
    )
