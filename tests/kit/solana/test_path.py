"""From an intent to a settled act on the embedded cluster: tried, judged, reserved, signed, sent, booked, recovered."""

from __future__ import annotations

import pytest

from mercato.chains.solana.model import SOL
from mercato.chains.solana.testing import WEALTH
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Move, Payment
from mercato.kit.acts import Arrow, State
from mercato.kit.replay import replay
from mercato.kit.service import Kit
from mercato.kit.tables import journal
from mercato.store import Store
from tests.kit.solana.ground import ANYTHING, FRIEND, NATIVE, Town, done, town

BUDGET = {"name": "day", "asset": "SOL", "cap": "10", "seconds": 86400}
FEE = 5_000


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


def opened(town: Town, store: Store, clock: HandClock) -> Kit:
    rules = [
        {**ANYTHING, "name": "friends", "recipients": [FRIEND], "spend": {"USD": "50", "SOL": "5"}},
        {**ANYTHING, "name": "large", "verdict": "ask", "approvers": ["treasurer"], "recipients": [FRIEND]},
    ]
    return town.kit(store, clock, town.policy(*rules, budgets=[BUDGET]))


def pay(to: str = FRIEND, lamports: int = SOL) -> dict[str, Json]:
    return {"to": to, "amount": str(lamports)}


def test_a_payment_goes_the_whole_way_and_every_step_is_journaled(store: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, store, clock)
    act = done(kit, "transfer-native", pay())

    assert town.cluster.balance(FRIEND) == WEALTH + SOL
    assert act.state is State.DONE
    assert act.effects.moves == (Move(NATIVE, -SOL),)
    assert act.effects.payments == (Payment(NATIVE, FRIEND, SOL),)
    assert (act.effects.fee, act.effects.contracts, act.effects.gaps) == (FEE, (), ())
    with store.read() as session:
        told = [entry.arrow for entry in journal(session, "agent", act=act.id)]
    assert told == [
        Arrow.INTENDED, Arrow.PLANNED, Arrow.REHEARSED, Arrow.DECIDED, Arrow.RESERVED, Arrow.SIGNED, Arrow.SENT,
        Arrow.CONFIRMED, Arrow.SETTLED,
    ]  # fmt: skip
    assert replay(store, "agent").balances == {(kit.account, NATIVE): -SOL - FEE}
