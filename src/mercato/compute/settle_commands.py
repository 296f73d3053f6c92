"""`mercato compute receipt … | epoch … | settle | disputes …`: receipts and their proofs, and what providers get."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from mercato.compute import replay_commands
from mercato.compute.terminal import AsJson, By, Why, dollars, show, table, till
from mercato.core.errors import Conflict, InvalidInput, NotFound

receipts = typer.Typer(help="Receipts of requests, and their proofs.", no_args_is_help=True)
epochs = typer.Typer(help="Epochs, which net and fix what was served.", no_args_is_help=True)
disputes = typer.Typer(help="Disputes with providers.", no_args_is_help=True)
Request = Annotated[str, typer.Argument(help="A request's id, req_….")]
LARGEST = 1 << 20


def add_to(app: typer.Typer) -> None:
    """Adds these commands to those of the room."""
    for name, group in (("receipt", receipts), ("epoch", epochs), ("disputes", disputes)):
        app.add_typer(group, name=name)
    replay_commands.add_to(disputes)
    app.command()(settle)


@receipts.command("show")
def show_(request: Request) -> None:
    """Print a receipt as JSON, with the proof that its epoch counts it once that is closed."""
    show(_receipt(request))


@receipts.command()
def verify(
    file: Annotated[str, typer.Argument(help="A file with a receipt as `show` prints it; - for standard input.")],
    key: Annotated[str, typer.Option(help="The gateway's public key.")],
    provider: Annotated[str, typer.Option(help="The public key of the provider that countersigned.")] = "",
    root: Annotated[str, typer.Option(help="The root of its epoch, from elsewhere.")] = "",
) -> None:
    """Check a receipt without the gateway: its hash, its signatures, its charge, and its place in its epoch."""
    from mercato.compute.books.receipts import faults, opens, receipt_of

    body = _read(file)
    receipt = receipt_of(body, body.get("hash", ""), body.get("signature", ""), body.get("countersigned", ""))
    found = faults(receipt, key, provider)
    found += ["its provider did not sign it"] if provider and not receipt.countersigned else []
    if proof := body.get("proof"):
        try:
            sound = opens(
                root or proof["root"], receipt.hash, int(proof["index"]), int(proof["receipts"]), proof["path"]
            )
        except (KeyError, TypeError, ValueError):
            sound = False
        found += [] if sound else ["its epoch's root does not count it"]
        found += _unsigned(proof, key)
    elif root:
        found.append("it carries no proof for its epoch")
    for fault in found:
        typer.echo(fault)
    if found:
        raise Conflict(f"receipt of {receipt.request} is not sound", hint="see above")
    if receipt.countersigned and not provider:
        typer.echo("its provider signed it too, which was not checked: give that key by --provider", err=True)
    charged = dollars(receipt.charged)
    typer.echo(f"{receipt.request} is sound: {receipt.provider} served {receipt.model} for {charged}")


@receipts.command()
def key() -> None:
    """Print the public key that this gateway signs receipts with."""
    from mercato.compute.installation import SECTIONS
    from mercato.compute.signing import signer
    from mercato.core.settings import load

    typer.echo(signer(load(*SECTIONS, partial=True).home).public)


@epochs.command()
def close(
    holdback: Annotated[int, typer.Option(help="Days until its earnings are due.", min=0, max=36_500)] = 7,
    as_json: AsJson = False,
) -> None:
    """Close an epoch over everything that was served since the last one."""
    from mercato.compute.books.epochs import close as closed

    with till() as books:
        made = closed(books, timedelta(days=holdback))
    if as_json:
        show(asdict(made) if made else None)
    else:
        said = f"epoch {made.number}: {made.receipts} receipts, root {made.root}" if made else "nothing was served"
        typer.echo(said)


@epochs.command("list")
def list_(as_json: AsJson = False) -> None:
    """List closed epochs with their roots; keep them elsewhere to find out later what was rewritten."""
    from mercato.compute.books.epochs import epochs as found

    with till() as books:
        rows = found(books.bare)
    if as_json:
        show([asdict(row) for row in rows])
        return
    table(["epoch", "closed", "receipts", "root"], [[it.number, it.closed, it.receipts, it.root] for it in rows])


def settle(as_json: AsJson = False) -> None:
    """Make due what was held back long enough, and print what is owed to each provider."""
    from mercato.compute.books.epochs import release

    with till() as books:
        release(books)
        balances = books.balances()
    owed: dict[str, dict[str, int]] = {}
    for account, held in balances.items():
        kind, _, rest = account.partition(":")
        if kind == "provider":
            provider, _, what = rest.rpartition(":")
            owed.setdefault(provider, {})[what] = held
    if as_json:
        show(owed)
        return
    columns = ["due", "held", "withheld", "stake"]
    rows = [[provider, *(dollars(parts.get(column, 0)) for column in columns)] for provider, parts in owed.items()]
    table(["provider", *columns], rows)


@disputes.command("list")
def disputed(provider: Annotated[str, typer.Argument(help="With whom.")] = "", as_json: AsJson = False) -> None:
    """List disputes."""
    from mercato.compute.books.disputes import listed

    with till() as books:
        found = listed(books.bare, provider)
    if as_json:
        show([asdict(one) for one in found])
        return
    rows = [[one.id, one.provider, one.kind.value, one.state.value, dollars(one.amount), one.why] for one in found]
    table(["dispute", "provider", "about", "state", "amount", "why"], rows)


@disputes.command()
def contradict(
    first: Annotated[str, typer.Argument(help="A file with a signed document, as JSON.")],
    second: Annotated[str, typer.Argument(help="Another one, signed by the same key.")],
    key: Annotated[str, typer.Option(help="The public key that signed both.")] = "",
    slash: Annotated[str, typer.Option(help="The provider whose key it is, to take its stake.", metavar="ID")] = "",
) -> None:
    """Say why two documents that one key signed cannot both be true; with --slash, take the provider's stake for it."""
    from mercato.compute import statements

    documents = _read(first), _read(second)
    if slash:
        from mercato.compute.model import ProviderId
        from mercato.compute.slashing import slash as taken

        with till() as books:
            made = taken(books, ProviderId(slash), *documents)
        typer.echo(f"{made.id} was {made.state.value}: {dollars(made.amount)}; {made.why}")
        return
    why = statements.contradiction(*documents, key)
    if not why:
        raise InvalidInput("documents do not contradict each other", hint="both have to be signed by --key")
    typer.echo(why)


