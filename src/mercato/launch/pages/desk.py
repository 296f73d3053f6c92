"""The curator's desk: every application, its checks with reasons, sealed and opened scorecards, and what comes next."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from mercato.core.errors import InvalidInput, MercatoError, Refused, Terminal
from mercato.launch.application import HOUR
from mercato.launch.model import Launch
from mercato.launch.pages.press import Press, form, sign, wants_json
from mercato.launch.scorecard import CRITERIA, Scorecard
from mercato.launch.states import State
from mercato.launch.views import desk, single
from mercato.launch.views.desk import checked, part, rounds
from mercato.launch.views.states import badge, road
from mercato.visits import account

Given = Annotated[dict[str, str], Depends(form)]
TAB = "/launch/desk"


class SignInNeeded(MercatoError, Refused, Terminal):
    """Only the account concerned may do this, and it is not signed in."""

    code = "sign-in-needed"
    status = 403


def add(router: APIRouter, press: Press) -> None:
    """Adds the desk and what is done at it."""
    room = press.room

    @router.get(TAB)
    def show_desk(request: Request) -> Response:
        return press.page(request, "desk.html", tab=TAB, desk=desk.desk(room.launches()))

    @router.get(TAB + "/{id}")
    def show_application(request: Request, id: str) -> Response:
        return page(press, request, room.launch(id))

    @router.post(TAB + "/{id}/submit")
    def submit(request: Request, id: str) -> Response:
        applicant(request, room.launch(id))
        return back(request, room.submit(id).id)

    @router.post(TAB + "/{id}/deposit")
    def deposit(request: Request, id: str) -> Response:
        launch = room.launch(id)
        return sign(press, request, launch, "Leave the deposit", room.deposit(id), f"mercato launch deposit {id}")

    @router.post(TAB + "/{id}/appeal")
    def appeal(request: Request, id: str) -> Response:
        applicant(request, room.launch(id))
        return back(request, room.appeal(id).id)

    @router.post(TAB + "/{id}/commit")
    def commit(request: Request, id: str, given: Given) -> Response:
        room.commit(id, signed_in(request), given.get("commitment", ""))
        return back(request, id)

    @router.post(TAB + "/{id}/reveal")
    def reveal(request: Request, id: str, given: Given) -> Response:
        card = Scorecard.of(_object(given.get("card", "")))
        room.reveal(id, signed_in(request), card, given.get("salt", "").strip())
        return back(request, id)

    _curator(router, press)


def _curator(router: APIRouter, press: Press) -> None:
    """Adds what the curator does: an approved launch gets its date, a scheduled one may be called off."""
    room = press.room

    @router.post(TAB + "/{id}/schedule")
    def schedule(request: Request, id: str, given: Given) -> Response:
        curator(request, press)
        room.schedule(id, desk.second(given.get("opens", "")))
        return back(request, id)

    @router.post(TAB + "/{id}/abort")
    def abort(request: Request, id: str) -> Response:
        curator(request, press)
        room.abort(id)
        return back(request, id)


def page(press: Press, request: Request, launch: Launch) -> HTMLResponse:
    """Returns one application on the desk."""
    room, id, who = press.room, launch.id, account(request)
    reviews = room.reviews(id)
    return press.page(
        request, "application.html", tab=TAB, launch=launch, badge=badge(launch.state),
        road=road(launch, room.history(id)),
        checked=checked(room.checks(id)), rounds=rounds(reviews), round=reviews[-1].round if reviews else 0,
        part=part(reviews, who), criteria=CRITERIA, shown=single.disclosure(launch), terms=single.terms(launch),
        mine=bool(who) and who == launch.application.applicant, can=_can(launch.state),
        curates=bool(who) and who == room.deployment.curator, soonest=desk.written(room.chain.time() + HOUR),
    )  # fmt: skip


def _can(state: State) -> dict[str, bool]:
    """Returns what an applicant or a curator may do next in a state."""
    return {
        "submit": state is State.DRAFT,
        "appeal": state is State.DECLINED,
        "schedule": state is State.APPROVED,
        "abort": state is State.SCHEDULED,
    }


def signed_in(request: Request) -> str:
    """Returns the account that is signed in; SignInNeeded where nobody is."""
    if who := account(request):
        return who
    raise SignInNeeded("nobody was signed in", hint="sign in with the account that this concerns")


def applicant(request: Request, launch: Launch) -> None:
    """Raises SignInNeeded unless the applicant is signed in."""
    if signed_in(request) != launch.application.applicant:
        hint = f"sign in as {launch.application.applicant}, who applied"
        raise SignInNeeded(f"account was {account(request)!r}", hint=hint)


def curator(request: Request, press: Press) -> None:
    """Raises SignInNeeded unless the curator is signed in."""
    if signed_in(request) != press.room.deployment.curator:
        raise SignInNeeded(f"account was {account(request)!r}", hint="only the curator may do this")


def back(request: Request, id: str) -> Response:
    """Returns word to a script, and the application's page to a browser."""
    return JSONResponse({"launch": id}) if wants_json(request) else RedirectResponse(f"{TAB}/{id}", 303)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # the latter where it nests without end
        found = None
    if not isinstance(found, dict):
        raise InvalidInput("card was not a JSON object", hint="paste the card as it was saved when it was sealed")
    return found
