"""`mercato market report` and `mercato market alerts`: what the room says, and when it speaks up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mercato.core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from mercato.market.alerts.model import Rule
    from mercato.market.report.model import Report

Format = Literal["terminal", "markdown", "html", "json"]
AsOf = Annotated[str, typer.Option("--as-of", help="The close to report on, as YYYY-MM-DD [default: last Sunday].")]
KnownAt = Annotated[str, typer.Option("--known-at", help="Use only what was known by then, such as 2025-02-14T12:00Z.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write every format, CSV files and a manifest to this folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")]

alerts = typer.Typer(help="Alert rules: what they are, whether they hold, how often they would have fired.",
                     no_args_is_help=True, pretty_exceptions_enable=False)  # fmt: skip


def add(app: typer.Typer) -> None:
    """Adds the commands of this file to the room's."""
    app.command("report")(report)
    app.add_typer(alerts, name="alerts")


def report(
    as_of: AsOf = "",
    format: Annotated[Format, typer.Option("--format", help="How to show it.")] = "terminal",
    out: Out = None,
    sector: Annotated[str, typer.Option("--sector", help="ai, all, or one sector such as ai-agents.")] = "ai",
    known_at: KnownAt = "",
) -> None:
    """Write the weekly report: claims whose every number carries a figure id."""
    from mercato.market.opening import opened
    from mercato.market.report.plan import last_sunday
    from mercato.market.report.reporting import weekly
    from mercato.market.words import called

    with opened() as market, working() as say:
        day = _day(as_of, "--as-of") if as_of else last_sunday(market.clock.now())
        moment = _moment(known_at) if known_at else None
        made = weekly(market, day, sector=sector, known_at=moment, progress=say)
        key, known = market.home / market.settings.report_key if market.settings.report_key else None, market.assets()
    with called(known):
        _print(made, format)
        if out:
            _write(made, out, key)


def _print(made: Report, form: Format) -> None:
    from mercato.market.report.document import document
    from mercato.market.report.markdown import markdown
    from mercato.market.report.standalone import standalone

    match form:
        case "terminal":
            from rich.console import Console

            from mercato.market.report.terminal import show

            show(made, Console())
        case "markdown":
            typer.echo(markdown(made), nl=False)
        case "html":
            typer.echo(standalone(made), nl=False)
        case "json":
            typer.echo(json.dumps(document(made), indent=2, ensure_ascii=False))


def _write(made: Report, out: Path, key: Path | None) -> None:
    """Writes the folder of a report as `OUT/<day>`, chained to the newest one before it there."""
    from mercato.market.report.bundle import MANIFEST, write_bundle

    name = made.as_of.isoformat()
    before = sorted(path for path in out.glob(f"????-??-??/{MANIFEST}") if path.parent.name < name)
    manifest = write_bundle(made, out / name, previous=before[-1] if before else None, key=key)
    typer.echo(f"written to {manifest.parent}", err=True)


@alerts.command("list")
def listing(as_json: AsJson = False) -> None:
    """Show the rules in force."""
    from mercato.market.alerts.duty import rules_of
    from mercato.market.opening import opened

    with opened() as market:
        rules, path = rules_of(market)
    if as_json:
        return typer.echo(json.dumps([_rule(item) for item in rules], indent=2))
    for item in rules:
        state = "" if item.enabled else " (switched off)"
        typer.echo(f"{item.key}{state}: {item.title}")
        typer.echo(f"    {item.metric}/{item.figure} begins {item.enter}, ends {item.leave}, {item.closes} closes")
    typer.echo(f"Change them in {path}")
    return None


@alerts.command("test")
def look(key: str, as_of: AsOf = "", as_json: AsJson = False) -> None:
    """Show what one rule sees at a close. Nothing is stored and nobody is told."""
    from mercato.market.alerts.watch import hear
    from mercato.market.opening import opened

    with opened() as market:
        rule = _found(market, key)
        day = _day(as_of, "--as-of") if as_of else _newest(market)
        heard = hear(market.metric, rule, day)
    rows = [
        {"entity": sample.entity, "value": None if sample.value is None else str(sample.value), "says": said.value,
         "figure": sample.figure_id}
        for sample, said in heard
    ]  # fmt: skip
    if as_json:
        return typer.echo(json.dumps({"rule": key, "as_of": day.isoformat(), "samples": rows}, indent=2))
    typer.echo(f"{key} at the close of {day}: {len(rows)} seen")
    for row in rows:
        typer.echo(f"    {row['entity']}: {row['value'] or 'unknown'} -> {row['says']}  {row['figure']}")
    return None


@alerts.command("backtest")
def backtest(
    key: str,
    first: Annotated[str, typer.Option("--from", help="The first close [default: 90 days before the last].")] = "",
    last: Annotated[str, typer.Option("--to", help="The last close [default: the newest].")] = "",
    as_json: AsJson = False,
) -> None:
    """Count how often a rule would have fired, by month."""
    from mercato.market.alerts.backtest import backtest as run
    from mercato.market.opening import opened

    with opened() as market, working() as say:
        rule = _found(market, key)
        end = _day(last, "--to") if last else _newest(market)
        start = _day(first, "--from") if first else end - timedelta(days=90)
        done = run(market.metric, rule, start, end, progress=lambda day: say(day.isoformat()))
    if as_json:
        body = {"rule": key, "from": start.isoformat(), "to": end.isoformat(), "fired": done.by_month,
                "blind": done.blind, "samples": done.closes, "alerts": [item.key for item in done.alerts]}  # fmt: skip
        return typer.echo(json.dumps(body, indent=2))
    typer.echo(f"{key} from {start} to {end}: blind on {done.blind} of {done.closes} samples")
    for month, count in done.by_month.items():
        typer.echo(f"    {month}  {count}")
    return None


@contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """Gives a function that says what is being done: shown while it lasts where a person watches, else nowhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status("Opening the data") as status:
        yield lambda words: status.update(f"Measuring {words}")


def _found(market: object, key: str) -> Rule:
    from mercato.market.alerts.duty import rules_of
    from mercato.market.service import Market

    assert isinstance(market, Market), "commands open the market room"
    rules = {item.key: item for item in rules_of(market)[0]}
    if key not in rules:
        raise NotFound(f"rule was {key!r}, which is unknown", hint=f"known rules: {', '.join(rules)}")
    return rules[key]


def _newest(market: object) -> date:
    from mercato.market.jobs import newest_day
    from mercato.market.service import Market

    assert isinstance(market, Market), "commands open the market room"
    found = newest_day(market)
    if found is None:
        raise NotFound("there is no price yet", hint="import data with `mercato market import`")
    return found


def _rule(item: Rule) -> dict[str, object]:
    return {
        "key": item.key, "title": item.title, "metric": item.metric, "figure": item.figure, "enter": str(item.enter),
        "leave": str(item.leave), "closes": item.closes, "cooldown_days": item.cooldown_days,
        "coverage": str(item.coverage), "scan": item.scan, "channels": list(item.channels), "enabled": item.enabled,
    }  # fmt: skip


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} was {text!r}", hint="give a date such as 2025-02-14") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--known-at was {text!r}", hint="give a time such as 2025-02-14T12:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
