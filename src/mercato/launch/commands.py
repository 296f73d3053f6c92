"""`mercato launch ...`."""

from __future__ import annotations

import typer

from mercato.launch import settle_commands

app = typer.Typer(help="Launch an agent's token through a fair auction.", no_args_is_help=True)
settle_commands.attach(app)


@app.callback()
def launch() -> None:
    """Launch an agent's token through a fair auction."""
