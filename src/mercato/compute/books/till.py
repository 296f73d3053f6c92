"""The till: money that comes and goes outside of requests, each move once by its name, in a lane that all share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from mercato.compute.books import ledger, sheet
from mercato.compute.books.ledger import OUTSIDE, Move
from mercato.compute.books.pen import Pen
from mercato.compute.books.receipts import START, Signer
from mercato.compute.books.words import Lost
from mercato.compute.errors import Short
from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput
from mercato.core.events import Json
from mercato.store.bare import Bare

LANE = "books"
LARGEST = 10**15  # a milliard dollars: what is beyond is a mistake, and is far from what a database counts


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account may spend, and what its open requests may cost at most, in micro-dollars."""

    free: int
    reserved: int


class Till:
    """Moves money by commands and jobs. Safe to use from several processes at once; one thread each."""

    def __init__(self, url: str, clock: Clock, signer: Signer) -> None:
        self.bare, self.clock, self.signer = Bare(url), clock, signer

    @contextmanager
    def writing(self) -> Iterator[Pen]:
        """Gives a pen in a transaction that nobody else writes to the shared lane in."""
        with self.bare.transaction():
            sheet.open_lane(self.bare, LANE, START, None)
            found = sheet.lane(self.bare, LANE, lock=True)
            assert found is not None, "it was opened above"
            pen = Pen(self.bare, LANE, found[0], found[1], self.clock.now(), self.signer)
            yield pen
            pen.close()
            if not sheet.advance(self.bare, LANE, found[0], pen.seq, pen.head, None):
                raise Lost(f"lane {LANE!r} was written by another", hint="try again")

    def deposit(self, account: str, micro: int, *, name: str) -> bool:
        """Adds money to a user's account; False where a deposit of that name was made before."""
        move = Move(OUTSIDE, ledger.user(_named(account)), _positive(micro))
        with self.writing() as pen:
            return transfer(pen, f"deposit:{name}", "deposit", [move])

    def withdraw(self, account: str, micro: int, *, name: str) -> bool:
        """Takes free money out of a user's account; False where it was done before. Short where there is less."""
        move = Move(ledger.user(_named(account)), OUTSIDE, _positive(micro))
        with self.writing() as pen:
            return transfer(pen, f"withdraw:{name}", "withdraw", [move])

    def balance(self, account: str) -> Balance:
        """Returns a user's balance; nought for an account that nobody paid into."""
        names = ledger.user(account), ledger.reserved(account)
        with self.bare.read():
            rows = self.bare.run("SELECT account, micro FROM compute_balance WHERE account IN (?, ?)", names)
        found: dict[str, int] = {row[0]: row[1] for row in rows}
        return Balance(*(found.get(name, 0) for name in names))

    def balances(self) -> dict[str, int]:
        """Returns every balance of the ledger by its account; together they are nought."""
        with self.bare.read():
            return {
                row[0]: row[1] for row in self.bare.run("SELECT account, micro FROM compute_balance ORDER BY account")
            }

    def close(self) -> None:
        """Closes the connection."""
        self.bare.close()

    def __enter__(self) -> Till:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def transfer(
    pen: Pen, name: str, what: str, moves: Iterable[Move], facts: Mapping[str, Json] | None = None
) -> bool:  # fmt: skip
    """Moves money in the pen's transaction, once for each name; False where it was done before.

    Short where an account has less than is to leave it.
    """
    moves, bare = list(moves), pen.bare
    row = (name, pen.lane, pen.seq + 1)
    if not bare.many("INSERT INTO compute_move (name, lane, seq)", [row], "ON CONFLICT DO NOTHING RETURNING name"):
        return False
    changes = ledger.changes(moves)
    held = sheet.balances(bare, changes)
    for account, micro in changes.items():
        if account != OUTSIDE and held[account] + micro < 0:
            raise Short(
                f"account {account!r} has {held[account]} micro-dollars, {-micro} were to leave it", left=held[account]
            )
    pen.write("moved", {"name": name, "what": what, "moves": ledger.written(moves), **(facts or {})})
    sheet.change(bare, changes)
    return True


def _positive(micro: int) -> int:
    if not 0 < micro <= LARGEST:
        raise InvalidInput(f"amount was {micro!r} micro-dollars", hint=f"expected 1 to {LARGEST}")
    return micro


def _named(account: str) -> str:
    if not 0 < len(account) <= 120 or not account.isprintable():
        raise InvalidInput(f"account was {account!r:.130}", hint="expected a name of at most 120 letters")
    return account
