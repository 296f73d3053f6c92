"""`mercato launch deploy | schedule | abort | refund | forfeit | keeper`: what the house does on a chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.core.errors import ConfigError
from mercato.market.terminal import AsJson, progress, show, table

if TYPE_CHECKING:
    from mercato.chains import Address, Chain
    from mercato.chains.signing import Key
    from mercato.core.settings import Settings
    from mercato.launch.deployment import Terms

Id = Annotated[str, typer.Argument(help="A launch's id, such as lch_….", metavar="LAUNCH")]
Role = Annotated[str, typer.Option(help="An account, 0x and 40 digits [default: the curator's].")]


def attach(app: typer.Typer) -> None:
    """Adds the verbs to the room's command."""
    for verb in (deploy, verify, schedule, abort, refund, forfeit, admit, keeper):
        app.command(verb.__name__)(verb)


def deploy(
    rpc: Annotated[str, typer.Option(help="The node, such as http://127.0.0.1:8545 [default: the settings'].")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be sent, and send nothing.")] = False,
    deployer: Annotated[str, typer.Option(help="Who sends it [default: the account of MERCATO_CHAINS_KEY].")] = "",
    curator: Annotated[str, typer.Option(help="Who creates launches [default: the curator's key, or deployer].")] = "",
    treasury: Role = "",
    judge: Role = "",
    attester: Role = "",
    quote: Annotated[str, typer.Option(help="The dollar that bids are paid in [default: a test dollar].")] = "",
    uptime: Annotated[str, typer.Option(help="The sequencer's uptime feed, on a chain that has one.")] = "",
    record: Annotated[Path | None, typer.Option(help="The record [default: deployments/<chain>.toml].")] = None,
    as_json: AsJson = False,
) -> None:
    """Deploy everything that launches stand on; a half finished deployment is gone on with."""
    from mercato.core.settings import load
    from mercato.launch import shapes
    from mercato.launch.deployment import deploy_all, plan
    from mercato.launch.opening import SECTIONS, record_place

    settings = load(*SECTIONS, partial=True)
    with _chain(settings, rpc) as chain:
        sender = _account(deployer) if deployer else _deployer(settings, chain)
        terms = _terms(settings, sender, curator, treasury, judge, attester, quote, uptime)
        place = record or record_place(settings, chain)
        if dry_run:
            planned = shapes.planned(plan(chain, sender, terms, path=place))
            _tell_plan(planned, sender, as_json)
            return
        with progress(as_json) as watch:
            made = shapes.deployment(deploy_all(chain, sender, terms, path=place, progress=_told(watch)))
    if as_json:
        show({**made, "record": str(place)})
        return
    table(f"Deployed to {made['chain']}", ["what", "where"], [[name, value] for name, value in made.items()])
    typer.echo(f"record: {place}")


def verify(as_json: AsJson = False) -> None:
    """Compare the code of every contract on the chain with what the build made; exits with 1 where one differs."""
    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        results = found.room.verify()
    if as_json:
        show([{"contract": name, "sound": sound} for name, sound in results])
    else:
        table("Code on the chain", ["contract", ""], [[name, "as built" if ok else "DIFFERS"] for name, ok in results])
    if not all(sound for _, sound in results):
        raise typer.Exit(1)


def schedule(
    id: Id,
    opens: Annotated[
        int | None, typer.Option(help="When bidding opens, in seconds of chain time [default: in an hour].", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put an approved launch on the chain."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        body = shapes.launch(found.room.schedule(id, opens))
    _tell_launch(body, as_json)


def abort(id: Id, as_json: AsJson = False) -> None:
    """Call a scheduled launch off, before it opens."""
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        body = shapes.launch(found.room.abort(id))
    _tell_launch(body, as_json)


def refund(id: Id, as_json: AsJson = False) -> None:
    """Give an applicant's deposit back."""
    _settle(id, False, as_json)


def forfeit(id: Id, as_json: AsJson = False) -> None:
    """Send the deposit of a declined application with false statements to the treasury."""
    _settle(id, True, as_json)


def admit(
    id: Id,
    bidder: Annotated[str, typer.Argument(help="The bidder's account, 0x and 40 digits.")],
    identity: Annotated[str, typer.Option(help="Who stands behind it, such as x:somebody; counts once per auction.")],
    as_json: AsJson = False,
) -> None:
    """Admit a bidder to the retail tranche: prints the credential that the attester signs."""
    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        credential = "0x" + found.room.admit(id, bidder, identity, _attester(found.settings, found.chain)).hex()
    if as_json:
        show({"launch": id, "bidder": bidder.lower(), "credential": credential})
    else:
        typer.echo(credential)


def keeper(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and stop.")] = False,
    seconds: Annotated[int, typer.Option(help="How often to look.", min=1, max=3600)] = 5,
    as_json: AsJson = False,
) -> None:
    """Clear, graduate and expire auctions as they fall due, and move reviews on; may be killed and run anywhere."""
    import time

    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        room = found.room
        while True:
            done = {
                "rounds": room.advance_due(),
                "mirrored": room.sync_all(),
                "sent": room.keep_all(),
                "refunds": room.settle_deposits(),
            }
            if as_json:
                typer.echo(_line(done))
            elif done["rounds"] or done["sent"] or done["refunds"] or once:
                typer.echo(f"{done['sent']} transactions, {done['rounds']} rounds, {done['refunds']} refunds")
            if once:
                return
            time.sleep(seconds)


def _line(done: dict[str, int]) -> str:
    import json

    return json.dumps(done)


def _settle(id: str, forfeited: bool, as_json: bool) -> None:
    from mercato.launch import shapes
    from mercato.launch.opening import opened

    with opened(chain=True) as found:
        body = shapes.receipt(found.room.settle_deposit(id, forfeit=forfeited))
    if as_json:
        show(body)
    else:
        typer.echo(f"transaction {body['transaction']}" if body else "no deposit is held")


@contextmanager
def _chain(settings: Settings, rpc: str) -> Iterator[Chain]:
    """Gives the node's chain; ConfigError where no node is named, since a chain in this process ends with it."""
    from mercato.chains.opening import close_chain
    from mercato.chains.settings import ChainSettings
    from mercato.core.settings import Secret
    from mercato.launch.opening import chain_of

    wanted = settings.of(ChainSettings)
    if rpc:
        wanted = wanted.model_copy(update={"rpc": Secret(rpc)})
    if not wanted.rpc:
        raise ConfigError("no node was named", hint="give --rpc http://127.0.0.1:8545, or set MERCATO_CHAINS_RPC")
    chain = chain_of(settings, wanted)
    try:
        yield chain
    finally:
        close_chain(chain)


def _attester(settings: Settings, chain: Chain) -> Key:
    """Returns the attester's key: the settings', else on a development chain that of the first account."""
    from mercato.chains.fuse import DEVELOPMENT
    from mercato.chains.signing import Key
    from mercato.chains.testing import KEYS
    from mercato.launch.opening import keys
    from mercato.launch.settings import LaunchSettings

    if held := keys(settings.of(LaunchSettings)).get("attester"):
        return held
    if int(chain.name.reference) in DEVELOPMENT:
        return Key(KEYS[0])
    raise ConfigError("no attester's key was set", hint="set MERCATO_LAUNCH_ATTESTER_KEY")


def _deployer(settings: Settings, chain: Chain) -> Address:
    """Returns who deploys where nobody was named: the settings' key, else a development chain's first account."""
    from mercato.chains.fuse import DEVELOPMENT
    from mercato.chains.settings import ChainSettings
    from mercato.chains.signing import Key
    from mercato.chains.testing import ACCOUNTS

    if key := settings.of(ChainSettings).key:
        return Key(key).address
    if int(chain.name.reference) in DEVELOPMENT:
        return ACCOUNTS[0]
    raise ConfigError("no deployer was named", hint="set MERCATO_CHAINS_KEY, or name one with --deployer")


def _terms(
    settings: Settings, deployer: Address, curator: str, treasury: str, judge: str, attester: str, quote: str,
    uptime: str,
) -> Terms:  # fmt: skip
    from mercato.chains.model import ZERO
    from mercato.launch.deployment import Terms
    from mercato.launch.opening import keys
    from mercato.launch.settings import LaunchSettings

    wanted = settings.of(LaunchSettings)
    held = keys(wanted).get("curator")
    house = _account(curator) if curator else held.address if held else deployer
    return Terms(
        curator=house,
        treasury=_account(treasury) if treasury else house,
        judge=_account(judge) if judge else house,
        attester=_account(attester) if attester else house,
        quote=_account(quote) if quote else None,
        uptime=_account(uptime) if uptime else ZERO,
        deposit=wanted.deposit,
    )


def _account(text: str) -> Address:
    from mercato.launch.service import account

    return account(text)


def _told(watch: Any) -> Any:
    return (lambda name, done, total: watch("deploying", done, total)) if watch else None


def _tell_plan(planned: list[dict[str, Any]], sender: Address, as_json: bool) -> None:
    if as_json:
        show({"deployer": sender, "transactions": planned})
        return
    rows = [
        [item["name"], item["artifact"], item["address"], item["octets"], item["gas"] or "unknown"] for item in planned
    ]
    table(f"{len(rows)} transactions of {sender}, none sent", ["what", "contract", "where", "bytes", "gas"], rows)


def _tell_launch(body: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show(body)
    else:
        typer.echo(f"{body['id']} is {body['state']}; bidding opens at second {body['opens']} of chain time")
