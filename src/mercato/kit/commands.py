"""`mercato kit …`: what an agent may do on a chain. `--json` prints JSON; errors go to standard error.

Arguments of an action are given as NAME=VALUE. The origin of an act is `agent` unless `--origin` says otherwise.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.core.errors import ConfigError, InvalidInput
from mercato.kit import policy_commands
from mercato.kit.profit_commands import profit
from mercato.market.terminal import AsJson, show, table

if TYPE_CHECKING:
    from mercato.core.events import Json
    from mercato.kit.acts import Act
    from mercato.kit.model import Effects, Intent
    from mercato.kit.service import Kit

app = typer.Typer(
    help="What an agent may do on a chain: tried, judged, journaled.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(policy_commands.app, name="policy")
app.command()(profit)
Name = Annotated[str, typer.Argument(help="An action, see `mercato kit list`.", metavar="ACTION")]
Given = Annotated[list[str] | None, typer.Argument(help="Its arguments.", metavar="[NAME=VALUE]...")]
Origin = Annotated[str, typer.Option(help="Who wants it: agent, or operator, who may hand out authorities.")]
Note = Annotated[str, typer.Option(help="Words for people; they decide nothing.")]
Id = Annotated[str, typer.Argument(help="An act's id, act_….", metavar="ACT")]
Why = Annotated[str, typer.Option(help="Why.")]
By = Annotated[str, typer.Option(help="Who says so.")]


@app.callback()
def kit() -> None:
    """What an agent may do on a chain: tried, judged, journaled."""


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the actions with their arguments."""
    from mercato.kit import shapes
    from mercato.kit.opening import catalogue

    found = [item for _, item in sorted(catalogue().items())]
    if as_json:
        show([shapes.action(item) for item in found])
        return
    rows = [[item.name, item.says, ", ".join(one.name for one in item.arguments)] for item in found]
    table("Actions", ["action", "what it does", "arguments"], rows)


@app.command()
def read(name: Name, given: Given = None, as_json: AsJson = False) -> None:
    """Ask an action that only reads, such as `balance`."""
    from mercato.kit.opening import opened

    with opened() as found:
        answer = found.kit(watch=True).read(name, arguments(name, given))
    show(answer) if as_json or not isinstance(answer, dict) else table(
        name, ["", ""], [[*item] for item in answer.items()]
    )


@app.command()
def plan(name: Name, given: Given = None, as_json: AsJson = False) -> None:
    """Print the unsigned transactions that an action comes to."""
    from mercato.kit.opening import opened

    with opened() as found:
        kit = found.kit(watch=True)
        body = kit.plan(_intent(kit, name, given)).body()
    if as_json:
        show(body)
        return
    steps: Any = body["steps"]
    if any("instructions" in step for step in steps):
        rows = [[step["title"], one["program"], one["data"]] for step in steps for one in step["instructions"]]
        table("Instructions", ["transaction", "program", "data"], rows)
        return
    table("Steps", ["step", "to", "value", "data"], [[s["title"], s["to"], s["value"], s["data"]] for s in steps])


@app.command("dry-run")
def dry_run(name: Name, given: Given = None, origin: Origin = "agent", as_json: AsJson = False) -> None:
    """Try an action: print what it would do, and what the policy says of it."""
    from mercato.kit import shapes
    from mercato.kit.opening import opened

    with opened() as found:
        kit = found.kit(watch=True)
        tried = kit.propose(_intent(kit, name, given, origin))
    if as_json:
        show(shapes.proposal(tried))
        return
    tell(tried.ready.effects)
    typer.echo(f"{tried.decision.verdict.value}: {tried.decision.why}")


@app.command()
def explain(name: Name, given: Given = None, origin: Origin = "agent", as_json: AsJson = False) -> None:
    """Print the rule that decides on an action, and why those before it do not."""
    from mercato.kit import shapes
    from mercato.kit.opening import opened

    with opened() as found:
        kit = found.kit(watch=True)
        tried = kit.propose(_intent(kit, name, given, origin))
    if as_json:
        show({key: value for key, value in shapes.proposal(tried).items() if key in ("decision", "rules")})
        return
    table("Rules", ["rule", "does not fit because"], [[rule, why or "it decides"] for rule, why in tried.explained])
    typer.echo(f"{tried.decision.verdict.value}: {tried.decision.why}")


