"""`mercato compute providers`, `admit`, `hold`, `readmit`: who serves, how they fare in audits, an operator's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.compute.terminal import AsJson, By, Why, show, table, till
from mercato.core.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mercato.compute.books.pen import Pen
    from mercato.compute.books.till import Till
    from mercato.compute.model import Provider
    from mercato.compute.tee.findings import Pair
    from mercato.compute.tee.words import Finding
    from mercato.compute.verify.standing import Event

Id = Annotated[str, typer.Argument(metavar="PROVIDER", help="Its name, or its id, such as prov_….")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of the room."""
    app.command()(providers)
    app.command()(admit)
    app.command()(hold)
    app.command()(readmit)


def providers(as_json: AsJson = False) -> None:
    """List providers with where they stand and why, and the share of right answers by their audits."""
    from mercato.compute import roster
    from mercato.compute.model import Standing
    from mercato.compute.tee import findings

    with till() as books, books.bare.read():
        proven = findings.holding(books.bare, books.clock.now())
        found = [_body(books, provider, proven) for provider in roster.everyone(books.bare)]
    if as_json:
        show(found)
        return
    table(["provider", "name", "standing", "audits", "right", "95 % interval", "machine", "why"], [
        [it["id"], it["name"], it["standing"], it["audits"], _share(it["right_bps"]),
         f"{_share(it['low_bps'])} to {_share(it['high_bps'])}", ", ".join(sorted(set(it["tee"].values()))) or "—",
         it["why"]]
        for it in found
    ])  # fmt: skip
    if any(it["standing"] == Standing.PROBATION for it in found) and not _judged():
        typer.echo("Nothing here audits answers, so only your word ends a probation: mercato compute admit PROVIDER")


def admit(provider: Id, why: Annotated[str, typer.Option(help="Words for people.")], by: By = "operator") -> None:
    """End a provider's probation by your word, where no audit does. It is audited, warned and ejected as anybody."""
    from mercato.compute.verify.standing import Event

    _move(provider, Event.ADMITTED, by, why)


def hold(provider: Id, by: By = "operator", why: Why = "") -> None:
    """Stop asking a provider, and withhold what it was not paid yet, until it is readmitted."""
    from mercato.compute.verify.standing import Event

    _move(provider, Event.HELD, by, why)


def readmit(provider: Id, by: By = "operator", why: Why = "") -> None:
    """Let a suspended provider prove itself again, on probation. Who was ejected stays so."""
    from mercato.compute.verify.standing import Event

    _move(provider, Event.RETURNED, by, why)


def _move(word: str, event: Event, by: str, why: str) -> None:
    from mercato.compute import roster

    with till() as books, books.writing() as pen:
        moved = move(pen, roster.called(pen.bare, word), event, by, why)
    typer.echo(f"{word} is {moved.standing.value}")


def move(pen: Pen, provider: Provider, event: Event, by: str, why: str) -> Provider:
    """Moves a provider by the word of an operator, and writes down whose it was, and why; returns it as it stands then.
    Conflict where it stays where it is."""
    from dataclasses import replace

    from mercato.compute import roster
    from mercato.compute.books import disputes
    from mercato.compute.verify.standing import Effect, Event, step

    said = {
        Event.ADMITTED: f"admitted by {by}, not audited", Event.HELD: f"held by {by}",
        Event.RETURNED: f"readmitted by {by}",
    }[event]  # fmt: skip
    reason = f"{said}: {why}" if why else said
    standing, effects = step(provider.standing, event)
    if standing is provider.standing:
        raise Conflict(f"provider {provider.name!r} was {standing.value}, which stays so", hint="nothing was changed")
    roster.stand(pen.bare, provider.id, standing, pen.at, reason)
    if Effect.WITHHOLD in effects and roster.unsettled(pen.bare, provider.id):
        disputes.withheld(pen, provider.id, reason, {"standing": standing.value})
    return replace(provider, standing=standing)


def _judged() -> bool:
    """Whether the settings name somebody, or something, that answers are judged by."""
    from mercato.compute.installation import SECTIONS
    from mercato.compute.settings import ComputeSettings
    from mercato.core.settings import load

    audit = load(*SECTIONS, partial=True).of(ComputeSettings).audit
    return bool(audit.checker or (audit.canaries and audit.canary_file))


def _body(books: Till, provider: Provider, proven: Mapping[Pair, Finding]) -> dict[str, Any]:
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
        "tee": {model: found.level.value for (who, model), found in proven.items() if who == provider.id},
    }  # fmt: skip


def _bps(share: float) -> int:
    return round(share * 10_000)


def _share(bps: int | None) -> str:
    return "—" if bps is None else f"{bps / 100:.1f}%"
