"""What failures of providers mean: for the books, and for the client whom nobody could serve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mercato.compute.errors import Unreached, Unserved
from mercato.compute.model import End, ProviderId

LATE = frozenset({"first-byte", "idle", "total"})
CUT = frozenset({"truncated", "reset"})
BUSY = frozenset({"429", "full"})
UNASKED = frozenset({"full", "left"})  # such were to be asked, and were not
RETRY_SECONDS = 1
#: How a provider that was asked failed, in a client's words.
FAILED = {
    "connect": "was not reached", "private": "was not reached", "tls": "has no certificate that is trusted",
    "protocol": "sent what is no answer", "error": "sent an error", "size": "sent too much",
    "reset": "broke off", "truncated": "broke off", "first-byte": "did not begin in time", "idle": "fell silent",
    "total": "took too long", "full": "was full", "left": "left",
}  # fmt: skip
#: What kept a provider from being asked; that one refuses our key or credit is nobody's business.
KEPT_OUT = {
    "standing": "may not serve now", "expired": "has an offer that is over", "context": "has too small a context",
    "only": "is not in only", "ignore": "is in ignore", "order": "is not in order", "zdr": "keeps prompts",
    "tee": "has not proven the machine that is wanted", "price": "costs more than max_price",
    "quality": "falls short of min_quality", "breaker": "failed lately", "cooling": "rests", "full": "is full",
    "left": "left",
}  # fmt: skip


def ended(error: Unreached) -> End:
    """Returns how an attempt ended that failed so."""
    if error.why in LATE:
        return End.TIMEOUT
    return End.TRUNCATED if error.why in CUT else End.UPSTREAM_ERROR


def unserved(why: Mapping[ProviderId, str], failed: Sequence[Unreached] = ()) -> Unserved:
    """Returns what to tell a client: which filters kept providers out, or how those that were asked failed."""
    if failed and all(error.why in BUSY for error in failed):
        return _busy()
    if failed and not all(error.why in UNASKED for error in failed):
        late = all(error.why in LATE for error in failed)
        return Unserved(
            f"every provider that was asked failed: {_counted(_failed(error.why) for error in failed)}",
            hint="try again, or another model",
            status=504 if late else 502, code="upstream_timeout" if late else "upstream_error",
        )  # fmt: skip
    reasons = [reason or "left" for reason in [*why.values(), *(it.why for it in failed)]]
    kinds = {reason.partition(":")[0] for reason in reasons}
    said = _counted(map(_kept_out, reasons))
    if kinds == {"full"}:
        return _busy()
    asked_for = {"context", "features", "only", "ignore", "order", "zdr", "price", "quality"}
    if "tee" in kinds and kinds <= asked_for | {"tee"}:  # the next check is minutes away: trying again is no use
        return Unserved(
            f"no provider fits the request: {said}",
            hint="GET /v1/providers tells what was found, and until when it holds", status=400, code="not_attested",
        )  # fmt: skip
    if kinds and kinds <= asked_for:  # trying again cannot help: the request itself rules everybody out
        return Unserved(
            f"no provider fits the request: {said}", hint="ask for less; GET /v1/models tells what there is",
            status=400, code="no_provider_fits",
        )  # fmt: skip
    return Unserved(f"no provider can be asked now: {said or 'none'}", hint="try again soon")


def _failed(why: str) -> str:
    return f"answered {why}" if why.isdecimal() else FAILED.get(why, why)


def _kept_out(reason: str) -> str:
    kind, _, more = reason.partition(": ")
    return f"lacks {more}" if kind == "features" else KEPT_OUT.get(kind, kind)


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} ({count})" for word, count in sorted(Counter(words).items()))


def _busy() -> Unserved:
    return Unserved(
        "every provider was busy", hint="try again soon", status=429, code="providers_busy", after=RETRY_SECONDS
    )
