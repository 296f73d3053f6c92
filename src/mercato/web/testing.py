"""For whoever tests pages: a gallery of every component, on numbers that are made up and say so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercato.web.site import Site


@dataclass(frozen=True, slots=True)
class Sample:
    """A figure as the components read it."""

    id: str
    value: str | None
    unit: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleGrid:
    """A grid as the components read it."""

    name: str
    figure: str
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


FIGURES = (
    Sample("fig_aaaaaaaaaaaaaaaa", "6984000000.25", "usd"),
    Sample("fig_bbbbbbbbbbbbbbbb", "0.2841", "ratio", ("provisional",)),
    Sample("fig_cccccccccccccccc", None, "usd", ("unknown",)),
    Sample("fig_dddddddddddddddd", "1681", "count", ("simulated", "stale")),
)


def history(days: int = 240) -> SampleGrid:
    """Returns two made-up series by day, one of them with a gap."""
    first = date(2025, 1, 1)
    rows = []
    for at in range(days):
        one = 5e9 * (1 + 0.3 * math.sin(at / 17) + at / 400)
        two = None if 90 <= at < 100 else 2.4e9 * (1 + 0.2 * math.cos(at / 11))
        rows.append(((first + timedelta(at)).isoformat(), f"{one:.0f}", None if two is None else f"{two:.0f}"))
    return SampleGrid(
        "history", "fig_eeeeeeeeeeeeeeee", ("day", "agents", "infra"), ("date", "usd", "usd"), tuple(rows)
    )


def ranking(order: str = "desc") -> SampleGrid:
    """Returns a made-up ranking, one value of it unknown, sorted by its cap."""
    rows: list[tuple[str | None, ...]] = [
        ("ALPHA", "Alpha Agents", "4620000000", "0.314", "-0.051", "fresh"),
        ("BETA", "Beta Swarm & Sons", "1320000000", "0.191", "0.124", "stale"),
        ("GAMMA", "Gamma", "84100000", "0.021", "0", "fresh"),
        ("DELTA", "<b>Delta</b>", None, None, None, "unknown"),
    ]
    columns = ("symbol", "name", "cap", "share", "change_7d", "state")
    units = ("symbol", "name", "usd", "ratio", "change", "text")
    known = rows if order == "desc" else list(reversed(rows))
    return SampleGrid("ranking", "fig_ffffffffffffffff", columns, units, tuple(known))


def gallery(site: Site) -> APIRouter:
    """Returns a router with one page, `/gallery`, that shows every component, and a partial for its form."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/gallery")
    def show(request: Request) -> Response:
        order = request.query_params.get("order", "desc")
        return site.render(
            "web/gallery.html", figures=FIGURES, history=history(), ranking=ranking(order), order=order, topic="gallery"
        )

    @routes.get("/gallery/pulse")
    def pulse() -> Response:
        return site.render("web/gallery_pulse.html", words="The page asked for this")

    @routes.get("/gallery/sum")
    def add(budget: int) -> Response:
        return site.render("web/gallery_sum.html", budget=budget)

    return routes
