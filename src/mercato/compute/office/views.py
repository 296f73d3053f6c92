"""What the office's values say on a page: amounts, shares and times as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mercato.compute import audits
from mercato.compute.audits import Audit
from mercato.compute.books.disputes import Dispute
from mercato.compute.books.epochs import Epoch
from mercato.compute.model import End, Offer, Standing
from mercato.compute.office.reading import Line, Spent
from mercato.compute.office.service import Fleet, Profile, Row, Shown
from mercato.compute.tee.words import Finding, Level
from mercato.compute.terminal import dollars

Title = Callable[[str], str]
#: The floor's badges by what they are to say.
COLOURS = {
    Standing.ACTIVE: "ok", Standing.PROBATION: "provisional", Standing.PENDING: "provisional",
    Standing.SUSPENDED: "stale", Standing.EJECTED: "failed", Standing.EXITING: "unknown",
}  # fmt: skip
MACHINES = {
    Level.ATTESTED: ("attested", "ok"), Level.HARDWARE: ("hardware only", "provisional"),
    Level.NOTHING: ("nothing proven", "failed"),
}  # fmt: skip
VERDICTS = {"pass": "ok", "fail": "failed", "void": "unknown", "": "provisional"}
ENDS = {
    End.DONE: "done", End.TRUNCATED: "broken off", End.CLIENT_GONE: "client left", End.UPSTREAM_ERROR: "failed",
    End.TIMEOUT: "too late",
}  # fmt: skip


def fleet(item: Fleet) -> dict[str, Any]:
    """Returns the first page: what goes on, the last day, and a row for each provider."""
    day = item.day
    good = day.ends.get(End.DONE, 0)
    return {
        "rows": [row(it) for it in item.rows],
        "now": item.now, "reserved": dollars(item.now.reserved), "rate": f"{item.now.tokens / 60:,.1f}",
        "day": day, "charged": dollars(day.charged), "earned": dollars(day.earned),
        "sound": percent(good * 10_000 // day.requests) if day.requests else "unknown",
        "ends": [(ENDS[end], count) for end, count in sorted(day.ends.items(), key=lambda pair: -pair[1])],
        "at": moment(item.at),
    }  # fmt: skip


def row(item: Row) -> dict[str, Any]:
    """Returns a provider's line."""
    one = item.provider
    low, high = item.quality or (None, None)
    return {
        "id": one.id, "name": one.name, "standing": one.standing.value, "colour": COLOURS[one.standing],
        "why": item.why, "share": percent(item.share_bps), "share_of": item.share_bps / 10_000,
        "requests": item.served.requests, "quality": f"{low:.1%} to {high:.1%}" if low is not None else "unknown",
        "known": low is not None, "checked": item.checked, "first": _pace(item.pace.first),
        "whole": _pace(item.pace.whole), "tries": item.pace.tries,
        "offers": [_offer(it, item.proven.get(it.model)) for it in item.offers],
        "failed": sorted(item.pace.failed.items(), key=lambda pair: -pair[1]), "region": one.region, "zdr": one.zdr,
        "stake": dollars(one.stake), "key": one.key, "charged": dollars(item.served.charged),
    }  # fmt: skip


def profile(item: Profile) -> dict[str, Any]:
    """Returns a provider's page."""
    return {
        "row": row(item.row),
        "turns": [(it.standing.value, COLOURS[it.standing], moment(it.at), it.why) for it in item.turns],
        "audits": [audit(it, lambda name: item.row.provider.name) for it in item.audits],
        "disputes": [dispute(it, lambda name: item.row.provider.name) for it in item.disputes],
        "findings": [(moment(it.at), it.model, *_machine(it), moment(it.until), it.gpu) for it in item.findings],
        "settlements": [
            (it.epoch, dollars(it.earned), it.state.value, moment(it.release), it.dispute) for it in item.settlements
        ],
    }


