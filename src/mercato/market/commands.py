"""`mercato market …`: import, metric, figure, replay, quarantine, assets, export. `--json` prints JSON.

Errors go to standard error as `error:` and `hint:`, with exit code 2 where the question was wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mercato.core.errors import InvalidInput
from mercato.market import source_commands
from mercato.market.builder_commands import builders, taxonomy
from mercato.market.document_commands import documents, narratives
from mercato.market.example_commands import example
from mercato.market.report_commands import add as add_reporting
from mercato.market.terminal import AsJson, progress, show, table

app = typer.Typer(
    help="Measure tokenized open-source AI: import, metrics, report, figures, replay.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(builders, name="builders")
app.add_typer(taxonomy, name="taxonomy")
add_reporting(app)
app.add_typer(documents, name="documents")
app.add_typer(narratives, name="narratives")
app.command("example")(example)
source_commands.attach(app)


EARLIEST = date(1990, 1, 1)
LONGEST_DAYS = 3660
NO_DATA = (
    "hint: nothing is known of sector {sector!r} up to {as_of}; `mercato market segments` lists what was brought in, "
    "`mercato market import --help` brings in more, `mercato market assets` lists the sectors"
)


def day(text: str, option: str) -> date:
    """Returns the date that an option gave; InvalidInput names the option."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} was {text!r}", hint="expected a date such as 2025-02-14") from None
    today = datetime.now(UTC).date()
    if found > today:
        raise InvalidInput(f"{option} was {text!r}, which is in the future", hint=f"today is {today} in UTC")
    if found < EARLIEST:
        raise InvalidInput(f"{option} was {text!r}", hint=f"give a day from {EARLIEST} on")
    return found


def instant(text: str | None, option: str) -> datetime | None:
    """Returns the moment that an option gave, in UTC where it names no zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} was {text!r}", hint="expected a time such as 2025-02-14T12:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def pairs(items: Sequence[str], option: str) -> dict[str, str]:
    """Returns repeated `name=value` options as a mapping."""
    if wrong := [item for item in items if "=" not in item]:
        raise InvalidInput(f"{option} was {wrong[0]!r}", hint=f"write {option} name=value")
    return {name: value for name, _, value in (item.partition("=") for item in items)}


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A CSV (also .gz, .zst) or Parquet file; with --bundle, a folder.")],
    source: Annotated[str, typer.Option(help="Where the data is from, such as bybit.")] = "",
    assets: Annotated[
        Path | None, typer.Option(help="A TOML file of [[asset]] entries that the rows speak of.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="A TOML file that says how other columns become fields.")] = None,
    bundle: Annotated[str | None, typer.Option(help="A TOML list of files and mappings for a whole folder.")] = None,
    observed_at: Annotated[str | None, typer.Option(help="When this was known, if not now: an ISO time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a history in. Rows that cannot be right go to quarantine, the others are kept; twice changes nothing."""
    from mercato.market import shapes
    from mercato.market.opening import opened

    at = instant(observed_at, "--observed-at")
    with opened() as market, progress(as_json) as watch:
        if bundle is not None:
            receipts = market.import_bundle(path, bundle, observed_at=at, progress=watch)
        else:
            receipts = [
                market.import_file(path, source, assets=assets, mapping=mapping, observed_at=at, progress=watch)
            ]
    bodies = [shapes.receipt(item) for item in receipts]
    if as_json:
        show(bodies if bundle is not None else bodies[0])
        return
    for item in receipts:
        _told(item)


def _told(item: Any) -> None:
    kept = sum(count for name, count in item.rows.items() if name != "skipped")
    state = "" if item.fresh else ", known already: nothing changed"
    typer.echo(f"{item.source}: {kept} rows kept, {item.rejected} refused{state} (segment {item.segment})")
    for reason, count in sorted(item.reasons.items()):
        typer.echo(f"  {count} × {reason}")
    if item.rejected:
        typer.echo(f"  see them: mercato market quarantine --segment {item.segment}")


