"""Signed documents contradict each other where both cannot be true, and in no other case: honest ones never do."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.compute.books.epochs import Epoch, Proof
from mercato.compute.books.receipts import Signer, digest, hashed, opening, root, shown
from mercato.compute.model import End, KeyId, Price, ProviderId, Receipt, RequestId, Usage, canonical
from mercato.compute.node.attesting import Question, attested
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.statements import contradiction, of_opening, of_root, signed, subject
from tests.compute.node.documents import GATEWAY, NOW, document, offer

NODE, OTHER = NodeKey.new(), NodeKey.new()
KEY = NODE.signer()
GOOD, BAD = "a" * 64, "b" * 64
Body = dict[str, Any]


def receipt(request: str = "req_1", **more: Any) -> Body:
    made = Receipt(
        RequestId(request), "lane", 1, NOW, KeyId("key_1"), ProviderId("prov_1"), "m", End.DONE, "1" * 64, "2" * 64,
        Usage(1, 1), Usage(1, 1), Price(1, 1), 2, 1, "0" * 64,
    )  # fmt: skip
    made = replace(made, **more)
    made = replace(made, hash=hashed(made))
    return shown(replace(made, countersigned=KEY.sign(made.hash)))


def tree(*hashes: str, number: int = 4) -> tuple[Epoch, Body]:
    epoch = Epoch(number, NOW, root(list(hashes)), len(hashes))
    return epoch, of_root(epoch, KEY)


def opened(epoch: Epoch, hashes: list[str], at: int, **more: Any) -> Body:
    proof = Proof(epoch, at, opening(hashes, at))
    body = {name: value for name, value in of_opening(proof, _of(hashes[at]), KEY).items() if name != "signature"}
    body |= more
    return body | {"signature": KEY.sign(digest(canonical(body)))}


def _of(hash: str) -> Receipt:
    return Receipt(
        RequestId("req"), "lane", 1, NOW, KeyId("k"), ProviderId("p"), "m", End.DONE, "", "", Usage(), Usage(),
        Price(1, 1), 0, 0, "", hash=hash,
    )  # fmt: skip


HASHES = [digest(str(at).encode()) for at in range(5)]
EPOCH, ROOT = tree(*HASHES)
OFFERS = document(offer("m", weights=GOOD, template=GOOD), offer("bare"), key=NODE)


def word(hashes: dict[str, str], offers: str = "", key: NodeKey = NODE, part: str = "weights") -> Body:
    models = {model: {part: hash} for model, hash in hashes.items()}
    return dict(attested(key, Question(GATEWAY, "0" * 64, offers or str(OFFERS["signature"])), models, NOW))


CONTRADICTIONS: list[tuple[str, Body, Body, str]] = [
    ("receipts", receipt(), receipt(earned=0), "two receipts for req_1"),
    ("roots", ROOT, tree(*HASHES[:4])[1], "two roots of epoch 4"),
    ("counts", ROOT, of_root(replace(EPOCH, receipts=6), KEY), "two roots of epoch 4"),
    ("place", ROOT, opened(EPOCH, HASHES, 2, index=3), "does not lead to its root of epoch 4"),
    ("path", ROOT, opened(EPOCH, HASHES, 2, path=["0" * 64]), "does not lead to its root"),
    ("no path", ROOT, opened(EPOCH, HASHES, 2, path=["zz"]), "does not lead to its root"),
    ("hash", ROOT, opened(EPOCH, HASHES, 2, hash=BAD), "does not lead to its root"),
    ("weights", OFFERS, word({"m": BAD}), "other weights of 'm'"),
    ("template", OFFERS, word({"m": BAD}, part="template"), "other template of 'm'"),
]
HARMONY: list[tuple[str, Body, Body]] = [
    ("the same receipt", receipt(), receipt()),
    ("two requests", receipt(), receipt("req_2")),
    ("the same root", ROOT, ROOT),
    ("two epochs", ROOT, tree(*HASHES[:4], number=5)[1]),
    ("an opening", ROOT, opened(EPOCH, HASHES, 2)),
    ("an opening of another epoch", ROOT, opened(replace(EPOCH, number=9), HASHES[:3], 1)),
    ("the same weights", OFFERS, word({"m": GOOD})),
    ("nothing attested", OFFERS, word({})),
    ("a model that was offered without weights", OFFERS, word({"bare": BAD})),
    ("a model that was not offered", OFFERS, word({"else": BAD})),
    ("other offers", OFFERS, word({"m": BAD}, "0" * 128)),
    ("no kinds that go together", ROOT, receipt()),
    ("two offers", OFFERS, document(offer("m", weights=BAD), key=NODE, seq=2)),
]


@pytest.mark.parametrize(
    ("first", "second", "why"), [it[1:] for it in CONTRADICTIONS], ids=[it[0] for it in CONTRADICTIONS]
)
def test_what_cannot_both_be_true_contradicts_in_either_order(first: Body, second: Body, why: str) -> None:
    assert why in contradiction(first, second, NODE.public)
    assert why in contradiction(second, first, NODE.public)
    assert subject(first) == subject(second)


@pytest.mark.parametrize(("first", "second"), [it[1:] for it in HARMONY], ids=[it[0] for it in HARMONY])
def test_what_may_both_be_true_does_not(first: Body, second: Body) -> None:
    assert signed(first, NODE.public)
    assert signed(second, NODE.public)
    assert contradiction(first, second, NODE.public) == contradiction(second, first, NODE.public) == ""


@pytest.mark.parametrize(("first", "second"), [it[1:3] for it in CONTRADICTIONS], ids=[it[0] for it in CONTRADICTIONS])
def test_what_the_key_did_not_sign_proves_nothing(first: Body, second: Body) -> None:
    forged = {**second, "signature": "0" * 128, "countersigned": ""}
    changed = {**second, "at": 1, "epoch": 77, "request": "req_1"}

    assert contradiction(first, forged, NODE.public) == ""
    assert contradiction(first, changed, NODE.public) == ""
    assert contradiction(first, second, OTHER.public) == ""
    assert contradiction(first, second, "") == ""


def test_a_signature_for_one_thing_is_none_for_another() -> None:
    """A document of offers that is signed as a receipt's hash, and a root that is signed as an offer."""
    body = {name: value for name, value in OFFERS.items() if name != "signature"}
    base = {name: value for name, value in ROOT.items() if name != "signature"}

    assert not signed(body | {"signature": KEY.sign(digest(canonical(body)))}, NODE.public)
    assert not signed(base | {"signature": NODE.sign("root", canonical(base))}, NODE.public)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["epoch", "root", "receipts", "hash", "index", "path", "request", "offers", "weights", "other"])
