"""Signatures of answers by an enclave: what passed is what was signed, by a key that was proven, or the audit fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mercato.compute.errors import Unproven, Unreached
from mercato.compute.fleet.confidential import Confidential
from mercato.compute.gateway.line import Patience
from mercato.compute.gateway.sealing import Seal, Sealed, parted
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.tee import findings
from mercato.compute.tee.testing import Maker
from mercato.compute.tee.words import Finding, Level, Signer
from mercato.compute.verify.auditor import LEASE, Auditor, Verdict
from mercato.compute.verify.record import Judge
from mercato.compute.verify.signature import KEPT, Place, Signatures
from mercato.core.secret import Secret
from tests.compute.books.conftest import migrated
from tests.compute.books.counter import ACME, NOON, Counter
from tests.compute.verify.books import listed
from tests.compute.verify.test_protocol import RECEIPT

__all__ = ["migrated"]  # a fixture of the books
PLACES = {ACME: Place("/signature", "ecdsa", {"toy": "toy"})}
BODY: dict[str, Any] = {"model": "toy", "messages": [{"role": "user", "content": "What is it?"}], "max_tokens": 4}


class Replayed:
    """A reply of some chunks."""

    headers: Mapping[str, str]

    def __init__(self, *chunks: bytes, status: int = 200) -> None:
        self._chunks, self.headers, self.status = chunks, {}, status

    async def chunks(self) -> AsyncIterator[bytes]:
        for each in self._chunks:
            yield each

    async def close(self) -> None:
        return None


async def taken(sealed: Sealed, most: int = 100) -> Seal | None:
    """Reads at most so many chunks, as who has seen the end of a stream reads no further."""
    chunks = sealed.chunks()
    for _ in range(most):
        if await anext(chunks, None) is None:
            break
    return sealed.seal()


def test_a_whole_answer_is_sealed_by_the_hashes_of_what_went_and_of_what_came() -> None:
    seal = asyncio.run(taken(Sealed(Replayed(b'{"id": "chat', b'cmpl-1", "x": 2}'), b"asked")))

    assert seal == Seal("chatcmpl-1", sha256(b"asked").hexdigest(), sha256(b'{"id": "chatcmpl-1", "x": 2}').hexdigest())


def test_a_stream_is_sealed_once_its_end_has_come_and_never_before() -> None:
    chunks = (b'data: {"id":"a"}\n\n', b"data: [DONE]\n\n", b"never read")

    assert asyncio.run(taken(Sealed(Replayed(*chunks), b""), 1)) is None
    assert asyncio.run(taken(Sealed(Replayed(*chunks), b""), 2)) == Seal(
        "a", sha256(b"").hexdigest(), sha256(b"".join(chunks[:2])).hexdigest()
    )


def test_a_seal_lies_before_what_else_is_kept_and_comes_off_again() -> None:
    seal = Seal("id-1", "aa", "bb")

    assert parted(seal.before(b"c evidence")) == (seal, b"c evidence")
    assert parted(b"c evidence") == (None, b"c evidence")


class Signing:
    """Books with answers of a provider that signs, and its auditor."""

    def __init__(self, counter: Counter, one: Confidential) -> None:
        self.counter, self.one = counter, one

    def find(self, level: Level = Level.ATTESTED, *signers: Signer) -> None:
        """Writes down what was proven, now."""
        now = self.counter.clock.now()
        found = Finding(ACME, "toy", now, now + timedelta(hours=1), level, "", "", signers=signers or (self.key,))
        with self.counter.till.bare.transaction():
            findings.write(self.counter.till.bare, found)

    @property
    def key(self) -> Signer:
        return Signer(self.one.algorithm, self.one.signer)

    def level(self) -> Level:
        """Returns what holds now."""
        found = findings.holding(self.counter.till.bare, self.counter.clock.now()).get((ACME, "toy"))
        return found.level if found else Level.NOTHING

    def serve(self, *, stream: bool = False, later: timedelta = timedelta(0)) -> list[Verdict]:
        """Has the provider answer, settles that, and audits it as long afterwards."""
        return asyncio.run(self._serve(stream, later))

    def audit(self) -> list[Verdict]:
        """Audits what waits."""
        return asyncio.run(self._audited())

    async def _serve(self, stream: bool, later: timedelta) -> list[Verdict]:
        async with Connections(private=True) as connections:
            line = HttpLine(self.one.url, Secret(""), connections=connections, most=1 << 20)
            body = json.dumps({**BODY, "stream": stream}).encode()
            sent = {"content-type": "application/json"}
            sealed = Sealed(await line.open("/chat/completions", body, sent, deadline=Patience()), body)
            seal = await taken(sealed)
            assert seal is not None
            await sealed.close()
        async with self.counter.desk() as desk:
            hold = self.counter.hold()
            await desk.reserve(hold)
            await desk.settle(hold.request, served=self.counter.served(audit=True, evidence=seal.before(b"")))
        self.counter.clock.move(later)
        return await self._audited()

    async def _audited(self) -> list[Verdict]:
        async with Connections(private=True) as connections:
            line = HttpLine(self.one.url, Secret(""), connections=connections, most=1 << 20)
            places = {ACME: Place("/signature", self.one.algorithm, {"toy": "toy"})}
            auditor = Auditor(self.counter.till, None, Judge(), signatures=Signatures(lambda id: line, places))
            return await auditor.turn()


@pytest.fixture
def counter(home: Path, migrated: Path) -> Iterator[Counter]:
    (home / "mercato.db").write_bytes(migrated.read_bytes())
    with Counter(f"sqlite:///{home / 'mercato.db'}") as made:
        listed(made)
        yield made


def verdicts(found: list[Verdict]) -> list[str]:
    return [it.verdict for it in found]


@pytest.mark.parametrize("algorithm", ["ecdsa", "ed25519"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_the_proven_key_signed_passes(counter: Counter, algorithm: str, stream: bool) -> None:
    with Confidential(Maker(NOON), algorithm=algorithm) as one:
        here = Signing(counter, one)
        here.find()

        assert verdicts(here.serve(stream=stream)) == ["pass"]


@pytest.mark.parametrize("signs", ["other", "nothing"])
def test_a_signature_of_another_answer_or_none_is_a_failed_audit(counter: Counter, signs: str) -> None:
    with Confidential(Maker(NOON), signs=signs) as one:
        here = Signing(counter, one)
        here.find()

        assert verdicts(here.serve()) == ["fail"]


def test_an_answer_whose_signature_may_be_gone_by_now_is_not_judged(counter: Counter) -> None:
    with Confidential(Maker(NOON), signs="nothing") as one:
        here = Signing(counter, one)
        here.find()

        assert verdicts(here.serve(later=KEPT + timedelta(seconds=1))) == ["void"]


def test_unknown_software_signs_nothing_that_would_prove_a_model(counter: Counter) -> None:
    with Confidential(Maker(NOON)) as one:
        here = Signing(counter, one)
        here.find(Level.HARDWARE)

        assert verdicts(here.serve()) == ["void"]


def test_a_strange_key_ends_what_was_proven_and_fails_where_the_next_check_does_not_prove_it(counter: Counter) -> None:
    with Confidential(Maker(NOON), signs="strange") as one:
        here = Signing(counter, one)
        here.find()
        first, level = here.serve(), here.level()
        counter.clock.move(LEASE)
        here.find()  # the next check shows the key of before

        assert (first, level) == ([], Level.NOTHING)
        assert verdicts(here.audit()) == ["fail"]


def test_an_enclave_that_started_anew_has_a_new_key_and_passes_once_it_is_proven(counter: Counter) -> None:
    with Confidential(Maker(NOON)) as one:
        here = Signing(counter, one)
        here.find(Level.ATTESTED, Signer("ecdsa", b"\1" * 20))
        first, level = here.serve(), here.level()
        counter.clock.move(LEASE)
        here.find()

        assert (first, level) == ([], Level.NOTHING)
        assert verdicts(here.audit()) == ["pass"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"<html>", "signature was"),
        (b"[]", "signature was"),
        (b'{"text": "a:b", "signature": "00", "signing_address": "00"}', "another question or answer"),
        (b'{"text": "m:AA:bb", "signature": "00", "signing_address": "00"}', "nobody's"),
        (b" " * 70_000, "more than"),
    ],
)
def test_what_is_no_signature_is_refused(said: bytes, words: str) -> None:
    with pytest.raises(Unproven, match=words):
        asyncio.run(_fetched(Answering(said)))


def test_a_provider_that_has_no_answer_now_is_asked_again_later() -> None:
    with pytest.raises(Unreached):
        asyncio.run(_fetched(Answering(b"", 503)))
    assert asyncio.run(_fetched(Answering(b"", 404))) is None


def test_an_answer_without_an_id_cannot_have_been_signed() -> None:
    with pytest.raises(Unproven, match="no id"):
        asyncio.run(_fetched(Answering(b"{}"), Seal("", "aa", "bb")))


class Answering(Replayed):
    """A line whose every answer is the same."""

    def __init__(self, said: bytes, status: int = 200) -> None:
        super().__init__(said, status=status)

    async def open(self, path: str, body: bytes, headers: Mapping[str, str], *, deadline: Patience) -> Replayed:
        return self


async def _fetched(line: Answering, seal: Seal | None = None) -> Signer | None:
    made = Signatures(lambda provider: line, PLACES)
    return await made.fetched(seal or Seal("id", "aa", "bb"), replace(RECEIPT, provider=ACME))
