"""Auditors judge each answer once, wait for a reference that is away, and book verdict and consequence together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from mercato.compute import audits, roster
from mercato.compute.books import disputes
from mercato.compute.books.till import Till
from mercato.compute.fleet import replies
from mercato.compute.fleet.toy import Toy
from mercato.compute.model import Standing
from mercato.compute.testing import ToyChecker
from mercato.compute.verify.auditor import Auditor, Verdict
from mercato.compute.verify.docket import recorded
from mercato.compute.verify.known import Canary, Known
from mercato.compute.verify.record import Judge
from mercato.store.errors import Lost
from tests.compute.books.conftest import migrated, sqlite, url
from tests.compute.books.counter import ACME, SIGNER, Counter
from tests.compute.verify.books import listed, serve

__all__ = ["migrated", "sqlite", "url"]  # fixtures of the books: both databases
HONEST, CHEATER = Toy(), Toy(weights=9)


@pytest.fixture
def counter(sqlite: str) -> Iterator[Counter]:
    with Counter(sqlite) as made:
        listed(made)
        yield made


@pytest.fixture
def either(url: str) -> Iterator[Counter]:
    """Books on both databases, for what depends on their locks and their SQL."""
    with Counter(url) as made:
        listed(made)
        yield made


def auditor(counter: Counter, checker: ToyChecker, **named: Any) -> Auditor:
    return Auditor(Till(counter.url, counter.clock, SIGNER), checker, Judge(), **named)


def turn(counter: Counter, checker: ToyChecker, limit: int = 100, **named: Any) -> list[Verdict]:
    made = auditor(counter, checker, **named)
    found = asyncio.run(made.turn(limit))
    made.close()
    return found


def stands(counter: Counter) -> Standing:
    found = roster.one(counter.till.bare, ACME)
    assert found is not None
    return found.standing


def test_two_auditors_judge_each_answer_once_and_keep_one_record(either: Counter) -> None:
    serve(either, HONEST, 40)
    found: list[Verdict] = []

    def work() -> None:
        checker = ToyChecker()
        while verdicts := turn(either, checker, 3):
            found.extend(verdicts)

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    record = recorded(either.till.bare, ACME, Standing.ACTIVE)

    assert len({each.request for each in found}) == len(found) == 40
    assert (record.evidence.audits, record.evidence.fails, record.clean) == (40, 0, 40)


def test_while_the_reference_is_away_audits_wait_until_their_lease_is_over(counter: Counter) -> None:
    serve(counter, HONEST, 2)
    checker = ToyChecker()
    checker.away = True
    assert turn(counter, checker) == []
    checker.away = False
    assert turn(counter, checker) == []
    counter.clock.move(timedelta(minutes=5))

    assert [each.verdict for each in turn(counter, checker)] == ["pass", "pass"]


def test_a_cheater_goes_by_probation_to_ejection_and_is_paid_nothing_of_it(either: Counter) -> None:
    serve(either, CHEATER, 10)
    verdicts = turn(either, ToyChecker())
    serve(either, CHEATER, 2, first=50)  # was under way
    turn(either, ToyChecker())
    balances = either.till.balances()

    assert [each.standing for each in verdicts if each.moved] == [Standing.PROBATION, Standing.EJECTED]
    assert [each.amount for each in disputes.listed(either.till.bare)] == [10 * 350, 2 * 350]
    assert stands(either) is Standing.EJECTED
    assert [each.evidence.get("level_bps") for each in disputes.listed(either.till.bare)] == [10_000, None]
    assert balances[f"provider:{ACME}:held"] == 0
    assert balances[f"provider:{ACME}:withheld"] == 12 * 350
    assert sum(balances.values()) == 0


def test_one_who_cheats_now_and_then_is_found_and_the_record_outlives_the_auditor(counter: Counter) -> None:
    checker = ToyChecker()
    for start in range(0, 120, 12):
        serve(counter, HONEST, 9, first=start)
        serve(counter, CHEATER, 3, first=start + 9)
        turn(counter, checker)  # a fresh auditor each time
    record = recorded(counter.till.bare, ACME, stands(counter))

    assert stands(counter) is Standing.EJECTED
    assert record.evidence.fails == record.evidence.audits / 4


def test_a_provider_on_probation_becomes_active_by_thirty_clean_audits(counter: Counter) -> None:
    with counter.till.bare.transaction():
        roster.stand(counter.till.bare, ACME, Standing.PROBATION, counter.clock.now(), "new")
    serve(counter, HONEST, 29)
    turn(counter, ToyChecker())
    before = stands(counter)
    serve(counter, HONEST, 1, first=100)
    turn(counter, ToyChecker())

    assert (before, stands(counter)) == (Standing.PROBATION, Standing.ACTIVE)


def test_an_audit_of_an_unknown_provider_is_void(counter: Counter) -> None:
    counter.till.bare.run("DELETE FROM compute_provider")
    serve(counter, CHEATER, 1)

    assert [each.verdict for each in turn(counter, ToyChecker())] == ["void"]
    assert [each.verdict for each in audits.latest(counter.till.bare)] == ["void"]


def test_whoever_is_no_witness_is_told_the_verdict_and_ejects_nobody(counter: Counter) -> None:
    """Rivals could choose questions on which no two machines agree."""
    serve(counter, CHEATER, 20)
    verdicts = turn(counter, ToyChecker(), witness=lambda receipt: False)
    record = recorded(counter.till.bare, ACME, Standing.ACTIVE)

    assert {each.verdict for each in verdicts} == {"fail"}
    assert stands(counter) is Standing.ACTIVE
    assert record.evidence.audits == 0


def test_only_the_canaries_own_key_is_judged_by_known_answers(counter: Counter) -> None:
    """Else whoever learns a question could have an answer to it judged that was asked for otherwise."""
    serve(counter, CHEATER, 2)
    question = [{"role": "user", "content": "question 0"}]
    known = Known([Canary("c", "toy", question, 9, ["no answer"])])
    others = turn(counter, ToyChecker(), 1, known=known, asker="key_other")
    serve(counter, HONEST, 1)
    ours = turn(counter, ToyChecker(), 100, known=known, asker=counter.key.id)
    methods = [it.method for it in audits.judged(counter.till.bare, ACME)]

    assert [each.verdict for each in (*others, *ours)] == ["fail"] * 3
    assert sorted(methods) == ["known-answer", "token-match", "token-match"]


def test_a_wrong_known_answer_puts_on_probation_at_once_and_ejects_by_evidence_alone(counter: Counter) -> None:
    question = [{"role": "user", "content": "question 0"}]
    known = Known([Canary("c", "toy", question, 9, ["another answer"])])
    moved = []
    for _ in range(9):
        serve(counter, HONEST, 1)
        moved += [it.standing for it in turn(counter, ToyChecker(), known=known, asker=counter.key.id) if it.moved]
    history = roster.history(counter.till.bare, ACME)

    assert moved == [Standing.PROBATION, Standing.EJECTED]
    assert history[-2].why.startswith("canary 'c' was answered wrongly; 1 of 1 audited answers failed")
    assert {it.kind for it in disputes.listed(counter.till.bare)} == {disputes.Kind.STATISTICAL}


def test_no_word_is_a_wrong_answer_to_a_known_question_and_nothing_to_a_reference(counter: Counter) -> None:
    """Else silence would be a way past the canaries."""
    question = [{"role": "user", "content": "question 0"}]
    known = Known([Canary("c", "toy", question, 9, ["a word"])])
    serve(counter, HONEST, 2, tokens=0)

    assert sorted(it.verdict for it in turn(counter, ToyChecker(), known=known, asker=counter.key.id)) == [
        "fail",
        "void",
    ]


def test_nobody_judges_its_own_answers(counter: Counter) -> None:
    serve(counter, CHEATER, 1)
    checker = ToyChecker()
    checker.provider = ACME

    assert [it.verdict for it in turn(counter, checker)] == ["void"]
    assert checker.asked == 0


def test_a_verdict_is_final(counter: Counter) -> None:
    serve(counter, HONEST, 1)
    turn(counter, ToyChecker())
    request = audits.latest(counter.till.bare)[0].request
    with pytest.raises(Lost), counter.till.bare.transaction():
        audits.judge(counter.till.bare, request, counter.clock.now(), method="m", verdict="fail")

    assert [it.verdict for it in audits.latest(counter.till.bare)] == ["pass"]


def test_without_a_reference_only_known_answers_are_judged(counter: Counter) -> None:
    serve(counter, CHEATER, 3)
    made = Auditor(Till(counter.url, counter.clock, SIGNER), None, Judge())
    found = asyncio.run(made.turn(100))
    made.close()

    assert [it.verdict for it in found] == ["void"] * 3


def test_without_a_reference_thirty_known_answers_end_probation(counter: Counter) -> None:
    def canary(number: int) -> Canary:
        text = f"question {number}"
        return Canary(text, "toy", [{"role": "user", "content": text}], 40, [" ".join(replies.words(HONEST, text, 40))])

    roster.stand(counter.till.bare, ACME, Standing.PROBATION, counter.clock.now(), "new")
    serve(counter, HONEST, 30)
    made = Auditor(
        Till(counter.url, counter.clock, SIGNER), None, Judge(), known=Known(map(canary, range(30))),
        asker=counter.key.id,
    )  # fmt: skip
    before = asyncio.run(made.turn(29))
    after = asyncio.run(made.turn(100))
    made.close()

    assert {(it.verdict, it.standing) for it in before} == {("pass", Standing.PROBATION)}
    assert [(it.verdict, it.standing) for it in after] == [("pass", Standing.ACTIVE)]
    assert len(before) == 29


def test_whom_a_decision_cleared_is_paid_although_it_stays_ejected(counter: Counter) -> None:
    serve(counter, CHEATER, 10)
    turn(counter, ToyChecker())
    dispute = disputes.listed(counter.till.bare)[0]
    disputes.decide(counter.till, dispute.id, uphold=False, by="operator", why="the reference was wrong")
    turn(counter, ToyChecker())

    assert counter.till.balances()[f"provider:{ACME}:held"] == 10 * 350
    assert stands(counter) is Standing.EJECTED
