"""The report as JSON values: the same claims, slots and figures, for programs and for the snapshot that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from mercato.market.model import Figure, Grid
from mercato.market.report.model import Claim, Exhibit, Report, Section
from mercato.market.report.sentence import spoken

SCHEMA = "mercato.report/1"


def document(report: Report) -> dict[str, Any]:
    """Returns a report as JSON values; numbers are texts, unknown ones null."""
    return {
        "schema": SCHEMA,
        "as_of": report.as_of.isoformat(),
        "known_at": report.known_at.isoformat(),
        "sector": report.sector,
        "universe": report.universe,
        "previous": report.previous and report.previous.isoformat(),
        "sections": [_section(section, report.figures) for section in report.sections],
        "figures": {key: write_figure(item) for key, item in sorted(report.figures.items())},
    }


def restored(body: Mapping[str, Any]) -> Report:
    """Returns the report that `document` wrote."""
    return Report(
        as_of=date.fromisoformat(body["as_of"]),
        known_at=datetime.fromisoformat(body["known_at"]),
        sector=body["sector"],
        universe=body["universe"],
        previous=date.fromisoformat(body["previous"]) if body["previous"] else None,
        sections=tuple(_read_section(item) for item in body["sections"]),
        figures={key: read_figure(item) for key, item in body["figures"].items()},
    )


def _section(section: Section, figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "question": section.question,
        "claims": [{**asdict(claim), "said": spoken(claim, figures)} for claim in section.claims],
        "exhibits": [asdict(exhibit) for exhibit in section.exhibits],
        "needs": list(section.needs),
    }


def write_figure(item: Figure) -> dict[str, Any]:
    """Returns a figure as JSON values."""
    body = asdict(item)
    return {**body, "as_of": item.as_of.isoformat(), "flags": list(item.flags), "dims": dict(item.dims)}


def _read_section(body: Mapping[str, Any]) -> Section:
    claims = tuple(Claim(**{key: value for key, value in item.items() if key != "said"}) for item in body["claims"])
    exhibits = tuple(Exhibit(**{**item, "grid": read_grid(item["grid"])}) for item in body["exhibits"])
    return Section(body["key"], body["title"], body["question"], claims, exhibits, tuple(body["needs"]))


def read_grid(body: Mapping[str, Any]) -> Grid:
    """Returns the grid that JSON values describe."""
    rows = tuple(tuple(row) for row in body["rows"])
    return Grid(body["name"], body["figure"], tuple(body["columns"]), tuple(body["units"]), rows)


def read_figure(body: Mapping[str, Any]) -> Figure:
    """Returns the figure that JSON values describe."""
    return Figure(**{**body, "as_of": date.fromisoformat(body["as_of"]), "flags": tuple(body["flags"])})
