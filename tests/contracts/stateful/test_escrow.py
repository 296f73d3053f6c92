"""The escrow pays at once no more than f(1-c) of the raise, and the rest only milestone by milestone (I12)."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mercato.chains import Address
from tests.contracts.house import CREATOR, CURATOR, DAY, DOLLAR, JUDGE, PEOPLE, House
from tests.profiles import examples

CHALLENGER, HOLDER = PEOPLE[2], PEOPLE[1]
ANYBODY = (CREATOR, CHALLENGER, HOLDER, JUDGE)
IDLE, SUBMITTED, CHALLENGED, GRANTED, REDEEMING = 1, 2, 4, 8, 16
SHARES = [4_000, 3_000, 3_000]
ATTEMPTS: list[tuple[str, tuple[object, ...]]] = [
    ("take_at_once", ()), ("submit", (b"\x07" * 32,)), ("challenge", (b"\x08" * 32,)), ("rule", (False,)),
    ("rule", (True,)), ("lapse", ()), ("pay", ()), ("expire", ()), ("redeem", (1,)),
]  # fmt: skip


class Milestones(RuleBasedStateMachine):
    """Everything that creator, challengers, judge and time can do, in any order."""

    @initialize(dollars=st.integers(2_000, 10**6), bps=st.integers(0, 60))
    def begin(self, dollars: int, bps: int) -> None:
        self.house = House()
        self.sale = self.house.cleared((HOLDER, 30, dollars * DOLLAR), at_once_bps=bps, milestones=SHARES)
        self.escrow, self.dollar = self.sale.escrow, self.house.dollar
        self.sale.auction.send("claim", HOLDER, 30, sender=HOLDER)
        self.sale.token.send("approve", self.escrow.address, 2**256 - 1, sender=HOLDER)
        self.house.pay(CHALLENGER, 10**9 * DOLLAR, self.escrow.address)
        self.whole = self.escrow.read("left")
        self.at_once = self.sale.auction.read("result")[1] * bps // 10_000
        self.got = self.redeemed = self.given = self.failures = self.bonds = 0
        self.paid: list[int] = []
        self.stage, self.took, self.since = IDLE, False, self.house.chain.time()

    def act(self, name: str, *args: object, sender: Address = PEOPLE[3]) -> int:
        """Sends it; returns what the creator got from it."""
        before = self.dollar.read("balanceOf", CREATOR)
        self.escrow.send(name, *args, sender=sender)
        gained = int(self.dollar.read("balanceOf", CREATOR)) - int(before)
        self.got += gained
        return gained

    @precondition(lambda self: not self.took and self.stage != REDEEMING and self.at_once > 0)
    @rule()
    def take_at_once(self) -> None:
        assert self.act("take_at_once") == self.at_once
        self.took = True

    @precondition(lambda self: self.stage == IDLE and len(self.paid) < len(SHARES))
    @rule()
    def submit(self) -> None:
        self.act("submit", b"\x07" * 32, sender=CREATOR)
        self.stage, self.since = SUBMITTED, self.house.chain.time()

    @precondition(lambda self: self.stage == SUBMITTED and self.house.chain.time() + 1 < self.since + 3 * DAY)
    @rule()
    def challenge(self) -> None:
        bond = self.escrow.read("due") * 500 // 10_000
        before = self.dollar.read("balanceOf", CHALLENGER)
        self.act("challenge", b"\x08" * 32, sender=CHALLENGER)
        self.stage, self.since, self.bonds = CHALLENGED, self.house.chain.time(), bond

        assert before - self.dollar.read("balanceOf", CHALLENGER) == bond

    @precondition(lambda self: self.stage == CHALLENGED)
    @rule(upheld=st.booleans())
    def decide_challenge(self, upheld: bool) -> None:
        self.act("rule", upheld, sender=JUDGE)
        self.failures += upheld
        self.stage = (REDEEMING if self.failures == 2 else IDLE) if upheld else GRANTED
        self.since = self.house.chain.time()
        self.decide(CHALLENGER if upheld else CREATOR)

    def decide(self, winner: Address) -> None:
        """Has the bond withdrawn; it is the challenger's money, not the escrow's."""
        before, bond = self.dollar.read("balanceOf", winner), self.bonds
        self.escrow.send("withdraw", winner, sender=PEOPLE[3])
        self.escrow.send("withdraw", winner, sender=PEOPLE[3])
        self.bonds = 0

        assert self.dollar.read("balanceOf", winner) == before + bond

    @precondition(lambda self: self.stage == CHALLENGED and self.house.chain.time() >= self.since + 30 * DAY)
    @rule()
    def lapse(self) -> None:
        self.act("lapse")
        self.stage = IDLE
        self.decide(CHALLENGER)

    @precondition(
        lambda self: (
            self.stage == GRANTED or (self.stage == SUBMITTED and self.house.chain.time() >= self.since + 3 * DAY)
        )
    )
    @rule()
    def pay(self) -> None:
        due = self.escrow.read("due")

        assert self.act("pay") == due
        self.paid.append(due)
        self.stage = IDLE

    @precondition(lambda self: self.stage == REDEEMING)
    @rule(tokens=st.integers(1, 10**25))
    def redeem(self, tokens: int) -> None:
        tokens = min(tokens, self.sale.token.read("balanceOf", HOLDER))
        supply, left = self.sale.token.read("totalSupply"), self.escrow.read("left")
        before = self.dollar.read("balanceOf", HOLDER)
        self.act("redeem", tokens, sender=HOLDER)
        paid = self.dollar.read("balanceOf", HOLDER) - before
        self.redeemed += paid

        assert paid == left * tokens // supply
        assert self.sale.token.read("totalSupply") == supply - tokens
        assert self.escrow.read("left") * supply >= left * (supply - tokens)

    def open_steps(self) -> set[tuple[str, Address]]:
        """Returns what the rules let somebody do in the next second, withdrawing apart."""
        age = self.house.chain.time() + 1 - self.since
        waits = self.stage == SUBMITTED and age < 3 * DAY
        granted = self.stage == GRANTED or (self.stage == SUBMITTED and not waits)
        steps = {
            ("take_at_once", who) for who in ANYBODY if self.stage != REDEEMING and not (self.took and self.at_once)
        }
        steps |= {("submit", CREATOR)} if self.stage == IDLE and len(self.paid) < len(SHARES) else set()
        steps |= {("challenge", who) for who in ANYBODY if waits}
        steps |= {("rule", JUDGE)} if self.stage == CHALLENGED else set()
        steps |= {("lapse", who) for who in ANYBODY if self.stage == CHALLENGED and age >= 30 * DAY}
        steps |= {("pay", who) for who in ANYBODY if granted}
        return steps | {("redeem", who) for who in ANYBODY if self.stage == REDEEMING}

    @rule()
    def nobody_can_act_out_of_turn(self) -> None:
        steps = self.open_steps()
        closed = [(name, given, who) for name, given in ATTEMPTS for who in ANYBODY if (name, who) not in steps]
        calls = [self.escrow.call(name, *given, sender=who) for name, given, who in closed]
        reasons = [outcome.reason for outcome in self.house.chain.simulate(calls)]

        assert [what for what, said in zip(closed, reasons, strict=True) if not said.startswith("escrow: ")] == []

    @rule(amount=st.integers(1, 10**9))
    def give(self, amount: int) -> None:
        self.dollar.send("faucet", self.escrow.address, amount, sender=CURATOR)
        self.given += amount

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.house.chain.mine(seconds=days * DAY)

    @invariant()
    def the_creator_got_what_was_paid_at_once_and_the_milestones(self) -> None:
        assert self.got == self.at_once * self.took + sum(self.paid)

    @invariant()
    def i12_before_the_first_milestone_the_creator_got_at_most_the_bound(self) -> None:
        assert self.paid or self.got <= self.sale.auction.read("result")[1] * 60 // 10_000

    @invariant()
    def after_some_milestones_the_creator_got_at_most_their_shares(self) -> None:
        rest = self.whole + self.given - self.at_once

        assert sum(self.paid) * 10_000 <= rest * sum(SHARES[: len(self.paid)]) + 10_000

    @invariant()
    def no_money_is_lost(self) -> None:
        left = self.escrow.read("left")

        assert left == self.whole + self.given - self.got - self.redeemed
        assert self.dollar.read("balanceOf", self.escrow.address) == left + self.bonds
        assert self.escrow.read("stage") == self.stage


Milestones.TestCase.settings = settings(max_examples=examples(25), stateful_step_count=25, deadline=None)
test_the_escrow_keeps_its_invariants = Milestones.TestCase
