"""A launch after its auction, whatever is claimed, traded and tried around its pool: I8, I9 and I12 hold throughout.

Bidders, the creator with a bid of its own, and an outsider act in any order. Time stays below the 72 hours after which
the first milestone could be paid, so all that the creator can take is what can be taken at once.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mercato.chains import Address, Reverted
from mercato.launch.clearing import Clearing, settle
from tests.contracts.house import CREATOR, DOLLAR, FOREVER, JUDGE, PEOPLE, TOKEN, House
from tests.profiles import examples

BIDDERS, OUTSIDER = PEOPLE[:2], PEOPLE[2]
EVERYBODY = [*BIDDERS, CREATOR, OUTSIDER]
LEVEL, AMOUNT = st.integers(0, 60), st.integers(5 * DOLLAR, 60_000 * DOLLAR)
BIDS = st.dictionaries(st.tuples(st.sampled_from([*BIDDERS, *BIDDERS, CREATOR]), LEVEL), AMOUNT, min_size=1, max_size=6)
LEAST = 10 * TOKEN  # what is sold at least: fewer tokens may be worth nothing
EVIDENCE = b"\x07" * 32
TRIES = (
    ("take_at_once", ()), ("submit", (EVIDENCE,)), ("challenge", (EVIDENCE,)), ("rule", (False,)), ("lapse", ()),
    ("pay", ()), ("withdraw", (CREATOR,)), ("expire", ()),
)  # fmt: skip
PURSE = 100_000 * DOLLAR  # what the creator has for bonds
Bids = dict[tuple[Address, int], int]


class Opening(RuleBasedStateMachine):
    """Plays what follows a launch, and keeps the books of who paid and got what."""

    @initialize(bids=BIDS)
    def open(self, bids: Bids) -> None:
        self.house = House()
        listed = [(person, level, amount) for (person, level), amount in sorted(bids.items())]
        self.sale = self.house.cleared(*listed, raise_min=0, at_once_bps=60)
        self.pool, self.dollar = self.sale.pool, self.house.dollar
        self.found = Clearing(*self.sale.auction.read("result"))
        self.fills = {item: settle(item[1], amount, self.found) for item, amount in sorted(bids.items())}
        self.waiting = list(self.fills)
        self.liquidity, self.escrowed = self.pool.read("liquidity"), self.money(self.sale.escrow.address)
        self.others = self.sold = self.back = 0
        self.brought, self.moved = {OUTSIDER: 0, CREATOR: 0}, False
        self.house.pay(CREATOR, PURSE, self.sale.escrow.address)
        self.sale.token.send("approve", self.sale.escrow.address, 2**256 - 1, sender=CREATOR)
        self.own_bid = PURSE + sum(amount for (person, _), amount in bids.items() if person == CREATOR)

    def money(self, account: str) -> int:
        return int(self.dollar.read("balanceOf", account))

    def tokens(self, account: str) -> int:
        return int(self.sale.token.read("balanceOf", account))

    def sellers(self) -> list[Address]:
        return [person for person in EVERYBODY if self.tokens(person) >= LEAST]

    def sell(self, person: Address, tokens: int) -> int:
        """Sells tokens; returns the dollars that arrived."""
        before = self.money(person)
        self.sale.token.send("approve", self.pool.address, tokens, sender=person)
        self.pool.send("sell", tokens, 0, FOREVER, person, sender=person)
        return self.money(person) - before

    def claim_bid(self, person: Address, level: int) -> int:
        """Claims a bid; returns the tokens that arrived."""
        before = self.tokens(person)
        self.sale.auction.send("claim", person, level, sender=person)
        return self.tokens(person) - before

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(item)

        assert self.claim_bid(*item) == self.fills[item].tokens

    @precondition(lambda self: self.sellers())
    @rule(data=st.data(), percent=st.sampled_from((10, 50, 100)))
    def trade_in(self, data: st.DataObject, percent: int) -> None:
        person = data.draw(st.sampled_from(self.sellers()))
        tokens, due = self.tokens(person) * percent // 100, self.pool.read("owed")[0]
        self.back += self.sell(person, tokens)
        self.sold += tokens
        self.others += (self.pool.read("owed")[0] - due) * (person != CREATOR)
        self.moved = True

    @rule(person=st.sampled_from((OUTSIDER, CREATOR)), amount=st.integers(DOLLAR, 50_000 * DOLLAR))
    def trade_out(self, person: Address, amount: int) -> None:
        due = self.pool.read("owed")[0]
        self.house.pay(person, amount, self.pool.address)
        self.pool.send("buy", amount, 0, FOREVER, person, sender=person)
        self.brought[person] += amount
        self.others += (self.pool.read("owed")[0] - due) * (person != CREATOR)
        self.moved = True

    @rule(amount=st.integers(1, 10**9))
    def give_and_sweep(self, amount: int) -> None:
        self.dollar.send("faucet", self.pool.address, amount, sender=OUTSIDER)
        self.pool.send("sweep", sender=OUTSIDER)

    @rule(name=st.sampled_from(("claim_creator_fees", "claim_treasury_fees")))
    def claim_fees(self, name: str) -> None:
        self.pool.send(name, sender=CREATOR)

    @rule(attempts=st.lists(st.sampled_from(TRIES), min_size=1, max_size=8))
    def the_creator_tries(self, attempts: list[tuple[str, tuple[object, ...]]]) -> None:
        for name, values in attempts:
            with suppress(Reverted):
                self.sale.escrow.send(name, *values, sender=CREATOR)

    @rule()
    def the_creator_tries_to_redeem(self) -> None:
        with suppress(Reverted):
            self.sale.escrow.send("redeem", self.tokens(CREATOR), sender=CREATOR)

    @precondition(lambda self: self.sale.escrow.read("failures") == 0)
    @rule()
    def the_judge_upholds_a_challenge(self) -> None:
        with suppress(Reverted):
            self.sale.escrow.send("rule", True, sender=JUDGE)

    @rule(seconds=st.integers(1, 4_000))
    def wait(self, seconds: int) -> None:
        self.house.chain.mine(seconds=seconds)

    def worth_selling(self) -> list[tuple[Address, int]]:
        return [item for item in self.waiting if self.fills[item].tokens >= LEAST]

    @precondition(lambda self: not any(self.brought.values()) and self.worth_selling())
    @rule(data=st.data(), part=st.sampled_from((1, 10, 1_000)), seconds=st.sampled_from((1, 1_800)))
    def i8_a_flip_into_the_opening_pool_returns_less_than_it_cost(
        self, data: st.DataObject, part: int, seconds: int
    ) -> None:
        order = data.draw(st.permutations(self.worth_selling()))
        mark = self.house.chain.snapshot()
        self.house.chain.mine(seconds=seconds)  # the fee falls to its base in half an hour
        outcomes = []
        for item in order:
            tokens = self.claim_bid(*item)
            sold = max(tokens // part, LEAST)  # a small part hardly moves the price
            outcomes.append((self.fills[item].charge * sold, self.sell(item[0], sold) * tokens))
        self.house.chain.revert(mark)

        # Before anybody bought the pool pays the auction's price at most, and keeps the base fee of one per cent.
        assert [pair for pair in outcomes if pair[1] * 100 > pair[0] * 99] == []

    @invariant()
    def i8_sellers_together_get_less_than_tokens_cost_and_buyers_brought(self) -> None:
        brought = sum(self.brought.values())

        assert self.back * self.found.sold <= self.sold * self.found.raised + brought * self.found.sold

    @precondition(lambda self: not self.moved)
    @invariant()
    def i9_the_pool_opens_at_the_auctions_price(self) -> None:
        token, quote = self.pool.read("reserves")

        assert quote == self.found.raised * 7_500 // 10_000
        assert 0 <= quote * self.found.sold - token * self.found.raised < self.found.raised

    @invariant()
    def i9_the_liquidity_is_the_pools_own_and_never_decreases(self) -> None:
        liquidity = self.pool.read("liquidity")

        assert self.pool.read("locker") == self.pool.address
        assert liquidity >= self.liquidity
        self.liquidity = liquidity

    @invariant()
    def i12_no_more_than_the_bound_leaves_the_escrow_at_once(self) -> None:
        bound = self.found.raised * self.pool.read("shill_bound_bps") // 10_000

        assert self.escrowed - self.money(self.sale.escrow.address) <= bound == self.found.raised * 60 // 10_000

    @invariant()
    def i12_bidding_and_trading_with_itself_gains_the_creator_nothing_beyond_the_bound(self) -> None:
        spent = self.own_bid + self.brought[CREATOR]
        gained = self.money(CREATOR) + self.pool.read("owed")[0] - spent - self.others

        # What the outsider paid in whoever sells may get, and the creator's share of other people's fees is earned.
        assert gained <= self.found.raised * 60 // 10_000 + self.brought[OUTSIDER]


Opening.TestCase.settings = settings(max_examples=examples(80), stateful_step_count=25, deadline=None)
test_i8_i9_i12_the_opening_keeps_its_invariants = Opening.TestCase
