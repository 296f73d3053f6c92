"""`mercato market builders …` and `mercato market taxonomy …`: who writes the code, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.market.terminal import AsJson, show, table

if TYPE_CHECKING:
    from mercato.market.connectors.builders import Builders, Fetched
    from mercato.market.service import Market

builders = typer.Typer(help="Follow the git repositories of projects and count their commits.", no_args_is_help=True)
taxonomy = typer.Typer(help="Say which repositories belong to which project.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(metavar="REPO_OR_PATH", help="An https:// address or the path of a clone.")]
ProjectName = Annotated[str, typer.Option("--project", help="Whose repository it is, such as elizaos.")]
AssetId = Annotated[str, typer.Option("--asset", help="The asset that the project stands for, if any.")]
Url = Annotated[str, typer.Option(help="The https:// address that a local clone is of, so both count as one.")]


def _builders(market: Market) -> Builders:
    from mercato.core.clock import SystemClock
    from mercato.market.connectors.builders import Builders

    return Builders(market, market.folders.root, SystemClock())


@builders.command()
def add(address: Address, project: ProjectName, asset: AssetId = "", url: Url = "", as_json: AsJson = False) -> None:
    """Follow a repository. Nothing is read yet: `builders fetch` does that."""
    from dataclasses import asdict

    from mercato.market.opening import opened

    with opened() as market:
        item = _builders(market).add(address, project, asset, url)
    if as_json:
        show(asdict(item))
        return
    typer.echo(f"following {item.repository} for {item.project}")


@builders.command()
def remove(repository: Annotated[str, typer.Argument(help="The id or address, as `list` shows it.")]) -> None:
    """Stop following a repository; what was read of it stays."""
    from mercato.market.opening import opened

    with opened() as market:
        _builders(market).remove(repository)
    typer.echo(f"{repository} is no longer followed")


@builders.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the repositories that are followed."""
    from dataclasses import asdict

    from mercato.market.opening import opened

    with opened() as market:
        rows = [asdict(item) for item in _builders(market).followed()]
    if as_json:
        show(rows)
        return
    columns = ("project", "repository", "asset_id", "address")
    table(f"{len(rows)} repositories", columns, [[row[name] for name in columns] for row in rows])


@builders.command()
def fetch(
    address: Annotated[str, typer.Argument(metavar="[REPO_OR_PATH]", help="Only this one; all where left out.")] = "",
    project: Annotated[str, typer.Option(help="Only this project's; with a new address, whose it is.")] = "",
    asset: AssetId = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """Read the new commits of repositories. Exits with 1 where one of them failed; the others are kept."""
    from dataclasses import asdict

    from mercato.market.opening import opened

    with opened() as market:
        room = _builders(market)
        only = room.add(address, project, asset, url).repository if address and project else _known(room, address)
        told = _silent if as_json else _tell
        done = room.fetch(lambda item: _is_wanted(item.repository, item.project, only, project), told=told)
    if as_json:
        show([asdict(item) for item in done])
    elif not done:
        typer.echo("no repository is followed; begin with: mercato market builders add REPO_OR_PATH --project NAME")
    if any(item.error for item in done):
        raise typer.Exit(1)


def _known(room: Builders, address: str) -> str:
    """Returns the id of a followed repository; NotFound where that address is not on the list."""
    from mercato.core.errors import NotFound

    if not address:
        return ""
    for item in room.followed():
        if address in (item.repository, item.address) or item.address == str(Path(address).expanduser().absolute()):
            return item.repository
    raise NotFound(f"repository was {address!r}, which is not followed", hint="say whose it is with --project NAME")


def _is_wanted(repository: str, owner: str, only: str, project: str) -> bool:
    return repository == only if only else project in ("", owner)


def _silent(done: Fetched) -> None:
    """Says nothing: the JSON at the end does."""


def _tell(done: Fetched) -> None:
    if done.error:
        typer.echo(f"{done.repository}: {done.error}" + (f" ({done.hint})" if done.hint else ""), err=True)
        return
    flags = f"; {', '.join(done.flags)}" if done.flags else ""
    typer.echo(f"{done.repository}: {done.commits} new commits, {done.refs} refs{flags}")


@taxonomy.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="The `migrations` folder of a clone of Open Dev Data.")],
    until: Annotated[str, typer.Option(help="Only migrations before this date, such as 2025-02-14.")] = "",
    overlay: Annotated[Path | None, typer.Option(help="An overlay file instead of the one that ships.")] = None,
    as_json: AsJson = False,
) -> None:
    """Replay the Open Dev Data taxonomy and lay Mercato's overlay over it."""
    from mercato.core.clock import SystemClock
    from mercato.market import shapes
    from mercato.market.connectors import repositories, taxonomy
    from mercato.market.opening import opened

    now = SystemClock().now()
    content = overlay.read_bytes() if overlay else None
    entries = repositories.overlay(content or repositories.package_overlay())
    with opened() as market:
        receipts = [
            market.ingest(repositories.overlay_document(now, content)),
            market.ingest(taxonomy.document(folder, repositories.taxonomy_projects(entries), now, until)),
        ]
    if as_json:
        show({"attribution": taxonomy.ATTRIBUTION, "receipts": [shapes.receipt(item) for item in receipts]})
        return
    for item in receipts:
        typer.echo(f"{item.source}: {item.rows.get('repositories', 0)} repositories, {item.rejected} lines refused")
    typer.echo(f"data: {taxonomy.ATTRIBUTION}")


@taxonomy.command("overlay")
def overlay_(as_json: AsJson = False) -> None:
    """Show what the overlay that ships adds and leaves out, with the reasons."""
    from dataclasses import asdict

    from mercato.market.connectors import repositories

    entries = repositories.overlay(repositories.package_overlay())
    if as_json:
        show([asdict(item) for item in entries])
        return
    rows = [
        (entry.name, entry.asset_id or None, sign, item.repository, item.reason)
        for entry in entries
        for sign, items in (("+", entry.add), ("-", entry.remove))
        for item in items
    ]
    rows += [(e.name, e.asset_id or None, "=", name, "its ecosystem there") for e in entries for name in e.ecosystems]
    table("overlay", ("project", "asset", "", "repository or ecosystem", "reason"), sorted(rows, key=str))
