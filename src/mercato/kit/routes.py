"""The books as JSON, for the operators of this installation: signed in as on the pages, everybody else is refused."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from mercato.kit.desk import shapes
from mercato.kit.desk.service import PAGE, Desk
from mercato.visits import account

__all__ = ["router"]

Book = Annotated[str, Query(description="A book, as `/books` names it", min_length=1, max_length=60)]
Act = Annotated[str, Query(description="An act's id: `act_` and 26 letters", pattern=r"^act_[0-9a-z]{26}$")]
Before = Annotated[int | None, Query(description="Only what began before this entry", ge=1, lt=2**63)]
Limit = Annotated[int, Query(description="At most so many", ge=1, le=100)]


class Body(BaseModel):
    """What a request may hold: nothing that is not named."""

    model_config = ConfigDict(extra="forbid")


class Answer(Body):
    """What an operator says of an act that waits."""

    act: str = Field(pattern=r"^act_[0-9a-z]{26}$")
    yes: bool


class Switch(Body):
    """Turns a book's kill switch on or off."""

    book: str = Field(min_length=1, max_length=60)
    on: bool
    why: str = Field("", max_length=500)


Who = Annotated[str, Depends(account)]


def router(desk: Desk) -> APIRouter:
    """Returns the routes, to be mounted under `/api/kit`. Each answers 403 to all but operators."""

    def operators_only(who: Who) -> None:
        desk.require(who)

    routes = APIRouter(dependencies=[Depends(operators_only)])
    _reads(routes, desk)
    _answers(routes, desk)
    return routes


def _reads(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/books", summary="The books of agents")
    def books() -> list[dict[str, Any]]:
        """Lists every book with its policy's name, its newest entry, its kill switch, and how many acts wait."""
        return [shapes.shelf(item) for item in desk.shelves()]

    @routes.get("/wallet", summary="What an agent holds and may do")
    def wallet(book: Book) -> dict[str, Any]:
        """Returns balances, budgets used, rules in words, and what acts came to."""
        return shapes.wallet(desk.wallet(book))

    @routes.get("/profit", summary="What an agent's acts came to")
    def profit(book: Book) -> dict[str, Any]:
        """Returns what came and left by asset, fees apart; micro-dollars where the market room knows every price."""
        found, units, simulated = desk.profit(book)
        return shapes.profit(found, units, simulated=simulated)

    @routes.get("/journal", summary="An agent's acts, newest first")
    def journal(book: Book, before: Before = None, limit: Limit = PAGE) -> dict[str, Any]:
        """Returns acts with every entry of their journal, the refused ones too, and what befell the book itself."""
        return shapes.journal(desk.journal(book, before, limit))

    @routes.get("/act", summary="One act")
    def act(act: Act) -> dict[str, Any]:
        """Returns one act with every entry of its journal."""
        found = desk.story(act)
        return shapes.story(found, desk.tally(found.book).units)

    @routes.get("/approvals", summary="Acts that wait")
    def approvals(who: Who) -> list[dict[str, Any]]:
        """Lists what waits for an approval, or was approved and is not carried out yet, oldest first."""
        waiting = desk.waiting()
        units = desk.units(waiting)
        return [shapes.asked(desk, item, who, units[item.intent.book]) for item in waiting]


def _answers(routes: APIRouter, desk: Desk) -> None:
    @routes.post("/approvals", summary="Approve or reject an act")
    def answer(body: Answer, who: Who) -> dict[str, Any]:
        """Answers for those whom the policy names; the agent's own process carries out what was approved."""
        done = desk.answer(body.act, who, yes=body.yes)
        return shapes.asked(desk, done, who, desk.units([done])[done.intent.book])

    @routes.post("/switch", summary="Freeze or thaw a book")
    def switch(body: Switch, who: Who) -> dict[str, Any]:
        """While a book is frozen, nothing of it is reserved, signed or sent."""
        desk.freeze(body.book, who, body.why, on=body.on)
        return next(shapes.shelf(item) for item in desk.shelves() if item.book.id == body.book)
