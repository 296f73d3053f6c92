"""The kit's pages: an agent's wallet, its journal, what waits for approval, and the kill switch; for operators.

Everybody else gets the door: what this is, and how a person becomes an operator. Whether there are books it does not
say. Nothing here signs, and no key is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Annotated, Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mercato.chains.testing import ACCOUNTS
from mercato.core.errors import InvalidInput
from mercato.kit.acts import Act
from mercato.kit.desk import views
from mercato.kit.desk.holdings import made_up
from mercato.kit.desk.service import Desk
from mercato.kit.errors import Denied
from mercato.visits import account, form

__all__ = ["NAV", "live", "pages"]

NAV = (("/kit", "Kit"),)
"""What the site's header links to."""
SHOWN = 50  # acts that the queue's page shows
TABS = (("/kit", "Books"), ("/kit/approvals", "Approvals"))


class Render(Protocol):
    """Fills a template of this room or of the floor; given by the web floor."""

    def __call__(self, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Returns the filled template."""


class Press:
    """Prints pages for operators, and the door for everybody else."""

    def __init__(self, desk: Desk, render: Render) -> None:
        self.desk, self._render = desk, render

    def page(self, request: Request, template: str, *, tab: str = "/kit", **context: Any) -> HTMLResponse:
        """Returns a page of an operator, who has been let in already."""
        return self._framed(request, template, 200, tab=tab, **context)

    def door(self, request: Request, status: int = 403) -> HTMLResponse:
        """Returns what everybody may see."""
        who = account(request)
        return self._framed(request, "door.html", status, tab="", topic="", who=who, named=bool(self.desk.operators))

    def _framed(self, request: Request, template: str, status: int, *, tab: str, **context: Any) -> HTMLResponse:
        who = account(request)
        short = f"{who[:6]}…{who[-4:]}" if who else ""
        chain = self.desk.sign_in_chain
        giver = ACCOUNTS[1] if made_up(f"eip155:{chain}") else ""
        frame = {"account": who, "who": short, "chain": chain, "giver": giver, "tabs": TABS, "tab": tab}
        answer = self._render(f"kit/{template}", status=status, frame=frame, **context)
        answer.headers["cache-control"] = "private, no-store"
        return answer


Before = Annotated[int | None, Query(ge=1, lt=2**63)]
Given = Annotated[dict[str, str], Depends(form)]


def pages(desk: Desk, render: Render) -> APIRouter:
    """Returns the routes of the pages."""
    router, press = APIRouter(default_response_class=HTMLResponse), Press(desk, render)
    _books(router, press)
    _queue(router, press)
    return router


def live(desk: Desk, text: object) -> Mapping[str, Callable[[Any], Iterable[tuple[str, str, str]]]]:
    """Returns nothing that is rendered for all: open pages are told that a journal grew, and ask for themselves."""
    return {}


def _books(router: APIRouter, press: Press) -> None:
    """Adds the list of books, a book's wallet and journal, and one act."""
    desk = press.desk

    def show(request: Request, make: Callable[[], HTMLResponse], *, status: int = 403) -> HTMLResponse:
        try:
            desk.require(account(request))
        except Denied:
            return press.door(request, status)
        return make()

    @router.get("/kit")
    def show_books(request: Request) -> HTMLResponse:
        return show(request, lambda: press.page(request, "books.html", shelves=desk.shelves()), status=200)

    @router.get("/kit/wallet")
    def show_wallet(request: Request, book: str) -> HTMLResponse:
        return show(request, lambda: press.page(request, "wallet.html", wallet=views.wallet(desk.wallet(book))))

    @router.get("/kit/journal")
    def show_journal(request: Request, book: str, before: Before = None) -> HTMLResponse:
        def made() -> HTMLResponse:
            found = desk.journal(book, before)
            items = [views.item(one, found.units) for one in found.items]
            return press.page(
                request, "journal.html", book=book, items=items, older=found.before, newest=before is None
            )

        return show(request, made)

    @router.get("/kit/acts/{id}")
    def show_act(request: Request, id: str) -> HTMLResponse:
        def made() -> HTMLResponse:
            found = desk.story(id)
            return press.page(request, "act.html", item=views.item(found, desk.tally(found.book).units))

        return show(request, made)


def _queue(router: APIRouter, press: Press) -> None:
    """Adds what waits for an approval, the answers to it, and the kill switches."""
    desk = press.desk

    @router.get("/kit/approvals")
    def show_approvals(request: Request) -> HTMLResponse:
        try:
            desk.require(account(request))
        except Denied:
            return press.door(request)
        waiting, who = desk.waiting(), account(request)
        shown = waiting[:SHOWN]  # an agent that asks for very much does not keep the page from coming
        units = desk.units(shown)
        return press.page(
            request, "approvals.html", tab="/kit/approvals", seen=seen(waiting), shelves=desk.shelves(),
            items=[views.asked(desk, item, who, units[item.intent.book]) for item in shown],
            more=len(waiting) - len(shown),
        )  # fmt: skip

    @router.get("/kit/approvals/news")
    def show_news(request: Request, seen_before: str = "") -> HTMLResponse:
        desk.require(account(request))
        now = seen(desk.waiting())
        return press.page(request, "news.html", seen=seen_before[:64], changed=now != seen_before)

    @router.post("/kit/approvals/{id}")
    def answer(request: Request, id: str, given: Given) -> Response:
        said = given.get("answer")
        if said not in ("yes", "no"):
            raise InvalidInput(f"answer was {said!r:.80}", hint="yes or no")
        desk.answer(id, account(request), yes=said == "yes")
        return RedirectResponse("/kit/approvals", 303)

    @router.post("/kit/switch")
    def switch(request: Request, given: Given) -> Response:
        book, said = given.get("book", ""), given.get("on")
        if said not in ("yes", "no"):
            raise InvalidInput(f"on was {said!r:.80}", hint="yes or no")
        desk.freeze(book, account(request), given.get("why", ""), on=said == "yes")
        return RedirectResponse(f"/kit/wallet?book={quote(book, safe='')}", 303)


def seen(waiting: Iterable[Act]) -> str:
    """Returns what stands for a queue as somebody saw it: another one as soon as an act comes, goes or is answered."""
    stands = "\n".join(f"{act.id} {act.state.value}" for act in waiting)
    return sha256(stands.encode()).hexdigest()[:16]
