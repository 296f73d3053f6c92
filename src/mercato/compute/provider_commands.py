"""`mercato compute providers`, `hold` and `readmit`: who serves, how they fare in audits, and an operator's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.compute.terminal import AsJson, By, Why, show, table, till
from mercato.core.errors import Conflict, NotFound

if TYPE_CHECKING:
    from mercato.compute.books.till import Till
    from mercato.compute.model import Provider
    from mercato.compute.verify.standing import Event

Id = Annotated[str, typer.Argument(help="Its id, such as prov_….")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of the room."""
    app.command()(providers)
    app.command()(hold)
    app.command()(readmit)


def providers(as_json: AsJson = False) -> None:
    """List providers with where they stand and why, and the share of right answers by their audits."""
    from mercato.compute import roster

    with till() as books, books.bare.read():
        found = [_body(books, provider) for provider in roster.everyone(books.bare)]
    if as_json:
        show(found)
        return
    table(["provider", "name", "standing", "audits", "right", "95 % interval", "why"], [
        [it["id"], it["name"], it["standing"], it["audits"], _share(it["right_bps"]),
         f"{_share(it['low_bps'])} to {_share(it['high_bps'])}", it["why"]]
        for it in found
    ])  # fmt: skip


def hold(provider: Id, by: By = "operator", why: Why = "") -> None:
    """Stop asking a provider, and withhold what it was not paid yet, until it is readmitted."""
    from mercato.compute.verify.standing import Event

    _move(provider, Event.HELD, f"held by {by}: {why}")


def readmit(provider: Id, by: By = "operator", why: Why = "") -> None:
    """Let a suspended provider prove itself again, on probation. Who was ejected stays so."""
    from mercato.compute.verify.standing import Event

    _move(provider, Event.RETURNED, f"readmitted by {by}: {why}")


def _move(id: str, event: Event, why: str) -> None:
    from mercato.compute import roster
    from mercato.compute.books import disputes
    from mercato.compute.model import ProviderId
    from mercato.compute.verify.standing import Effect, step

    with till() as books, books.writing() as pen:
        found = roster.one(pen.bare, id)
        if found is None:
            raise NotFound(f"provider was {id!r:.80}, which does not exist", hint="see `mercato compute providers`")
        standing, effects = step(found.standing, event)
        if standing is found.standing:
            raise Conflict(f"provider {id!r} was {found.standing.value}, which stays so", hint="nothing was changed")
        roster.stand(pen.bare, id, standing, pen.at, why)
        if Effect.WITHHOLD in effects and roster.unsettled(pen.bare, ProviderId(id)):
            disputes.withheld(pen, ProviderId(id), why, {"standing": standing.value})
    typer.echo(f"{id} is {standing.value}")


def _body(books: Till, provider: Provider) -> dict[str, Any]:
    from mercato.compute import roster
    from mercato.compute.verify.docket import recorded
    from mercato.compute.verify.match import interval

    evidence = recorded(books.bare, provider.id, provider.standing).evidence
    low, high = interval(evidence.fails, evidence.audits)
    turns = roster.history(books.bare, provider.id)
    return {
        "id": provider.id, "name": provider.name, "standing": provider.standing.value, "audits": evidence.audits,
        "fails": evidence.fails, "low_bps": _bps(low), "high_bps": _bps(high),
        "right_bps": _bps(1 - evidence.fails / evidence.audits) if evidence.audits else None,
        "unsettled": roster.unsettled(books.bare, provider.id), "stake": provider.stake,
        "why": turns[-1].why if turns else "",
    }  # fmt: skip


def _bps(share: float) -> int:
    return round(share * 10_000)


def _share(bps: int | None) -> str:
    return "—" if bps is None else f"{bps / 100:.1f}%"
