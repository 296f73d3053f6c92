"""`mercato launch demand | preview | positions | bid | improve | cancel | claim | deposit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.core.errors import InvalidInput
from mercato.market.terminal import AsJson, show, table

if TYPE_CHECKING:
    from mercato.launch.model import Request
    from mercato.launch.service import Launches

Id = Annotated[str, typer.Argument(help="A launch's id, such as lch_….", metavar="LAUNCH")]
Level = Annotated[int, typer.Argument(help="A price level, 0 to 255, or 65535 for retail.", min=0, max=65535)]
Amount = Annotated[str, typer.Argument(help="Whole base units of the quote token: 5000000 is 5 test dollars.")]
Bidder = Annotated[str, typer.Option("--from", help="The bidder's account, 0x and 40 digits.")]
Send = Annotated[bool, typer.Option("--send", help="Sign and send it here, instead of printing it.")]
DOLLAR, TOKEN = 10**6, 10**18


def attach(app: typer.Typer) -> None:
    """Adds the verbs to the room's command."""
    for verb in (demand, preview, positions, bid, improve, cancel, claim, deposit, faucet):
        app.command(verb.__name__)(verb)


def demand(
    id: Id,
    all_levels: Annotated[bool, typer.Option("--all-levels", help="Levels without demand too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show an auction's book: demand by level, what of it is firm, and what clearing now would give."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        body = shapes.demand(found.room.demand(id), all_levels=all_levels)
    if as_json:
        show(body)
        return
    rows = [[item["level"], dollars(item["demand"])] for item in reversed(body["levels"])]
    table(f"Demand at block {body['block']}", ["level", "quote"], rows)
    typer.echo(f"retail {dollars(body['retail'])}, firm {dollars(body['firm'])}, may leave "
               f"{dollars(body['cancellable'])}, all {dollars(body['total'])}")  # fmt: skip
    would = f"level {body['level']}, {dollars(body['raised'])} for {tokens(body['sold'])} tokens"
    typer.echo(f"clearing now: {would if body['clears'] else 'it would fail'}")


def preview(id: Id, level: Level, amount: Amount, as_json: AsJson = False) -> None:
    """Show what a further bid would get if the auction cleared now."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    units = whole(amount)
    with opened(chain=True) as found:
        body = shapes.preview(found.room.preview(id, level, units))
    if as_json:
        show(body)
    else:
        typer.echo(f"{tokens(body['tokens'])} tokens for {dollars(body['charge'])}, {dollars(body['refund'])} back")


def positions(id: Id, bidder: Bidder, as_json: AsJson = False) -> None:
    """Show what a bidder holds in an auction, by level."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        bodies = [shapes.position(item) for item in found.room.positions(id, bidder)]
    if as_json:
        show(bodies)
        return
    rows = [
        [item["level"], *(dollars(item[name]) for name in ("amount", "charge", "refund")), tokens(item["tokens"]),
         "claimed" if item["claimed"] else "final" if item["final"] else "forecast"]
        for item in bodies
    ]  # fmt: skip
    table("Positions", ["level", "bid", "charged", "back", "tokens", ""], rows)


def bid(
    id: Id,
    level: Level,
    amount: Amount,
    bidder: Bidder,
    credential: Annotated[str, typer.Option(help="The gate's credential in hex, for a retail bid.")] = "0x",
    send: Send = False,
    as_json: AsJson = False,
) -> None:
    """Bid: prints the unsigned transactions, an approval first where one is needed."""
    units, octets = whole(amount), _octets(credential)
    prepare(lambda room: room.prepare_bid(id, bidder, level, units, octets), send, as_json)


def improve(
    id: Id,
    low: Annotated[int, typer.Argument(help="The level that the money leaves.", min=0, max=255)],
    high: Annotated[int, typer.Argument(help="The higher level that it moves to.", min=0, max=255)],
    amount: Amount,
    bidder: Bidder,
    send: Send = False,
    as_json: AsJson = False,
) -> None:
    """Move money to a higher level."""
    units = whole(amount)
    prepare(lambda room: room.prepare_improve(id, bidder, low, high, units), send, as_json)


def cancel(id: Id, level: Level, amount: Amount, bidder: Bidder, send: Send = False, as_json: AsJson = False) -> None:
    """Take money back from a level, until bids are firm."""
    units = whole(amount)
    prepare(lambda room: room.prepare_cancel(id, bidder, level, units), send, as_json)


def claim(id: Id, level: Level, bidder: Bidder, send: Send = False, as_json: AsJson = False) -> None:
    """Pay a bid out: tokens and refund, or everything back where the auction failed."""
    prepare(lambda room: room.prepare_claim(id, bidder, level), send, as_json)


def deposit(id: Id, send: Send = False, as_json: AsJson = False) -> None:
    """Leave the applicant's deposit; for a declined application, the bond of an appeal."""
    prepare(lambda room: room.deposit(id), send, as_json)


def faucet(amount: Amount, bidder: Bidder, send: Send = False, as_json: AsJson = False) -> None:
    """Take test dollars, where bids are paid in them."""
    units = whole(amount)
    prepare(lambda room: room.prepare_faucet(bidder, units), send, as_json)


def prepare(ask: Callable[[Launches], Sequence[Request]], send: bool, as_json: bool) -> None:
    """Prints what a wallet would sign, or signs and sends it."""
    from mercato.chains.abi import succeeded
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        requests = ask(found.room)
        if send:
            receipts = [succeeded(found.chain, found.chain.send(item.call)) for item in requests]
            bodies = [shapes.receipt(item) for item in receipts]
        else:
            bodies = [shapes.request(item) for item in requests]
    if as_json:
        show(bodies)
        return
    for item, body in zip(requests, bodies, strict=True):
        typer.echo(item.title)
        for line in _lines(body or {}):
            typer.echo(f"  {line}")


def _lines(body: dict[str, Any]) -> list[str]:
    if "transaction" in body and isinstance(body["transaction"], str):
        return [f"transaction {body['transaction']} in block {body['block']}"]
    fields = body["transaction"]
    lines = [f"{name}: {fields[name]}" for name in ("from", "to", "value", "data")]
    refusal = [f"the chain would refuse it now: {body['refusal']}"] if body["refusal"] else []
    return [f"calls {body['function']}", *lines, *refusal]


def whole(text: str) -> int:
    """Returns whole base units that a person wrote; InvalidInput for any other text."""
    if not (text.isascii() and text.isdigit() and len(text) <= 78):
        raise InvalidInput(f"amount was {text[:80]!r}", hint="whole base units: 5000000 is 5 test dollars")
    return int(text)


def dollars(units: str) -> str:
    """Returns quote base units for people, cut at cents."""
    whole_, rest = divmod(int(units), DOLLAR)
    return f"{whole_:,}.{rest // 10_000:02d} tUSD"


def tokens(units: str) -> str:
    """Returns token base units for people, cut at whole tokens."""
    return f"{int(units) // TOKEN:,}"


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InvalidInput(f"credential was {text[:80]!r}", hint="0x and hexadecimal digits") from None
