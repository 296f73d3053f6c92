"""Workers share health, standings and draws through the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from mercato.compute import audits, roster
from mercato.compute.fleet.toy import Toy
from mercato.compute.model import End, KeyId, Price, Receipt, RequestId, Standing, Usage
from mercato.compute.routing import Router
from mercato.compute.verify import Secret, chosen, opens
from mercato.compute.verify.liaison import Liaison, epoch
from mercato.compute.verify.record import Judge
from mercato.core.events import Json
from mercato.store.bare import Bare
from tests.compute.books.conftest import migrated, sqlite
from tests.compute.books.counter import ACME, NOON, Counter
from tests.compute.routing.fixtures import live
from tests.compute.verify.books import PROVIDER, serve

__all__ = ["migrated", "sqlite"]  # fixtures of the books
HOUR = timedelta(hours=1)


Open = Callable[..., Liaison]


@pytest.fixture
def counter(sqlite: str) -> Iterator[Counter]:
    with Counter(sqlite) as made:
        yield made


@pytest.fixture
def liaison(counter: Counter) -> Iterator[Open]:
    with ExitStack() as opened:

        def start(name: str = "one", judge: Judge | None = None, seed: int = 0) -> Liaison:
            made = Liaison(counter.url, counter.clock, name, judge, settled=[PROVIDER], entropy=Random(seed).randbytes)
            opened.callback(made.close)
            return made

        yield start


def receipt(number: int) -> Receipt:
    return Receipt(
        RequestId("req"), "lane", 1, NOON, KeyId("key"), ACME, "m", End.DONE, "", "", Usage(), Usage(), Price(1, 1),
        0, 0, "", hash=f"{number:064x}",
    )  # fmt: skip


def test_what_one_worker_lived_the_other_hears_once(counter: Counter, liaison: Open) -> None:
    one, two = Router(), Router()
    live(one, ACME, 30)
    one.judged(ACME, False)
    liaison("one").look(one.counts())
    other = liaison("two")
    for _ in range(2):
        other.look(two.counts())
        other.teach(two)

    assert two.health(ACME).success() == pytest.approx(one.health(ACME).success(), abs=1e-3)
    assert two.health(ACME).quality() == pytest.approx(one.health(ACME).quality())


def test_a_worker_reads_often_and_writes_seldom(counter: Counter, liaison: Open) -> None:
    router = Router()
    made = liaison("one")
    made.look(router.counts())
    live(router, ACME, 5)
    made.look(router.counts())
    with Bare(counter.url) as bare:
        before = roster.told(bare, NOON)
        counter.clock.move(timedelta(seconds=10))
        made.look(router.counts())
        after = roster.told(bare, NOON)

    assert before == {}
    assert after["one"][ACME]["good"] == 5000


def test_what_a_worker_told_that_is_gone_is_forgotten_in_time(counter: Counter, liaison: Open) -> None:
    one, two = Router(), Router()
    live(one, ACME, 5, error="500", end=End.UPSTREAM_ERROR)
    liaison("one").look(one.counts())
    counter.clock.move(timedelta(minutes=11))
    other = liaison("two")
    other.look({})
    other.teach(two)

    assert two.health(ACME).success() == Router().health(ACME).success()


def test_every_worker_draws_by_the_same_secret_and_anyone_can_check_the_draw(counter: Counter, liaison: Open) -> None:
    one, two = liaison("one", Judge(), 1), liaison("two", Judge(), 2)
    for each in (one, two):
        each.look({})
    commitments = {number: made for number, made, _ in audits.published(counter.till.bare)}
    counter.clock.move(HOUR + timedelta(minutes=5))
    one.look({})
    public = {number: made for number, _, made in audits.published(counter.till.bare) if made}
    secret = Secret(epoch(NOON), bytes.fromhex(public[epoch(NOON)]))

    assert one.view.secrets[epoch(NOON)] == two.view.secrets[epoch(NOON)] == secret
    assert opens(secret, commitments[epoch(NOON)])
    assert list(public) == [epoch(NOON)]
    assert [one.draw(receipt(n)) for n in range(20)] == [chosen(secret, receipt(n).hash, 1.0) for n in range(20)]


def test_an_answer_is_drawn_by_the_secret_of_its_own_hour(counter: Counter, liaison: Open) -> None:
    """Also where it is settled after the hour is over: whoever looks later has nothing but the receipt's moment."""
    made = liaison("one", Judge())
    made.look({})
    made.view = replace(made.view, shares={ACME: 0.5})
    secrets = made.view.secrets
    counter.clock.move(HOUR)
    late = [made.draw(receipt(number)) for number in range(60)]
    by = {hour: [chosen(secret, receipt(n).hash, 0.5) for n in range(60)] for hour, secret in secrets.items()}

    assert late == by[epoch(NOON)] != by[epoch(NOON) + 1]


