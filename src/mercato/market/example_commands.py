"""`mercato market example`: a made-up market, to see every page before any data of one's own is there."""

from __future__ import annotations

from typing import Annotated

import typer

from mercato.market.terminal import AsJson, show


def example(
    until: Annotated[str, typer.Option(help="The last day of the history, such as 2025-10-31.")] = "2025-10-31",
    days: Annotated[int, typer.Option(help="How many days it has.", min=30, max=1000)] = 180,
    seed: Annotated[int, typer.Option(help="Another seed makes another market.")] = 7,
    mixed: Annotated[bool, typer.Option("--mixed", help="Do it although other data is there already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in a made-up market: fictional tokens, prices, posts and builders. Every figure on it says simulated."""
    import tempfile
    from datetime import date
    from pathlib import Path

    from mercato.core.clock import SystemClock
    from mercato.core.errors import Conflict, InvalidInput
    from mercato.market import shapes
    from mercato.market.connectors.documents.files import document
    from mercato.market.example import assets_toml, documents_jsonl, history_csv
    from mercato.market.model import SIMULATED
    from mercato.market.opening import opened

    try:
        last = date.fromisoformat(until)
    except ValueError:
        raise InvalidInput(f"--until was {until!r}", hint="give a day such as 2025-10-31") from None
    with opened() as market, tempfile.TemporaryDirectory() as name:
        others = sorted({item.source for item in market.segments()} - {SIMULATED})
        if others and not mixed:
            raise Conflict(
                f"the data folder held data from {', '.join(others)}",
                hint="set MERCATO_HOME to an empty folder, or say --mixed",
            )
        folder = Path(name)
        (folder / "assets.toml").write_text(assets_toml(seed), encoding="utf-8")
        (folder / "history.csv").write_text("".join(history_csv(last, days, seed)), encoding="utf-8")
        (folder / "posts.jsonl").write_text("".join(documents_jsonl(last, seed=seed)), encoding="utf-8")
        receipts = [
            market.import_file(folder / "history.csv", SIMULATED, assets=folder / "assets.toml"),
            market.ingest(document(folder / "posts.jsonl", SIMULATED, [], SystemClock().now())),
        ]
    if as_json:
        show([shapes.receipt(item) for item in receipts])
        return
    for item in receipts:
        kept = {table: count for table, count in item.rows.items() if count}
        typer.echo(f"simulated: {', '.join(f'{count} {table}' for table, count in sorted(kept.items()))}")
    typer.echo(f"Everything in it is made up. Its last day is {last}: mercato market report --as-of {last}")
