"""`mercato compute …`: the gateway over open models, its keys, providers and receipts."""

from __future__ import annotations

from typing import Annotated

import typer

from mercato.compute import (
    address_commands,
    attest_commands,
    audit_commands,
    books_commands,
    canary_commands,
    fleet_commands,
    keys_commands,
    node_commands,
    provider_commands,
    settle_commands,
)

app = typer.Typer(
    help="Serve open models from anyone, verified and metered.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
fleet_commands.attach(app)


@app.callback()
def compute() -> None:
    """Serve open models from anyone, verified and metered."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port to listen on; 0 picks a free one [default: 8600].", min=0, max=65535)
    ] = None,
    upstream: Annotated[
        str, typer.Option(help="Also serve all models of this endpoint, for nothing: its address up to and with /v1.")
    ] = "",
) -> None:
    """Serve the gateway: OpenAI's API over the upstreams and providers of this installation."""
    from mercato.compute.installation import SECTIONS, prepared
    from mercato.compute.orders import Orders
    from mercato.compute.settings import ComputeSettings
    from mercato.compute.starting import become, listen
    from mercato.core.settings import load

    settings = load(*SECTIONS, partial=True)
    if upstream:
        from mercato.compute.gateway.discovery import with_endpoint

        settings = with_endpoint(settings, upstream)
    wanted = settings.of(ComputeSettings)
    url = prepared(settings)
    become(Orders(settings.home, url, wanted), listen(host or wanted.host, wanted.port if port is None else port))


app.add_typer(address_commands.app, name="provider")
app.add_typer(node_commands.app, name="node")
app.command()(node_commands.provide)
app.add_typer(keys_commands.app, name="keys")
app.add_typer(canary_commands.app, name="canaries")
books_commands.add_to(app)
settle_commands.add_to(app)
audit_commands.add_to(app)
provider_commands.add_to(app)
attest_commands.add_to(app)
