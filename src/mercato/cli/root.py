"""`mercato` itself: what it does before a room is asked for, and how errors reach the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.main import get_command

from mercato.cli.rooms import Root
from mercato.core.errors import MercatoError

app = typer.Typer(
    cls=Root,
    help="The open, self-hosted market for tokenized open-source AI agents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing help with rich imports as much again as everything else
)

Host = Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1].")]
Port = Annotated[
    int | None, typer.Option(help="The port to listen on; 0 picks a free one [default: 8000].", min=0, max=65535)
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"mercato {version('mercato')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """The open, self-hosted market for tokenized open-source AI agents."""


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Run jobs in this process too.")] = True,
    season: Annotated[
        bool | None,
        typer.Option("--season/--no-season", help="Live through a simulated season on the local chain [default: yes]."),
    ] = None,
    season_seed: Annotated[
        int | None, typer.Option(help="Another seed makes another season [default: 7].", min=0)
    ] = None,
) -> None:
    """Start Mercato: pages, API, jobs and, unless a node is set, a local chain in one process."""
    from mercato.app import run
    from mercato.cli.bar import Bar

    run(host=host, port=port, worker=worker, local=True, season=season, seed=season_seed, listener=Bar())


@app.command()
def serve(host: Host = None, port: Port = 8000) -> None:
    """Serve pages and API; leave the jobs to `mercato work`."""
    from mercato.app import run

    run(host=host, port=port, worker=False)


@app.command()
def work() -> None:
    """Run jobs only, on the database that `mercato serve` uses."""
    from mercato.app import work as run

    run()


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line: exits with 0, with 2 for bad input and settings, with 1 for any other of our errors, and
    where a file or the database cannot be read or written."""
    try:
        get_command(app).main(args=arguments, prog_name="mercato")
    except MercatoError as error:
        typer.echo(f"error: {error.message}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        sys.exit(2 if isinstance(error, ValueError | LookupError) else 1)
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        sys.exit(1)
    except Exception as error:
        if type(error).__name__ != "OperationalError":  # of sqlite3, psycopg and SQLAlchemy, imported by who uses them
            raise
        first = str(error).partition("\n")[0]
        typer.echo(f"error: database: {first}", err=True)
        sys.exit(1)
