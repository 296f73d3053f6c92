"""Deposits: every step that the rules allow and no other, in any order, of several applicants to the same hashes."""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mercato.chains import Address, Reverted
from mercato.chains.testing import local
from tests.contracts.house import CURATOR, DAY, DOLLAR, PEOPLE, TREASURY, made
from tests.profiles import examples

AMOUNT = 500 * DOLLAR
APPLICATIONS = [bytes([number]) * 32 for number in (1, 2, 3)]
NONE, HELD, REFUNDED, FORFEITED = 0, 1, 2, 4
PERSONS = [*PEOPLE[:2], CURATOR]
CASE = st.tuples(st.sampled_from(APPLICATIONS), st.sampled_from(PERSONS))
OTHERS = st.sampled_from(PERSONS)


@dataclass
class Held:
    """The model of one deposit."""

    amount: int
    since: int
    rounds: int = 0
    fate: int = HELD


class Deposits(RuleBasedStateMachine):
    """Anyone tries anything; the model says what happens."""

    @initialize()
    def begin(self) -> None:
        self.chain = local()
        self.dollar = made(self.chain, "test_dollar")
        self.deposit = made(self.chain, "deposit", self.dollar.address, CURATOR, TREASURY, AMOUNT)
        for person in PERSONS:
            self.dollar.send("faucet", person, 10**15, sender=person)
            self.dollar.send("approve", self.deposit.address, 10**15, sender=person)
        self.held: dict[tuple[bytes, Address], Held] = {}
        self.treasury = 0

    def attempt(self, allowed: bool, name: str, person: Address, *given: object) -> None:
        """Sends it, and expects a refusal exactly where the model does."""
        if allowed:
            self.deposit.send(name, *given, sender=person)
            return
        with pytest.raises(Reverted, match="deposit: "):
            self.deposit.send(name, *given, sender=person)

    @rule(case=CASE)
    def submit(self, case: tuple[bytes, Address]) -> None:
        application, person = case
        allowed = case not in self.held
        self.attempt(allowed, "submit", person, application)
        if allowed:
            self.held[case] = Held(AMOUNT, self.chain.time())

    @rule(case=CASE)
    def appeal(self, case: tuple[bytes, Address]) -> None:
        application, person = case
        held = self.held.get(case)
        allowed = held is not None and held.fate == HELD and held.rounds < 2
        self.attempt(allowed, "appeal", person, application)
        if held and allowed:
            held.amount += AMOUNT * 3 // 2
            held.rounds += 1
            held.since = self.chain.time()

    @rule(case=CASE, person=OTHERS)
    def refund(self, case: tuple[bytes, Address], person: Address) -> None:
        held = self.held.get(case)
        late = held is not None and self.chain.time() + 1 >= held.since + 60 * DAY
        says = held is not None and (person == CURATOR or (person == case[1] and late))
        allowed = held is not None and held.fate == HELD and says
        self.attempt(allowed, "refund", person, *case)
        if held and allowed:
            held.fate = REFUNDED

    @rule(case=CASE, person=OTHERS)
    def forfeit(self, case: tuple[bytes, Address], person: Address) -> None:
        held = self.held.get(case)
        early = held is not None and self.chain.time() + 1 < held.since + 60 * DAY
        allowed = held is not None and held.fate == HELD and person == CURATOR and early
        self.attempt(allowed, "forfeit", person, *case)
        if held and allowed:
            held.fate = FORFEITED
            self.treasury += held.amount

    @rule(days=st.integers(1, 61))
    def wait(self, days: int) -> None:
        self.chain.mine(seconds=days * DAY)

    @invariant()
    def every_deposit_is_where_the_model_says(self) -> None:
        kept = sum(held.amount for held in self.held.values() if held.fate == HELD)

        assert self.dollar.read("balanceOf", self.deposit.address) == kept
        assert self.dollar.read("balanceOf", TREASURY) == self.treasury
        for person in PERSONS:
            gone = [held.amount for case, held in self.held.items() if case[1] == person and held.fate != REFUNDED]
            assert self.dollar.read("balanceOf", person) == 10**15 - sum(gone)
        for case, held in self.held.items():
            assert self.deposit.read("deposits", *case) == (held.amount, held.since, held.rounds, held.fate)


Deposits.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=25, deadline=None)
test_deposits_keep_their_rules = Deposits.TestCase
