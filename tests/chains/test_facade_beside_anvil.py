"""The façade and Foundry's node are asked the same: the same names, and the same values where a node may not choose."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from mercato.chains import Interface
from mercato.chains.evm.anvil import Anvil
from mercato.chains.facade import Facade
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS, local
from mercato.contracts import load
from tests import npm
from tests.chains.conftest import Client

pytestmark = pytest.mark.npm
DOLLAR = load("test_dollar")
WORDS = Interface(DOLLAR.abi)
#: What each node makes up for itself; the times are those of the blocks, which anvil takes from the clock.
OWN = {
    "hash", "parentHash", "blockHash", "stateRoot", "transactionsRoot", "receiptsRoot", "miner", "size", "mixHash",
    "timestamp", "blockTimestamp", "logs",
}  # fmt: skip
#: Names of later forks and of blobs, which the embedded chain has not, and one that only logs must have.
LATER = {
    "blobGasPrice", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "withdrawals", "withdrawalsRoot",
    "baseFeePerBlobGas", "blobGasUsedRatio", "blockTimestamp", "requestsHash",
}  # fmt: skip


def signed(nonce: int, **more: object) -> str:
    return "0x" + Key(KEYS[0]).transaction({"chainId": 31337, "nonce": nonce, "gas": 3_000_000, **more}).hex()


def data(function: str, *args: object) -> str:
    return "0x" + WORDS.encode(function, *args).hex()


def mined(client: Client, raw: str) -> str:
    """Sends, and waits for the block, which anvil makes a moment later."""
    hash = client.ask("eth_sendRawTransaction", raw)
    end = time.monotonic() + 30
    while client.ask("eth_getTransactionReceipt", hash) is None and time.monotonic() < end:
        time.sleep(0.01)
    return str(hash)


def story(client: Client) -> dict[str, Any]:
    """Deploys, gives, fails; returns every answer by its name."""
    tip = {"maxFeePerGas": 10**9, "maxPriorityFeePerGas": 10**9}
    made = mined(client, signed(0, data=DOLLAR.bytecode, **tip))
    created = client.ask("eth_getTransactionReceipt", made)
    dollar = created["contractAddress"]
    given = client.ask(
        "eth_sendRawTransaction", signed(1, gasPrice=10**9, to=dollar, data=data("faucet", ACCOUNTS[1], 7))
    )
    failed = mined(client, signed(2, to=dollar, data=data("transfer", ACCOUNTS[1], 9), **tip))
    poor = {"from": ACCOUNTS[3], "to": dollar, "data": data("transfer", ACCOUNTS[1], 9)}
    return {
        **{
            f"{kind} of {what}": client.ask(f"eth_getTransaction{kind}", hash)
            for what, hash in {"creation": made, "gift": given, "failure": failed}.items()
            for kind in ("ByHash", "Receipt")
        },
        "block": client.ask("eth_getBlockByNumber", "0x2", False),
        "whole block": client.ask("eth_getBlockByNumber", "0x2", True)["transactions"][0],
        "log": client.ask("eth_getLogs", {"fromBlock": "0x0", "address": dollar})[0],
        "receipts": client.ask("eth_getBlockReceipts", "0x3")[0],
        "fees": client.ask("eth_feeHistory", "0x2", "latest", [10, 50]),
        "refused call": client.whole("eth_call", poor, "latest")["error"],
        "refused estimate": client.whole("eth_estimateGas", poor)["error"],
        "estimate": {"gas": client.ask("eth_estimateGas", {**poor, "data": data("faucet", ACCOUNTS[5], 5)})},
        "call": {"output": client.ask("eth_call", {**poor, "data": data("balanceOf", ACCOUNTS[1])}, "0x2")},
        "earlier call": {"output": client.ask("eth_call", {**poor, "data": data("balanceOf", ACCOUNTS[1])}, "0x1")},
        "slot": {"word": client.ask("eth_getStorageAt", dollar, "0x0", "latest")},
        "code": {
            "of": client.ask("eth_getCode", dollar, "latest"),
            "nobody": client.ask("eth_getCode", ACCOUNTS[8], "latest"),
        },
        "count": {"next": client.ask("eth_getTransactionCount", ACCOUNTS[0], "pending")},
        "wei": {"left": client.ask("eth_getBalance", ACCOUNTS[0], "latest")},
        "nothing": {
            "transaction": client.ask("eth_getTransactionByHash", "0x" + "12" * 32),
            "receipt": client.ask("eth_getTransactionReceipt", "0x" + "12" * 32),
            "block": client.ask("eth_getBlockByNumber", "0x999", False),
            "hash": client.ask("eth_getBlockByHash", "0x" + "12" * 32, False),
        },
        "codes": {method: client.fault(method)[0] for method in ("eth_nothing", "eth_getBalance")},
    }


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What the façade said, and what anvil said."""
    program = npm.anvil()
    assert program
    with (
        closing(Anvil(program)) as anvil,
        Facade(local(), 0, accounts=ACCOUNTS) as facade,
        httpx.Client(base_url=facade.url) as ours,
        httpx.Client(base_url=anvil.url) as theirs,
    ):
        yield story(Client(ours)), story(Client(theirs))


def test_every_name_that_a_client_may_read_is_there(told: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = told
    missing = {name: set(theirs[name]) - set(ours[name]) - LATER for name in theirs}

    assert {name: names for name, names in missing.items() if names} == {}


def test_every_value_agrees_that_a_node_may_not_choose(told: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = told
    same = [(name, key) for name in ours for key in set(ours[name]) & set(theirs[name]) - OWN]
    differ = {
        (name, key): (ours[name][key], theirs[name][key]) for name, key in same if ours[name][key] != theirs[name][key]
    }

    assert differ == {}
    assert len(same) > 150
