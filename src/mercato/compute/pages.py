"""The compute pages: who serves how well for everybody; receipts, spend and the kill switch for operators.

No prompt is here to be shown: the books keep hashes only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mercato.compute.errors import Forbidden
from mercato.compute.office import views
from mercato.compute.office.service import Office
from mercato.core.errors import InvalidInput
from mercato.visits import account, form

__all__ = ["NAV", "pages", "pulse"]

NAV = (("/compute", "Compute"),)
"""What the site's header links to."""
TABS = (
    ("/compute", "Providers"), ("/compute/checks", "Checks"), ("/compute/receipts", "Receipts"),
    ("/compute/spend", "Spend"),
)  # fmt: skip


BEAT = 2.0  # seconds between two looks at what goes on, while somebody looks


class Render(Protocol):
    """Fills a template of this room or of the floor; given by the web floor."""

    def __call__(self, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Returns the filled template."""


class Press:
    """Prints pages, each with the room's frame."""

    def __init__(self, office: Office, render: Render) -> None:
        self.office, self._render = office, render

    def page(
        self, request: Request, template: str, *, tab: str = "", status: int = 200, **context: Any
    ) -> HTMLResponse:
        """Returns a page that everybody may see."""
        who = account(request)
        chain = self.office.room.sign_in_chain
        frame = {
            "account": who, "who": f"{who[:6]}…{who[-4:]}" if who else "", "chain": chain, "tabs": TABS, "tab": tab,
            "operator": who in self.office.operators.values(), "simulated": self.office.simulated(),
        }  # fmt: skip
        return self._render(f"compute/{template}", status=status, frame=frame, **context)

    def private(self, request: Request, template: str, make: Callable[[], dict[str, Any]], *, tab: str) -> HTMLResponse:
        """Returns a page of an operator; for everybody else, how to become one."""
        try:
            self.office.require(account(request))
        except Forbidden as error:
            named = bool(self.office.operators)
            answer = self.page(request, "door.html", tab=tab, status=403, why=error.message, named=named)
        else:
            answer = self.page(request, template, tab=tab, **make())
        answer.headers["cache-control"] = "private, no-store"
        return answer


Before = Annotated[str, Query(pattern=r"^(req_[0-9a-z]{26})?$")]
Given = Annotated[dict[str, str], Depends(form)]


def pages(office: Office, render: Render) -> APIRouter:
    """Returns the routes of the pages."""
    router, press = APIRouter(default_response_class=HTMLResponse), Press(office, render)
    _everybodys(router, press)
    _operators(router, press)
    return router


def pulse(office: Office, text: Callable[..., str]) -> tuple[str, float, Callable[[], str]]:
    """Returns what pages show anew while they are open: what goes on, without anybody's money."""
    return "fleet", BEAT, lambda: text("compute/now.html", fleet=views.fleet(office.fleet()))


def _everybodys(router: APIRouter, press: Press) -> None:
    """Adds who serves how well, and what was checked."""
    office = press.office

    @router.get("/compute")
    def show_fleet(request: Request) -> HTMLResponse:
        stopped = office.stopped()
        return press.page(request, "fleet.html", tab="/compute", fleet=views.fleet(office.fleet()), stopped=stopped)

    @router.get("/compute/providers/{id}")
    def show_provider(request: Request, id: str) -> HTMLResponse:
        found = office.profile(id)
        mine = account(request) in office.operators.values()
        return press.page(request, "provider.html", tab="/compute", one=views.profile(found), mine=mine)

    @router.get("/compute/checks")
    def show_checks(request: Request) -> HTMLResponse:
        (audits, disputes, epochs), title = office.checks(), office.titles()
        return press.page(
            request, "checks.html", tab="/compute/checks", epochs=[views.epoch(it) for it in epochs],
            audits=[views.audit(it, title) for it in audits],
            disputes=[views.dispute(it, title) for it in disputes],
        )  # fmt: skip


def _operators(router: APIRouter, press: Press) -> None:
    """Adds receipts, what is spent, and the kill switch."""
    office = press.office

    @router.get("/compute/receipts")
    def show_receipts(request: Request, before: Before = "") -> HTMLResponse:
        def made() -> dict[str, Any]:
            (lines, older), title = office.receipts(before), office.titles()
            return {"lines": [views.line(it, title) for it in lines], "older": older, "newest": not before}

        return press.private(request, "receipts.html", made, tab="/compute/receipts")

    @router.get("/compute/receipts/{id}")
    def show_receipt(request: Request, id: str) -> HTMLResponse:
        def made() -> dict[str, Any]:
            return {"one": views.shown(office.shown(id), office.titles())}

        return press.private(request, "receipt.html", made, tab="/compute/receipts")

    @router.get("/compute/spend")
    def show_spend(request: Request) -> HTMLResponse:
        return press.private(
            request, "spend.html", lambda: {"spend": views.spend(office.spent())}, tab="/compute/spend"
        )

    @router.post("/compute/switch")
    def turn(request: Request, given: Given) -> Response:
        said = given.get("on")
        if said not in ("yes", "no"):
            raise InvalidInput(f"on was {said!r:.80}", hint="yes or no")
        office.turn(account(request), on=said == "yes", why=given.get("why", "")[:500])
        return RedirectResponse("/compute", 303)
