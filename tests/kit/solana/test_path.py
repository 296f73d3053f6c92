"""From an intent to a settled act on the embedded cluster: tried, judged, reserved, signed, sent, booked, recovered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mercato.chains.errors import BadCall, RealChainRefused, Unreachable
from mercato.chains.solana import rpc, stake
from mercato.chains.solana.facade import SolanaFacade
from mercato.chains.solana.local import WINDOW
from mercato.chains.solana.model import SOL, Account, Instruction
from mercato.chains.solana.testing import WEALTH, Interrupted, keys
from mercato.chains.solana.token_2022 import charge_fee, transfer_with_fee
from mercato.chains.solana.tokens import (
    approve_delegate,
    create_account_with_seed,
    create_associated,
    transfer_lamports,
    transfer_tokens,
)
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.core.settings import Secret
from mercato.kit import Move, Payment, Verdict
from mercato.kit.acts import Arrow, State
from mercato.kit.errors import BadArgument, Denied, Frozen, WouldFail
from mercato.kit.ledger import Ledger
from mercato.kit.replay import replay
from mercato.kit.service import Kit
from mercato.kit.solana.plan import Ground, SolanaPlan, Transaction
from mercato.kit.solana.rail import SLACK
from mercato.store import Store
from tests.kit.solana.ground import (
    ANYTHING,
    FRIEND,
    ME,
    NATIVE,
    STRANGER,
    WALLET,
    Town,
    at,
    done,
    extended,
    failing,
    token,
)
from tests.kit.solana.programs import EXIT, SUCCEED, deployed

BUDGET = {"name": "day", "asset": "SOL", "cap": "10", "seconds": 86400}
FEE = 5_000
ENDED = WINDOW + SLACK + 1  # blocks after which a transaction is given up


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
    told = [entry.arrow for entry in kit.ledger.journal("agent", act=act.id)]
    assert told == [
        Arrow.INTENDED, Arrow.PLANNED, Arrow.REHEARSED, Arrow.DECIDED, Arrow.RESERVED, Arrow.SIGNED, Arrow.SENT,
        Arrow.CONFIRMED, Arrow.SETTLED,
    ]  # fmt: skip
    assert replay(store, "agent").balances == {(kit.account, NATIVE): -SOL - FEE}


def test_a_proposal_changes_nothing(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    before = kit.ledger.book("agent").seq
    found = kit.propose(kit.intent("transfer-native", pay()))

    assert (found.decision.verdict, found.decision.rule) == (Verdict.ALLOW, "friends")
    assert town.cluster.balance(FRIEND) == WEALTH
    assert kit.ledger.book("agent").seq == before


def test_what_the_policy_or_a_budget_forbids_is_not_signed(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)

    with pytest.raises(Denied, match=f"it pays {STRANGER}"):
        done(kit, "transfer-native", pay(STRANGER))
    for _ in range(2):
        done(kit, "transfer-native", pay(lamports=5 * SOL - FEE))
    with pytest.raises(Denied, match="budget 'day' has 0"):
        done(kit, "transfer-native", pay(lamports=1))
    assert town.cluster.balance(FRIEND) == WEALTH + 10 * SOL - 2 * FEE


def test_what_would_fail_is_not_signed_and_says_why(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)

    with pytest.raises(WouldFail, match="'Send SOL' would fail"):
        done(kit, "transfer-native", pay(lamports=WEALTH + 1))
    assert kit.ledger.journal("agent")[-1].body["verdict"] == "deny"


def test_a_large_payment_waits_for_its_approver(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    act = done(kit, "transfer-native", pay(lamports=8 * SOL))

    assert (act.state, town.cluster.balance(FRIEND)) == (State.ASKED, WEALTH)
    kit.ledger.answer(act, "treasurer", yes=True)
    assert kit.resume(act.id).state is State.DONE
    assert town.cluster.balance(FRIEND) == WEALTH + 8 * SOL


def test_a_watched_account_signs_nothing(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    watching = Kit(kit.ledger, kit.rail, kit.actions, book="agent", account=ME)
    wanted = watching.intent("transfer-native", pay())

    assert watching.propose(wanted).decision.verdict is Verdict.ALLOW
    with pytest.raises(Denied, match="watches only"):
        watching.act(wanted)


@pytest.mark.parametrize("to", ["", "0x" + "1" * 40, FRIEND[:-5], FRIEND + "1", "O" * 44])
def test_an_address_that_cannot_be_one_is_named(sqlite: Store, clock: HandClock, town: Town, to: str) -> None:
    with pytest.raises(BadArgument, match="to was "):
        opened(town, sqlite, clock).intent("transfer-native", pay(to))


def test_a_payment_that_a_block_took_is_booked_by_what_the_block_says(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    mint = extended(town, 1_000, transfer_fee=lambda mint: charge_fee(mint, 100, 10**9, None, None))
    kit = town.kit(
        sqlite, clock, town.policy({**ANYTHING, "spend": {"SOL": "1", "ODD": "any"}}, assets={"ODD": token(mint)}),
        transfer_with_fee(town.purse(ME, mint), town.purse(FRIEND, mint), mint, ME, 1_000, 6, 10),
    )  # fmt: skip
    act = done(kit, "do")

    assert act.effects.moves == (Move(token(mint), -1_000),)
    assert act.effects.payments == (Payment(token(mint), FRIEND, 990),)
    assert replay(sqlite, "agent").balances[kit.account, token(mint)] == -1_000


def test_a_budget_for_each_recipient_holds_for_programs_behind_wallets_too(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    program, vault = deployed(town.cluster, SUCCEED, EXIT), keys()[5].address
    town.cluster.put(vault, Account(SOL, program, bytes(8)))
    town.run(create_associated(STRANGER, vault, town.dollar))
    paying = transfer_tokens(town.purse(ME, town.dollar), town.purse(vault, town.dollar), town.dollar, ME, 60, 6)
    each = {"name": "each", "asset": "USD", "cap": "0.0001", "per": "recipient"}
    kit = town.kit(sqlite, clock, town.policy(ANYTHING, budgets=[each]), Instruction(program, (), b""), paying)

    assert done(kit, "do").effects.payments == (Payment(town.usd, program, 60),)
    with pytest.raises(Denied, match="budget 'each' has 40"):
        done(kit, "do")


def test_at_a_node_effects_are_those_of_the_cluster_itself(sqlite: Store, clock: HandClock, town: Town) -> None:
    sending = transfer_tokens(town.purse(ME, town.dollar), town.purse(FRIEND, town.dollar), town.dollar, ME, 5, 6)
    policy = town.policy(ANYTHING)
    here = town.kit(sqlite, clock, policy, sending)
    told = here.propose(here.intent("do", {})).ready
    with SolanaFacade(town.cluster, 0) as node:
        remote = rpc.connect(Secret(node.url))
        there = town.kit(sqlite, clock, policy, sending, cluster=remote)
        assert there.propose(there.intent("do", {})).ready.effects == told.effects
        act = done(there, "do")
        remote.close()

    assert act.effects.moves == (Move(town.usd, -5),)
    assert act.effects.payments == (Payment(town.usd, FRIEND, 5),)
    assert town.units(FRIEND) == 5


def unsent(town: Town, kit: Kit, clock: HandClock) -> str:
    """Lets an act be signed by a process that never reaches the cluster with it; returns its id."""
    deaf = Interrupted(town.cluster, failing("send_raw", Unreachable))
    cut_off = town.kit(kit.ledger.store, clock, kit.ledger.policy("agent"), cluster=deaf)
    with pytest.raises(Unreachable):
        done(cut_off, "transfer-native", pay())
    (act,) = [entry.act for entry in kit.ledger.journal("agent") if entry.arrow is Arrow.SIGNED]
    return act


def test_what_was_signed_is_sent_again_as_it_was_while_its_blockhash_is_good(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    kit = opened(town, sqlite, clock)
    act = kit.ledger.act(unsent(town, kit, clock))
    town.cluster.mine(WINDOW - 1)
    clock.move(kit.ledger.lease)

    assert [found.state for found in kit.recover()] == [State.DONE]
    assert town.cluster.history(ME)[0] == act.signed[0].hash
    assert town.cluster.balance(FRIEND) == WEALTH + SOL


def test_what_no_block_can_take_any_more_is_given_back(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    act = unsent(town, kit, clock)
    town.cluster.mine(ENDED - 1)
    clock.move(kit.ledger.lease)
    with pytest.raises(Unreachable, match="is in no block"):
        kit._finish(kit.ledger.act(act))
    town.cluster.mine()

    assert [found.state for found in kit.recover()] == [State.OVER]
    assert kit.ledger.journal("agent", act=act)[-1].body == {
        "why": "its blockhash is too old by now: no block can take it any more"
    }
    assert replay(sqlite, "agent").balances == {}
    done(kit, "transfer-native", pay(lamports=5 * SOL - FEE))
    assert town.cluster.balance(FRIEND) == WEALTH + 5 * SOL - FEE


class Unsettled(Interrupted):
    """A cluster whose newest blocks, however many, may still be exchanged for others."""

    def height(self, *, final: bool = False) -> int:
        return 0 if final else super().height()


def test_nothing_is_given_up_because_of_blocks_that_may_be_exchanged(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    kit = opened(town, sqlite, clock)
    act = unsent(town, kit, clock)
    town.cluster.mine(2 * ENDED)
    clock.move(kit.ledger.lease)

    with pytest.raises(Unreachable, match="is in no block"):
        town.kit(sqlite, clock, kit._policy(), cluster=Unsettled(town.cluster, lambda question: None)).recover()
    assert kit.ledger.act(act).state is State.SIGNED


def test_a_payment_that_came_into_a_block_unseen_is_booked_long_after(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    kit = opened(town, sqlite, clock)
    act = kit.ledger.act(unsent(town, kit, clock))
    town.cluster.send_raw(act.signed[0].raw)
    town.cluster.mine(3 * WINDOW)
    clock.move(kit.ledger.lease)

    assert [found.state for found in kit.recover()] == [State.DONE]
    assert replay(sqlite, "agent").balances == {(kit.account, NATIVE): -SOL - FEE}
    assert town.cluster.balance(FRIEND) == WEALTH + SOL


def test_a_refusal_of_the_node_is_no_proof_and_releases_nothing(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)

    poor = at("lifetime", lambda: town.cluster.fund(ME, 100_000))
    sly = town.kit(sqlite, clock, kit.ledger.policy("agent"), cluster=Interrupted(town.cluster, poor))
    with pytest.raises(Unreachable, match="is in no block: contract reverted"):
        done(sly, "transfer-native", pay())
    (act,) = [entry.act for entry in kit.ledger.journal("agent") if entry.arrow is Arrow.SIGNED]

    assert kit.ledger.act(act).state is State.SIGNED
    town.cluster.fund(ME, WEALTH)
    clock.move(kit.ledger.lease)
    assert [found.state for found in kit.recover()] == [State.DONE]


def test_a_block_that_comes_late_is_waited_for(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    town.cluster.automine = False
    late = Interrupted(town.cluster, at("wait", town.cluster.mine, times=1, after=6))
    act = done(town.kit(sqlite, clock, kit.ledger.policy("agent"), cluster=late), "transfer-native", pay())

    assert act.state is State.DONE
    assert town.cluster.balance(FRIEND) == WEALTH + SOL


def test_a_node_that_took_it_first_and_refuses_it_later_is_waited_for(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    kit = opened(town, sqlite, clock)
    town.cluster.automine = False
    moody = Interrupted(town.cluster, failing("send_raw", BadCall, after=1))
    patient = Interrupted(moody, at("wait", town.cluster.mine, times=1, after=8))
    act = done(town.kit(sqlite, clock, kit.ledger.policy("agent"), cluster=patient), "transfer-native", pay())

    assert act.state is State.DONE


def test_stake_that_was_withdrawn_for_somebody_else_stays_spent(sqlite: Store, clock: HandClock, town: Town) -> None:
    place, made = create_account_with_seed(ME, "stake", 3 * SOL, stake.SIZE, stake.STAKE)
    town.run(made, stake.initialize(place, ME, ME), by=WALLET)
    kit = town.kit(sqlite, clock, town.policy(ANYTHING, budgets=[BUDGET]), stake.withdraw(place, STRANGER, ME, SOL))
    act = done(kit, "do")

    assert act.effects.moves == (Move(NATIVE, -SOL),)
    assert replay(sqlite, "agent").reserves[act.id] == {("day", ""): SOL + FEE}


def test_what_the_fuse_keeps_from_a_real_cluster_is_given_back_at_once(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    kit = opened(town, sqlite, clock)
    real = Interrupted(town.cluster, failing("send_raw", RealChainRefused))

    with pytest.raises(RealChainRefused):
        done(town.kit(sqlite, clock, kit.ledger.policy("agent"), cluster=real), "transfer-native", pay())
    assert set(replay(sqlite, "agent").states.values()) == {State.OVER}
    assert kit.recover() == []


def test_the_kill_switch_holds_what_is_signed_until_it_is_off(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    unsent(town, kit, clock)
    kit.ledger.freeze("agent", "operator")
    clock.move(kit.ledger.lease)
    with pytest.raises(Frozen):
        kit.recover()
    assert town.cluster.balance(FRIEND) == WEALTH
    kit.ledger.freeze("agent", "operator", on=False)
    clock.move(kit.ledger.lease)
    assert [act.state for act in kit.recover()] == [State.DONE]
    assert town.cluster.balance(FRIEND) == WEALTH + SOL


class Killed(BaseException):
    """What stands for the end of the process."""


def dies_at(number: int) -> Callable[[str], None]:
    """Returns what ends the process at a question to the cluster, counted from 0."""
    asked = [number]

    def before(question: str) -> None:
        asked[0] -= 1
        if asked[0] < 0:
            raise Killed(question)

    return before


def attempted(kit: Kit) -> bool:
    """Lets a kit act that may die of it; returns whether it did."""
    try:
        done(kit, "transfer-native", pay())
    except Killed:
        return True
    return False


@pytest.mark.parametrize("blocks", [0, ENDED])
@pytest.mark.parametrize("number", range(10))
def test_a_process_that_ends_at_any_question_to_the_cluster_spends_once_or_not_at_all(
    sqlite: Store, clock: HandClock, town: Town, number: int, blocks: int
) -> None:
    kit = opened(town, sqlite, clock)
    ended = attempted(
        town.kit(sqlite, clock, kit.ledger.policy("agent"), cluster=Interrupted(town.cluster, dies_at(number)))
    )
    town.cluster.mine(blocks)
    clock.move(kit.ledger.lease)
    kit.recover()
    moved = town.cluster.balance(FRIEND) - WEALTH

    assert moved in ({0, SOL} if ended else {SOL})
    assert replay(sqlite, "agent").balances.get((kit.account, NATIVE), 0) == -(moved + FEE * bool(moved))
    assert set(replay(sqlite, "agent").states.values()) <= {State.DONE, State.OVER}
    assert done(kit, "transfer-native", pay()).state is State.DONE


@pytest.mark.parametrize("verb", ["reserve", "sign", "settle"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("blocks", [0, ENDED])
def test_a_process_that_ends_before_or_after_any_write_spends_once_or_not_at_all(
    sqlite: Store, clock: HandClock, town: Town, verb: str, after: bool, blocks: int
) -> None:
    kit = opened(town, sqlite, clock)
    dying = Kit(Mortal(sqlite, clock, verb, after), kit.rail, kit.actions, book="agent", wallet=kit._wallet)
    assert attempted(dying)
    town.cluster.mine(blocks)
    clock.move(kit.ledger.lease)
    kit.recover()
    moved = town.cluster.balance(FRIEND) - WEALTH
    unsent_then = {("reserve", False), ("reserve", True), ("sign", False), *([("sign", True)] if blocks else [])}

    assert moved == (0 if (verb, after) in unsent_then else SOL)
    assert replay(sqlite, "agent").balances.get((kit.account, NATIVE), 0) == -(moved + FEE * bool(moved))
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


def test_the_second_of_two_transactions_that_fails_leaves_the_first_booked(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    """Both were possible when they were tried; then somebody else spends from the account between them."""
    rule = {**ANYTHING, "grants": {"USD": "any"}, "spenders": [STRANGER]}
    poor = at("send_raw", lambda: town.cluster.fund(ME, WEALTH // 4), times=1, after=1)
    kit = town.kit(sqlite, clock, town.policy(rule), cluster=Interrupted(town.cluster, poor))

    @kit.actions.action("twice", "Pays twice.", effects="two payments")
    def twice(ground: Ground) -> SolanaPlan:
        first, second = (transfer_lamports(ME, to, WEALTH // 3) for to in (FRIEND, STRANGER))
        allow = approve_delegate(town.purse(ME, town.dollar), town.dollar, STRANGER, ME, 5, 6)
        return SolanaPlan(transactions=(Transaction("Pay", (first,)), Transaction("Pay on", (second, allow))))

    with pytest.raises(Unreachable):
        done(kit, "twice")
    town.cluster.mine(ENDED)
    clock.move(kit.ledger.lease)
    (act,) = kit.recover()

    assert act.state is State.DONE
    assert (act.effects.moves, act.effects.grants) == ((Move(NATIVE, -(WEALTH // 3)),), ())
    assert "a transaction failed" in act.effects.gaps[0]