@app.command()
def act(name: Name, given: Given = None, origin: Origin = "agent", note: Note = "", as_json: AsJson = False) -> None:
    """Do an action, if the policy allows it; where it wants approval, put it into the queue."""
    from mercato.kit.opening import opened

    with opened() as found:
        kit = found.kit()
        kit.recover()
        done = kit.act(_intent(kit, name, given, origin, note))
    _tell_act(done, as_json)


@app.command()
def approvals(as_json: AsJson = False) -> None:
    """List the acts that wait for an approval, or were approved and not carried out yet."""
    from mercato.kit import shapes
    from mercato.kit.opening import opened

    with opened() as found:
        waiting = found.ledger.waiting(found.book)
    if as_json:
        show([shapes.act(item) for item in waiting])
        return
    rows = [[one.id, one.state.value, one.intent.action, ", ".join(one.decision.approvers)] for one in waiting]
    table("Waiting", ["act", "state", "action", "may approve"], rows)


@app.command()
def approve(
    id: Id, by: By, no: Annotated[bool, typer.Option("--no", help="Reject it.")] = False, as_json: AsJson = False
) -> None:
    """Approve an act that waits, or reject it; `resume` carries it out."""
    from mercato.kit.opening import opened

    with opened() as found:
        done = found.ledger.answer(found.ledger.act(id), by, yes=not no)
    _tell_act(done, as_json)


@app.command()
def resume(id: Id, as_json: AsJson = False) -> None:
    """Carry out an act that was approved, if it still does no more than was shown."""
    from mercato.kit.opening import opened

    with opened() as found:
        done = found.kit().resume(id)
    _tell_act(done, as_json)


@app.command()
def recover(as_json: AsJson = False) -> None:
    """Bring to an end what a process left that died; `act` does it too."""
    from mercato.kit import shapes
    from mercato.kit.opening import opened

    with opened() as found:
        done = found.kit().recover()
    if as_json:
        show([shapes.act(item) for item in done])
        return
    table("Recovered", ["act", "state"], [[item.id, item.state.value] for item in done])


