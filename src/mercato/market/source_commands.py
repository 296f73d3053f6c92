"""`mercato market fetch` and `mercato market sources`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.market.terminal import AsJson, show

if TYPE_CHECKING:
    from mercato.market.connectors.fetch import Desk, FetchReport, Step
    from mercato.market.connectors.sources import Health


def attach(app: typer.Typer) -> None:
    """Adds the verbs to the room's command."""
    app.command("fetch")(fetch)
    app.command("sources")(sources)


@contextmanager
def _desk() -> Iterator[Desk]:
    from mercato.market import source_jobs
    from mercato.market.opening import opened

    with opened() as market:
        yield source_jobs.desk(market)


def fetch(
    source: Annotated[
        list[str] | None, typer.Argument(help="Sources; all that are set up where none is named.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="How far back histories go, such as 2024-10-01.")] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch sources. An unfinished run goes on where it was; what a source refuses or garbles is said, and kept."""
    from mercato.core.errors import InvalidInput
    from mercato.market.connectors.sources import fetch_named

    first = None
    if since is not None:
        from datetime import date

        try:
            first = date.fromisoformat(since)
        except ValueError:
            raise InvalidInput(f"--since was {since!r}", hint="expected a date such as 2024-10-01") from None
    with _desk() as desk:
        reports = fetch_named(desk, source or [], first, progress=_quiet if as_json else _told)
    if as_json:
        show([report_body(item) for item in reports])
    else:
        for item in reports:
            _summed(item)
    if not all(item.finished for item in reports):
        raise typer.Exit(1)


def sources(as_json: AsJson = False) -> None:
    """Show how each source is doing: last success, last error, budget, and when it is due."""
    from mercato.market.connectors.sources import health

    with _desk() as desk:
        bodies = [health_body(item) for item in health(desk)]
    if as_json:
        show(bodies)
        return
    for body in bodies:
        typer.echo(f"{body['source']:<18} {body['state']:<8} due {body['next_due']}  last ok {body['last_ok'] or '—'}")
        if note := body["missing"] or body["last_error"]:
            typer.echo(f"{'':<18} {note}")


def _quiet(step: Step, left: int) -> None:
    return None


def _told(step: Step, left: int) -> None:
    detail = f"{step.rows} rows, {step.rejected} refused" if not step.reason else step.reason
    typer.echo(f"{step.outcome:<10} {step.request[:100]}  {detail}  ({left} left)", err=True)


def _summed(item: FetchReport) -> None:
    state = "done" if item.finished else f"unfinished: {item.reason}"
    typer.echo(f"{item.source}: {len(item.steps)} documents, {item.rows} rows, {item.rejected} refused; {state}")


def report_body(item: FetchReport) -> dict[str, Any]:
    """Returns a run as JSON values."""
    outcomes = ("committed", "known", "unchanged", "refused", "failed")
    return {
        "source": item.source,
        "finished": item.finished,
        "retry_at": item.retry_at or None,
        "reason": item.reason or None,
        "rows": item.rows,
        "rejected": item.rejected,
        "documents": {outcome: item.count(outcome) for outcome in outcomes},
        "failures": [
            {"request": step.request, "outcome": step.outcome, "reason": step.reason}
            for step in item.steps
            if step.reason
        ],
    }


def health_body(item: Health) -> dict[str, Any]:
    """Returns how a source is doing as JSON values; times are ISO text."""
    return {
        "source": item.source,
        "title": item.title,
        "state": item.state,
        "missing": item.missing,
        "licence": item.licence,
        "last_ok": item.last_ok.isoformat() if item.last_ok else None,
        "last_error": item.last_error or None,
        "last_error_at": item.last_error_at.isoformat() if item.last_error_at else None,
        "circuit": item.circuit,
        "budget_used": item.budget.used,
        "budget_limit": item.budget.limit,
        "budget_resets_on": item.budget.resets_on.isoformat(),
        "next_due": item.next_due.isoformat(timespec="seconds"),
        "pending": item.pending,
    }
