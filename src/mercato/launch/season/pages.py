"""What pages say of the season: one line at their head while it is lived through, nothing afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import APIRouter

from mercato.launch.season.progress import Progress

if TYPE_CHECKING:
    from mercato.launch.season.progress import Board

NAV: tuple[tuple[str, str], ...] = ()
TOPICS = ("market", "launch")
NOTICE = "launch.season/notice.html"


class Text(Protocol):
    """Fills a template and returns its text; given by the web floor."""

    def __call__(self, template: str, /, **context: object) -> str:
        """Returns the filled template."""


def pages(board: Board, render: object) -> APIRouter:
    """Returns no routes: the season has no page of its own, it is told on all of them."""
    return APIRouter()


def notice(board: Board, text: Text) -> Callable[[], str]:
    """Returns what says where the season is, as HTML for the head of a page that is opened now."""
    return lambda: text(NOTICE, now=board.read())


def live(board: Board, text: Text) -> Mapping[str, Callable[[Any], list[tuple[str, str, str]]]]:
    """Returns what puts the newest line on open pages."""

    def moved(event: Any) -> list[tuple[str, str, str]]:
        said = event.body
        html = text(NOTICE, now=Progress(said["stage"], said["day"], said["days"], "", said["done"]))
        return [(topic, "season", html) for topic in TOPICS]

    return {"season.SeasonMoved": moved}
