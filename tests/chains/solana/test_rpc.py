"""A node that lies, or speaks of what is not there, is caught; nothing is sent where money may be real."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mercato.chains.errors import BadAnswer, BadCall, RealChainRefused, Reverted, Unreachable
from mercato.chains.solana import clusters, rpc
from mercato.chains.solana.messages import compile_message, sign, signature_of
from mercato.chains.solana.model import SYSTEM, Account, Blockhash, Held, Signature
from mercato.chains.solana.rpc import RemoteCluster
from mercato.chains.solana.testing import keys
from mercato.chains.solana.tokens import transfer_lamports
from mercato.core.errors import MercatoError, NotFound
from mercato.core.settings import Secret
from tests.chains.node import LATER, Node

ANN, BEN = keys()[:2]
MAINNET_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
MESSAGE = compile_message(ANN.address, [transfer_lamports(ANN.address, BEN.address, 1)], Blockhash(MAINNET_GENESIS))
RAW = sign(MESSAGE, [ANN])
NAME = signature_of(RAW)


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    made.results = {"getGenesisHash": clusters.GENESIS}
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def cluster(node: Node) -> Iterator[RemoteCluster]:
    made = rpc.connect(Secret(node.url), seconds=1.0, octets=100_000)
    yield made
    made.close()


def value(found: object) -> dict[str, Any]:
    return {"context": {"slot": 1}, "value": found}


def failure(code: int, message: str, data: object = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "data": data}}


def test_another_cluster_than_expected_is_refused(node: Node) -> None:
    with pytest.raises(BadAnswer, match="expected solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"):
        rpc.connect(Secret(node.url), clusters.MAINNET)


def test_nothing_is_sent_where_money_may_be_real(node: Node) -> None:
    node.results = {"getGenesisHash": MAINNET_GENESIS, "sendTransaction": NAME}
    shut = rpc.connect(Secret(node.url), clusters.MAINNET)
    opened = rpc.connect(Secret(node.url), clusters.MAINNET, allow_real_chains=True)

    with pytest.raises(RealChainRefused):
        shut.send_raw(RAW)
    assert [one["method"] for one in node.asked] == ["getGenesisHash"] * 2
    assert opened.send_raw(RAW) == NAME
    shut.close()
    opened.close()


def test_a_node_that_names_another_signature_is_not_believed(node: Node, cluster: RemoteCluster) -> None:
    node.results["sendTransaction"] = "1" * 64

    with pytest.raises(BadAnswer, match="the transaction's own"):
        cluster.send_raw(RAW)


ERR = {"InstructionError": [0, {"Custom": 1}]}
REFUSALS: dict[str, tuple[dict[str, Any], type[MercatoError], str]] = {
    "a program": (failure(-32002, "x", {"err": ERR, "logs": ["Program 1 failed"]}), Reverted, "program error: 0x1"),
    "the runtime": (failure(-32002, "x", {"err": "BlockhashNotFound", "logs": []}), BadCall, "Blockhash not found"),
    "a mute one": (failure(-32002, "Transaction simulation failed: why"), BadCall, "refused: why"),
    "signatures": (failure(-32003, "Transaction signature verification failure"), BadCall, "verification"),
    "parameters": (failure(-32602, "Invalid param: WrongSize"), BadCall, "WrongSize"),
    "a skipped slot": (failure(-32007, "Slot 5 was skipped"), NotFound, "skipped"),
    "a gone block": (failure(-32001, "Block 5 cleaned up"), NotFound, "cleaned up"),
    "a node behind": (failure(-32005, "Node is behind by 42 slots", {"numSlotsBehind": 42}), Unreachable, "behind"),
    "anything else": (failure(-1, "x" * 10_000), BadAnswer, "-1"),
}


@pytest.mark.parametrize("way", REFUSALS)
def test_a_nodes_refusals_become_ours(node: Node, cluster: RemoteCluster, way: str) -> None:
    node.results["sendTransaction"], kind, words = REFUSALS[way]

    with pytest.raises(kind, match=words) as refused:
        cluster.send_raw(RAW)
    assert len(str(refused.value)) < 700


ACCOUNT = {"lamports": 5, "owner": SYSTEM, "executable": False, "data": ["AAE=", "base64"], "rentEpoch": 2**64 - 1}
Ask = Callable[[RemoteCluster], object]
QUESTIONS: dict[str, Ask] = {
    "getBalance": lambda cluster: cluster.balance(ANN.address),
    "getMultipleAccounts": lambda cluster: cluster.accounts([ANN.address]),
    "getProgramAccounts": lambda cluster: cluster.owned(SYSTEM),
    "getLatestBlockhash": lambda cluster: cluster.lifetime(),
    "getBlockHeight": lambda cluster: cluster.height(),
    "getSlot": lambda cluster: cluster.block(),
    "getFeeForMessage": lambda cluster: cluster.fee(MESSAGE),
    "getMinimumBalanceForRentExemption": lambda cluster: cluster.rent(5),
    "getTransaction": lambda cluster: cluster.receipt(NAME),
    "getSignaturesForAddress": lambda cluster: cluster.history(ANN.address),
    "simulateTransaction": lambda cluster: cluster.simulate(RAW, [ANN.address]),
}
NONSENSE: list[Any] = [
    "words", -1, 2**64, 1.5, True, [[]], [1], {"value": {}}, {"value": -5}, {"value": [{}]},
    value([{**ACCOUNT, "lamports": -1}]), value([{**ACCOUNT, "owner": "short"}]),
    value([{**ACCOUNT, "data": ["é", "base64"]}]), value([{**ACCOUNT, "data": "text"}]), value([ACCOUNT, ACCOUNT]),
    [{"pubkey": SYSTEM}], [{"signature": "1"}], value({"blockhash": "1", "lastValidBlockHeight": 1}),
    {"slot": 1, "blockTime": 1, "transaction": {"message": {"accountKeys": []}}, "meta": {"err": None}},
    value({"err": None, "accounts": [], "logs": []}), value({"err": None, "accounts": [1], "logs": 5}),
]  # fmt: skip


def test_a_node_tries_no_transaction_after_others(cluster: RemoteCluster) -> None:
    with pytest.raises(BadAnswer, match="tries each transaction alone"):
        cluster.simulate(RAW, [ANN.address], after=[RAW])


@pytest.mark.parametrize("method", QUESTIONS)
def test_nonsense_is_never_believed(node: Node, cluster: RemoteCluster, method: str) -> None:
    for nonsense in NONSENSE:
        node.results[method] = nonsense
        with pytest.raises(BadAnswer):
            QUESTIONS[method](cluster)


def test_what_is_right_is_read(node: Node, cluster: RemoteCluster) -> None:
    node.results |= {"getMultipleAccounts": value([ACCOUNT, None]), "getFeeForMessage": value(None)}

    assert cluster.accounts([ANN.address, BEN.address]) == (Account(5, SYSTEM, b"\0\1"), None)
    with pytest.raises(BadCall, match="Blockhash not found"):
        cluster.fee(MESSAGE)
    with pytest.raises(BadCall, match="ask in parts"):
        cluster.accounts([ANN.address] * 101)


def test_slots_without_a_block_are_passed_over_at_the_tip(node: Node, cluster: RemoteCluster) -> None:
    head = {
        "blockHeight": 3, "blockhash": MAINNET_GENESIS, "parentSlot": 4, "previousBlockhash": SYSTEM, "blockTime": 9,
        "signatures": [],
    }  # fmt: skip
    skipped = failure(-32007, "Slot was skipped")
    node.results |= {"getSlot": 7, "getBlock": lambda params: head if params[0] == 5 else skipped}

    assert (cluster.block().slot, cluster.time()) == (5, 9)
    with pytest.raises(NotFound):
        cluster.block(6)


def test_a_long_history_is_read_in_pages(node: Node, cluster: RemoteCluster) -> None:
    pages = iter([[{"signature": str(Signature("1" * 64))}] * 1000, [{"signature": "1" * 64}] * 10])
    node.results["getSignaturesForAddress"] = lambda params: next(pages)

    assert len(cluster.history(ANN.address, limit=5000)) == 1010
    assert [one["params"][1].get("before") for one in node.asked[1:]] == [None, "1" * 64]


@pytest.mark.parametrize("way", LATER)
def test_a_node_that_is_busy_or_gone_may_be_asked_again(node: Node, cluster: RemoteCluster, way: str) -> None:
    node.reply = LATER[way]

    with pytest.raises(Unreachable) as refused:
        cluster.height()
    assert "secret-key" not in str(refused.value)


def test_a_transaction_that_never_comes_is_waited_for_in_vain(node: Node, cluster: RemoteCluster) -> None:
    node.results["getTransaction"] = None

    with pytest.raises(Unreachable, match="in no block"):
        cluster.wait(NAME, seconds=0)


def test_keys_in_an_address_are_not_shown(node: Node, cluster: RemoteCluster) -> None:
    node.results["getBlockHeight"] = failure(-1, "no")

    with pytest.raises(BadAnswer) as refused:
        cluster.height()
    assert "secret-key" not in json.dumps(str(refused.value))


def receipt(tokens: object) -> dict[str, Any]:
    """A node's receipt of a transaction with two accounts, and what it says of tokens after it."""
    meta = {"err": None, "fee": 5_000, "preBalances": [9, 0], "postBalances": [8, 1], "postTokenBalances": tokens}
    message = {"accountKeys": [ANN.address, BEN.address]}
    return {"slot": 1, "blockTime": 7, "meta": meta, "transaction": {"message": message, "signatures": [NAME]}}


def held(place: object = 1, amount: object = "5", owner: str | None = BEN.address) -> dict[str, Any]:
    return {"accountIndex": place, "mint": ANN.address, "owner": owner, "uiTokenAmount": {"amount": amount}}


def test_tokens_of_a_receipt_are_read_and_those_without_an_owner_left_out(node: Node, cluster: RemoteCluster) -> None:
    node.results["getTransaction"] = receipt([held(), held(0, owner=None)])
    found = cluster.receipt(NAME)

    assert found
    assert (found.held, found.holds) == ((), (Held(BEN.address, ANN.address, BEN.address, 5),))


@pytest.mark.parametrize("wrong", [held(2), held(-1), held(amount="5.0"), held(amount=5), {}, "tokens"])
def test_tokens_of_a_receipt_that_cannot_be_right_are_noticed(
    node: Node, cluster: RemoteCluster, wrong: object
) -> None:
    node.results["getTransaction"] = receipt([wrong])

    with pytest.raises(BadAnswer):
        cluster.receipt(NAME)
