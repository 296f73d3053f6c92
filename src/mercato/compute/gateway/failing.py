"""What failures of providers mean: for the books, and for the client whom nobody could serve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mercato.compute.errors import Unreached, Unserved
from mercato.compute.model import End, ProviderId

LATE = frozenset({"first-byte", "idle", "total"})
CUT = frozenset({"truncated", "reset"})
BUSY = frozenset({"429", "full"})
UNASKED = frozenset({"full", "left"})  # such were to be asked, and were not
RETRY_SECONDS = 1


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
        classes = ", ".join(sorted({error.why for error in failed}))
        late = all(error.why in LATE for error in failed)
        return Unserved(
            f"no provider answered: {classes}", hint="try again, or another model",
            status=504 if late else 502, code="upstream_timeout" if late else "upstream_error",
        )  # fmt: skip
    kinds = Counter(reason.partition(":")[0] or "left" for reason in [*why.values(), *(it.why for it in failed)])
    said = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
    if set(kinds) == {"full"}:
        return _busy()
    asked_for = {"context", "features", "only", "ignore", "order", "zdr", "price", "quality"}
    if "tee" in kinds and set(kinds) <= asked_for | {"tee"}:  # the next check is minutes away: trying again is no use
        return Unserved(
            f"no provider's machine is proven to be what the request wants: {said}",
            hint="GET /v1/providers tells what was found, and until when it holds", status=400, code="not_attested",
        )  # fmt: skip
    if kinds and set(kinds) <= asked_for:  # trying again cannot help: the request itself rules everybody out
        return Unserved(
            f"no provider fits the request: {said}", hint="ask for less", status=400, code="no_provider_fits"
        )
    return Unserved(f"no provider can be asked now: {said or 'none'}", hint="try again soon")


def _busy() -> Unserved:
    return Unserved(
        "every provider was busy", hint="try again soon", status=429, code="providers_busy", after=RETRY_SECONDS
    )
