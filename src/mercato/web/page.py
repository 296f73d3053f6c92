"""What the layout must know of the request at hand: its path and the theme that the visitor chose."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Literal

from starlette.types import ASGIApp, Receive, Scope, Send

Theme = Literal["", "light", "dark"]
COOKIE = "mercato-theme"


@dataclass(frozen=True, slots=True)
class Page:
    """The path of the page, and the theme remembered for the visitor ("" follows the system)."""

    path: str = "/"
    theme: Theme = ""


_page: ContextVar[Page] = ContextVar("mercato_page")


def current_page() -> Page:
    """Returns the page being answered; a bare one outside a request, as in the live hub."""
    return _page.get(Page())


def theme(cookies: str) -> Theme:
    """Returns the theme that a Cookie header asks for; anything unknown follows the system."""
    try:
        jar = SimpleCookie(cookies)
    except CookieError:
        return ""
    match jar[COOKIE].value if COOKIE in jar else "":
        case "light":
            return "light"
        case "dark":
            return "dark"
    return ""


class PageMiddleware:
    """Sets the current page for everything that answers an HTTP request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] == "http":
            cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
            _page.set(Page(path=scope["path"], theme=theme(cookies)))
        await self.app(scope, receive, send)
