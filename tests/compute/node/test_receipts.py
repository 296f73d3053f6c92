"""A node signs the receipts that agree with its own record, says why it does not sign others, and keeps both."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mercato.compute.books.receipts import Signer, body, hashed, signed_by
from mercato.compute.model import End, KeyId, Price, ProviderId, Receipt, RequestId, Usage
from mercato.compute.node.daybook import Line
from mercato.compute.node.hub import Hub
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.node.receipting import Desk, Folder, objection, received, word
from mercato.compute.testing import stub
from mercato.core.errors import InvalidInput
from tests.compute.node.documents import offer
from tests.compute.node.world import joined, read, until, way

GATEWAY = Signer.fresh()
ME = ProviderId("prov_1")
PRICE = Price(200_000, 600_000)
DESK = Desk(ME, GATEWAY.public, {"toy": offer("toy", price=PRICE)})
LINE = Line("2026-03-01T12:00:00+00:00", "req_1", "toy", 200, "done", 5, 1000, 1000, 0, 800)


def receipt(**more: Any) -> Receipt:
    facts: dict[str, Any] = {
        "request": RequestId("req_1"), "lane": "l", "seq": 1, "at": datetime(2026, 3, 1, tzinfo=UTC),
        "key": KeyId("key_1"), "provider": ME, "model": "toy", "end": End.DONE, "asked": "a" * 64, "answered": "b" * 64,
        "claimed": Usage(1000, 1000), "counted": Usage(1000, 1000), "price": PRICE, "charged": 800, "earned": 800,
        "previous": "0" * 64,
    }  # fmt: skip
    made = Receipt(**(facts | more))
    hash = hashed(made)
    return replace(made, hash=hash, signature=GATEWAY.sign(hash))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, ""),
        ({"earned": 720}, ""),
        ({"earned": 719}, "it pays 719 for an answer worth 800"),
        ({"earned": 0, "end": End.TRUNCATED}, "delivered to its end, not truncated"),
        ({"earned": 100, "end": End.CLIENT_GONE}, ""),
        ({"price": Price(1, 1)}, "not the price that was offered"),
        ({"model": "larger"}, "the model was toy"),
        ({"provider": ProviderId("prov_2")}, "another provider's"),
    ],
)
def test_a_receipt_is_compared_with_what_the_node_wrote_down(changed: dict[str, Any], why: str) -> None:
    assert why in objection(DESK, receipt(**changed), LINE)
    assert (objection(DESK, receipt(**changed), LINE) == "") is (why == "")


def test_a_receipt_of_a_request_that_was_not_served_is_not_signed() -> None:
    assert "not served here" in objection(DESK, receipt(), None)


def test_an_answer_that_broke_off_may_be_paid_by_nothing() -> None:
    assert objection(DESK, receipt(end=End.TRUNCATED, earned=0), replace(LINE, end="upstream-error")) == ""


def test_a_receipt_that_another_gateway_signed_is_not_signed() -> None:
    other = Signer.fresh()

    assert "the key that this gateway had at first" in objection(replace(DESK, gateway=other.public), receipt(), LINE)


def test_a_receipt_that_was_changed_on_the_way_is_refused() -> None:
    made = receipt()
    said: dict[str, Any] = {"body": body(made) | {"earned": 1}, "hash": made.hash, "signature": made.signature}

    with pytest.raises(InvalidInput, match="not that of its content"):
        received(said)


def test_the_nodes_signature_is_below_the_hash_and_holds_for_its_key() -> None:
    key = NodeKey.new()
    signature, why = word(key, DESK, receipt(), LINE)

    assert why == ""
    assert signed_by(key.public, receipt().hash, signature)


def test_a_second_receipt_of_one_request_is_never_signed(tmp_path: Path) -> None:
    """Two different ones that are signed take the node's stake, so a gateway could ask for both."""
    key, first, second = NodeKey.new(), receipt(), receipt(seq=2)
    signature, _ = word(key, DESK, first, LINE)
    folder = Folder(tmp_path)
    folder.keep(first, body(first), countersigned=signature, objection="")
    folder.keep(second, body(second), countersigned="", objection="no")
    with (tmp_path / "receipts.jsonl").open("a") as file:
        file.write('{"request": "req_1", "hash": "cut')
    before = Folder(tmp_path).signed({"req_1", "req_2"})

    assert before == {"req_1": first.hash}
    assert word(key, DESK, first, LINE, before["req_1"]) == (signature, "")
    assert word(key, DESK, second, LINE, before["req_1"]) == ("", "another receipt of that request was signed")


def test_a_gateways_first_key_is_remembered(tmp_path: Path) -> None:
    assert Folder(tmp_path).pin("gw.example", "a" * 64) == "a" * 64
    assert Folder(tmp_path).pin("gw.example", "b" * 64) == "a" * 64
    assert Folder(tmp_path).pin("other.example", "b" * 64) == "b" * 64


def shown(hub: Hub, node: str, request: str, price: Price) -> None:
    """Shows a receipt to the one node that is there."""
    hub.present(
        receipt(request=RequestId(request), provider=ProviderId(node), price=price, charged=10**6, earned=10**6)
    )


def test_the_gateway_gets_the_nodes_word_over_the_tunnel_and_the_node_keeps_it(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with joined(tmp_path, url, offer("toy", price=PRICE), signer=GATEWAY.public) as (met, node):
            await read(
                way(met), b'{"model":"toy","messages":[{"role":"user","content":"hello"}]}', **{"x-request-id": "req_1"}
            )
            me = met.hub.members()[0].id
            shown(met.hub, me, "req_1", PRICE)
            shown(met.hub, me, "req_2", PRICE)
            await until(lambda: met.roll.signatures and met.roll.objections)
            met.hub.present(receipt(provider=me, charged=10**6, earned=10**6, seq=2))
            await until(lambda: len(met.roll.objections) == 2)

            good = receipt(provider=me, charged=10**6, earned=10**6)
            assert signed_by(node.key.public, good.hash, met.roll.signatures["req_1"])
            assert met.roll.objections == {
                "req_2": "that request was not served here", "req_1": "another receipt of that request was signed",
            }  # fmt: skip

    with stub() as upstream:
        asyncio.run(run(upstream.url))
    kept = [json.loads(line) for line in (tmp_path / "receipts.jsonl").read_text().splitlines()]
    assert [(one["request"], bool(one["countersigned"]), bool(one["objection"])) for one in kept] == [
        ("req_1", True, False),
        ("req_2", False, True),
        ("req_1", False, True),
    ]
