"""A node that lies, stalls, shouts or breaks off is caught, and its words stay words."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mercato.chains import Call, LogQuery, Reverted
from mercato.chains.errors import BadAnswer, BadCall, UnknownSigner, Unreachable
from mercato.chains.evm import answers
from mercato.chains.evm.endpoint import Endpoint
from mercato.chains.evm.rpc import Rpc
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.core.errors import Transient
from mercato.core.settings import Secret
from tests.chains.node import LATER, Node, body, send


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def endpoint(node: Node) -> Iterator[Endpoint]:
    made = Endpoint(Secret(node.url), seconds=1.0, octets=20_000)
    yield made
    made.close()


NEVER = {
    "words": body(b"<html>hello</html>"), "nothing": body(b""), "number": body(b"5"), "list": body(b"[]"),
    "other id": body(b'{"id":999999,"result":"0x1"}'), "no result": body(b'{"id":1}'),
    "deep": body(b"[" * 9_000), "large": body(b" " * 30_000), "digits": body(b'{"id":' + b"1" * 5_000 + b"}"),
    "packed": body(b"\x1f\x8b", content_encoding="gzip"), "elsewhere": body(b"", 302, location="http://127.0.0.1:1/"),
    "error": body(b'{"id":1,"error":"because"}'), "strange": body(b'{"id":1,"error":{"code":[],"message":{}}}'),
}  # fmt: skip


@pytest.mark.parametrize("way", LATER)
def test_a_node_that_is_busy_or_gone_may_be_asked_again(node: Node, endpoint: Endpoint, way: str) -> None:
    node.reply = LATER[way]

    with pytest.raises(Unreachable) as caught:
        endpoint.ask("eth_chainId")

    assert isinstance(caught.value, Transient)
    assert "secret-key" not in str(caught.value)


@pytest.mark.parametrize("way", NEVER)
def test_an_answer_that_cannot_be_right_is_said_to_be(node: Node, endpoint: Endpoint, way: str) -> None:
    node.reply = NEVER[way]

    with pytest.raises(BadAnswer) as caught:
        endpoint.ask("eth_chainId")

    assert "secret-key" not in str(caught.value)
    assert len(str(caught.value)) < 600


BATCHES = {
    "object": b"{}", "numbers": b"[1, 2]", "missing": b"[]", "lists as ids": b'[{"id":[1],"result":1}]', "text": b"x",
}  # fmt: skip


@pytest.mark.parametrize("way", BATCHES)
def test_a_batch_is_held_to_the_same(node: Node, endpoint: Endpoint, way: str) -> None:
    node.reply = body(BATCHES[way])

    with pytest.raises(BadAnswer):
        endpoint.batch([("eth_chainId", []), ("eth_blockNumber", [])])


def test_a_batch_may_be_answered_in_any_order(node: Node, endpoint: Endpoint) -> None:
    node.results["eth_blockNumber"] = "0x5"
    answer = node.one
    node.reply = lambda handler, asked: send(handler, json.dumps([answer(item) for item in reversed(asked)]).encode())

    assert endpoint.batch([("eth_chainId", []), ("eth_blockNumber", [])]) == ["0x7a69", "0x5"]
    with pytest.raises(BadAnswer, match="no such method"):
        endpoint.batch([("eth_chainId", []), ("eth_nothing", [])])
    tried = endpoint.tried([("eth_nothing", []), ("eth_chainId", [])])
    assert (type(tried[0]), tried[1]) == (BadAnswer, "0x7a69")


def failure(code: object, message: str, data: object = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "data": data}}


TEXT = "0x08c379a0" + "20".zfill(64) + "06".zfill(64) + b"closed".hex().ljust(64, "0")
REFUSALS: list[tuple[dict[str, Any], type[Exception], str]] = [
    (failure(3, "execution reverted: closed", TEXT), Reverted, "closed"),
    (failure(-32000, "execution reverted", {"data": TEXT}), Reverted, "closed"),
    (failure(-32000, "VM Exception: reverted: closed"), Reverted, "closed"),
    (failure(3, "execution reverted", "0x"), Reverted, "nothing"),
    (failure(-32000, "nonce too low"), BadCall, "nonce too low"),
    (failure(-32000, "Insufficient funds for gas * price + value"), BadCall, "nsufficient funds"),
    (failure(-32005, "x" * 10_000), BadAnswer, "-32005"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "kind", "words"), REFUSALS, ids=range(len(REFUSALS)))
def test_a_nodes_refusals_become_ours(
    node: Node, endpoint: Endpoint, answer: dict[str, Any], kind: type[Exception], words: str
) -> None:
    node.results["eth_call"] = answer

    with pytest.raises(kind, match=words) as caught:
        endpoint.ask("eth_call")
    assert len(str(caught.value)) < 600


def test_a_range_of_logs_that_is_too_much_is_asked_for_in_halves(node: Node) -> None:
    def logs(params: list[Any]) -> Any:
        first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
        return (
            [entry(block) for block in range(first, last + 1)] if last - first < 3 else failure(-32005, "range limit")
        )

    def entry(block: int) -> dict[str, Any]:
        word = "0x" + "ab" * 32
        return {"address": ACCOUNTS[0], "topics": [], "data": "0x", "blockNumber": hex(block), "blockHash": word,
                "transactionHash": word, "logIndex": "0x0"}  # fmt: skip

    node.results["eth_getLogs"] = logs
    chain = Rpc(Endpoint(Secret(node.url)), 31337)

    found = chain.logs(LogQuery(0, 9))

    assert [log.block for log in found] == list(range(10))
    node.results["eth_getLogs"] = failure(-32005, "range limit")
    with pytest.raises(BadAnswer, match="range limit"):
        chain.logs(LogQuery(0, 1))
    chain.close()


def test_an_account_that_nobody_signs_for_cannot_send(node: Node) -> None:
    node.results["eth_accounts"] = [ACCOUNTS[1]]
    chain = Rpc(Endpoint(Secret(node.url)), 31337)

    with pytest.raises(UnknownSigner, match=ACCOUNTS[0]):
        chain.send(Call(ACCOUNTS[0], ACCOUNTS[1]))
    chain.close()


def test_sending_takes_two_requests(node: Node) -> None:
    word = "0x" + "ab" * 32
    node.results |= {
        "eth_getTransactionCount": "0x7", "eth_estimateGas": "0x5208", "eth_maxPriorityFeePerGas": "0x2",
        "eth_sendRawTransaction": word,
        "eth_getBlockByNumber": {"number": "0x1", "hash": word, "parentHash": word, "timestamp": "0x1",
                                 "transactions": [], "gasUsed": "0x0", "baseFeePerGas": "0x64"},
    }  # fmt: skip
    chain = Rpc(Endpoint(Secret(node.url)), 31337, [Key(KEYS[0])])
    node.asked.clear()

    sent = chain.send(Call(ACCOUNTS[0], ACCOUNTS[1], value=5))

    assert sent == word
    assert [len(asked) if isinstance(asked, list) else asked["method"] for asked in node.asked] == [
        4,
        "eth_sendRawTransaction",
    ]
    signed = Key(KEYS[0]).transaction(
        {"chainId": 31337, "nonce": 7, "maxPriorityFeePerGas": 2, "maxFeePerGas": 202, "gas": 25_200,
         "to": ACCOUNTS[1], "value": 5}
    )  # fmt: skip
    assert node.asked[1]["params"] == ["0x" + signed.hex()]
    chain.close()


def test_a_transaction_that_never_comes_is_waited_for_only_so_long(node: Node) -> None:
    node.results["eth_getTransactionReceipt"] = None
    chain = Rpc(Endpoint(Secret(node.url)), 31337)

    with pytest.raises(Unreachable, match="in no block after 0 s"):
        chain.wait(answers.digest("0x" + "ab" * 32), seconds=0)
    chain.close()


def test_only_urls_are_addresses() -> None:
    for url in ("", "nonsense", "http://", "http://[::"):
        with pytest.raises(BadCall, match="was not a URL"):
            Endpoint(Secret(url))


WRONG: list[tuple[Callable[[Any], object], Any]] = [
    (answers.number, 5), (answers.number, "5"), (answers.number, "0x"), (answers.number, "0xzz"),
    (answers.number, None), (answers.number, "0x" + "f" * 80), (answers.octets, "0x0"),
    (answers.octets, "zz"), (answers.octets, None),
    (answers.address, "0x12"), (answers.digest, "0x12"), (answers.items, {}), (answers.receipt, {}),
    (answers.receipt, []), (answers.log, None), (answers.block, {"number": "0x1"}),
]  # fmt: skip


@pytest.mark.parametrize(("read", "value"), WRONG, ids=range(len(WRONG)))
def test_what_does_not_fit_is_no_answer(read: Callable[[Any], object], value: Any) -> None:
    with pytest.raises(BadAnswer):
        read(value)
