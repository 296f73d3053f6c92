"""All launches, and one launch with its book."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from mercato.chains.model import Hash
from mercato.contracts import load
from mercato.core.errors import Conflict, InvalidInput
from mercato.launch import model
from mercato.launch.contracts import at
from mercato.launch.model import Demand, Launch
from mercato.launch.pages.press import Press
from mercato.launch.states import State
from mercato.launch.views import bidding, listing, single
from mercato.launch.views.book import Answer, answer, book
from mercato.launch.views.form import Form
from mercato.launch.views.signing import outcome
from mercato.launch.views.states import BIDDING, ENDED, badge, countdown, road
from mercato.launch.words import dollars, price
from mercato.visits import account

_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
RULES = {
    State.OPEN: "Until the lock you may cancel. You pay the one price that everybody pays, never more than your limit.",
    State.LOCKED: "The book is locked: bids may be placed and raised, and not cancelled any more.",
    State.EXTENDED: "A late bid moved the end. Bids may be placed and raised, and not cancelled any more.",
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the preview shows: an answer, or what kept it from one."""

    answer: Answer | None = None
    fault: str = ""


def add(router: APIRouter, press: Press) -> None:
    """Adds the list, the launch and its fragments."""

    @router.get("/launch")
    def show_launches(request: Request) -> Response:
        held = press.room.launches()
        groups = listing.groups(
            held, lambda item: under_way(press, item), lambda item: quoted(press, item), press.room.chain.time()
        )
        shown = any(group.cards for group in groups)
        made_up = any(card.simulated for group in groups for card in group.cards)
        return press.page(request, "list.html", groups=groups, any=shown, simulated=made_up)

    @router.get("/launch/transactions/{hash}")
    def show_transaction(hash: str) -> JSONResponse:
        if not _HASH.fullmatch(hash):
            raise InvalidInput(f"transaction was {hash[:80]!r}", hint="0x and 64 hexadecimal digits")
        return JSONResponse(outcome(press.room.chain.receipt(Hash(hash.lower()))))

    @router.get("/launch/{id}/preview")
    def show_preview(id: str, amount: str = "", price: str = "") -> HTMLResponse:
        launch = press.room.launch(id)
        said = preview(press, launch, Form({"amount": amount, "price": price}))
        return press.render("launch/preview.html", answer=said.answer, fault=said.fault)

    @router.get("/launch/{id}")
    def show_launch(request: Request, id: str, amount: str = "", price: str = "") -> Response:
        asked = Form({"amount": amount[:60], "price": price[:60], "account": account(request)})
        return page(press, request, press.room.launch(id), asked)


def page(press: Press, request: Request, launch: Launch, asked: Form, *, status: int = 200) -> HTMLResponse:
    """Returns the page of one launch."""
    room, id, who = press.room, launch.id, account(request)
    book_held = demand(press, launch)
    said = preview(press, launch, asked) if launch.state in BIDDING else Spoken()
    own = room.positions(id, who) if who and book_held else None
    terms = launch.application.terms
    return press.page(
        request, "launch.html", status=status, launch=launch, badge=badge(launch.state),
        countdown=countdown(launch, room.chain.time()), road=road(launch, room.history(id)),
        bidding=launch.state in BIDDING, ended=launch.state in ENDED, market=launch.state is State.LIVE,
        book=book(launch, book_held) if book_held else None,
        positions=None if own is None or not book_held else single.bids(launch, book_held.levels, own),
        supply=single.supply(launch), scores=single.scores(room.reviews(id)), terms=single.terms(launch),
        result=single.result(launch), contracts=single.contracts(launch), form=asked, answer=said.answer,
        fault=said.fault, rule=RULES.get(launch.state, ""), least=dollars(terms.bid_min),
        floor=price(book_held.levels[0].price) if book_held else "", shown=single.disclosure(launch),
        faucet=dollars(bidding.FAUCET) if launch.state in BIDDING and has_faucet(press) else "",
        command=f"mercato launch bid {id} LEVEL AMOUNT --from ACCOUNT",
    )  # fmt: skip


def has_faucet(press: Press) -> bool:
    """Says whether bids are paid in the test dollar, which anybody may take."""
    return press.room.chain.code(press.room.deployment.quote).startswith(load("test_dollar").runtime)


def under_way(press: Press, launch: Launch) -> Demand | None:
    """Returns the book of an auction that takes bids; None of any other."""
    return press.room.demand(launch.id) if launch.state in BIDDING else None


def quoted(press: Press, launch: Launch) -> int | None:
    """Returns what a token costs in its pool now, in Q96; None before it has one."""
    if launch.contracts is None or launch.contracts.pool is None:
        return None
    found: int = at(press.room.chain, "pool", launch.contracts.pool).read("price")
    return found


def demand(press: Press, launch: Launch) -> Demand | None:
    """Returns the book of an auction that takes bids or took some; None of any other."""
    return press.room.demand(launch.id) if launch.state in BIDDING | ENDED else None


def levels(press: Press, launch: Launch) -> Sequence[model.Level]:
    """Returns the price levels of an auction that takes bids; Conflict of any other."""
    if launch.state not in BIDDING:
        raise Conflict(f"launch was {launch.state.value!r}", hint="bids are taken between the opening and the end")
    return press.room.demand(launch.id).levels


def preview(press: Press, launch: Launch, asked: Form) -> Spoken:
    """Returns what a bid would get now, or what is wrong with it; nothing where nothing is asked."""
    if not (asked.text("amount") and asked.text("price")):
        return Spoken()
    tried = Form(asked.given)
    grid = levels(press, launch)
    level, units = bidding.level(tried, grid), bidding.amount(tried, launch)
    if tried.errors:
        return Spoken(fault="; ".join(f"{name}: {words}" for name, words in tried.errors.items()))
    return Spoken(answer(launch, press.room.preview(launch.id, level, units), grid[level].price))