@app.command()
def journal(
    act: Annotated[str, typer.Option(help="Only of this act.")] = "",
    after: Annotated[int, typer.Option(help="Only entries after this number.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """Print the journal, oldest first."""
    from mercato.kit import shapes
    from mercato.kit.opening import opened

    with opened() as found:
        entries = found.ledger.journal(found.book, after, limit, act)
    if as_json:
        show([shapes.entry(item) for item in entries])
        return
    rows = [
        [item.seq, item.at.isoformat(" ", "seconds"), item.arrow.value, item.act, item.hash[:16]] for item in entries
    ]
    table("Journal", ["entry", "at", "what", "act", "hash"], rows)


@app.command()
def replay(
    expect: Annotated[str, typer.Option(help="A head that was kept elsewhere; it has to be in the journal.")] = "",
    as_json: AsJson = False,
) -> None:
    """Derive hashes, acts, budgets and balances from the journal, and compare; exits with 1 where they differ."""
    from mercato.kit import shapes
    from mercato.kit.opening import opened
    from mercato.kit.replay import replay

    with opened() as found:
        body: Any = shapes.derived(found.book, replay(found.ledger.store, found.book, expect))
    if as_json:
        show(body)
        return
    typer.echo(f"{body['entries']} entries are as they were written; the head is {body['head']}")
    table("Moved", ["account", "asset", "units"], [[b["account"], b["asset"], b["units"]] for b in body["balances"]])
    table("Budgets", ["budget", "of", "units"], [[b["budget"], b["scope"], b["units"]] for b in body["budgets"]])


@app.command()
def freeze(by: By, why: Why = "", as_json: AsJson = False) -> None:
    """Turn the kill switch on: nothing is reserved, signed or sent any more."""
    _switch(by, why, as_json, on=True)


@app.command()
def thaw(by: By, why: Why = "", as_json: AsJson = False) -> None:
    """Turn the kill switch off."""
    _switch(by, why, as_json, on=False)


@app.command()
def serve(
    port: Annotated[
        int | None, typer.Option(help="Serve on http://127.0.0.1:PORT/mcp instead of standard input.", min=1, max=65535)
    ] = None,
) -> None:
    """Serve the actions as tools (Model Context Protocol) until it is stopped."""
    import anyio

    from mercato.kit.opening import opened
    from mercato.kit.settings import KitSettings
    from mercato.kit.tools import server, site, speak

    with opened() as found:
        kit = found.kit()
        kit.recover()
        if port is None:
            anyio.run(speak, kit)
            return
        import uvicorn

        made = site(server(kit), found.settings.of(KitSettings).token)
        uvicorn.run(made, host="127.0.0.1", port=port, http="h11", loop="asyncio", log_level="warning")


@app.command("new-wallet")
def new_wallet(
    file: Annotated[Path, typer.Argument(help="A file that is not there yet.")], as_json: AsJson = False
) -> None:
    """Make a key for the kind of chain that is set, encrypted with MERCATO_KIT_PASSWORD; print its address."""
    import secrets

    from mercato.chains.transactions import ORDER
    from mercato.core.settings import load
    from mercato.kit.dumps import forbid
    from mercato.kit.keystore import save
    from mercato.kit.settings import KitSettings

    forbid()
    wanted = load(KitSettings, partial=True).of(KitSettings)
    if not wanted.password:
        raise ConfigError("there is no password", hint="set MERCATO_KIT_PASSWORD")
    if wanted.chain == "solana":
        from mercato.chains.opening import need_solders
        from mercato.kit.solana import keystore as solana

        need_solders()
        address: str = solana.save(file, secrets.token_bytes(32), wanted.password)
    else:
        address = save(file, (secrets.randbelow(ORDER - 1) + 1).to_bytes(32, "big"), wanted.password)
    show({"address": address}) if as_json else typer.echo(address)


def arguments(name: str, given: list[str] | None) -> dict[str, Json]:
    """Returns NAME=VALUE as the action's schema has them: numbers, lists and objects are read as JSON."""
    from mercato.kit.opening import catalogue

    kinds = {item.name: item.kind for item in catalogue().named(name).arguments}
    found: dict[str, Json] = {}
    for item in given or ():
        key, sign, value = item.partition("=")
        if not sign:
            raise InvalidInput(f"argument was {item!r}", hint="write NAME=VALUE")
        try:
            plain = kinds.get(key) in {"whole", "flag", "list", "object"}
            found[key] = json.loads(value) if plain else value
        except json.JSONDecodeError:
            raise InvalidInput(f"{key} was {value!r}", hint="expected JSON") from None
    return found


def tell(effects: Effects) -> None:
    """Prints effects for people."""
    rows = [[move.asset, move.units] for move in effects.moves]
    table("Effects", ["asset", "units"], [*rows, *([["the fee at most", effects.fee]] if effects.fee else [])])
    for grant in effects.grants:
        typer.echo(f"allows {grant.spender} to spend {grant.after} of {grant.asset}")
    for authority in effects.authorities:
        typer.echo(f"{'gives' if authority.given else 'takes'} {authority.power.value} {authority.holder}")
    for gap in effects.gaps:
        typer.echo(f"unclear: {gap}")


def _intent(kit: Kit, name: str, given: list[str] | None, origin: str = "agent", note: str = "") -> Intent:
    from mercato.kit.model import Origin

    known = [item.value for item in Origin]
    if origin not in known:
        raise InvalidInput(f"--origin was {origin!r}", hint=f"known: {', '.join(known)}")
    return kit.intent(name, arguments(name, given), origin=Origin(origin), note=note)


def _tell_act(done: Act, as_json: bool) -> None:
    from mercato.kit import shapes

    if as_json:
        show(shapes.act(done))
        return
    typer.echo(f"{done.id}: {done.state.value}")
    tell(done.effects)


def _switch(by: str, why: str, as_json: bool, *, on: bool) -> None:
    from mercato.kit.opening import opened

    with opened() as found:
        found.ledger.freeze(found.book, by, why, on=on)
        frozen = found.ledger.book(found.book).frozen
    if as_json:
        show({"book": found.book, "frozen": frozen})
        return
    typer.echo(f"{found.book}: {'frozen' if frozen else 'not frozen'}")
