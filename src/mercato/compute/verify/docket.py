"""The record of each provider as the store has it: it is part of every audit, so the newest audit tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mercato.compute import audits
from mercato.compute.model import ProviderId, Standing
from mercato.compute.verify.evidence import Evidence
from mercato.compute.verify.protocol import Note
from mercato.compute.verify.record import Finding, Record
from mercato.core.events import Json
from mercato.store.bare import Bare

MOST_NOTES = 10  # of one answer
BILLIONTHS = 1_000_000_000  # logarithms are stored as whole numbers of these


def statistic(found: Finding, failed: bool, record: Record) -> dict[str, Json]:
    """Returns what an audit keeps: what was found, whether it failed, and the record after it."""
    evidence = record.evidence
    sums: list[Json] = [round(each * BILLIONTHS) for each in evidence.sums]
    return found.body() | {
        "failed": failed,
        "audits": evidence.audits,
        "fails": evidence.fails,
        "sums": sums,
        "clean": record.clean,
    }


def told(notes: Sequence[Note]) -> dict[str, Json]:
    """Returns what an audit keeps of what was odd about an answer; nothing where nothing was."""
    words: list[Json] = [str(it)[:200] for it in notes[:MOST_NOTES]]
    return {"told": words} if words else {}


def recorded(bare: Bare, provider: ProviderId, standing: Standing) -> Record:
    """Returns the record of a provider that stands so; a blank one where it was never audited, or begins anew.

    Evidence lasts, clean audits do not: they count from the last time that the provider came to stand there.
    """
    newest = audits.newest(bare, provider)
    if newest is None:
        return Record(standing)
    return _record(newest, standing)


def _record(facts: Mapping[str, Json], standing: Standing) -> Record:
    sums = facts["sums"]
    assert isinstance(sums, list), facts
    logs = tuple(_whole(each) / BILLIONTHS for each in sums)
    return Record(standing, Evidence(_whole(facts["audits"]), _whole(facts["fails"]), logs), _whole(facts["clean"]))


def _whole(value: Json) -> int:
    assert isinstance(value, int), value
    return value
