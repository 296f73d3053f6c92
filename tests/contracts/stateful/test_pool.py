"""Whatever happens to a pool in whatever order, its invariants hold after every step."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.contracts.house import CREATOR, CURATOR, PEOPLE, TREASURY
from tests.contracts.pools import TRADER, Bench, opened
from tests.profiles import examples

AMOUNTS = st.integers(10**3, 10**12)


class Trading(RuleBasedStateMachine):
    """Trades, gifts, claims and time in any order, beside the model and a price history kept in Python."""

    bench: Bench

    @initialize(token=st.integers(10**12, 10**27), quote=st.integers(10**9, 10**15))
    def open(self, token: int, quote: int) -> None:
        self.bench = opened(token, quote)
        self.product, self.liquidity = token * quote, self.bench.pool.read("liquidity")
        self.fees = self.kept = self.claimed = 0
        self.sums: dict[int, int] = {self.bench.chain.time(): 0}

    @rule(buys=st.booleans(), amount=AMOUNTS, seconds=st.integers(0, 4_000))
    def trade(self, buys: bool, amount: int, seconds: int) -> None:
        self.wait(seconds)
        before = self.bench.model
        size = amount if buys else max(amount * before.token // before.quote, 1)
        self.remember(1)
        trade, received = self.bench.trade(buys, size)

        assert received == trade.received
        self.fees += trade.fee
        self.kept += trade.fee - trade.to_creator - trade.to_treasury

    @rule(amount=AMOUNTS, of_token=st.booleans())
    def give(self, amount: int, of_token: bool) -> None:
        self.remember(1)
        (self.bench.token if of_token else self.bench.quote).send(
            "faucet", self.bench.pool.address, amount, sender=CURATOR
        )

    @rule(amount=AMOUNTS)
    def deepen(self, amount: int) -> None:
        self.remember(1)
        pool = self.bench.model
        added = -(-amount * pool.token // pool.quote)
        self.bench.pool.send("deepen", amount, added, sender=TRADER)
        self.bench.model = replace(pool, token=pool.token + added, quote=pool.quote + amount)

    @rule(creators=st.booleans())
    def claim(self, creators: bool) -> None:
        who, name = (CREATOR, "claim_creator_fees") if creators else (TREASURY, "claim_treasury_fees")
        before = self.bench.quote.read("balanceOf", who)
        due = self.bench.owed[not creators]
        self.remember(1)
        self.bench.pool.send(name, sender=PEOPLE[3])
        self.bench.owed[not creators] = 0
        self.claimed += due

        assert self.bench.quote.read("balanceOf", who) == before + due

    @rule(seconds=st.integers(1, 20_000))
    def wait(self, seconds: int) -> None:
        if seconds:
            self.remember(seconds)
            self.bench.chain.mine(seconds=seconds)

    def remember(self, seconds: int) -> None:
        """Adds the seconds until the next block at the present price to the history."""
        now, last = self.bench.chain.time(), max(self.sums)
        self.sums[now + seconds] = self.sums[last] + self.bench.model.price * (now + seconds - last)

    @invariant()
    def the_product_of_the_reserves_never_decreases(self) -> None:
        token, quote = self.bench.reserves
        liquidity = self.bench.pool.read("liquidity")

        assert token * quote >= self.product
        assert liquidity >= self.liquidity
        self.product, self.liquidity = token * quote, liquidity

    @invariant()
    def the_pool_holds_its_reserves_and_what_it_owes(self) -> None:
        token, quote = self.bench.reserves

        assert (token, quote) == (self.bench.model.token, self.bench.model.quote)
        assert self.bench.token.read("balanceOf", self.bench.pool.address) >= token
        assert self.bench.quote.read("balanceOf", self.bench.pool.address) >= quote + sum(self.bench.owed)

    @invariant()
    def every_fee_is_kept_owed_or_claimed(self) -> None:
        assert self.bench.pool.read("owed") == tuple(self.bench.owed)
        assert self.fees == self.kept + self.claimed + sum(self.bench.owed)

    @invariant()
    def the_sum_of_price_and_time_is_exact(self) -> None:
        assert self.bench.pool.read("cumulative") == self.sums[self.bench.chain.time()]

    @precondition(lambda self: self.bench.chain.time() > self.bench.model.opened)
    @invariant()
    def the_average_is_that_of_the_history(self) -> None:
        now, opened_at = self.bench.chain.time(), self.bench.model.opened
        average, span = self.bench.pool.read("consult", max((now - opened_at) // 2, 1))

        assert span >= (now - opened_at) // 2
        assert average == (self.sums[now] - self.sums[now - span]) // span


Trading.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=25, deadline=None)
test_the_pool_keeps_its_invariants = Trading.TestCase