def test_of_two_secrets_for_an_hour_the_one_that_was_committed_first_draws(request: pytest.FixtureRequest) -> None:
    """Another worker was quicker, between this one's look and its word."""
    theirs = Secret(epoch(NOON), b"t" * 32)
    with request.getfixturevalue("postgres").database() as url, Counter(url) as counter, Bare(url) as other:

        def entropy(count: int) -> bytes:
            with other.transaction():
                for hour in (0, 1):
                    audits.commit(other, epoch(NOON) + hour, theirs.commitment, theirs.value)
            return b"o" * count

        made = Liaison(url, counter.clock, "slow", Judge(), entropy=entropy)
        made.look({})
        made.close()

    assert {secret.value for secret in made.view.secrets.values()} == {theirs.value}


def test_a_secret_is_public_only_when_its_hour_and_what_settles_late_are_over(counter: Counter, liaison: Open) -> None:
    made = liaison("one", Judge())
    seen = []
    for step in (HOUR - timedelta(seconds=1), timedelta(minutes=5), timedelta(seconds=1)):
        made.look({})
        counter.clock.move(step)
        made.look({})
        seen.append([number for number, _, public in audits.published(counter.till.bare) if public])

    assert seen == [[], [], [epoch(NOON)]]


def test_a_commitment_is_there_before_its_hour_begins(counter: Counter, liaison: Open) -> None:
    liaison("one", Judge()).look({})

    assert [number - epoch(NOON) for number, _, _ in audits.published(counter.till.bare)] == [0, 1]


def test_without_a_checker_nothing_is_drawn_and_no_secret_made(counter: Counter, liaison: Open) -> None:
    made = liaison()
    made.look({})

    assert not any(made.draw(receipt(number)) for number in range(50))
    assert audits.published(counter.till.bare) == []


def test_who_was_ejected_stays_so_whatever_the_settings_say(counter: Counter, liaison: Open) -> None:
    liaison().look({})
    with Bare(counter.url) as bare, bare.transaction():
        roster.stand(bare, ACME, Standing.EJECTED, NOON, "cheated")
    again = liaison("restarted")
    again.look({})

    assert again.view.standings[ACME] is Standing.EJECTED


def test_the_share_falls_with_clean_audits_as_far_as_unsettled_pay_allows(counter: Counter, liaison: Open) -> None:
    """A provider with little to lose is audited more: one answer's pay unsettled allows no share below 0.7."""
    made = liaison("one", Judge())
    made.look({})
    first = made.view.shares[ACME]
    statistic: dict[str, Json] = {
        "tokens": 60,
        "same": 60,
        "failed": False,
        "audits": 500,
        "fails": 0,
        "sums": [0, 0],
        "clean": 500,
    }
    serve(counter, Toy(), 1)
    with counter.till.bare.transaction():
        wanted = audits.take(counter.till.bare, counter.clock.now())
        audits.judge(
            counter.till.bare, wanted[0].receipt.request, NOON, method="m", verdict="pass", statistic=statistic
        )
    made.look({})
    poor = made.view.shares[ACME]
    serve(counter, Toy(), 9, first=1)
    made.look({})

    assert first == 1
    assert poor == pytest.approx(0.5 / (0.9 * (0.4 - 0.015) * 2))
    assert made.view.shares[ACME] == pytest.approx(poor * 2 / 11)
