"""Question and answer that somebody kept are taken for those of a receipt only where every octet is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.books.receipts import Signer, digest, hashed
from mercato.compute.gateway.responses import Response
from mercato.compute.gateway.tally import Said
from mercato.compute.model import End, KeyId, Price, ProviderId, Receipt, RequestId, Surface, Usage
from mercato.compute.verify.documents import Documents
from mercato.compute.verify.exhibit import Kept
from mercato.core.errors import InvalidInput
from tests.compute.books.counter import NOON, SIGNER

SPENT = Usage(10, 50)
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0}
TEXT = {"model": "m", "prompt": ["one", "two"], "temperature": 0}
ASKS = {"model": "m", "input": "hi", "temperature": 0}
WHOLE = {"choices": [{"index": 0, "message": {"content": "yes"}, "finish_reason": "length"}]}
PIECES = [
    {"choices": [{"index": 0, "delta": {"content": "y"}}]},
    {"choices": [{"index": 0, "delta": {"content": "es"}, "finish_reason": "length"}]},
]
TEXTS = {"choices": [{"index": at, "text": text, "finish_reason": "stop"} for at, text in enumerate(["a", "b"])]}
VECTORS = {"object": "list", "data": [{"index": 0, "embedding": [1.0, 2.0]}]}


def signed(asked: bytes, answered: bytes, end: End = End.DONE) -> Receipt:
    bare = Receipt(
        RequestId("req_1"), "lane", 1, NOON, KeyId("key_1"), ProviderId("prov_1"), "m", end, digest(asked),
        digest(answered), SPENT, SPENT, Price(0, 0), 0, 0, "0" * 64,
    )  # fmt: skip
    hash = hashed(bare)
    return replace(bare, hash=hash, signature=SIGNER.sign(hash))


def raw(body: Any) -> bytes:
    return json.dumps(body).encode()


def events(bodies: list[dict[str, Any]]) -> bytes:
    return b"".join(b"data: " + raw(body) + b"\n\n" for body in bodies) + b"data: [DONE]\n\n"


def spoken(bodies: list[dict[str, Any]]) -> bytes:
    voice = Response("req_1", ASKS)
    return b"".join(voice.event(raw(body)) for body in bodies) + voice.done()


def kept(asked: bytes, answered: bytes, receipt: Receipt | None = None) -> Kept:
    found = Documents("req_1", asked, answered)
    return found.kept(receipt or signed(asked, answered), SIGNER.public, "")


CASES: list[tuple[dict[str, Any], bytes, Surface, tuple[Said, ...]]] = [
    (CHAT, raw(WHOLE), Surface.CHAT, (Said("yes", end="length"),)),
    ({**CHAT, "stream": True}, events(PIECES), Surface.CHAT, (Said("yes", end="length"),)),
    (TEXT, raw(TEXTS), Surface.COMPLETIONS, (Said("a", end="stop"), Said("b", end="stop"))),
    (ASKS, Response("req_1", ASKS).whole(raw(WHOLE)), Surface.RESPONSES, (Said("yes", end="length"),)),
    ({**ASKS, "stream": True}, spoken(PIECES), Surface.RESPONSES, (Said("yes", end="length"),)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "answered", "surface", "said"), CASES, ids=["chat", "stream", "text", "r", "r stream"]
)
def test_documents_of_each_kind_are_what_an_audit_would_have_kept(
    asked: dict[str, Any], answered: bytes, surface: Surface, said: tuple[Said, ...]
) -> None:
    found = kept(raw(asked), answered)

    assert (found.surface, found.said) == (surface, said)
    assert found.drawn(0) is not None


def test_documents_of_embeddings_are_read_too() -> None:
    found = kept(raw({"model": "m", "input": "hi"}), raw(VECTORS))

    assert found.sampled is not None
    assert [list(it or ()) for it in found.sampled.vectors] == [[1.0, 2.0]]


def test_comments_that_the_gateway_adds_to_a_stream_may_be_left_in() -> None:
    asked, plain = raw({**CHAT, "stream": True}), events(PIECES)
    saved = plain.replace(b"data: ", b": keep-alive\n\ndata: ", 1).replace(b"data: [", b": x-cost-micro=12\n\ndata: [")

    assert kept(asked, saved, signed(asked, plain)).said == (Said("yes", end="length"),)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_one_changed_octet_is_noticed(place: int, piece: bytes) -> None:
    asked, answered = raw(CHAT), raw(WHOLE)
    place %= len(answered)
    other = answered[:place] + piece + answered[place:]
    for documents in ((asked, other), (asked + piece, answered)):
        with pytest.raises(InvalidInput, match="is not that of req_1"):
            kept(*documents, receipt=signed(asked, answered))


def test_a_receipt_that_nobody_signed_or_of_an_answer_that_broke_off_is_refused() -> None:
    asked, answered = raw(CHAT), raw(WHOLE)
    forged = replace(signed(asked, answered), signature=Signer.fresh().sign("x"))

    with pytest.raises(InvalidInput, match="signature does not fit"):
        kept(asked, answered, forged)
    with pytest.raises(InvalidInput, match="ended as 'truncated'"):
        kept(asked, answered, signed(asked, answered, End.TRUNCATED))


UNREADABLE = [b"[]", b'{"object": "list"}', b"text", b"data: text\n\n", b"data: {}\n\n", b'{"output": 3}', b"{}"]


@pytest.mark.parametrize("answered", UNREADABLE)
@pytest.mark.parametrize("asked", [CHAT, TEXT, ASKS, {"model": 3}], ids=["chat", "text", "input", "nothing"])
def test_what_is_signed_and_yet_not_readable_is_refused(asked: dict[str, Any], answered: bytes) -> None:
    with pytest.raises(InvalidInput, match="not readable"):
        kept(raw(asked), answered)


@pytest.mark.parametrize(
    "body", [{}, {"request": "r", "asked": "", "answered": "b"}, {"request": 1, "asked": "a"}], ids=str
)
def test_a_file_without_the_three_texts_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="not those of a request"):
        Documents.read(body)
