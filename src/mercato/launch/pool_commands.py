"""`mercato launch quote | buy | sell`: trades in the pool of a live launch."""

from __future__ import annotations

from typing import Annotated

import typer

from mercato.launch.bid_commands import Id, Send, dollars, prepare, tokens, whole
from mercato.market.terminal import AsJson, show

Trader = Annotated[str, typer.Option("--from", help="The trader's account, 0x and 40 digits.")]
Slippage = Annotated[int, typer.Option(help="How much less than now it may give, in basis points.", min=0, max=9999)]
Within = Annotated[int, typer.Option(help="Seconds of chain time until the trade is void.", min=60, max=86_400)]
Quote = Annotated[str, typer.Argument(help="Whole base units of the quote token: 5000000 is 5 test dollars.")]
Tokens = Annotated[str, typer.Argument(help="Whole base units of the token, which has 18 decimals.")]


def attach(app: typer.Typer) -> None:
    """Adds the verbs to the room's command."""
    for verb in (quote, buy, sell):
        app.command(verb.__name__)(verb)


def quote(
    id: Id,
    amount: Quote,
    selling: Annotated[bool, typer.Option("--sell", help="Sell so many token base units instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a trade in the pool would give now."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    units = whole(amount)
    with opened(chain=True) as found:
        body = shapes.quoted(found.room.quote(id, buys=not selling, amount=units))
    if as_json:
        show(body)
        return
    given, got = (tokens, dollars) if selling else (dollars, tokens)
    worse = f"{body['impact_ppm'] // 10_000}.{body['impact_ppm'] // 100 % 100:02d} %"
    typer.echo(f"{got(body['received'])} for {given(body['given'])}, fee {dollars(body['fee'])}, {worse} off the price")


def buy(
    id: Id, amount: Quote, trader: Trader, slippage_bps: Slippage = 100, within: Within = 1200, send: Send = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Buy tokens for so much quote: prints the unsigned transactions."""
    units = whole(amount)
    terms = {"amount": units, "slippage_bps": slippage_bps, "patience": within}
    prepare(lambda room: room.prepare_trade(id, trader, buys=True, **terms), send, as_json)


def sell(
    id: Id, amount: Tokens, trader: Trader, slippage_bps: Slippage = 100, within: Within = 1200, send: Send = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Sell so many tokens: prints the unsigned transactions."""
    units = whole(amount)
    terms = {"amount": units, "slippage_bps": slippage_bps, "patience": within}
    prepare(lambda room: room.prepare_trade(id, trader, buys=False, **terms), send, as_json)
