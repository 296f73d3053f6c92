"""The launch's pages: all launches, one with its book and bids, the application, the curator's desk, and markets.

Who is signed in is `request.state.account`. Nothing here signs: forms answer with transactions for the visitor's own
wallet, as JSON for the script and as a page without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mercato.launch.pages import apply, auction, bids, desk, market
from mercato.launch.pages.press import Press, Render, Renderer, Text
from mercato.launch.service import Launches
from mercato.launch.views.book import book

__all__ = ["NAV", "live", "pages"]

NAV = (("/launch", "Launches"),)
"""What the site's header links to."""


def pages(room: Launches, render: Render) -> APIRouter:
    """Returns the routes of the pages."""
    router, press = APIRouter(default_response_class=HTMLResponse), Press(room, render)
    apply.add(router, press)
    desk.add(router, press)
    market.add(router, press)
    bids.add(router, press)
    auction.add(router, press)  # last, as its paths end in an id
    return router


def live(room: Launches, text: Text) -> Mapping[str, Renderer]:
    """Returns what makes open pages new: the book of a launch as HTML, and word that a launch took a step."""

    def on_demand(event: Any) -> list[tuple[str, str, str]]:
        id = str(event.body["launch"])
        html = text("launch/book.html", book=book(room.launch(id), room.demand(id)))
        return [("launch", f"book-{id}", html)]

    def on_change(event: Any) -> list[tuple[str, str, str]]:
        return [("launch", f"changed-{event.body['launch']}", "")]

    return {
        "launch.DemandChanged": on_demand,
        "launch.LaunchChanged": on_change,
        "launch.ReviewChanged": on_change,
    }
