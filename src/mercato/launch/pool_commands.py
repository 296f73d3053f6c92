"""`mercato launch market | quote | buy | sell`: the pool of a live launch, and trades in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mercato.launch.bid_commands import Id, Send, dollars, prepare, tokens, whole
from mercato.market.terminal import AsJson, show, table

if TYPE_CHECKING:
    from mercato.launch.views.market import Shown

Trader = Annotated[str, typer.Option("--from", help="The trader's account, 0x and 40 digits.")]
Slippage = Annotated[int, typer.Option(help="How much less than now it may give, in basis points.", min=0, max=9999)]
Within = Annotated[int, typer.Option(help="Seconds of chain time until the trade is void.", min=60, max=86_400)]
Quote = Annotated[str, typer.Argument(help="Whole base units of the quote token: 5000000 is 5 test dollars.")]
Tokens = Annotated[str, typer.Argument(help="Whole base units of the token, which has 18 decimals.")]


def attach(app: typer.Typer) -> None:
    """Adds the verbs to the room's command."""
    for verb in (market, quote, buy, sell):
        app.command(verb.__name__)(verb)


def market(
    id: Id,
    trades: Annotated[int, typer.Option(help="With --json, at most so many trades.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Show a token's market: price, depth, holders, locked liquidity and the newest trades."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened
    from mercato.launch.views.market import shown

    with opened(chain=True) as found:
        launch, held = found.room.launch(id), found.room.market(id)
    if as_json:
        show(shapes.market(held, trades))
        return
    title = f"{launch.application.symbol}{' (simulated)' if launch.simulated else ''}"
    _tell_market(title, shown(launch, held))


def _tell_market(title: str, seen: Shown) -> None:
    facts = (*seen.headline, *seen.proof, *seen.sinks)
    table(title, ["", "", "what it means"], [[fact.name, fact.value, fact.note] for fact in facts])
    depths = [[f"{item.percent}%", item.up, item.down] for item in seen.depths]
    table("Depth: what moves the price, the fee aside", ["by", "up, buying for", "down, selling tokens"], depths)
    holders = [[item.account, item.name, item.amount, item.share] for item in seen.holders]
    table(f"The largest of {seen.holding} holders", ["account", "who", "tokens", "share"], holders)
    rows = [[item.when, item.side, item.tokens, item.quote, item.price, item.block] for item in seen.trades]
    table(f"The newest of {seen.count} trades", ["at", "side", "tokens", "for", "price", "block"], rows)
    typer.echo(seen.source)


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
