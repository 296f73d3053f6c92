"""Earnings are netted, held, released and paid once; verdicts withhold what was not settled, contradictions slash."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from mercato.compute import roster
from mercato.compute.books import disputes, epochs, switch
from mercato.compute.books.disputes import Outcome
from mercato.compute.books.epochs import Pay
from mercato.compute.books.receipts import opens
from mercato.compute.books.replay import replay
from mercato.compute.errors import Forbidden, Short
from mercato.compute.model import Provider, ProviderId, Receipt, Standing
from mercato.core.errors import Conflict, InvalidInput
from tests.compute.books.counter import ACME, DOLLAR, NOON, SIGNER, Counter

WEEK = timedelta(days=7)
OTHER = ProviderId("prov_other")


def serve(counter: Counter, count: int = 1, provider: ProviderId = ACME) -> list[Receipt]:
    async def go() -> list[Receipt]:
        made = []
        async with counter.desk() as desk:
            for _ in range(count):
                hold = counter.hold()
                await desk.reserve(hold)
                made.append(await desk.settle(hold.request, served=counter.served(provider=provider)))
        return made

    return asyncio.run(go())


def test_earnings_are_due_when_the_holdback_is_over_and_paid_once(counter: Counter) -> None:
    serve(counter, 3)
    serve(counter, 1, OTHER)
    epoch = epochs.close(counter.till, WEEK)
    assert epoch is not None
    assert (epoch.number, epoch.receipts) == (1, 4)
    assert epochs.close(counter.till, WEEK) is None
    assert epochs.release(counter.till) == []
    counter.later(days=7)
    assert [(one.provider, one.earned) for one in epochs.release(counter.till)] == [(ACME, 1_050), (OTHER, 350)]
    assert epochs.release(counter.till) == []
    with pytest.raises(Short):
        epochs.pay(counter.till, ACME, 1_051, name="0x00")
    assert epochs.pay(counter.till, ACME, 1_050, name="0x01")
    assert not epochs.pay(counter.till, ACME, 1_050, name="0x01")
    assert counter.till.balances()["provider:prov_acme:due"] == 0
    assert replay(counter.till.bare, SIGNER.public).faults == []


def test_an_epochs_root_proves_each_of_its_receipts(counter: Counter) -> None:
    made = serve(counter, 5)
    assert epochs.proof(counter.till.bare, made[0].request) is None
    epochs.close(counter.till, WEEK)
    for receipt in made:
        proof = epochs.proof(counter.till.bare, receipt.request)
        assert proof is not None
        assert opens(proof.epoch.root, receipt.hash, proof.index, proof.epoch.receipts, proof.path)
        assert not opens(proof.epoch.root, "0" * 64, proof.index, proof.epoch.receipts, proof.path)


def test_a_verdict_withholds_only_what_is_not_settled_and_its_decision_refunds_the_users(counter: Counter) -> None:
    serve(counter, 2)
    epochs.close(counter.till, WEEK)
    counter.later(days=7)
    epochs.release(counter.till)
    serve(counter, 3)
    before = counter.till.balance("ann").free
    found = disputes.withhold(counter.till, ACME, "its answers do not match", {"matched": 3})
    assert found.amount == 1_050
    counter.later(days=30)
    assert epochs.release(counter.till) == []
    assert disputes.decide(counter.till, found.id, uphold=True, by="op", why="checked").state is Outcome.UPHELD
    with pytest.raises(Conflict):
        disputes.decide(counter.till, found.id, uphold=False, by="op", why="")
    assert counter.till.balance("ann").free == before + 1_050
    balances = counter.till.balances()
    assert (balances["provider:prov_acme:withheld"], balances["provider:prov_acme:due"]) == (0, 700)
    assert replay(counter.till.bare).faults == []


def test_a_rejected_verdict_gives_earnings_back_to_be_released(counter: Counter) -> None:
    serve(counter, 2)
    found = disputes.withhold(counter.till, ACME, "a mistake", {})
    disputes.decide(counter.till, found.id, uphold=False, by="op", why="the checker was wrong")
    assert [one.state for one in epochs.settlements(counter.till.bare, ACME)] == [Pay.HELD]
    counter.later(days=7)
    assert [one.earned for one in epochs.release(counter.till)] == [700]
    assert replay(counter.till.bare).faults == []


def test_a_stake_comes_back_when_a_provider_left_and_is_settled(counter: Counter) -> None:
    bare = counter.till.bare
    with bare.transaction():
        roster.save(bare, Provider(ACME, "Acme", Standing.ACTIVE), NOON)
    epochs.stake(counter.till, ACME, 500, name="0x03")
    with pytest.raises(InvalidInput):
        epochs.unstake(counter.till, ACME, name="0x04")
    serve(counter)
    with bare.transaction():
        assert roster.one(bare, ACME) == Provider(ACME, "Acme", Standing.ACTIVE, stake=500)
        roster.stand(bare, ACME, Standing.EXITING, NOON, "it leaves")
    with pytest.raises(Short):
        epochs.unstake(counter.till, ACME, name="0x04")
    found = disputes.withhold(counter.till, ACME, "fails", {})
    with pytest.raises(Short):
        epochs.unstake(counter.till, ACME, name="0x04")
    disputes.decide(counter.till, found.id, uphold=True, by="op", why="it did")
    assert epochs.unstake(counter.till, ACME, name="0x04")
    assert counter.till.balances()["provider:prov_acme:stake"] == 0


def test_the_kill_switch_stops_what_lies_below_it_at_once(counter: Counter) -> None:
    async def refused() -> bool:
        async with counter.desk() as desk:
            try:
                await desk.reserve(counter.hold())
            except Forbidden:
                return True
            return False

    for scope in ("platform", "account:ann", f"key:{counter.key.id}"):
        first = switch.turn(counter.till, scope, on=True, by="op", why="a leak")
        assert asyncio.run(refused())
        assert switch.turn(counter.till, scope, on=True, by="op") == first
        assert switch.turn(counter.till, scope, on=False, by="op").generation == first.generation + 1
    switch.turn(counter.till, "account:bob", on=True, by="op")
    assert not asyncio.run(refused())
    assert counter.till.balance("ann").free == DOLLAR - 1_000
