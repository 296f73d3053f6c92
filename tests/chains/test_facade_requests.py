"""JSON-RPC 2.0 as its specification and clients want it: batches, notifications, codes, and strict arguments."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercato.chains.errors import BadAnswer, BadCall, Reverted, UnknownSigner
from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import faults
from mercato.chains.facade.dispatch import answer
from mercato.chains.facade.faults import Fault
from mercato.chains.model import Call
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.contracts import load
from mercato.core.errors import InvalidInput, MercatoError, NotFound
from tests.chains.conftest import Client

ASK = {"jsonrpc": "2.0", "method": "eth_chainId"}
CHAIN = {"jsonrpc": "2.0", "id": 1, "result": "0x7a69"}
NOWHERE = "0x" + "0" * 64


def test_a_request_is_answered_with_its_id(client: Client) -> None:
    assert client.post({**ASK, "id": 1}).json() == CHAIN
    assert client.post({**ASK, "id": "text"}).json()["id"] == "text"
    assert client.post({**ASK, "id": None}).json()["id"] is None


def test_a_batch_is_answered_as_one_and_notifications_are_not(client: Client) -> None:
    answers = client.post([{**ASK, "id": 1}, ASK, {**ASK, "id": 2, "method": "nothing"}]).json()

    assert answers[0] == CHAIN
    assert [(one["id"], one["error"]["code"]) for one in answers[1:]] == [(2, -32601)]
    assert client.post(ASK).content == b""
    assert client.post([ASK, ASK]).content == b""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b'{"jsonrpc": "2.0", "id": NaN}', -32700),
        (b"\xff\xfe\x00", -32700),
        (b"[" * 10_000, -32700),
        (b"9" * 10_000, -32700),
        (b"[]", -32600),
        (b"[1]", -32600),
        (b"3", -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "eth_chainId"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "eth_chainId"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": {"a": 1}}', -32602),
    ],
)
def test_what_is_no_request_has_its_code(client: Client, body: bytes, code: int) -> None:
    found = client.http.post("/", content=body, headers={"content-type": "application/json"}).json()
    one = found[0] if isinstance(found, list) else found

    assert one["error"]["code"] == code


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBalance", []),
        ("eth_getBalance", ["0x12"]),
        ("eth_getBalance", [ACCOUNTS[0], "0x01"]),
        ("eth_getBalance", [ACCOUNTS[0], "newest"]),
        ("eth_getBlockByNumber", ["latest", "true"]),
        ("eth_getBlockByHash", ["0x12", True]),
        ("eth_getTransactionByHash", [7]),
        ("eth_getStorageAt", [ACCOUNTS[0], "0x" + "1" * 65]),
        ("eth_call", ["0x"]),
        ("eth_call", [{"to": ACCOUNTS[0], "data": "0x1"}]),
        ("eth_call", [{"to": ACCOUNTS[0], "data": "0x 12"}]),
        ("eth_call", [{"to": ACCOUNTS[0], "colour": "red"}]),
        ("eth_call", [{"to": ACCOUNTS[0]}, "latest", {ACCOUNTS[0]: {"balance": "0x1"}}]),
        ("eth_getLogs", [{"topics": ["0x12"]}]),
        ("eth_getLogs", [{"topics": [[]] * 5}]),
        ("eth_getLogs", [{"blockHash": NOWHERE, "fromBlock": "0x0"}]),
        ("eth_getLogs", [{"fromBlock": "0x5", "toBlock": "0x1"}]),
        ("eth_simulateV1", [{"blockStateCalls": [{"calls": [], "blockOverrides": {"time": "0x1"}}]}]),
        ("eth_simulateV1", [{"blockStateCalls": [{"calls": [], "stateOverrides": {ACCOUNTS[0]: {"nonce": "0x1"}}}]}]),
        ("eth_simulateV1", [{"blockStateCalls": [{"calls": [], "stateOverrides": {"0x12": {"code": "0x00"}}}]}]),
        ("evm_mine", [{"blocks": 100_000}]),
        ("evm_increaseTime", [True]),
    ],
)
def test_arguments_that_cannot_be_right_are_refused(client: Client, method: str, params: list) -> None:
    assert client.fault(method, *params)[0] == -32602


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Reverted("no", b"\x01"), 3),
        (UnknownSigner("signer was 1"), -32000),
        (BadCall("value was 1"), -32000),
        (NotFound("block was 9"), -32001),
        (InvalidInput("value was 1"), -32602),
        (BadAnswer("answer was 1"), -32603),
    ],
)
def test_each_of_our_errors_has_a_code(error: MercatoError, code: int) -> None:
    assert faults.of(error).code == code


def test_a_fault_of_ours_is_told_without_its_insides(caplog: pytest.LogCaptureFixture) -> None:
    def broken(params: object) -> object:
        raise RuntimeError("secret")

    told = answer('{"jsonrpc": "2.0", "id": 1, "method": "broken"}', {"broken": broken}, 1)

    assert told == '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal error"}}'
    assert "secret" in caplog.text


def test_a_revert_has_its_words_and_its_data(client: Client, chain: LocalChain) -> None:
    created = chain.wait(chain.send(Call(ACCOUNTS[0], None, load("test_dollar").bytecode))).created
    transfer = "0xa9059cbb" + ACCOUNTS[1][2:].zfill(64) + "1".zfill(64)
    for method in ("eth_call", "eth_estimateGas", "eth_sendTransaction"):
        error = client.whole(method, {"from": ACCOUNTS[2], "to": created, "data": transfer})["error"]

        assert (error["code"], error["message"]) == (3, "execution reverted: erc20: balance too small")
        assert error["data"].startswith("0x08c379a0")


def test_refused_transactions_say_it_in_the_words_that_clients_look_for(
    client: Client, send: Callable[..., str]
) -> None:
    send()
    words = {
        "nonce too low": {"nonce": "0x0"},
        "nonce too high": {"nonce": "0x9"},
        "insufficient funds": {"value": hex(10**30)},
        "unknown account": {"from": "0x" + "12" * 20},
    }
    for words_of_it, more in words.items():
        code, message = client.fault("eth_sendTransaction", {"from": ACCOUNTS[0], "to": ACCOUNTS[1], **more})

        assert (code, message[: len(words_of_it)]) == (-32000, words_of_it)


def raw(**more: object) -> str:
    """A signed transfer of a wei from the first account."""
    fields = {"chainId": 31337, "nonce": 0, "to": ACCOUNTS[1], "value": 1, "gas": 21_000, "maxFeePerGas": 10**9}
    return "0x" + Key(KEYS[0]).transaction({**fields, **more}).hex()


def test_signed_transactions_that_a_node_refuses_are_refused(client: Client) -> None:
    words = {
        "invalid chain id": raw(chainId=1),
        "nonce too high": raw(nonce=3),
        "insufficient funds for gas * price + value": raw(value=10**30),
        "intrinsic gas too low": raw(gas=20_999),
        "exceeds block gas limit": raw(gas=40_000_000),
        "max priority fee per gas higher": raw(maxPriorityFeePerGas=10**10),
        "rlp": "0x02c0",
    }
    for words_of_it, signed in words.items():
        code, message = client.fault("eth_sendRawTransaction", signed)

        assert (code, message[: len(words_of_it)]) == (-32000, words_of_it)
    assert client.ask("eth_sendRawTransaction", raw()).startswith("0x")
    assert client.fault("eth_sendRawTransaction", raw()) == (-32000, "already known")
    assert client.fault("eth_sendRawTransaction", raw(value=2))[1].startswith("nonce too low")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_no_argument_breaks_a_method(client: Client, given: object) -> None:
    for method in ("eth_getBalance", "eth_call", "eth_getLogs", "eth_newFilter", "eth_getBlockByNumber", "evm_mine"):
        found = client.whole(method, given, given)

        assert found.get("error", {"code": 0})["code"] != faults.INTERNAL


def test_a_fault_shows_data_only_where_there_is_some() -> None:
    assert Fault(1, "no").body() == {"code": 1, "message": "no"}
    assert Fault(1, "no", "0x").body() == {"code": 1, "message": "no", "data": "0x"}