@app.command()
def metric(
    name: Annotated[str, typer.Argument(help="A metric; an unknown name lists all.")],
    as_of: Annotated[str, typer.Option(help="The day to look at, such as 2025-02-14.")],
    sector: Annotated[str, typer.Option(help="A sector, ai (all AI sectors) or all.")] = "ai",
    days: Annotated[
        int | None, typer.Option(help="The window in days, where the metric has one.", min=1, max=LONGEST_DAYS)
    ] = None,
    known_at: Annotated[str | None, typer.Option(help="Use only what was known by this ISO time.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="A setting of the metric, as name=value; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute a metric. Every number has an id that `mercato market figure ID` traces to its raw documents."""
    from mercato.market import shapes
    from mercato.market.metrics import METRICS
    from mercato.market.model import Query

    if name not in METRICS:
        raise InvalidInput(f"metric was {name!r}, which is unknown", hint=f"known metrics: {', '.join(METRICS)}")
    query = Query(day(as_of, "--as-of"), sector, days, instant(known_at, "--known-at"), pairs(param or [], "--param"))
    from mercato.market.opening import opened

    with opened() as market:
        found = market.metric(name, query)
    if "no-data" in found.flags:
        typer.echo(NO_DATA.format(sector=sector, as_of=as_of), err=True)
    if as_json:
        show(shapes.result(found))
        return
    title = f"{name} · {sector} · {as_of} · {found.definition} · coverage {found.coverage or 'unknown'}"
    rows = [
        (item.name, " ".join(f"{k}={v}" for k, v in item.dims.items()), item.value, item.unit, item.id)
        for item in found.figures
    ]
    table(title, ("figure", "of", "value", "unit", "id"), rows)
    if found.flags:
        typer.echo(f"flags: {', '.join(found.flags)}")


@app.command()
def figure(
    figure_id: Annotated[str, typer.Argument(help="The id beside a number, such as fig_….")], as_json: AsJson = False
) -> None:
    """Show where a number is from: its formula, inputs and the raw documents behind it."""
    from mercato.market.opening import opened

    with opened() as market:
        body = market.figure(figure_id)
    if as_json:
        show(body)
        return
    for key in ("id", "metric", "name", "value", "unit", "as_of", "definition", "coverage", "stored_at"):
        typer.echo(f"{key:<11} {body[key] if body[key] is not None else '—'}")
    typer.echo(f"\n{body['formula']}\n\ninputs {body['inputs']['hash']}, universe {body['inputs']['universe']}")
    raw = [
        (item["source"], item["request"], item["fetched_at"], item["licence"], item["sha"][:16])
        for item in body["inputs"]["raw"]
    ]
    table("raw documents", ("source", "request", "fetched", "licence", "sha256"), raw)


@app.command()
def replay(as_json: AsJson = False) -> None:
    """Read the kept raw bytes again, twice, and compare every layer's hash with what is stored."""
    from mercato.market.opening import opened

    with opened() as market, progress(as_json) as watch:
        body = market.replay(progress=watch)
    if as_json:
        show(body)
    else:
        rows = [
            (layer, body["first"][layer], body["second"][layer], body["stored"].get(layer)) for layer in body["first"]
        ]
        table("hashes", ("layer", "first run", "second run", "stored"), rows)
        typer.echo("equal" if body["equal"] else "NOT equal")
    if not body["equal"]:
        raise typer.Exit(1)


@app.command()
def quarantine(
    segment: Annotated[str | None, typer.Option(help="Only rows of this segment.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many rows.", min=1)] = 1000,
    as_json: AsJson = False,
) -> None:
    """List refused rows: file, row, reason and an excerpt."""
    from mercato.market import shapes
    from mercato.market.opening import opened

    with opened() as market:
        rows = [shapes.quarantined(item) for item in market.quarantine(segment, limit)]
    if as_json:
        show(rows)
        return
    columns = ("file", "row", "reason", "text")
    table(f"{len(rows)} refused rows", columns, [[row[name] for name in columns] for row in rows])


@app.command()
def assets(as_json: AsJson = False) -> None:
    """List the assets that are known: those that ship with Mercato and those that imports brought."""
    from mercato.market.opening import opened
    from mercato.market.universe import as_row

    with opened() as market:
        rows: list[Mapping[str, object]] = [as_row(item) for item in market.assets()]
    if as_json:
        show(rows)
        return
    columns = ("asset_id", "symbol", "name", "kind", "sector", "home_chain", "platform")
    table(f"{len(rows)} assets", columns, [[row[name] for name in columns] for row in rows])


@app.command()
def segments(as_json: AsJson = False) -> None:
    """List what was brought in: one line per raw document and parser."""
    from mercato.market import shapes
    from mercato.market.opening import opened

    with opened() as market:
        rows = [shapes.segment(item) for item in market.segments()]
    if as_json:
        show(rows)
        return
    columns = ("source", "parser", "request", "first_day", "last_day", "rejected", "segment")
    table(f"{len(rows)} segments", columns, [[row[name] for name in columns] for row in rows])


@app.command()
def export(
    layer: Annotated[str, typer.Argument(help="panel, curated or assets.")],
    as_of: Annotated[str, typer.Option(help="Up to this day, such as 2025-02-14.")],
    output: Annotated[Path | None, typer.Option(help="A file to write; otherwise it is printed.")] = None,
    known_at: Annotated[str | None, typer.Option(help="Use only what was known by this ISO time.")] = None,
) -> None:
    """Write a layer as CSV, sorted, missing values empty."""
    import sys

    from mercato.market.model import Query
    from mercato.market.opening import opened

    query = Query(day(as_of, "--as-of"), known_at=instant(known_at, "--known-at"))
    with opened() as market:
        if output is None:
            market.export(layer, query, sys.stdout.buffer)
            return
        with output.open("wb") as target:
            market.export(layer, query, target)
