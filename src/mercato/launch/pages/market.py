"""The market of a live token, and trades in its pool for the visitor's own wallet to sign."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from mercato.core.errors import InvalidInput
from mercato.launch.market import market
from mercato.launch.model import Launch
from mercato.launch.pages.auction import has_faucet
from mercato.launch.pages.press import Press, form, sign, wants_json
from mercato.launch.views import bidding, trading
from mercato.launch.views.form import Form
from mercato.launch.views.market import shown
from mercato.launch.words import dollars
from mercato.visits import account

Given = Annotated[dict[str, str], Depends(form)]


def add(router: APIRouter, press: Press) -> None:
    """Adds the page of a token's market, what a trade would give, and the trade."""

    @router.get("/launch/{id}/token")
    def show_market(request: Request, id: str) -> Response:
        return page(press, request, press.room.launch(id), written(request))

    @router.get("/launch/{id}/trade")
    def show_offer(request: Request, id: str) -> HTMLResponse:
        return press.render("launch/offer.html", **said(press, request, press.room.launch(id), written(request)))

    @router.post("/launch/{id}/trade")
    def trade(request: Request, id: str, given: Given) -> Response:
        launch, asked = press.room.launch(id), Form(given)
        wanted, trader = trading.asked(asked), bidding.account(asked)
        if asked.errors and not wants_json(request):
            return page(press, request, launch, asked, status=422)
        asked.refuse()
        requests = press.room.prepare_trade(
            id, trader, buys=wanted.buys, amount=wanted.amount, slippage_bps=wanted.slippage_bps,
            floor=wanted.promised(asked.text("seen")), patience=wanted.patience,
        )  # fmt: skip
        command = trading.command(launch, wanted, trader)
        title = f"{'Buy' if wanted.buys else 'Sell'} {launch.application.symbol}"
        return sign(press, request, launch, title, requests, command, f"/launch/{id}/token")


def written(request: Request) -> Form:
    """Returns the form as its address carries it, with what stands in it at first where nothing was written."""
    given = {name: request.query_params.get(name, "")[:60] for name in ("side", "amount", "slippage", "minutes")}
    first = {"slippage": trading.SLIPPAGE, "minutes": trading.MINUTES}
    who = account(request) or request.query_params.get("account", "")[:60]
    return Form({**{name: text or first.get(name, "") for name, text in given.items()}, "account": who})


def page(press: Press, request: Request, launch: Launch, asked: Form, *, status: int = 200) -> HTMLResponse:
    """Returns the page of a market with its form."""
    held = market(press.room.chain, launch)
    return press.page(
        request, "token.html", status=status, topic="launch chains", launch=launch, shown=shown(launch, held),
        form=asked, selling=asked.text("side") == "sell",
        faucet=dollars(bidding.FAUCET) if has_faucet(press) else "", **said(press, request, launch, asked),
    )  # fmt: skip


def said(press: Press, request: Request, launch: Launch, asked: Form) -> dict[str, Any]:
    """Returns what a trade would give now or what is wrong with it, and what the visitor holds."""
    who, tried = account(request), Form(asked.given)
    held = trading.holdings(launch, press.room.balances(launch.id, who)) if who else ""
    if not asked.text("amount"):
        return {"offer": None, "fault": "", "holdings": held}
    try:
        wanted = trading.asked(tried)
        tried.refuse()
        found = press.room.quote(launch.id, buys=wanted.buys, amount=wanted.amount)
    except InvalidInput as error:
        return {"offer": None, "fault": f"{error.message}. {error.hint}", "holdings": held}
    if not found.received:
        return {"offer": None, "fault": "It is too small: it would give nothing.", "holdings": held}
    return {"offer": trading.offer(launch, wanted, found), "fault": "", "holdings": held}
