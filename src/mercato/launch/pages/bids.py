"""What a bidder may do in an auction; each form answers with what the bidder's own wallet is to sign.

A bid takes one signature and one transaction: the transfer is signed (ERC-3009) and brought with the bid. Accounts
whose wallet cannot sign typed data send an approval first instead.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from mercato.core.errors import Conflict
from mercato.launch.authorization import Authorization
from mercato.launch.model import RETAIL, Launch
from mercato.launch.pages.auction import levels, page
from mercato.launch.pages.press import Press, form, sign, tried, wants_json
from mercato.launch.views import bidding
from mercato.launch.views.bidding import FAUCET
from mercato.launch.views.form import Form
from mercato.launch.words import dollars

Given = Annotated[dict[str, str], Depends(form)]


def add(router: APIRouter, press: Press) -> None:
    """Adds everything that a bidder may ask for."""
    _bid(router, press)
    _change(router, press)


def _bid(router: APIRouter, press: Press) -> None:
    @router.post("/launch/{id}/bid")
    def bid(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form(given)
        level = bidding.level(asked, levels(press, launch))
        units, bidder = bidding.amount(asked, launch), bidding.account(asked)
        if asked.errors and not wants_json(request):
            return page(press, request, launch, asked, status=422)
        asked.refuse()
        requests = press.room.prepare_bid(id, bidder, level, units)
        if asked.text("how") == "sign" and wants_json(request) and len(requests) > 1:
            tried("place a bid", requests)
            return typed(id, press.room.prepare_authorization(id, bidder, level, units))
        command = f"mercato launch bid {id} {level} {units} --from {bidder}"
        return sign(press, request, launch, "Place a bid", requests, command)

    @router.post("/launch/{id}/signed")
    def signed(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form({**given, **request.query_params})
        bidder, level = bidding.account(asked), bidding.whole(asked.text("level"), "level")
        asked.refuse()
        requests = press.room.prepare_signed_bid(
            id, bidder, bidder, level, bidding.whole(asked.text("amount"), "amount"),
            salt=bidding.octets(asked.text("salt")), signature=bidding.octets(asked.text("signature")),
            valid_before=bidding.whole(asked.text("valid_before"), "valid_before"),
        )  # fmt: skip
        return sign(press, request, launch, "Bring the bid", requests, "")

    @router.post("/launch/{id}/retail")
    def retail(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form(given)
        units, bidder = bidding.amount(asked, launch), bidding.account(asked)
        credential = asked.read("credential", bidding.octets) or b""
        asked.refuse()
        requests = press.room.prepare_bid(id, bidder, RETAIL, units, credential)
        command = f"mercato launch bid {id} {RETAIL} {units} --from {bidder} --credential 0x{credential.hex()}"
        return sign(press, request, launch, "Bid at any price", requests, command)

    @router.post("/launch/{id}/faucet")
    def faucet(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form(given)
        bidder = bidding.account(asked)
        asked.refuse()
        requests = press.room.prepare_faucet(bidder, FAUCET)
        return sign(press, request, launch, f"Take {dollars(FAUCET)} of test money", requests, "")


def typed(id: str, made: Authorization) -> Response:
    """Returns the signature to ask for; it goes back to us with all that the bid needs beside it."""
    brought = {
        "account": made.bidder, "level": made.level, "amount": made.amount, "salt": "0x" + made.salt.hex(),
        "valid_before": made.valid_before,
    }  # fmt: skip
    step = {
        "kind": "typed-data", "title": f"Sign the transfer of {dollars(made.amount)}", "account": made.bidder,
        "data": made.typed, "next": f"/launch/{id}/signed?{urlencode(brought)}",
    }  # fmt: skip
    return JSONResponse({"steps": [step]})


def _change(router: APIRouter, press: Press) -> None:
    @router.post("/launch/{id}/raise")
    def raise_bid(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form(given)
        level, bidder = bidding.whole(asked.text("level"), "level"), bidding.account(asked)
        units = bidding.amount(asked, launch, least=False)
        asked.refuse()
        command = f"mercato launch bid {id} {level} {units} --from {bidder}"
        return sign(press, request, launch, "Raise a bid", press.room.prepare_bid(id, bidder, level, units), command)

    @router.post("/launch/{id}/improve")
    def improve(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form(given)
        level, bidder = bidding.whole(asked.text("level"), "level"), bidding.account(asked)
        higher = bidding.level(asked, levels(press, launch))
        asked.refuse()
        units = held(press, launch, bidder, level)
        requests = press.room.prepare_improve(id, bidder, level, higher, units)
        command = f"mercato launch improve {id} {level} {higher} {units} --from {bidder}"
        return sign(press, request, launch, "Pay more", requests, command)

    @router.post("/launch/{id}/cancel")
    def cancel(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form(given)
        level, bidder = bidding.whole(asked.text("level"), "level"), bidding.account(asked)
        asked.refuse()
        units = held(press, launch, bidder, level)
        command = f"mercato launch cancel {id} {level} {units} --from {bidder}"
        return sign(press, request, launch, "Cancel", press.room.prepare_cancel(id, bidder, level, units), command)

    @router.post("/launch/{id}/claim")
    def claim(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form(given)
        level, bidder = bidding.whole(asked.text("level"), "level"), bidding.account(asked)
        asked.refuse()
        command = f"mercato launch claim {id} {level} --from {bidder}"
        return sign(press, request, launch, "Claim", press.room.prepare_claim(id, bidder, level), command)


def held(press: Press, launch: Launch, bidder: str, level: int) -> int:
    """Returns what a bidder has at a level, in base units; Conflict where that is nothing."""
    found = [item.amount for item in press.room.positions(launch.id, bidder) if item.level == level]
    if not found:
        raise Conflict(f"account {bidder!r} has no bid at level {level}", hint="see your bids on the launch's page")
    return found[0]
