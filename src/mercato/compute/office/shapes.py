"""What the office shows as JSON. Fields are only ever added; money is whole micro-dollars, shares are basis points."""

from __future__ import annotations

from typing import Any

from mercato.compute.audits import Audit
from mercato.compute.books import receipts
from mercato.compute.books.disputes import Dispute
from mercato.compute.books.epochs import Epoch
from mercato.compute.model import PARTS, Offer
from mercato.compute.office.reading import Line, Spent
from mercato.compute.office.service import Fleet, Profile, Row, Shown
from mercato.compute.tee.words import Finding


def fleet(item: Fleet) -> dict[str, Any]:
    """Returns who serves, the last day's sums, and what goes on."""
    now, day = item.now, item.day
    return {
        "at": item.at.isoformat(),
        "now": {
            "open": now.open, "settled_last_minute": now.minute, "completion_tokens_last_minute": now.tokens,
            "workers": now.workers,
        },
        "day": {"requests": day.requests, "ends": {end.value: count for end, count in day.ends.items()}},
        "providers": [row(it) for it in item.rows],
    }  # fmt: skip


def money(item: Fleet) -> dict[str, Any]:
    """Returns what is reserved now, and what was paid and earned in the last day."""
    day = item.day
    return {
        "at": item.at.isoformat(), "reserved_micro": item.now.reserved, "day_charged_micro": day.charged,
        "day_earned_micro": day.earned,
    }  # fmt: skip


def row(item: Row) -> dict[str, Any]:
    """Returns a provider as the list shows it; quality is an interval at 95 %, null before the first audit."""
    one, pace, checked = item.provider, item.pace, item.checked
    return {
        "id": one.id, "name": one.name, "simulated": item.simulated, "standing": one.standing.value, "why": item.why,
        "region": one.region,
        "zdr": one.zdr, "key": one.key, "stake_micro": one.stake, "share_bps": item.share_bps,
        "requests": item.served.requests, "ends": {end.value: count for end, count in item.served.ends.items()},
        "quality_bps": [round(end * 10_000) for end in item.quality] if item.quality else None,
        "audits": {
            "passed": checked.passed, "failed": checked.failed, "void": checked.void, "waiting": checked.waiting,
        },
        "first_ms": _pair(pace.first), "whole_ms": _pair(pace.whole), "attempts": pace.tries,
        "failed_attempts": dict(pace.failed), "offers": [_offer(it, item.proven.get(it.model)) for it in item.offers],
    }  # fmt: skip


def lines(item: Fleet) -> list[dict[str, Any]]:
    """Returns one flat row for each provider and model."""
    found = []
    for one in item.rows:
        quality = [round(end * 10_000) for end in one.quality] if one.quality else ["", ""]
        first = one.pace.first or ("", "")
        for offer in one.offers or (None,):
            found.append(
                {
                    "provider": one.provider.id, "name": one.provider.name, "simulated": one.simulated,
                    "standing": one.provider.standing.value,
                    "model": offer.model if offer else "", "prompt_micro": offer.price.prompt if offer else "",
                    "completion_micro": offer.price.completion if offer else "", "share_bps": one.share_bps,
                    "requests": one.served.requests, "quality_low_bps": quality[0], "quality_high_bps": quality[1],
                    "audits_passed": one.checked.passed, "audits_failed": one.checked.failed,
                    "first_ms_p50": first[0], "first_ms_p95": first[1],
                }
            )  # fmt: skip
    return found


def profile(item: Profile) -> dict[str, Any]:
    """Returns all that everybody may know of a provider; what it earned is its own and the operators' business."""
    return {
        **row(item.row),
        "turns": [{"standing": it.standing.value, "at": it.at.isoformat(), "why": it.why} for it in item.turns],
        "newest_audits": [audit(it) for it in item.audits],
        "disputes": [dispute(it) for it in item.disputes],
        "findings": [{"model": it.model, **it.body()} for it in item.findings],
    }


def checks(audits: list[Audit], disputes: list[Dispute], epochs: list[Epoch]) -> dict[str, Any]:
    """Returns what was checked."""
    return {
        "audits": [audit(it) for it in audits], "disputes": [dispute(it) for it in disputes],
        "epochs": [
            {"number": it.number, "closed": it.closed.isoformat(), "root": it.root, "receipts": it.receipts}
            for it in epochs
        ],
    }  # fmt: skip


def audit(item: Audit) -> dict[str, Any]:
    """Returns an audit without the request that it was of: whose that was, is for operators."""
    statistic = {name: value for name, value in item.statistic.items() if name != "canary"}
    return {
        "id": item.id, "provider": item.provider, "model": item.model, "asked": item.asked.isoformat(),
        "method": item.method, "verdict": item.verdict or "waiting", "checker": item.checker,
        "judged": item.judged.isoformat() if item.judged else None, "statistic": statistic,
    }  # fmt: skip


def dispute(item: Dispute) -> dict[str, Any]:
    """Returns a dispute without what is at issue: what a provider earns is its own and the operators' business."""
    return {
        "id": item.id, "provider": item.provider, "kind": item.kind.value, "state": item.state.value,
        "opened": item.opened.isoformat(), "decided": item.decided.isoformat() if item.decided else None,
        "why": item.why,
    }  # fmt: skip


def line(item: Line) -> dict[str, Any]:
    """Returns a receipt as a list shows it."""
    return {
        "request": item.request, "at": item.at.isoformat(), "account": item.account, "key": item.key,
        "provider": item.provider, "model": item.model, "end": item.end.value, "charged_micro": item.charged,
        "epoch": item.epoch or None,
    }  # fmt: skip


def spent(item: Spent) -> dict[str, Any]:
    """Returns what one key spent on one day."""
    return {
        "day": item.day, "account": item.account, "key": item.key, "name": item.name, "requests": item.requests,
        "charged_micro": item.charged,
    }  # fmt: skip


def shown(item: Shown) -> dict[str, Any]:
    """Returns a receipt as it was hashed, with its signatures, what a check found, and its proof."""
    one, proof = item.receipt, item.proof
    return {
        "receipt": receipts.body(one) | {"hash": one.hash, "signature": one.signature,
                                         "countersigned": one.countersigned},
        "public_key": item.public, "faults": list(item.faults),
        "proof": {
            "epoch": proof.epoch.number, "root": proof.epoch.root, "index": proof.index,
            "receipts": proof.epoch.receipts, "path": proof.path, "opens": item.opens,
        } if proof else None,
        "audit": audit(item.audit) if item.audit else None,
    }  # fmt: skip


def _offer(item: Offer, found: Finding | None) -> dict[str, Any]:
    price = item.price
    return {
        "model": item.model, "context": item.context, "features": sorted(item.features), "quant": item.quant,
        **{part: item.parts.get(part) for part in PARTS}, "engine": dict(item.engine),
        "price_micro": {"prompt": price.prompt, "completion": price.completion, "cached": price.cached},
        "until": item.until.isoformat() if item.until else None, "tee": found and found.body(),
    }  # fmt: skip


def _pair(item: tuple[int, int] | None) -> dict[str, int] | None:
    return {"p50": item[0], "p95": item[1]} if item else None
