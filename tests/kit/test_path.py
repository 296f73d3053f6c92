"""From an intent to a settled act on the embedded chain: tried, judged, reserved, signed, sent, booked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mercato.chains.errors import BadAnswer, Unreachable
from mercato.chains.testing import Interrupted
from mercato.core.clock import HandClock
from mercato.core.errors import SourceError
from mercato.core.events import Json
from mercato.kit import Origin, Payment, Verdict
from mercato.kit.acts import Arrow, State
from mercato.kit.errors import BadArgument, Denied, Frozen, Taken, WouldFail
from mercato.kit.ledger import Ledger
from mercato.kit.model import Move
from mercato.kit.replay import replay
from mercato.kit.service import Kit
from mercato.store import Store
from tests.kit.ground import ANYTHING, DIME, FRIEND, ME, NATIVE, STRANGER, Town, done, town

BUDGET = {"name": "day", "asset": "USD", "cap": "100", "seconds": 86400}


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


def opened(town: Town, store: Store, clock: HandClock) -> Kit:
    rules = [
        {**ANYTHING, "name": "friends", "recipients": [FRIEND], "spend": {"USD": "50", "ETH": "1"}},
        {**ANYTHING, "name": "large", "verdict": "ask", "approvers": ["treasurer"], "recipients": [FRIEND]},
    ]
    return town.kit(store, clock, town.policy(*rules, budgets=[BUDGET]))


def transfer(town: Town, to: str = FRIEND, amount: int = 5 * DIME) -> dict[str, Json]:
    return {"token": town.dollar.address, "to": to, "amount": str(amount)}


def test_a_payment_goes_the_whole_way_and_every_step_is_journaled(store: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, store, clock)
    act = done(kit, "transfer", transfer(town))

    assert town.dollar.read("balanceOf", FRIEND) == 5 * DIME
    assert act.state is State.DONE
    assert act.effects.moves == (Move(town.usd, -5 * DIME),)
    assert act.effects.payments == (Payment(town.usd, FRIEND, 5 * DIME),)
    told = [entry.arrow for entry in kit.ledger.journal("agent", act=act.id)]
    assert told == [
        Arrow.INTENDED, Arrow.PLANNED, Arrow.REHEARSED, Arrow.DECIDED, Arrow.RESERVED, Arrow.SIGNED, Arrow.SENT,
        Arrow.CONFIRMED, Arrow.SETTLED,
    ]  # fmt: skip
    assert replay(store, "agent").balances == {(kit.account, town.usd): -5 * DIME}


def test_a_proposal_changes_nothing(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    before = kit.ledger.book("agent").seq
    found = kit.propose(kit.intent("transfer", transfer(town)))

    assert (found.decision.verdict, found.decision.rule) == (Verdict.ALLOW, "friends")
    assert found.explained == (("friends", ""),)
    assert town.dollar.read("balanceOf", FRIEND) == 0
    assert kit.ledger.book("agent").seq == before


def test_what_the_policy_or_a_budget_forbids_is_not_signed(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)

    with pytest.raises(Denied, match=f"it pays {STRANGER}"):
        done(kit, "transfer", transfer(town, STRANGER))
    done(kit, "transfer", transfer(town, amount=50 * DIME))
    done(kit, "transfer", transfer(town, amount=50 * DIME))
    with pytest.raises(Denied, match="budget 'day' has 0"):
        done(kit, "transfer", transfer(town, amount=1))
    assert town.dollar.read("balanceOf", FRIEND) == 100 * DIME
    assert town.chain.nonce(ME) == 2


def test_what_would_fail_is_not_signed_and_says_why(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)

    with pytest.raises(WouldFail, match="would fail"):
        done(kit, "transfer", transfer(town, amount=5_000 * DIME))
    assert town.chain.nonce(ME) == 0
    assert kit.ledger.journal("agent")[-1].body["verdict"] == "deny"


def test_a_large_payment_waits_for_its_approver(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    act = done(kit, "transfer", transfer(town, amount=80 * DIME))

    assert (act.state, town.dollar.read("balanceOf", FRIEND)) == (State.ASKED, 0)
    with pytest.raises(Taken):
        kit.resume(act.id)
    kit.ledger.answer(act, "treasurer", yes=True)
    assert kit.resume(act.id).state is State.DONE
    assert town.dollar.read("balanceOf", FRIEND) == 80 * DIME


def test_an_approval_does_not_hold_for_more_than_was_shown(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    act = done(kit, "transfer", transfer(town, amount=80 * DIME))
    kit.ledger.answer(act, "treasurer", yes=True)
    kit.ledger.open("agent", town.policy({**ANYTHING, "recipients": [STRANGER]}), "operator")

    with pytest.raises(Denied, match="it pays"):
        kit.resume(act.id)
    assert town.dollar.read("balanceOf", FRIEND) == 0


def test_an_approval_does_not_hold_once_the_act_does_more(sqlite: Store, clock: HandClock, town: Town) -> None:
    asks = {**ANYTHING, "verdict": "ask", "approvers": ["treasurer"], "grants": {"USD": "any"}, "spenders": ["any"]}
    kit = town.kit(sqlite, clock, town.policy(asks))
    act = done(kit, "approve", {"token": town.dollar.address, "spender": FRIEND, "amount": "7"})
    kit.ledger.answer(act, "treasurer", yes=True)
    town.dollar.send("approve", FRIEND, 3, sender=ME)

    with pytest.raises(Denied, match="does what was not agreed to: allowance"):
        kit.resume(act.id)
    assert town.dollar.read("allowance", ME, FRIEND) == 3


def test_money_of_the_chain_and_its_fee_count_against_the_cap(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    act = done(kit, "transfer-native", {"to": FRIEND, "amount": str(10**18)})

    assert act.effects.moves == (Move(NATIVE, -(10**18)),)
    assert act.effects.contracts == ()
    assert town.chain.balance(FRIEND) == 10_001 * 10**18


def test_a_watched_account_signs_nothing(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    watching = Kit(kit.ledger, kit.rail, kit.actions, book="agent", account=ME)
    wanted = watching.intent("transfer", transfer(town))

    assert watching.propose(wanted).decision.verdict is Verdict.ALLOW
    with pytest.raises(Denied, match="watches only"):
        watching.act(wanted)


def test_a_node_that_cannot_simulate_leaves_a_gap_that_is_refused(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = town.kit(sqlite, clock, town.policy(ANYTHING), Interrupted(town.chain, failing("simulate", BadAnswer)))

    with pytest.raises(Denied, match="the node cannot simulate it"):
        done(kit, "transfer", transfer(town))
    assert town.chain.nonce(ME) == 0


@pytest.mark.parametrize(
    ("action", "arguments", "said"),
    [
        ("transfers", {}, "transfers"),
        ("transfer", {"token": "0x1", "to": FRIEND, "amount": "1"}, "token was '0x1'"),
        ("transfer", {"token": FRIEND, "to": FRIEND, "amount": "1.5"}, "amount was '1.5'"),
        ("transfer", {"token": FRIEND, "to": FRIEND}, "amount was not given"),
        ("transfer", {"token": FRIEND, "to": FRIEND, "amount": "1", "memo": "x"}, "argument was 'memo'"),
    ],
)
def test_arguments_that_cannot_be_right_are_named(
    sqlite: Store, clock: HandClock, town: Town, action: str, arguments: dict[str, Json], said: str
) -> None:
    with pytest.raises(BadArgument, match=said):
        opened(town, sqlite, clock).intent(action, dict(arguments))


def test_a_dry_run_tells_that_a_budget_is_used_up(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    for _ in range(3):
        done(kit, "transfer", transfer(town, amount=30 * DIME))

    fits = kit.propose(kit.intent("transfer", transfer(town, amount=10 * DIME))).decision
    over = kit.propose(kit.intent("transfer", transfer(town, amount=10 * DIME + 1))).decision

    assert (fits.verdict, over.verdict) == (Verdict.ALLOW, Verdict.DENY)
    assert over.why.startswith("budget 'day' has ")


def test_the_kill_switch_holds_what_is_signed_until_it_is_off(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    gone = Interrupted(town.chain, failing("receipt", Unreachable))
    with pytest.raises(Unreachable):
        done(town.kit(sqlite, clock, kit._policy(), gone), "transfer", transfer(town))
    kit.ledger.freeze("agent", "operator")
    clock.move(kit.ledger.lease)
    with pytest.raises(Frozen):
        kit.recover()
    assert town.dollar.read("balanceOf", FRIEND) == 0
    kit.ledger.freeze("agent", "operator", on=False)
    clock.move(kit.ledger.lease)
    assert [act.state for act in kit.recover()] == [State.DONE]
    assert town.dollar.read("balanceOf", FRIEND) == 5 * DIME


def failing(name: str, kind: type[SourceError]) -> Callable[[str], None]:
    """Returns what makes one question to the chain fail."""

    def before(question: str) -> None:
        if question == name:
            raise kind(f"{name} fails", hint="a test does this")

    return before


class Killed(BaseException):
    """What stands for the end of the process."""


def dies_at(number: int) -> Callable[[str], None]:
    """Returns what ends the process at a question to the chain, counted from 0."""
    asked = [number]

    def before(question: str) -> None:
        asked[0] -= 1
        if asked[0] < 0:
            raise Killed(question)

    return before


@pytest.mark.parametrize("number", range(12))
def test_a_process_that_ends_at_any_question_to_the_chain_spends_once_or_not_at_all(
    sqlite: Store, clock: HandClock, town: Town, number: int
) -> None:
    kit = opened(town, sqlite, clock)
    dying = town.kit(sqlite, clock, kit._policy(), Interrupted(town.chain, dies_at(number)))
    ended = attempted(dying, town)
    clock.move(kit.ledger.lease)
    kit.recover()
    moved = town.dollar.read("balanceOf", FRIEND)

    assert moved in ({0, 5 * DIME} if ended else {5 * DIME})
    assert replay(sqlite, "agent").balances.get((kit.account, town.usd), 0) == -moved
    assert set(replay(sqlite, "agent").states.values()) <= {State.DONE, State.OVER}
    assert done(kit, "transfer", transfer(town)).state is State.DONE


def attempted(kit: Kit, town: Town) -> bool:
    """Lets a kit act that may die of it; returns whether it did."""
    try:
        done(kit, "transfer", transfer(town))
    except Killed:
        return True
    return False


@pytest.mark.parametrize("verb", ["reserve", "sign", "settle"])
@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_ends_before_or_after_any_write_spends_once_or_not_at_all(
    sqlite: Store, clock: HandClock, town: Town, verb: str, after: bool
) -> None:
    kit = opened(town, sqlite, clock)
    dying = Kit(Mortal(sqlite, clock, verb, after), kit.rail, kit.actions, book="agent", wallet=kit._wallet)
    assert attempted(dying, town)
    clock.move(kit.ledger.lease)
    kit.recover()
    moved = town.dollar.read("balanceOf", FRIEND)

    assert moved == (0 if (verb, after) in {("reserve", False), ("reserve", True), ("sign", False)} else 5 * DIME)
    assert replay(sqlite, "agent").balances.get((kit.account, town.usd), 0) == -moved
    assert kit.recover() == []


class Mortal(Ledger):
    """A ledger whose process ends before or after one of its verbs."""

    def __init__(self, store: Store, clock: HandClock, verb: str, after: bool) -> None:
        super().__init__(store, clock)
        real = getattr(self, verb)

        def dies(*args: object, **named: object) -> None:
            if after:
                real(*args, **named)
            raise Killed(verb)

        setattr(self, verb, dies)


def test_an_agents_word_hands_out_no_allowance_that_no_rule_names(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)

    with pytest.raises(Denied, match="it allows"):
        done(kit, "approve", {"token": town.dollar.address, "spender": FRIEND, "amount": "1"}, Origin.OPERATOR)
