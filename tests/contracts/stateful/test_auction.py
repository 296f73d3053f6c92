"""An auction under any order of bids, raises, cancellations and claims: I1 to I7, I10 and I11 hold throughout.

What compares two auctions (I6, I7) plays both to their end on branches of the chain, from wherever the machine is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mercato.chains import Address, Reverted
from mercato.chains.evm.local import LocalChain
from mercato.launch.clearing import Q96, RETAIL, Clearing, Fill, Terms, aggregate, ceiling, clear, grid, settle
from mercato.launch.credentials import AllowList
from mercato.launch.stage import OPERATOR, stage
from mercato.launch.stage import bid as place
from tests.contracts.auctions import DOLLAR, ORDINARY, who
from tests.profiles import examples

PEOPLE = [who(number) for number in range(5)]
LATE, SYBIL = NEWCOMERS = [who(number) for number in (5, 6)]  # who bid on branches alone
LISTED = AllowList.of([*PEOPLE, *NEWCOMERS])
LEVELS = 40
ANY_LEVEL = st.integers(0, LEVELS - 1) | st.just(RETAIL)
PERSON, AMOUNT = st.sampled_from(PEOPLE), st.integers(1, 200_000 * DOLLAR)
LEVEL = st.integers(0, LEVELS - 1) | st.integers(18, 21)  # often next to one another
PRICES = grid(ORDINARY.floor_q96, 200, LEVELS)
CASH = 10**9 * DOLLAR
Bid = tuple[Address, int, int]


@dataclass(frozen=True)
class Branch:
    """How an auction ended: its result, what each bidder really got, and the quote that nobody did."""

    found: Clearing
    fills: dict[tuple[Address, int], Fill]
    left: int


class Auction(RuleBasedStateMachine):
    """Plays an auction beside plain books of what everybody bid."""

    @initialize(raise_min=st.sampled_from((1, 1, 30_000 * DOLLAR)), first=st.integers(1, 100_000 * DOLLAR))
    def start(self, raise_min: int, first: int) -> None:
        self.terms = Terms(ORDINARY.sale, ORDINARY.retail_cap, raise_min, PRICES)
        sale = replace(ORDINARY, levels=LEVELS, raise_min=raise_min, min_bid=1, locks=1_500)
        self.on = stage(LocalChain(), sale, retail=[*PEOPLE, *NEWCOMERS])
        for person in [*PEOPLE, *NEWCOMERS]:
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

    def stands_for_two(self) -> bool:
        """Whether the next two transactions still fall into the window."""
        return not self.decided and self.on.chain.time() + 2 < self.on.auction.read("end")

    def open(self) -> bool:
        """Whether the next transaction may still cancel."""
        return not self.decided and self.on.chain.time() + 1 < self.on.window[1]

    @precondition(stands)
    @rule(person=PERSON, level=LEVEL, amount=AMOUNT)
    def bid(self, person: Address, level: int, amount: int) -> None:
        self.on.auction.send("bid", level, amount, sender=person)
        self.books[person, level] = self.books.get((person, level), 0) + amount

    @precondition(stands)
    @rule(person=PERSON, level=LEVEL, off=st.integers(-2, 2) | st.integers(-400 * DOLLAR, 400 * DOLLAR))
    def bid_to_the_brink(self, person: Address, level: int, off: int) -> None:
        """Brings the demand at a level next to what the sale costs there."""
        price, retail = PRICES[level], self._retail(self.books)
        above = sum(amount for (_, at), amount in self.books.items() if level <= at != RETAIL)
        taken = min(retail, ORDINARY.retail_cap * price // Q96)
        self.bid(person, level, max(1, ceiling(ORDINARY.sale * price, Q96) - above - taken + off))

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

    @precondition(lambda self: self.decided or self.stands())
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

    def branch(self, *more: Bid) -> Branch:
        """Returns how it would end if these bids came now and nothing after them; the chain goes back."""
        mark, on = self.on.chain.snapshot(), self.on
        for person, level, amount in more:
            place(on, person, level, amount, LISTED.credential(person) if level == RETAIL else b"")
        on.over()
        on.auction.send("clear", sender=OPERATOR)
        places = sorted({*self.books, *((person, level) for person, level, _ in more)})
        fills = {item: self._claimed(*item) for item in places}
        left = on.quote.read("balanceOf", on.auction.address)
        found = Clearing(*on.auction.read("result"))
        on.chain.revert(mark)
        return Branch(found, fills, left)

    def _claimed(self, person: Address, level: int) -> Fill:
        """Claims a bid; returns what arrived at its bidder's account, whatever the event says."""
        on = self.on
        escrow = on.auction.read("bids", person, level)
        before = on.token.read("balanceOf", person), on.quote.read("balanceOf", person)
        on.auction.send("claim", person, level, sender=OPERATOR)
        refund = on.quote.read("balanceOf", person) - before[1]
        return Fill(on.token.read("balanceOf", person) - before[0], escrow - refund, refund)

    @precondition(lambda self: not self.decided)
    @rule()
    def all_claim(self) -> None:
        """Plays it to its end on a branch, where what holds for one claim holds for all of them."""
        end = self.branch()
        self.i1_i2_everything_adds_up(end)
        self.i4_nobody_pays_above_their_level(end.found, end.fills)
        self.i10_everybody_pays_the_same_price(end.found, end.fills)

    def i1_i2_everything_adds_up(self, end: Branch) -> None:
        charged = sum(fill.charge for fill in end.fills.values())

        assert charged + sum(fill.refund for fill in end.fills.values()) == sum(self.books.values())
        assert 0 <= end.left == charged - end.found.raised <= len(self.books)
        assert sum(fill.tokens for fill in end.fills.values()) <= end.found.sold <= ORDINARY.sale

    @precondition(stands_for_two)
    @rule(level=ANY_LEVEL, parts=st.tuples(AMOUNT, AMOUNT))
    def i6_a_split_bid_gains_no_tokens_and_lowers_no_charge(self, level: int, parts: tuple[int, int]) -> None:
        one, other = parts
        whole, split = self.branch((LATE, level, one + other)), self.branch((LATE, level, one), (SYBIL, level, other))
        of_one, of_other = split.fills[LATE, level], split.fills[SYBIL, level]
        others = whole.fills.keys() - {(LATE, level)}

        assert split.found == whole.found
        assert of_one.tokens + of_other.tokens <= whole.fills[LATE, level].tokens
        assert of_one.charge + of_other.charge >= whole.fills[LATE, level].charge
        assert all(split.fills[item] == whole.fills[item] for item in others)

    @precondition(stands)
    @rule(level=ANY_LEVEL, amount=AMOUNT)
    def i7_one_more_bid_lowers_the_price_by_rounding_at_most(self, level: int, amount: int) -> None:
        before, after = self.branch().found, self.branch((LATE, level, amount)).found

        # R/T may fall by one wei of quote and by one unit of tokens at most.
        assert (after.raised + 1) * (before.sold + 1) >= (before.raised - 1) * after.sold
        assert before.failed or not after.failed

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
    def what_was_claimed_was_fair(self) -> None:
        found = Clearing(*self.on.auction.read("result"))
        self.i4_nobody_pays_above_their_level(found, self.paid)
        self.i10_everybody_pays_the_same_price(found, self.paid)

    @staticmethod
    def i4_nobody_pays_above_their_level(found: Clearing, fills: dict[tuple[Address, int], Fill]) -> None:
        sold = found.sold
        limited = [(PRICES[level], fill) for (_, level), fill in fills.items() if level != RETAIL]

        # Beyond the level lies rounding alone: a wei and a unit of one's own, a wei and a unit of the sale as a whole.
        assert all(
            (fill.charge - 1) * sold * Q96 <= (price * (sold + 1) + Q96) * (fill.tokens + 1) for price, fill in limited
        )

    @precondition(lambda self: self.decided)
    @invariant()
    def i5_any_order_of_bids_and_claims_gives_what_the_model_says(self) -> None:
        assert Clearing(*self.on.auction.read("result")) == self.found
        assert all(fill == settle(item[1], self.escrow[item], self.found) for item, fill in self.paid.items())

    @staticmethod
    def i10_everybody_pays_the_same_price(found: Clearing, fills: dict[tuple[Address, int], Fill]) -> None:
        raised, sold = found.raised, found.sold
        paid = [fill for fill in fills.values() if fill.charge or fill.tokens]

        # tokens = floor(spent * T / R) with spent the charge or one wei less
        assert all((fill.charge - 1) * sold // raised <= fill.tokens <= fill.charge * sold // raised for fill in paid)

    @precondition(lambda self: self.decided)
    @invariant()
    def i11_nobody_is_blocked(self) -> None:
        calls = [self.on.auction.call("claim", *place, sender=OPERATOR) for place in self.books]
        assert all(outcome.succeeded for outcome in self.on.chain.simulate(calls))


TestAuction = Auction.TestCase
TestAuction.settings = settings(max_examples=examples(40), stateful_step_count=30)
