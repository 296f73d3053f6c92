"""The scenario calculator: a form that works without a script, answered by the scenario metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mercato.core.errors import InvalidInput
from mercato.market.model import Query, Result
from mercato.market.report.book import Book
from mercato.market.report.model import Report
from mercato.market.report.notice import simulated_of
from mercato.market.report.sections.scenarios import answer
from mercato.market.report.snapshot import Snapshot
from mercato.market.views.parts import Headline, headlines, part

if TYPE_CHECKING:
    from mercato.market.service import Market

FIELDS = {"budget": "1000", "multiple": "10", "asset": "", "pool_usd": ""}
KEY = "asked"
RIGHT: Mapping[str, str] = {"field": "", "message": "", "hint": ""}


def context(market: Market, snapshot: Snapshot | None, given: Mapping[str, str]) -> Mapping[str, Any]:
    """Returns the form as it was filled in, and the answer; a wrong field keeps its text and says what is wrong."""
    asked = {name: given.get(name, default).strip() for name, default in FIELDS.items()}
    shown: dict[str, object] = {
        "asked": asked, "choices": _choices(market, snapshot), "wrong": RIGHT, "report": None, "simulated": "",
    }  # fmt: skip
    if snapshot is None:
        return shown
    params = {name: text.replace(",", "").removeprefix("$") for name, text in asked.items() if text}
    try:
        result = market.metric("scenario", Query(snapshot.report.as_of, snapshot.report.sector, params=params))
    except InvalidInput as error:
        field = next((name for name in FIELDS if error.message.startswith(name)), "")
        return {**shown, "wrong": {"field": field, "message": error.message, "hint": error.hint}, "status": 422}
    return {**shown, **_answered(snapshot, result)}


def _answered(snapshot: Snapshot, result: Result) -> Mapping[str, object]:
    writer, mark = answer(Book({KEY: result}), KEY), simulated_of(result.figures)
    report = Report(snapshot.report.as_of, snapshot.report.known_at, snapshot.report.sector, result.inputs.universe,
                    (writer.section(),), dict(writer.figures))  # fmt: skip
    made, (cited, *_) = part(writer.section(), report, mark), result.figures
    params = [("param", f"{name}={value}") for name, value in sorted(result.query.params.items())]
    asked = urlencode([("as_of", report.as_of), ("sector", report.sector), *params])
    shown = tuple(
        replace(item, csv=f"/api/market/metrics/scenario/{item.grid.name}.csv?{asked}", trace=cited.id)
        for item in made.shown
    )
    return {"report": report, "parts": [replace(made, shown=shown)], "headlines": _headlines(result),
            "simulated": mark}  # fmt: skip


def _headlines(result: Result) -> list[Headline]:
    found = {item.name: item for item in result.figures}
    return headlines(
        (found.get("required-cap"), "Cap it would need", None, ""),
        (found.get("required-of-record"), "Of the largest agent cap ever", None, ""),
        (found.get("exit-part"), "Kept at the exit", None, "the rest is price impact"),
        (found.get("chance"), "Base rate, shrunken", None, ""),
        (found.get("joint-loss"), "Lost in the sector's worst day", None, ""),
        (found.get("size"), "Size that the limits allow", None, ""),
    )


def _choices(market: Market, snapshot: Snapshot | None) -> list[object]:
    """Returns the tokens that have a cap on the day, largest first."""
    grid = snapshot.book.grid("sector-level", "constituents") if snapshot else None
    if grid is None:
        return []
    by_id = {item.asset_id: item for item in market.assets()}
    ids = [row[grid.columns.index("asset_id")] or "" for row in grid.rows]
    return [by_id[asset_id] for asset_id in ids if asset_id in by_id]
