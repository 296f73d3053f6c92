"""What a journal says, derived from it alone: hashes, acts, budgets, balances; and whether the books agree.

A changed, missing or reordered entry breaks the chain of hashes and is named by its number. Entries cut from the end
leave the book's head, its acts and its reserves behind. Whoever can rewrite all of that can only be caught by a head
that was kept elsewhere: `expect`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mercato.kit import sheet
from mercato.kit.acts import START, STEPS, Arrow, Book, Entry, State, hashed
from mercato.kit.errors import Tampered
from mercato.kit.model import canonical
from mercato.store import Store
from mercato.store.bare import Bare

PAGE = 1_000


@dataclass
class Derived:
    """What the entries so far add up to. `balances` are the net base units that acts moved, by account and asset."""

    seq: int = 0
    head: str = START
    policy: str = ""
    frozen: bool = False
    states: dict[str, State] = field(default_factory=dict)
    reserves: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)
    balances: dict[tuple[str, str], int] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Adds one entry; Tampered where it does not follow."""
        if entry.seq != self.seq + 1:
            raise Tampered(f"entry {self.seq + 1} of {entry.book!r} is missing", hint="the journal was cut or changed")
        made = hashed(entry.book, entry.seq, entry.at, entry.act, entry.arrow.value, canonical(entry.body), self.head)
        if made != entry.hash:
            raise Tampered(
                f"entry {entry.seq} of {entry.book!r} does not have the hash {entry.hash[:16]}…",
                hint="it, or one before it, was changed",
            )
        self.seq, self.head = entry.seq, entry.hash
        self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        body: Mapping[str, Any] = entry.body
        if entry.arrow is Arrow.RULED:
            self.policy = body["hash"]
        elif entry.arrow in (Arrow.FROZEN, Arrow.THAWED):
            self.frozen = entry.arrow is Arrow.FROZEN
        elif entry.arrow is Arrow.INTENDED:
            self.accounts[entry.act] = body["account"]
        self._step(entry)
        if entry.arrow in (Arrow.RESERVED, Arrow.SETTLED, Arrow.RELEASED):
            items = body.get("reserves", ())
            self.reserves[entry.act] = {(item["budget"], item["scope"]): int(item["units"]) for item in items}
        if entry.arrow is Arrow.SETTLED:
            self._settle(self.accounts[entry.act], body["effects"])

    def _step(self, entry: Entry) -> None:
        before = self.states.get(entry.act)
        known = {arrow for _, arrow in STEPS}
        if entry.arrow in known:
            if (before, entry.arrow) not in STEPS:
                raise Tampered(
                    f"entry {entry.seq} of {entry.book!r} says {entry.arrow.value} of an act that was {before}",
                    hint="no release of Mercato writes that",
                )
            self.states[entry.act] = STEPS[before, entry.arrow]

    def _settle(self, account: str, effects: Mapping[str, Any]) -> None:
        moved = [(item["asset"], int(item["units"])) for item in effects["moves"]]
        for asset, units in [*moved, (effects["fee_asset"], -int(effects["fee"]))]:
            if units:
                self.balances[account, asset] = self.balances.get((account, asset), 0) + units


def derive(entries: Iterable[Entry]) -> Derived:
    """Returns what a journal adds up to; Tampered names the first entry that is not as it was written."""
    found = Derived()
    for entry in entries:
        found.take(entry)
    return found


def replay(store: Store, book: str, expect: str = "") -> Derived:
    """Returns what a book's journal adds up to, once it was compared with the book, its acts and its reserves.

    `expect` is a head that was kept elsewhere; it has to occur in the journal. Tampered names what differs.
    """
    with store.bare_read() as bare:
        held = sheet.book(bare, book)
        heads = {START}
        found = Derived()
        while page := sheet.journal(bare, book, found.seq, PAGE):
            for entry in page:
                found.take(entry)
                heads.add(entry.hash)
        _compare_book(found, held)
        _compare_rows(found, bare, book)
    if expect and expect not in heads:
        raise Tampered(f"head {expect[:16]}… is not in the journal of {book!r}", hint="entries after it were rewritten")
    return found


def _compare_book(found: Derived, held: Book) -> None:
    for what, derived, kept in (
        ("number of entries", found.seq, held.seq),
        ("head", found.head, held.head),
        ("policy", found.policy, held.policy_hash),
        ("kill switch", found.frozen, held.frozen),
    ):
        if derived != kept:
            raise Tampered(
                f"{what} of {held.id!r} is {kept!r}, its journal says {derived!r}", hint="one of them was changed"
            )


def _compare_rows(found: Derived, bare: Bare, book: str) -> None:
    kept = {(act, budget, scope): units for act, budget, scope, units, _ in sheet.reserves_of(bare, book)}
    derived = {(act, *key): units for act, items in found.reserves.items() for key, units in items.items()}
    _same("act", book, {act: state.value for act, state in found.states.items()}, sheet.states(bare, book))
    _same("reserve", book, derived, kept)


def _same(what: str, book: str, derived: Mapping[Any, object], kept: Mapping[Any, object]) -> None:
    for key in [*derived, *kept]:
        if derived.get(key) != kept.get(key):
            raise Tampered(
                f"{what} {key!r} of {book!r} is {kept.get(key)!r}, its journal says {derived.get(key)!r}",
                hint="one of them was changed, or entries were cut",
            )