@disputes.command()
def decide(
    id: Annotated[str, typer.Argument(help="A dispute's id, dispute_….")],
    uphold: Annotated[bool, typer.Option("--uphold/--reject", help="Refund the users, or give the earnings back.")],
    by: By = "operator",
    why: Why = "",
) -> None:
    """Decide a dispute, once."""
    from mercato.compute.books.disputes import decide as decided

    with till() as books:
        made = decided(books, id, uphold=uphold, by=by, why=why)
    typer.echo(f"{made.id} was {made.state.value}: {dollars(made.amount)}")


def _unsigned(proof: dict[str, Any], key: str) -> list[str]:
    """Returns what the gateway did not sign of a proof; nothing where it comes without signatures."""
    from mercato.compute import statements

    said = [it for it in proof.get("signed", []) if isinstance(it, dict)]
    names = {"root": proof.get("root"), "epoch": proof.get("epoch"), "receipts": proof.get("receipts")}
    other = [it for it in said if it.get("kind") == statements.ROOT and {n: it.get(n) for n in names} != names]
    sound = not other and all(statements.signed(it, key) for it in said)
    return [] if sound else ["the gateway's signature below its epoch's root does not fit"]


def _receipt(request: str) -> dict[str, Any]:
    from mercato.compute import statements
    from mercato.compute.books.epochs import proof
    from mercato.compute.books.receipts import shown
    from mercato.compute.books.turn import read

    with till() as books, books.bare.read():
        found = read(books.bare, request)
        if found is None:
            raise NotFound(f"request was {request!r:.80}, which has no receipt", hint="it may still be open")
        made = proof(books.bare, request)
        signer = books.signer
    told: dict[str, Any] = shown(found)
    if made:
        epoch = {"epoch": made.epoch.number, "root": made.epoch.root, "receipts": made.epoch.receipts}
        signed = [statements.of_root(made.epoch, signer), statements.of_opening(made, found, signer)]
        told["proof"] = epoch | {"index": made.index, "path": made.path, "signed": signed}
    return told


def _read(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read(LARGEST) if file == "-" else Path(file).read_text(encoding="utf-8")[:LARGEST]
        body = json.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"document was not readable: {error!s:.120}", hint="expected JSON") from None
    if not isinstance(body, dict):
        raise InvalidInput(f"document was {type(body).__name__!r}", hint="expected one JSON object")
    return body
