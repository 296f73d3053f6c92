"""`mercato chains …`: serve an embedded chain, or an embedded Solana cluster, to wallets and scripts."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="The embedded chain, and chains at a node.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def chains() -> None:
    """The embedded chain, and chains at a node."""


@app.command()
def serve(
    port: Annotated[
        int | None,
        typer.Option(
            help="The port to listen on; 0 picks a free one [default: 8545, or a free one].", min=0, max=65535
        ),
    ] = None,
    chain_id: Annotated[int, typer.Option(help="The chain's id.", min=1)] = 31337,
    engine: Annotated[str, typer.Option(help="pyrevm, which is fast, or py-evm, which counts gas exactly.")] = "pyrevm",
    origin: Annotated[
        list[str] | None, typer.Option(help="A page's origin, such as http://127.0.0.1:8000, that may call.")
    ] = None,
) -> None:
    """Serve a fresh chain with ten rich accounts until it is stopped. Their keys are public: for development only."""
    from mercato.chains.serving import serve

    serve(port=port, chain_id=chain_id, engine=engine, origins=tuple(origin or ()))


@app.command()
def serve_solana(
    port: Annotated[
        int | None,
        typer.Option(
            help="The port to listen on, and the one behind it; 0 picks free ones [default: 8899, or free ones].",
            min=0,
            max=65534,
        ),
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="A page's origin, such as http://127.0.0.1:8000, that may call.")
    ] = None,
) -> None:
    """Serve a fresh Solana cluster until it is stopped. Its SOL is simulated, and anybody gets as much as they ask."""
    from mercato.chains.serving import serve_solana

    serve_solana(port=port, origins=tuple(origin or ()))
