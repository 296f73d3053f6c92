"""An auction under any order of bids, raises, cancellations and claims: its invariants hold at every step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mercato.chains import Address, Reverted
from mercato.chains.evm.local import LocalChain
from mercato.launch.clearing import RETAIL, Clearing, Fill, Terms, aggregate, clear, grid, settle
from mercato.launch.credentials import AllowList
from mercato.launch.stage import OPERATOR, stage
from tests.contracts.auctions import DOLLAR, ORDINARY, who
from tests.profiles import examples

PEOPLE = [who(number) for number in range(5)]
LISTED = AllowList.of(PEOPLE)
LEVELS = 40
PERSON, LEVEL, AMOUNT = st.sampled_from(PEOPLE), st.integers(0, LEVELS - 1), st.integers(1, 200_000 * DOLLAR)
PRICES = grid(ORDINARY.floor_q96, 200, LEVELS)
CASH = 10**9 * DOLLAR


class Auction(RuleBasedStateMachine):
    """Plays an auction beside plain books of what everybody bid."""

    @initialize(raise_min=st.sampled_from((1, 1, 30_000 * DOLLAR)), first=st.integers(1, 100_000 * DOLLAR))
    def start(self, raise_min: int, first: int) -> None:
        self.terms = Terms(ORDINARY.sale, ORDINARY.retail_cap, raise_min, PRICES)
        sale = replace(ORDINARY, levels=LEVELS, raise_min=raise_min, min_bid=1, locks=1_500)
        self.on = stage(LocalChain(), sale, retail=PEOPLE)
        for person in PEOPLE:
            self.on.fund(person, CASH)
        self.on.open()
        self.books: dict[tuple[Address, int], int] = {}
        self.paid: dict[tuple[Address, int], Fill] = {}
        self.escrow: dict[tuple[Address, int], int] = {}
        self.decided = False
        self.bid(PEOPLE[0], 0, first)

    def stands(self) -> bool:
        """Whether the next transaction still falls into the window."""
        return not self.decided and self.on.chain.time() + 1 < self.on.auction.read("end")

    def open(self) -> bool:
        """Whether the next transaction may still cancel."""
        return not self.decided and self.on.chain.time() + 1 < self.on.window[1]

    @precondition(stands)
    @rule(person=PERSON, level=LEVEL, amount=AMOUNT)
    def bid(self, person: Address, level: int, amount: int) -> None:
        self.on.auction.send("bid", level, amount, sender=person)
        self.books[person, level] = self.books.get((person, level), 0) + amount

    @precondition(stands)
    @rule(person=PERSON, amount=AMOUNT)
    def bid_retail(self, person: Address, amount: int) -> None:
        self.on.auction.send("bid_retail", amount, LISTED.credential(person), sender=person)
        self.books[person, RETAIL] = self.books.get((person, RETAIL), 0) + amount

    def _below(self) -> list[tuple[Address, int]]:
        return [place for place in sorted(self.books) if place[1] < LEVELS - 1]

    @precondition(lambda self: self.stands() and self._below())
    @rule(data=st.data())
    def improve(self, data: st.DataObject) -> None:
        person, level = data.draw(st.sampled_from(self._below()))
        amount = data.draw(st.integers(1, self.books[person, level]))
        higher = data.draw(st.integers(level + 1, LEVELS - 1))
        self.on.auction.send("improve", level, higher, amount, sender=person)
        self._take(person, level, amount)
        self.books[person, higher] = self.books.get((person, higher), 0) + amount

    @precondition(lambda self: self.open() and len(self.books) > 1)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        person, level = data.draw(st.sampled_from(sorted(self.books)[1:]))
        amount = data.draw(st.integers(1, self.books[person, level]))
        self.on.auction.send("cancel", level, amount, sender=person)
        self._take(person, level, amount)

    def _take(self, person: Address, level: int, amount: int) -> None:
        left = self.books.pop((person, level)) - amount
        self.books |= {(person, level): left} if left else {}

    @precondition(stands)
    @rule()
    def lock(self) -> None:
        self.on.at(self.on.window[1])

    @precondition(stands)
    @rule()
    def wait(self) -> None:
        self.on.chain.mine(seconds=200)

    @precondition(lambda self: not self.decided and (len(self.books) > 3 or not self.stands()))
    @rule()
    def decide(self) -> None:
        self.on.over()
        self.on.auction.send("clear", sender=OPERATOR)
        self.escrow, self.decided = dict(self.books), True

    @precondition(lambda self: self.decided and self.books)
    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        person, level = place = data.draw(st.sampled_from(sorted(self.books)))
        receipt = self.on.auction.send("claim", person, level, sender=OPERATOR)
        (event,) = self.on.auction.events(receipt)
        self.paid[place] = Fill(event.values["tokens"], event.values["charge"], event.values["refund"])
        del self.books[place]

    @precondition(lambda self: self.decided and self.paid)
    @rule(data=st.data())
    def claim_again(self, data: st.DataObject) -> None:
        person, level = data.draw(st.sampled_from(sorted(self.paid)))
        with pytest.raises(Reverted, match="auction: nothing to claim"):
            self.on.auction.send("claim", person, level, sender=OPERATOR)

    @property
    def found(self) -> Clearing:
        """How it came out, by the specification."""
        return clear(aggregate((level for _, level in self.escrow), self.escrow.values(), LEVELS), self.terms)

    @staticmethod
    def _retail(books: dict[tuple[Address, int], int]) -> int:
        return sum(amount for (_, level), amount in books.items() if level == RETAIL)

    @precondition(lambda self: not self.decided)
    @invariant()
    def the_books_are_the_sum_of_bids(self) -> None:
        total = sum(self.books.values())
        assert self.on.auction.read("total") == total
        assert self.on.auction.read("retail_demand") == self._retail(self.books)
        assert sum(self.on.auction.read("demands")) == total - self._retail(self.books)
        assert all(self.on.auction.read("bids", *place) == amount for place, amount in self.books.items())

    @precondition(lambda self: self.decided)
    @invariant()
    def i1_supply(self) -> None:
        assert sum(fill.tokens for fill in self.paid.values()) <= self.found.sold <= ORDINARY.sale

    @invariant()
    def i2_solvency(self) -> None:
        held = self.on.quote.read("balanceOf", self.on.auction.address)
        raised = self.on.auction.read("result")[1]
        charged = sum(fill.charge for fill in self.paid.values())
        refunded = sum(fill.refund for fill in self.paid.values())
        settled = {place: amount for place, amount in self.escrow.items() if place in self.paid}
        assert charged + refunded == sum(settled.values())
        assert held == (sum(self.escrow.values()) if self.decided else sum(self.books.values())) - raised - refunded
        owed = sum(settle(place[1], amount, self.found).refund for place, amount in self.books.items())
        assert not self.decided or held >= owed

    @precondition(lambda self: self.decided)
    @invariant()
    def i3_refunds(self) -> None:
        failed = self.on.state() == "FAILED"
        assert failed == self.found.failed
        assert all(fill.charge == 0 or not failed for fill in self.paid.values())

    @precondition(lambda self: self.decided)
    @invariant()
    def i5_i10_every_claim_is_what_the_model_says_in_any_order(self) -> None:
        assert Clearing(*self.on.auction.read("result")) == self.found
        assert all(fill == settle(place[1], self.escrow[place], self.found) for place, fill in self.paid.items())

    @precondition(lambda self: self.decided)
    @invariant()
    def i11_nobody_is_blocked(self) -> None:
        calls = [self.on.auction.call("claim", *place, sender=OPERATOR) for place in self.books]
        assert all(outcome.succeeded for outcome in self.on.chain.simulate(calls))


TestAuction = Auction.TestCase
TestAuction.settings = settings(max_examples=examples(25), stateful_step_count=30)
