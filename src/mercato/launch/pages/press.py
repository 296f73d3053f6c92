"""What every page of the launch shares: its frame, the form of a request, and whom it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from mercato.core.errors import Conflict
from mercato.launch.model import Launch
from mercato.launch.model import Request as Asked
from mercato.launch.service import Launches
from mercato.launch.views.signing import steps
from mercato.launch.words import short
from mercato.visits import account, fields

TABS = (("/launch", "Launches"), ("/launch/apply", "Apply"), ("/launch/desk", "Curator's desk"))
_FIELDS = 400

Renderer = Callable[[Any], Iterable[tuple[str, str, str]]]
"""A room's answer to an event: (topic, name, html) for each fragment that it makes new."""


class Render(Protocol):
    """Fills a template of this room or of the floor; given by the web floor."""

    def __call__(self, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Returns the filled template."""


class Text(Protocol):
    """Fills a template and returns its text; given by the web floor."""

    def __call__(self, template: str, /, **context: Any) -> str:
        """Returns the filled template as text."""


class Press:
    """Prints pages in the launch's frame."""

    def __init__(self, room: Launches, render: Render) -> None:
        self.room, self.render = room, render

    def page(
        self, request: Request, template: str, *, tab: str = "/launch", status: int = 200, **context: Any
    ) -> HTMLResponse:
        """Returns a page for whoever asks."""
        who = account(request)
        chain = self.room.chain.name.reference
        context.setdefault("topic", "launch")
        frame = {"account": who, "who": short(who), "chain": chain, "tabs": TABS, "tab": tab}
        answer = self.render(f"launch/{template}", status=status, frame=frame, **context)
        answer.headers["cache-control"] = "private, no-cache"  # the header says who is signed in
        return answer


async def form(request: Request) -> dict[str, str]:
    """Returns the fields of a form that was sent, the first of each name; InvalidInput where these are too many."""
    found: dict[str, str] = {}
    for name, value in await fields(request, _FIELDS):
        found.setdefault(name, value)
    return found


def wants_json(request: Request) -> bool:
    """Says whether a script asks."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def sign(
    press: Press, request: Request, launch: Launch, title: str, requests: Sequence[Asked], command: str, back: str = ""
) -> Response:
    """Returns transactions to sign: JSON for the island, a page without it; Conflict with the reason of a refusal."""
    tried(title, requests)
    made = steps(requests)
    if wants_json(request):
        return JSONResponse({"steps": [step.body() for step in made]})
    return press.page(
        request, "steps.html", title=f"{title}: {launch.application.name}", steps=made, command=command,
        back=back or f"/launch/{launch.id}", simulated=launch.simulated,
    )  # fmt: skip


def tried(title: str, requests: Sequence[Asked]) -> None:
    """Raises Conflict with the contract's own reason where one of the transactions would be refused now."""
    refused = next((item.refusal for item in requests if item.refusal), "")
    if refused:
        raise Conflict(f"{title.lower()} was refused by the contract: {refused}", hint="nothing was sent")