kinds = st.sampled_from(["root", "opening", "settled", "offers", "weights", "what"])


@given(kinds, st.dictionaries(names, json_values), kinds, st.dictionaries(names, json_values))
def test_whatever_was_signed_is_read_without_failing(one: str, left: Body, two: str, right: Body) -> None:
    documents = []
    for kind, body in ((one, {"kind": one, **left}), (two, {"kind": two, **right})):
        own = body | {"key": NODE.public}
        documents.append(own | {"signature": NODE.sign(kind, canonical(own))})
        documents.append(body | {"signature": KEY.sign(digest(canonical(body)))})

    assert all(isinstance(contradiction(*pair, NODE.public), str) for pair in combinations(documents, 2))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40, unique=True), st.data())
@settings(max_examples=40)
def test_honest_books_never_contradict_themselves(numbers: list[int], data: st.DataObject) -> None:
    """Every root that is signed once, every opening that belongs to it, for trees of every size."""
    hashes = [digest(str(number).encode()) for number in numbers]
    epoch, made = tree(*hashes)
    places = data.draw(st.lists(st.integers(0, len(hashes) - 1), max_size=4))
    said = [made, *(opened(epoch, hashes, at) for at in places), *(receipt(f"req_{at}") for at in places)]

    assert {contradiction(*pair, NODE.public) for pair in combinations(said, 2)} <= {""}


weights = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["", GOOD, BAD]), min_size=1)


@given(weights, weights)
@settings(max_examples=60)
def test_a_node_that_attests_only_what_it_offered_never_contradicts_itself(
    promised: dict[str, str], now: dict[str, str]
) -> None:
    offers = document(*(offer(model, weights=hash) for model, hash in promised.items()), key=NODE)
    same = {model: hash for model, hash in promised.items() if hash and now.get(model) == hash}

    assert contradiction(offers, word(same, str(offers["signature"])), NODE.public) == ""


def test_a_gateway_signs_roots_and_openings_that_agree() -> None:
    gateway = Signer.fresh()
    proof = Proof(EPOCH, 3, opening(HASHES, 3))
    made = of_root(EPOCH, gateway), of_opening(proof, _of(HASHES[3]), gateway)

    assert all(signed(it, gateway.public) for it in made)
    assert contradiction(*made, gateway.public) == ""
