"""Words of the books: what a request may cost before it is sent, what was served, and what stands in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from mercato.compute.model import Attempt, End, KeyId, Price, ProviderId, Receipt, RequestId, Usage
from mercato.store.errors import Lost as Lost

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)

#: Bytes of an answer that are kept to be given again to who asks again with the same idempotency key.
KEPT = 256 * 1024
#: How answers end that are paid for: a cut one is free, however much of it came, and its provider gets nothing.
PAID = frozenset({End.DONE, End.CLIENT_GONE})


class State(StrEnum):
    """Where a request stands in the books."""

    OPEN = "open"
    DONE = "done"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Hold:
    """What a request may cost at most, before it is sent. `limit` is in micro-dollars, `need_hash` names its body,
    `idempotency` is the client's own key for it, "" for none."""

    request: RequestId
    key: KeyId
    account: str
    need_hash: str
    limit: int
    idempotency: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """What came of a request. `counted` are the tokens that were forwarded by our own count, `claimed` the provider's.

    `audit` puts it up for audit, as does the clerk's draw; `evidence`, what was asked and answered, is kept until it
    was judged then, and not at all otherwise.
    `answer` of the media type `kind` is kept for a day where the request had an idempotency key.
    """

    key: KeyId
    provider: ProviderId
    model: str
    end: End
    asked: str
    answered: str
    claimed: Usage
    counted: Usage
    price: Price
    attempts: tuple[Attempt, ...] = ()
    audit: bool = False
    evidence: bytes = b""
    answer: bytes = b""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """A request that was served before under the same idempotency key; `answer` is None where it was not kept."""

    receipt: Receipt
    answer: bytes | None
    kind: str = ""


def micros(moment: datetime) -> int:
    """Returns a moment as microseconds since 1970."""
    return (moment - _EPOCH) // _MICRO


def moment(us: int) -> datetime:
    """Returns the moment of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)
