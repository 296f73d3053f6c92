"""Providers, their offers and standings, how they fare, and the audits of their answers, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from mercato.compute import audits, roster
from mercato.compute.model import Offer, Price, Provider, Standing
from mercato.core.errors import NotFound
from mercato.store.errors import Lost
from tests.compute.books.counter import ACME, NOON, Counter

ACME_PROVIDER = Provider(ACME, "Acme", Standing.PENDING, url="https://acme.example/v1", key="ab" * 32, region="eu")
OFFER = Offer(
    ACME, "toy", Price(200_000, 600_000, 50_000), 8_192, "toy-8b", frozenset({"tools", "seed"}), "fp8", "cd" * 32, 4,
    NOON + timedelta(hours=1), "ef" * 64,
)  # fmt: skip


def test_a_provider_keeps_its_standing_when_it_tells_of_itself_anew(counter: Counter) -> None:
    bare = counter.till.bare
    with bare.transaction():
        assert roster.save(bare, ACME_PROVIDER, NOON) == ACME_PROVIDER
        assert roster.stand(bare, ACME, Standing.PROBATION, NOON, "its first offer was sound")
        assert not roster.stand(bare, ACME, Standing.PROBATION, NOON, "again")
        again = roster.save(bare, replace(ACME_PROVIDER, name="Acme 2"), NOON)
        with pytest.raises(NotFound):
            roster.stand(bare, "prov_none", Standing.ACTIVE, NOON, "")
    assert (again.name, again.standing) == ("Acme 2", Standing.PROBATION)
    assert roster.by_key(bare, "ab" * 32) == again == roster.one(bare, ACME)
    assert [turn.standing for turn in roster.history(bare, ACME)] == [Standing.PENDING, Standing.PROBATION]


def test_only_offers_that_hold_of_providers_that_may_be_asked_are_paired(counter: Counter) -> None:
    bare = counter.till.bare
    with bare.transaction():
        roster.save(bare, ACME_PROVIDER, NOON)
        roster.offer(bare, ACME, [OFFER, replace(OFFER, model="old", until=NOON)])
        assert roster.pairs(bare, NOON) == []
        roster.stand(bare, ACME, Standing.ACTIVE, NOON, "proved")
        found = roster.one(bare, ACME)
        assert roster.pairs(bare, NOON) == [(found, OFFER)]
        assert len(roster.offers(bare, ACME)) == 2
        roster.offer(bare, ACME, [])
        assert roster.pairs(bare, NOON) == []


def test_workers_hear_what_the_others_tell_of_providers(counter: Counter) -> None:
    bare = counter.till.bare
    with bare.transaction():
        roster.tell(bare, "one", {ACME: {"ok": 1}}, NOON)
        roster.tell(bare, "one", {ACME: {"ok": 2}}, NOON)
        roster.tell(bare, "two", {ACME: {"ok": 7}}, NOON - timedelta(hours=1))
        assert roster.told(bare, NOON, but="two") == {"one": {ACME: {"ok": 2}}}
        roster.forget(bare, NOON, timedelta(minutes=1))
        assert set(roster.told(bare, NOON - timedelta(days=1))) == {"one"}


def test_an_answer_that_is_drawn_is_audited_once(counter: Counter) -> None:
    async def go() -> list[str]:
        async with counter.desk() as desk:
            desk.clerk.draw = lambda receipt: receipt.charged == 350
            holds = [counter.hold() for _ in range(2)]
            for hold, price in zip(holds, (Price(200_000, 600_000), Price(1, 1)), strict=True):
                await desk.reserve(hold)
                await desk.settle(hold.request, served=counter.served(price=price, evidence=b"asked and answered"))
            return [hold.request for hold in holds]

    drawn, other = asyncio.run(go())
    bare = counter.till.bare
    with bare.transaction():
        (wanted,) = audits.take(bare, NOON)
        assert (wanted.receipt.request, wanted.evidence) == (drawn, b"asked and answered")
        assert audits.take(bare, NOON + timedelta(minutes=4)) == []
        assert [one.receipt.request for one in audits.take(bare, NOON + timedelta(minutes=5))] == [drawn]
        request = wanted.receipt.request
        audits.judge(bare, request, NOON, method="match", verdict="fail", statistic={"matched": 3}, checker="toy")
        with pytest.raises(Lost):
            audits.judge(bare, request, NOON, method="match", verdict="pass")
    found = audits.of(bare, drawn)
    assert found is not None
    assert (found.verdict, found.statistic, found.checker) == ("fail", {"matched": 3}, "toy")
    assert audits.judged(bare, ACME) == audits.latest(bare, ACME) == [found]
    assert audits.of(bare, other) is None


def test_a_secret_is_published_only_once_it_is_revealed(counter: Counter) -> None:
    bare = counter.till.bare
    with bare.transaction():
        assert audits.commit(bare, 7, "c" * 64, b"s" * 32)
        assert not audits.commit(bare, 7, "d" * 64, b"t" * 32)
        assert audits.published(bare) == [(7, "c" * 64, "")]
        audits.reveal(bare, 7, NOON)
        assert audits.published(bare) == [(7, "c" * 64, (b"s" * 32).hex())]
        assert audits.secret(bare, 7) == b"s" * 32
