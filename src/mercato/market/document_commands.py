"""`mercato market documents …` and `mercato market narratives …`: what is talked about, and how it is labelled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercato.market.terminal import AsJson, show, table

if TYPE_CHECKING:
    from mercato.market.model import Receipt

documents = typer.Typer(help="Bring in posts and articles for mindshare.", no_args_is_help=True)
narratives = typer.Typer(help="See how texts are labelled with narratives.", no_args_is_help=True)


@documents.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="JSON Lines (.jsonl) or a CSV with --column options; also .gz.")],
    source: Annotated[str, typer.Option(help="Where the documents are from, such as discord.")],
    column: Annotated[
        list[str] | None,
        typer.Option(help="For CSV, a column by its meaning: id=tweet_id, created_at=ts, label.AI=kw_ai; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import documents from a file. Texts are read for labels and copies, and are in no table afterwards."""
    from mercato.core.clock import SystemClock
    from mercato.market.connectors.documents.files import document
    from mercato.market.opening import opened

    raw = document(path, source, column or [], SystemClock().now())
    with opened() as market:
        _tell([market.ingest(raw)], as_json)


@documents.command()
def feeds(
    urls: Annotated[
        list[str] | None, typer.Argument(help="Feed addresses; those of the settings where left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read RSS and Atom feeds; one that fails does not stop the others."""
    from mercato.core.clock import SystemClock
    from mercato.core.errors import MercatoError
    from mercato.core.settings import load
    from mercato.market.connectors.documents.collect import read_feed
    from mercato.market.connectors.documents.settings import DocumentSettings
    from mercato.market.connectors.settings import SourceSettings
    from mercato.market.opening import opened

    settings = load(DocumentSettings, SourceSettings, partial=True)
    receipts, failures = [], 0
    with opened() as market:
        for url in urls or settings.of(DocumentSettings).feeds:
            try:
                receipts.append(read_feed(market, SystemClock(), url, settings.of(SourceSettings).user_agent))
            except MercatoError as error:
                failures += 1
                typer.echo(str(error), err=True)
    _tell([item for item in receipts if item is not None], as_json)
    if failures:
        raise typer.Exit(1)


@documents.command()
def bluesky(
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=1)] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Listen to Bluesky's public stream from where it stopped, and keep what has a narrative."""
    from mercato.core.clock import SystemClock
    from mercato.core.settings import load
    from mercato.market import shapes
    from mercato.market.connectors.documents.collect import listen
    from mercato.market.connectors.documents.jetstream import Window
    from mercato.market.connectors.documents.settings import DocumentSettings
    from mercato.market.opening import opened

    settings = load(DocumentSettings, partial=True).of(DocumentSettings)
    with opened() as market:
        heard = listen(market, SystemClock(), settings, Window(seconds=seconds))
    if as_json:
        receipt = shapes.receipt(heard.receipt) if heard.receipt else None
        show({"seen": heard.seen, "kept": heard.kept, "gaps": heard.gaps, "failure": heard.failure, "receipt": receipt})
    else:
        typer.echo(f"{heard.seen} events seen, {heard.kept} kept, {heard.broken} broken, {heard.reconnects} reconnects")
        for start, end in heard.gaps:
            typer.echo(f"gap: nothing is known from {start} to {end} (microseconds since 1970)")
    if heard.failure:
        typer.echo(heard.failure, err=True)
        raise typer.Exit(1)


@documents.command()
def x(
    query: Annotated[str, typer.Argument(help="A query of X recent search.")],
    posts: Annotated[int, typer.Option(help="At most so many posts; each costs money.", min=10)] = 100,
    as_json: AsJson = False,
) -> None:
    """Search X with your own key. Off until a key and a monthly limit are set; ids and counts are kept, no text."""
    from mercato.core.clock import SystemClock
    from mercato.core.settings import load
    from mercato.market.connectors.documents.collect import search_x
    from mercato.market.connectors.documents.settings import DocumentSettings
    from mercato.market.connectors.documents.xsearch import Search
    from mercato.market.connectors.settings import SourceSettings
    from mercato.market.opening import opened

    settings = load(DocumentSettings, SourceSettings, partial=True)
    mine = settings.of(DocumentSettings)
    with opened() as market:
        agent = settings.of(SourceSettings).user_agent
        _tell(search_x(market, SystemClock(), mine, Search(query, posts, mine.x_url), agent), as_json)


def _tell(receipts: list[Receipt], as_json: bool) -> None:
    from mercato.market import shapes

    if as_json:
        show([shapes.receipt(item) for item in receipts])
        return
    for item in receipts:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(item.rows.items()))
        typer.echo(f"{item.source}: {counts}, {item.rejected} refused{'' if item.fresh else ' (known already)'}")
    if not receipts:
        typer.echo("nothing new")


@narratives.command()
def evaluate(
    sample: Annotated[Path | None, typer.Argument(help='Lines of {"text", "labels"}; ours where left out.')] = None,
    as_json: AsJson = False,
) -> None:
    """Measure precision and recall on a labelled sample. The one that ships is made up by the authors."""
    from mercato.market.connectors import evaluation
    from mercato.market.connectors.narratives import classifier

    rules = classifier()
    examples = evaluation.sample(sample.read_bytes() if sample else None)
    scores = evaluation.evaluate(rules, examples)
    rows = [
        (item.narrative, item.right, item.wrong, item.missed, _ratio(item.precision), _ratio(item.recall))
        for item in scores
    ]
    about = str(sample) if sample else evaluation.SAMPLE
    columns = ("narrative", "right", "wrong", "missed", "precision", "recall")
    if as_json:
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        show({"classifier": rules.version, "sample": about, "texts": len(examples), "scores": found})
        return
    table(f"{rules.version} on {len(examples)} texts: {about}", columns, rows)


@narratives.command()
def label(text: str, as_json: AsJson = False) -> None:
    """Label one text, and show how near it is to each narrative."""
    from mercato.market.connectors.narratives import classifier

    rules = classifier()
    near, everyday = rules.similarities(text)
    body = {
        "classifier": rules.version,
        "labels": {name: f"{weight:.6f}" for name, weight in rules.labels(text).items()},
        "entities": [item.id for item in rules.named(text)],
        "similarity": {name: f"{value:.3f}" for name, value in near.items()} | {"everyday talk": f"{everyday:.3f}"},
    }
    if as_json:
        show(body)
        return
    typer.echo(f"labels: {', '.join(f'{k} {v}' for k, v in rules.labels(text).items()) or 'none'}")
    table(rules.version, ("narrative", "similarity"), [*sorted(near.items()), ("everyday talk", everyday)])


def _ratio(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
