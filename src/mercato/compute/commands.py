"""`mercato compute …`: the gateway over open models, its keys, providers and receipts."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Serve open models from anyone, verified and metered.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def compute() -> None:
    """Serve open models from anyone, verified and metered."""
