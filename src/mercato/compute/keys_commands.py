"""`mercato compute keys …`: keys for the API, what they are for, and what they may spend."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.compute.model import Surface
from mercato.compute.terminal import AsJson, dollars, micro, show, table, till

if TYPE_CHECKING:
    from mercato.compute.books.keys import Key

app = typer.Typer(help="Keys for the API.", no_args_is_help=True)


@app.command()
def make(
    account: Annotated[str, typer.Argument(help="Whose money it spends.")],
    name: Annotated[str, typer.Option(help="A name for people, such as the agent that uses it.")] = "",
    limit: Annotated[str, typer.Option(help="Dollars that it may ever spend.")] = "",
    window: Annotated[str, typer.Option(help="Dollars that it may spend in each window.")] = "",
    seconds: Annotated[int, typer.Option(help="How long a window is.", min=1)] = 3600,
    days: Annotated[int, typer.Option(help="How long it may be used; 0 for ever.", min=0, max=36_500)] = 0,
    model: Annotated[list[str] | None, typer.Option(help="A model that it may ask; may be repeated.")] = None,
    surface: Annotated[list[Surface] | None, typer.Option(help="A surface that it may use.")] = None,
    provider: Annotated[list[str] | None, typer.Option(help="A provider that it may be served by.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. Its text is printed now and kept nowhere."""
    from mercato.compute.books import keys

    limits = keys.Limits(
        micro(limit) if limit else None, micro(window) if window else None, seconds if window else None
    )
    scope = keys.Scope(frozenset(model or ()), frozenset(surface or ()), frozenset(provider or ()))
    with till() as books:
        expires = books.clock.now() + timedelta(days=days) if days else None
        made, secret = keys.make(books.bare, books.clock, account, name, scope=scope, limits=limits, expires=expires)
    if as_json:
        show(_body(made) | {"secret": secret})
        return
    typer.echo(secret)
    typer.echo(f"{made.id} of {account}; this text is not shown again", err=True)


@app.command("list")
def list_(
    account: Annotated[str, typer.Argument(help="Of whom; of all without.")] = "", as_json: AsJson = False
) -> None:  # fmt: skip
    """List keys, with what they spent."""
    from mercato.compute.books import keys

    with till() as books:
        found, now = keys.listed(books.bare, account), books.clock.now()
    if as_json:
        show([_body(key) for key in found])
        return
    rows = [
        [key.id, key.account, key.name, dollars(key.spent), "—" if key.left is None else dollars(key.left),
         "in use" if key.holds(now) else "over"]
        for key in found
    ]  # fmt: skip
    table(["key", "account", "name", "spent", "left", "state"], rows)


@app.command()
def revoke(id: Annotated[str, typer.Argument(help="A key's id, key_….")]) -> None:
    """End a key: nothing is reserved by it from now on."""
    from mercato.compute.books import keys

    with till() as books:
        keys.revoke(books.bare, books.clock, id)
    typer.echo(f"{id} was revoked")


def _body(key: Key) -> dict[str, Any]:
    return {
        "id": key.id, "account": key.account, "name": key.name, "made": key.made, "expires": key.expires,
        "revoked": key.revoked, "spent": key.spent, "reserved": key.reserved, "limit": key.limits.ever,
        "window": key.limits.window, "seconds": key.limits.seconds, "models": sorted(key.scope.models),
        "surfaces": sorted(key.scope.surfaces), "providers": sorted(key.scope.providers),
    }  # fmt: skip
