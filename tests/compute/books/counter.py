"""A counter where tests reserve and settle: books with a funded account, and answers to charge for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mercato.compute.books import Clerk, Desk, Hold, Served, Signer, keys
from mercato.compute.books.keys import Key, Limits
from mercato.compute.books.till import Till
from mercato.compute.model import REQUESTS, Attempt, End, Price, ProviderId, RequestId, Usage
from mercato.core.clock import HandClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DOLLAR = 1_000_000
ACME = ProviderId("prov_acme")
PRICE = Price(prompt=200_000, completion=600_000)
USAGE = Usage(prompt=1_000, completion=250)  # 350 micro-dollars at that price
SIGNER = Signer(b"gateway's seed for tests: 32 oct")


class Counter:
    """Books on a database, with a clock that is moved by hand."""

    def __init__(self, url: str) -> None:
        self.url, self.clock = url, HandClock(NOON)
        self.till = Till(url, self.clock, SIGNER)

    def __enter__(self) -> Counter:
        self.till.deposit("ann", DOLLAR, name="first")
        self.key = self.new_key("ann")
        return self

    def __exit__(self, *error: object) -> None:
        self.till.close()

    def new_key(self, account: str, **limits: Any) -> Key:
        return keys.make(self.till.bare, self.clock, account, limits=Limits(**limits))[0]

    def clerk(self, **given: Any) -> Clerk:
        return Clerk(self.url, self.clock, SIGNER, **given)

    def desk(self, **given: Any) -> Desk:
        return Desk(self.clerk(**given))

    def hold(self, limit: int = 1_000, *, key: Key | None = None, idem: str = "", need: str = "n") -> Hold:
        key = key or self.key
        return Hold(REQUESTS.new(), key.id, key.account, need, limit, idem)

    def served(self, **given: Any) -> Served:
        attempt = Attempt(ACME, self.clock.now(), 12, 80, 200, End.DONE)
        facts: dict[str, Any] = {
            "key": self.key.id, "provider": ACME, "model": "toy", "end": End.DONE, "asked": "a" * 64,
            "answered": "b" * 64, "claimed": USAGE, "counted": USAGE, "price": PRICE, "attempts": (attempt,),
        }  # fmt: skip
        return Served(**facts | given)

    def balance(self, account: str = "ann") -> tuple[int, int]:
        found = self.till.balance(account)
        return found.free, found.reserved

    def later(self, **by: Any) -> None:
        self.clock.move(timedelta(**by))


def ids(count: int) -> list[RequestId]:
    return [REQUESTS.new() for _ in range(count)]
