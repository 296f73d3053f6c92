"""`mercato compute deposit | withdraw | balance | pay | stop | resume | replay …`: money that comes and goes, and the
proof that none was lost. Amounts are dollars, such as 2.50; `--json` prints whole micro-dollars."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mercato.compute.terminal import AsJson, By, Why, dollars, micro, show, table, till
from mercato.core.errors import Conflict

Account = Annotated[str, typer.Argument(help="An account: whose money it is.")]
Dollars = Annotated[str, typer.Argument(help="Dollars, such as 2.50.")]
Name = Annotated[str, typer.Option(help="What names the payment, such as a transaction; the same is booked once.")]
Provider = Annotated[str, typer.Argument(help="A provider's id, prov_….")]
Scope = Annotated[str, typer.Argument(help="platform, account:NAME or key:ID.")]


def add_to(app: typer.Typer) -> None:
    """Adds these commands to those of the room."""
    for command in (deposit, withdraw, balance, pay, stake, unstake, stop, resume, replay):
        app.command()(command)


def deposit(account: Account, amount: Dollars, name: Name) -> None:
    """Book money that came for an account."""
    with till() as books:
        done = books.deposit(account, micro(amount), name=name)
        _told(done, name)
        typer.echo(f"{account} has {dollars(books.balance(account).free)}")


def withdraw(account: Account, amount: Dollars, name: Name) -> None:
    """Book money that went back to an account's owner."""
    with till() as books:
        done = books.withdraw(account, micro(amount), name=name)
        _told(done, name)
        typer.echo(f"{account} has {dollars(books.balance(account).free)}")


def balance(
    account: Annotated[str, typer.Argument(help="An account; every one of the ledger without.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print what an account has, and what its open requests may cost; or every balance of the ledger."""
    with till() as books:
        if account:
            found = books.balance(account)
            if as_json:
                show({"account": account, "free": found.free, "reserved": found.reserved})
            else:
                typer.echo(f"{account} has {dollars(found.free)}, and {dollars(found.reserved)} reserved")
            return
        rows = books.balances()
    if as_json:
        show(rows)
        return
    table(["account", "balance"], [[name, dollars(held)] for name, held in rows.items()])
    typer.echo(f"sum: {dollars(sum(rows.values()))}")


def pay(provider: Provider, amount: Dollars, name: Name) -> None:
    """Book that a provider was paid of what is due to it."""
    from mercato.compute.books import epochs

    with till() as books:
        _told(epochs.pay(books, provider, micro(amount), name=name), name)


def stake(provider: Provider, amount: Dollars, name: Name) -> None:
    """Book what a provider put down, to lose it where it contradicts itself in writing."""
    from mercato.compute import roster
    from mercato.compute.books import epochs

    with till() as books:
        known = roster.called(books.bare, provider)  # what lay with nobody could never be given back
        _told(epochs.stake(books, known.id, micro(amount), name=name), name)


def unstake(provider: Provider, name: Name) -> None:
    """Book that a provider got its stake back: it is exiting, and everything was settled."""
    from mercato.compute.books import epochs

    with till() as books:
        _told(epochs.unstake(books, provider, name=name), name)


def stop(scope: Scope, by: By = "operator", why: Why = "") -> None:
    """Turn a kill switch on: nothing is reserved below it from now on."""
    _turned(scope, on=True, by=by, why=why)


def resume(scope: Scope, by: By = "operator", why: Why = "") -> None:
    """Turn a kill switch off."""
    _turned(scope, on=False, by=by, why=why)


def replay(
    expect: Annotated[str, typer.Option(help="An entry's hash or an epoch's root that was kept elsewhere.")] = "",
    as_json: AsJson = False,
) -> None:
    """Derive every hash, request and balance from the log alone, and name what the tables say otherwise."""
    from mercato.compute.books.replay import replay as replayed
    from mercato.compute.installation import SECTIONS
    from mercato.compute.signing import signer
    from mercato.core.settings import load

    public = signer(load(*SECTIONS, partial=True).home).public
    with till() as books:
        found = replayed(books.bare, public, expect=expect)
    heads: dict[str, Any] = {lane: {"seq": seq, "head": head} for lane, (seq, head) in found.heads.items()}
    if as_json:
        show({"entries": found.entries, "requests": len(found.requests), "lanes": heads, "faults": found.faults})
    else:
        for fault in found.faults:
            typer.echo(fault)
        typer.echo(f"{found.entries} entries of {len(heads)} lanes, {len(found.requests)} requests")
    if found.faults:
        raise Conflict(f"{len(found.faults)} things are not as the log was written", hint="see above")
    if not as_json:
        typer.echo("Everything follows from the log.")


def _turned(scope: str, *, on: bool, by: str, why: str) -> None:
    from mercato.compute.books import switch

    with till() as books:
        made = switch.turn(books, scope, on=on, by=by, why=why)
    typer.echo(f"{made.scope} is {'stopped' if made.stopped else 'running'}, turn {made.generation}")


def _told(done: bool, name: str) -> None:
    typer.echo("booked" if done else f"{name} was booked before; nothing was changed")
