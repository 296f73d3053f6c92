"""`mercato compute disputes open | replay | show`: an answer is judged again from documents that somebody kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.compute.terminal import AsJson, By, Why, show, table, till
from mercato.core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from mercato.compute.books.disputes import Dispute
    from mercato.compute.books.till import Till
    from mercato.compute.model import Provider, Receipt
    from mercato.compute.settings import ComputeSettings
    from mercato.compute.verify.documents import Documents
    from mercato.compute.verify.referees import Replayed

LARGEST = 160 << 20  # octets of a file of documents
Id = Annotated[str, typer.Argument(help="A dispute's id, dispute_….")]
File = Annotated[Path, typer.Option("--documents", help="A file with request, asked and answered, as JSON.")]
Files = Annotated[list[Path], typer.Option("--documents", help="A file with request, asked and answered, as JSON.")]


def add_to(disputes: typer.Typer) -> None:
    """Adds these commands to those about disputes."""
    disputes.command("open")(open_)
    disputes.command()(replay)
    disputes.command("show")(show_)


def open_(documents: File, why: Why = "") -> None:
    """Open a dispute about an answer that somebody does not believe, whose documents they kept. No money moves."""
    from mercato.compute.books.disputes import complained

    with till() as books:
        found = _documents(documents)
        receipt, provider = _about(books, found)
        found.kept(receipt, books.signer.public, provider.key)
        made = complained(books, provider.id, receipt, why or "somebody does not believe the answer")
    typer.echo(f"{made.id} is open: {made.why}")


def replay(
    id: Id,
    documents: Files,
    referee: Annotated[list[str], typer.Option(help="Upstreams of the settings that have no part in it.")],
    by: By = "operator",
    as_json: AsJson = False,
) -> None:
    """Have referees judge answers again, and add what they find to an open dispute. No money moves."""
    from mercato.compute.audits import said
    from mercato.compute.books.disputes import Outcome, one, replayed
    from mercato.compute.installation import SECTIONS
    from mercato.compute.settings import ComputeSettings
    from mercato.compute.verify.referees import majority
    from mercato.core.settings import load

    wanted = load(*SECTIONS, partial=True).of(ComputeSettings)
    with till() as books:
        dispute = one(books.bare, id)
        if dispute.state is not Outcome.OPEN:
            raise InvalidInput(f"dispute {id!r} was {dispute.state.value} before", hint="a decision is final")
        found = [it for file in documents for it in _replayed(books, wanted, dispute, _documents(file), referee)]
        numbers = replayed(books, id, [it.body() for it in found], by)
    if as_json:
        show({"dispute": id, "majority": majority(found), "replays": [it.body() for it in found], "entries": numbers})
        return
    rows = [
        [number, it.request, it.referee, it.verdict, said(it.statistic) or it.statistic.get("why", "—")]
        for number, it in zip(numbers, found, strict=True)
    ]
    table(["entry", "request", "referee", "verdict", "found"], rows)
    most = {"pass": "they pass", "fail": "they fail"}.get(majority(found), "nothing: as many say the one as the other")
    typer.echo(f"Most of what could be judged says: {most}. Decide with `mercato compute disputes decide {id}`.")


def show_(id: Id) -> None:
    """Print a dispute as JSON, with what referees found."""
    from mercato.compute.books.disputes import one, replays

    with till() as books, books.bare.read():
        found, again = one(books.bare, id), replays(books.bare, id)
    show(asdict(found) | {"replays": [{"entry": number, **body} for number, body in again]})


def _documents(file: Path) -> Documents:
    from mercato.compute.verify.documents import Documents

    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
        body: Any = json.loads(raw) if len(raw) <= LARGEST else None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"documents were not readable: {error!s:.120}", hint="expected a file of JSON") from None
    if not isinstance(body, dict):
        raise InvalidInput(f"documents were in {str(file)!r:.80}", hint=f"one JSON object of at most {LARGEST} octets")
    return Documents.read(body)


def _about(books: Till, found: Documents) -> tuple[Receipt, Provider]:
    from mercato.compute import roster
    from mercato.compute.books.turn import read

    with books.bare.read():
        receipt = read(books.bare, found.request)
        provider = roster.one(books.bare, receipt.provider) if receipt else None
    if receipt is None or provider is None:
        raise NotFound(f"request was {found.request!r:.80}, which has no receipt", hint="see `mercato compute receipt`")
    return receipt, provider


def _replayed(
    books: Till, wanted: ComputeSettings, dispute: Dispute, found: Documents, names: list[str]
) -> list[Replayed]:  # fmt: skip
    """Returns what referees find of one answer that the dispute is about."""
    from mercato.compute import audits, roster
    from mercato.compute.verify import synced
    from mercato.compute.verify.referees import appointed, replay
    from mercato.compute.verifying import judge

    receipt, provider = _about(books, found)
    if dispute.provider != receipt.provider or dispute.evidence.get("request", receipt.request) != receipt.request:
        raise InvalidInput(f"request {receipt.request} is not what {dispute.id} is about", hint="see `disputes show`")
    with books.bare.read():
        audit = audits.of(books.bare, receipt.request)
        judged = {wanted.audit.checker, *audits.checkers(books.bare, receipt.provider)} - {""}
        offers = roster.offers(books.bare, receipt.provider)
    features = next((it.features for it in offers if it.model == receipt.model), frozenset[str]())
    listed = wanted.upstreams.get(provider.name)
    if listed and receipt.model in listed.models:
        features = listed.models[receipt.model].features
    kept = found.kept(receipt, books.signer.public, provider.key, synced=synced.FEATURE in features)

    async def go() -> list[Replayed]:
        from mercato.compute.opening import Upstreams

        lines = Upstreams(wanted.upstreams, wanted.answer_octets)
        try:
            named = appointed(wanted, names, receipt.model, provider, judged, lines.line)
            return await replay(kept, receipt, named, judge(wanted.audit), audit.verdict if audit else "")
        finally:
            await lines.close()

    return asyncio.run(go())
