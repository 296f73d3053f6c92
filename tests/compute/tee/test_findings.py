"""Findings and challenges in both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mercato.compute.model import ProviderId
from mercato.compute.tee import challenges, findings
from mercato.compute.tee.challenges import Challenge
from mercato.compute.tee.words import Finding, Level, Signer
from mercato.store.bare import Bare
from tests.compute.books.conftest import migrated, sqlite, url
from tests.compute.tee.machines import NOW

__all__ = ["migrated", "sqlite", "url"]  # fixtures of the books: both databases
HOUR = timedelta(hours=1)
WHO = ProviderId("prov_1")
KEY = Signer("ed25519", b"\2" * 32)
FOUND = Finding(WHO, "m", NOW, NOW + HOUR, Level.ATTESTED, "", "ab" * 32, "s", "UpToDate", "", (KEY,), {"a": [1]})


def test_a_finding_ends_those_before_it_and_each_keeps_what_was_shown(url: str) -> None:
    later = replace(FOUND, at=NOW + HOUR / 2, until=NOW + 2 * HOUR, level=Level.NOTHING, signers=())
    with Bare(url) as bare:
        for one in (FOUND, later):
            with bare.transaction():
                findings.write(bare, one)
        first, second = findings.since(bare, (WHO, "m"), NOW)[::-1]

        assert (first.until, first.signers, findings.evidence(bare, first)) == (later.at, (KEY,), {"a": [1]})
        assert findings.holding(bare, NOW + HOUR) == {(WHO, "m"): second}
        assert findings.holding(bare, NOW + 2 * HOUR) == {}
        assert [it.at for it in findings.latest(bare, WHO)] == [later.at, NOW]


def test_what_speaks_against_a_finding_ends_it_before_its_time(url: str) -> None:
    with Bare(url) as bare, bare.transaction():
        findings.write(bare, FOUND)
        findings.end(bare, (WHO, "m"), NOW + HOUR / 2, "a strange key")
        (found,) = findings.latest(bare)

    assert (found.until, found.why) == (NOW + HOUR / 2, "a strange key")


def test_a_challenge_is_answered_once_and_taken_out_once(url: str) -> None:
    one = Challenge(WHO, "m", "engine", b"\1" * 32)
    with Bare(url) as bare, bare.transaction():
        posed = [challenges.pose(bare, it, NOW) for it in (one, replace(one, nonce=b"\2" * 32))]
        waiting = challenges.waiting(bare)
        for said in (b"\x00first", b"second"):
            challenges.answer(bare, one, said)
        challenges.answer(bare, replace(one, nonce=b"\2" * 32), b"another nonce's")
        taken = [challenges.take(bare, NOW), challenges.take(bare, NOW)]

    assert (posed, waiting) == ([True, False], [one])
    assert taken == [[replace(one, report=b"\x00first")], []]


def test_a_challenge_that_nobody_answers_is_taken_out_in_time(url: str) -> None:
    one = Challenge(WHO, "m", "engine", b"\1" * 32)
    with Bare(url) as bare, bare.transaction():
        challenges.pose(bare, one, NOW)

        assert challenges.take(bare, NOW) == []
        assert challenges.take(bare, NOW + challenges.PATIENCE) == [one]