def audit(item: Audit, title: Title) -> dict[str, Any]:
    """Returns an audit's line."""
    return {
        "id": item.id, "request": item.request, "provider": item.provider, "name": title(item.provider),
        "model": item.model, "asked": moment(item.asked), "method": item.method or "waits",
        "verdict": item.verdict or "waiting", "colour": VERDICTS.get(item.verdict, "unknown"),
        "checker": item.checker, "statistic": _found(item.statistic),
    }  # fmt: skip


def dispute(item: Dispute, title: Title) -> dict[str, Any]:
    """Returns a dispute's line."""
    return {
        "id": item.id, "provider": item.provider, "name": title(item.provider), "kind": item.kind.value,
        "state": item.state.value, "opened": moment(item.opened), "amount": dollars(item.amount), "why": item.why,
    }  # fmt: skip


def epoch(item: Epoch) -> dict[str, Any]:
    """Returns an epoch's line."""
    return {"number": item.number, "closed": moment(item.closed), "root": item.root, "receipts": item.receipts}


def line(item: Line, title: Title) -> dict[str, Any]:
    """Returns a receipt's line."""
    return {
        "request": item.request, "at": moment(item.at), "account": item.account, "key": item.key,
        "name": title(item.provider), "model": item.model, "end": ENDS[item.end],
        "colour": "ok" if item.end is End.DONE else "stale", "charged": dollars(item.charged),
        "epoch": item.epoch or "open",
    }  # fmt: skip


def shown(item: Shown, title: Title) -> dict[str, Any]:
    """Returns a receipt's page: what was served, what was paid, and what proves it."""
    one, proof = item.receipt, item.proof
    return {
        "one": one, "at": moment(one.at), "name": title(one.provider), "end": ENDS[one.end],
        "charged": dollars(one.charged), "earned": dollars(one.earned), "faults": item.faults, "public": item.public,
        "provider_key": item.provider_key,
        "proof": proof, "opens": item.opens, "audit": audit(item.audit, title) if item.audit else None,
        "prices": (dollars(one.price.prompt), dollars(one.price.completion)),
    }  # fmt: skip


def spend(found: Sequence[Spent]) -> dict[str, Any]:
    """Returns what was spent: by account, and by day and key."""
    accounts: dict[str, list[int]] = {}
    for one in found:
        sums = accounts.setdefault(one.account, [0, 0])
        sums[0] += one.requests
        sums[1] += one.charged
    whole = sum(charged for _, charged in accounts.values())
    ranked = sorted(accounts.items(), key=lambda pair: (-pair[1][1], pair[0]))
    return {
        "accounts": [
            (name, count, dollars(charged), charged / whole if whole else 0.0) for name, (count, charged) in ranked
        ],
        "lines": [(it.day, it.account, it.name or it.key, it.key, it.requests, dollars(it.charged)) for it in found],
        "whole": dollars(whole),
    }  # fmt: skip


def moment(at: datetime) -> str:
    """Returns a moment to the second, in UTC."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def percent(bps: int) -> str:
    """Returns basis points as percent."""
    return f"{bps / 100:.1f}%"


def _found(statistic: Mapping[str, Any]) -> str:
    """Returns what an audit found, and how many audits of the provider failed up to then."""
    said = audits.said(statistic)
    if not {"fails", "audits"} <= set(statistic):
        return said
    return f"{said}; {statistic['fails']} of its {statistic['audits']} audits failed by then"


def _pace(item: tuple[int, int] | None) -> str:
    return f"{item[0]:,} / {item[1]:,} ms" if item else "unknown"


def _machine(found: Finding | None) -> tuple[str, str, str]:
    """Returns a badge's words and colour for what was found of a machine, and why."""
    if found is None:
        return "", "", ""
    return MACHINES[found.level][0], MACHINES[found.level][1], found.why


def _offer(item: Offer, found: Finding | None) -> dict[str, Any]:
    return {
        "model": item.model, "prompt": dollars(item.price.prompt), "completion": dollars(item.price.completion),
        "context": f"{item.context:,}", "features": ", ".join(sorted(item.features)) or "text only",
        "quant": item.quant or "as published", "parts": item.parts, "engine": dict(item.engine),
        "until": moment(item.until) if item.until else "", "machine": _machine(found),
    }  # fmt: skip
