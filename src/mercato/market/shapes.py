"""Values of the room as plain JSON: what `--json` prints and the API answers. Numbers of figures stay text."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from mercato.market.model import Figure, Grid, Quarantined, Receipt, Result, Segment


def result(item: Result) -> dict[str, Any]:
    """Returns a metric's answer in the shape of `mercato market metric --json`; `figure` is the headline's id."""
    headline = item.headline
    return {
        "metric": item.metric,
        "value": headline.value if headline else None,
        "unit": headline.unit if headline else "",
        "figure": headline.id if headline else None,
        "as_of": item.query.as_of.isoformat(),
        "sector": item.query.sector,
        "days": item.query.days,
        "definition": item.definition,
        "coverage": item.coverage,
        "flags": list(item.flags),
        "inputs": {
            "hash": item.inputs.hash,
            "raw_shas": list(item.inputs.raw_shas),
            "universe": item.inputs.universe,
            "rows": item.inputs.rows,
        },
        "figures": [figure(entry) for entry in item.figures],
        "grids": [grid(entry) for entry in item.grids],
    }


def figure(item: Figure) -> dict[str, Any]:
    """Returns one figure; `value` is exact text or null."""
    return {
        "id": item.id,
        "name": item.name,
        "value": item.value,
        "unit": item.unit,
        "dims": dict(item.dims),
        "coverage": item.coverage,
        "flags": list(item.flags),
    }


def grid(item: Grid) -> dict[str, Any]:
    """Returns one series or ranking."""
    return {
        "name": item.name,
        "id": item.figure,
        "columns": list(item.columns),
        "units": list(item.units),
        "rows": [list(row) for row in item.rows],
    }


def receipt(item: Receipt) -> dict[str, Any]:
    """Returns what became of one import."""
    return {
        "segment": item.segment,
        "source": item.source,
        "sha": item.sha,
        "new": item.fresh,
        "rows": dict(item.rows),
        "rejected": item.rejected,
        "reasons": dict(item.reasons),
        "first_day": _text(item.first_day),
        "last_day": _text(item.last_day),
    }


def segment(item: Segment) -> dict[str, Any]:
    """Returns one reading of one raw document."""
    return {
        "segment": item.id,
        "source": item.source,
        "parser": item.parser,
        "sha": item.sha,
        "observed_at": _text(item.observed_at),
        "committed_at": _text(item.committed_at),
        "request": item.request,
        "licence": item.licence,
        "rows": dict(item.rows),
        "rejected": item.rejected,
        "first_day": _text(item.first_day),
        "last_day": _text(item.last_day),
    }


def quarantined(item: Quarantined) -> dict[str, Any]:
    """Returns one refused row."""
    return {
        "segment": item.segment,
        "file": item.file,
        "row": item.row,
        "reason": item.reason,
        "text": item.text,
        "observed_at": _text(item.observed_at),
    }


def _text(moment: date | datetime | None) -> str | None:
    return moment.isoformat() if moment else None
