"""A receipt has one spelling, one hash and one place; its proofs hold, and no others do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.books.receipts import (
    Signer,
    body,
    countersigned,
    digest,
    faults,
    hashed,
    opening,
    opens,
    receipt_of,
    root,
    signed_by,
)
from mercato.compute.model import End, KeyId, Price, ProviderId, Receipt, RequestId, Usage, canonical
from mercato.core.errors import InvalidInput
from tests.compute.books.counter import NOON, SIGNER

PLAIN = Receipt(
    RequestId("req_a"), "lane-a", 7, NOON, KeyId("key_a"), ProviderId("prov_a"), "toy", End.DONE, "a" * 64, "b" * 64,
    Usage(1_000, 250), Usage(1_000, 240, 10), Price(200_000, 600_000, 50_000), 343, 342, "0" * 64,
)  # fmt: skip
MADE = replace(PLAIN, hash=hashed(PLAIN), signature=SIGNER.sign(hashed(PLAIN)))
leaves = st.lists(st.integers(0, 2**32).map(lambda number: digest(str(number).encode())), min_size=1, max_size=70)


def test_a_receipt_is_read_back_from_its_spelling() -> None:
    again = receipt_of(json.loads(canonical(body(MADE))), MADE.hash, MADE.signature)
    assert again == MADE
    assert faults(again, SIGNER.public) == []


@pytest.mark.parametrize(
    "change", [{"charged": 344}, {"earned": 0}, {"model": "other"}, {"previous": "1" * 64}, {"seq": 8}]
)
def test_a_changed_receipt_has_another_hash(change: dict) -> None:
    assert "its hash is not that of its content" in faults(replace(MADE, **change), SIGNER.public)


def test_a_charge_over_what_both_counts_allow_is_a_fault_even_where_it_was_signed() -> None:
    dear = replace(MADE, charged=351)
    dear = replace(dear, hash=hashed(dear))
    dear = replace(dear, signature=SIGNER.sign(dear.hash))
    assert faults(dear, SIGNER.public) == ["it charges more than both counts allow"]


def test_earning_more_than_was_charged_is_a_fault_even_where_it_was_signed() -> None:
    rich = replace(MADE, earned=344)
    rich = replace(rich, hash=hashed(rich))
    rich = replace(rich, signature=SIGNER.sign(rich.hash))
    assert faults(rich, SIGNER.public) == ["it charges more than both counts allow"]


def test_only_the_right_key_countersigns() -> None:
    node, other = Signer.fresh(), Signer.fresh()
    made = countersigned(MADE, node.public, node.sign(MADE.hash))
    assert faults(made, SIGNER.public, node.public) == []
    assert faults(made, SIGNER.public, other.public) == ["the provider's signature does not fit"]
    for signature in (other.sign(MADE.hash), node.sign("0" * 64), "", "zz"):
        with pytest.raises(InvalidInput):
            countersigned(MADE, node.public, signature)
    assert not signed_by("not hex", MADE.hash, MADE.signature)


def test_what_is_no_receipt_is_refused() -> None:
    good = body(MADE)
    for bad in ({}, good | {"end": "maybe"}, good | {"price": 3}, good | {"claimed": {"words": 1}}, good | {"at": "x"}):
        with pytest.raises(InvalidInput):
            receipt_of(bad)


@given(leaves, st.data())
def test_every_receipt_of_an_epoch_opens_its_root_and_no_other_does(hashes: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    top, path = root(hashes), opening(hashes, index)
    assert opens(top, hashes[index], index, len(hashes), path)
    assert not opens(top, digest(b"another"), index, len(hashes), path)
    assert not opens(digest(b"another"), hashes[index], index, len(hashes), path)
    assert not opens(top, hashes[index], index, len(hashes), [*path, "0" * 64])
    assert not opens(top, hashes[index], len(hashes), len(hashes), path)
    assert not path or not opens(top, hashes[index], index, len(hashes), path[:-1])
    assert not opens(top, hashes[index], index, 4 * len(hashes) + 1, path), "nor of an epoch that counts more"


def test_roots_are_those_of_rfc_9162() -> None:
    # Leaves are SHA-256(0x00 || d), nodes SHA-256(0x01 || left || right), and no leaves SHA-256 of nothing.
    assert root([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    one, two, three = ("00" * 32, "11" * 32, "22" * 32)
    leaf = {item: bytes.fromhex(digest(b"\x00" + bytes.fromhex(item))) for item in (one, two, three)}
    pair = bytes.fromhex(digest(b"\x01" + leaf[one] + leaf[two]))
    assert root([one, two, three]) == digest(b"\x01" + pair + leaf[three])
