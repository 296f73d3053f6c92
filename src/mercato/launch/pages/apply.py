"""Applying with an agent: a form that keeps what was written, and then the checks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mercato.core.errors import Conflict
from mercato.launch.pages.press import Press, form
from mercato.launch.views import applying
from mercato.launch.views.form import Form
from mercato.launch.words import dollars
from mercato.visits import account

Given = Annotated[dict[str, str], Depends(form)]
TAB = "/launch/apply"
#: Part of the supply -> what it is called at its field.
SHARES = {
    "sale": "For sale", "liquidity": "Locked in the pool", "team": "Team", "partner": "Partner treasury",
    "grants": "Grants", "community": "Community",
}  # fmt: skip


def add(router: APIRouter, press: Press) -> None:
    """Adds the form and what takes it."""

    @router.get(TAB)
    def show_form(request: Request) -> Response:
        return page(press, request, applying.blank(account(request)))

    @router.post(TAB)
    def apply(request: Request, given: Given) -> Response:
        asked, applicant = Form(given), account(request)
        made = applying.application(asked, applicant)
        if made is None:
            return page(press, request, asked, status=422)
        try:
            launch = press.room.apply(made)
        except Conflict as error:
            asked.fault("form", error.message)
            return page(press, request, asked, status=409)
        return RedirectResponse(f"/launch/desk/{launch.id}", 303)


def page(press: Press, request: Request, asked: Form, *, status: int = 200) -> HTMLResponse:
    """Returns the form with what was written into it."""
    deposit = dollars(press.room.settings.deposit)
    return press.page(
        request, "apply.html", tab=TAB, status=status, form=asked, deposit=deposit, lines=applying.LINES, shares=SHARES
    )
